//! Compiles `cpp/` against libtorch, as tch compiles its own C++, and tells the linker where libtorch is when tests run.
//!
//! On other systems than Linux nothing is compiled, and the functions say that they are not there: elsewhere libtorch's
//! threads are others.

use std::path::PathBuf;
use std::process::exit;

/// Each file of `cpp/` that includes headers of libtorch.
const WITH_LIBTORCH: [&str; 9] =
    ["adam", "depthwise", "group", "instructions", "memory", "norm", "pool", "staging", "threads"];

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed=cpp");
    println!("cargo::rustc-check-cfg=cfg(compiled)");
    for name in ["LIBTORCH", "LIBTORCH_CXX11_ABI"] {
        println!("cargo::rerun-if-env-changed={name}");
    }
    let target = |name: &str| std::env::var(format!("CARGO_CFG_TARGET_{name}")).unwrap_or_default();
    if target("OS") != "linux" {
        return;
    }
    let Some(libtorch) = std::env::var_os("LIBTORCH").map(PathBuf::from) else {
        stop("the environment variable LIBTORCH is not set");
    };
    println!("cargo::rerun-if-changed={}", libtorch.join("build-version").display());
    let lib = match libtorch.join("lib").canonicalize() {
        Ok(lib) => lib,
        Err(error) => stop(&format!("{}: {error}", libtorch.join("lib").display())),
    };
    println!("cargo::rustc-cfg=compiled");
    println!("cargo::rustc-link-arg=-Wl,-rpath,{}", lib.display());

    // The same loops for several sets of instructions; which one runs is decided on the user's computer.
    let avx512 =
        ["-mavx512f", "-mavx512bw", "-mavx512vl", "-mavx512dq", "-mfma", "-mprefer-vector-width=512"];
    let mut kernels = vec![("baseline", [].as_slice())];
    if target("ARCH") == "x86_64" {
        kernels.extend([("avx2", ["-mavx2", "-mfma"].as_slice()), ("avx512", avx512.as_slice())]);
    }
    let mut build = base();
    for (name, flags) in kernels {
        let mut with = base();
        with.file(format!("cpp/kernels_{name}.cpp"));
        flags.iter().for_each(|flag| {
            with.flag(flag);
        });
        match with.try_compile_intermediates() {
            Ok(objects) => build.objects(objects),
            Err(error) => stop_compiling(&error),
        };
    }
    let abi = std::env::var("LIBTORCH_CXX11_ABI").unwrap_or_else(|_| "1".to_owned());
    let include = libtorch.join("include");
    build
        .flag("-fopenmp")
        .flag("-isystem")
        .flag(include.join("torch/csrc/api/include"))
        .flag("-isystem")
        .flag(include)
        // What c10d's headers name of gloo.
        .include("cpp")
        .define("USE_C10D_GLOO", None)
        .define("_GLIBCXX_USE_CXX11_ABI", abi.as_str());
    for name in WITH_LIBTORCH {
        build.file(format!("cpp/{name}.cpp"));
    }
    if let Err(error) = build.try_compile("tasklens_torch") {
        stop_compiling(&error);
    }
}

fn base() -> cc::Build {
    let mut build = cc::Build::new();
    // What it does should not depend on how the rest is compiled: a test runs the loops of the release.
    build.cpp(true).std("c++17").pic(true).opt_level(3).debug(false).warnings(false);
    for flag in ["-fno-math-errno", "-fno-trapping-math", "-Wno-psabi"] {
        build.flag_if_supported(flag);
    }
    build
}

fn stop_compiling(error: &cc::Error) -> ! {
    println!("cargo::error=the C++ of tasklens-torch cannot be compiled: {error}");
    exit(1);
}

fn stop(why: &str) -> ! {
    println!("cargo::error=libtorch was not found ({why}): run `cargo xtask setup` first");
    exit(1);
}
