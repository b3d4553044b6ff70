//! Tells the linker where the programs find libtorch when they run.

use std::path::{Path, PathBuf};
use std::process::exit;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-env-changed=LIBTORCH");
    let Some(libtorch) = std::env::var_os("LIBTORCH").map(PathBuf::from) else {
        stop("the environment variable LIBTORCH is not set");
    };
    let lib = libtorch.join("lib");
    println!("cargo::rerun-if-changed={}", libtorch.join("build-version").display());
    // The real folder, so that a program goes on working when the link under `target/` is gone.
    let lib = match lib.canonicalize() {
        Ok(lib) => lib,
        Err(error) => stop(&format!("{}: {error}", lib.display())),
    };
    // Windows looks for libraries along PATH instead; `cargo xtask` sets it.
    if std::env::var("CARGO_CFG_TARGET_FAMILY").is_ok_and(|family| family == "unix") {
        add_rpath(&lib);
    }
}

fn add_rpath(lib: &Path) {
    println!("cargo::rustc-link-arg=-Wl,-rpath,{}", lib.display());
}

fn stop(why: &str) -> ! {
    println!("cargo::error=libtorch was not found ({why}): run `cargo xtask setup` first");
    exit(1);
}
