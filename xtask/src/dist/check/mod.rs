//! `cargo xtask dist --check`: the packages in a bare Debian 12, used as a new user would.

mod bare;
mod screen;

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use anyhow::{Context as _, Result, ensure};

use super::tools::{self, Needed, output, output_of};
use super::{Packages, VERSION};
use crate::system::is_root;
use bare::Bare;
use screen::Screen;

/// Seconds from the finished download to the sample on screen.
const MOST_SECONDS: f64 = 60.0;
/// Bytes of a package without CUDA.
const MOST_BYTES: u64 = 250_000_000;

/// Tries the packages that were made.
///
/// # Errors
/// This is not root, a tool is missing, or something does not work.
pub fn run(packages: &Packages) -> Result<()> {
    for file in [&packages.deb, &packages.archive] {
        let again = if packages.gpu { " --gpu" } else { "" };
        ensure!(file.is_file(), "{} is missing: run `cargo xtask dist{again}` first", file.display());
    }
    ensure!(
        is_root(),
        "--check needs root, as it makes a Debian in a folder and goes into it: run it with sudo or in a container"
    );
    tools::ensure(&[
        Needed("debootstrap", "debootstrap"),
        Needed("unshare", "util-linux"),
        Needed("Xvfb", "xvfb"),
        Needed("xdotool", "xdotool"),
        Needed("import", "imagemagick"),
        Needed("dpkg-deb", "dpkg"),
        Needed("zstd", "zstd"),
    ])?;
    for file in [&packages.deb, &packages.archive] {
        println!("{}", packages.line(file)?);
        let bytes = fs::metadata(file)?.len();
        ensure!(packages.gpu || bytes < MOST_BYTES, "it is larger than {} MB", MOST_BYTES / 1_000_000);
    }
    let results = packages.folder.join("check");
    tools::remove_folder(&results)?;
    fs::create_dir_all(&results).with_context(|| format!("cannot create {}", results.display()))?;

    let bare = step("a bare Debian 12", || Bare::make(packages.folder.join("debian12")))?;
    println!("    {}", is_bare(&bare)?);
    let screen = Screen::start()?;
    for seconds in
        [with_deb(&bare, &screen, packages, &results)?, with_archive(&bare, &screen, packages, &results)?]
    {
        ensure!(
            seconds < MOST_SECONDS,
            "all of it works, but it took {seconds:.0} s instead of {MOST_SECONDS} s until the sample was on screen: was \
             this computer busy?"
        );
    }
    println!("ok: all of it works. Pictures: {}", results.display());
    Ok(())
}

/// The seconds from the download to the sample on screen.
fn with_deb(bare: &Bare, screen: &Screen, packages: &Packages, results: &Path) -> Result<f64> {
    println!("The Debian package");
    let depends = output("dpkg-deb", ["--field".as_ref(), packages.deb.as_os_str(), "Depends".as_ref()])?;
    let apt = ["apt-get", "--yes", "--no-install-recommends"];
    step("what it depends on, which a desktop has", || {
        output_of(bare.root(&apt).args(["satisfy", depends.trim()]))
    })?;
    let deb = bare.bring(&packages.deb)?;

    let began = Instant::now();
    step("install", || output_of(bare.root(&apt).args(["install", &deb])))?;
    let seconds = step("window, and the sample in it", || {
        screen.open_sample(bare, "tasklens", &results.join("deb.png"))
    })?;
    let total = began.elapsed().as_secs_f64();
    println!("    the sample was on screen {seconds:.1} s after the start, {total:.1} s after the download");

    println!("    {} installed", size_of(&bare.outside("/usr/lib/tasklens"))?);
    command_line(bare, "tasklens")?;
    step("remove", || output_of(bare.root(&apt).args(["purge", packages.name()])))?;
    ensure!(!bare.outside("/usr/lib/tasklens").exists(), "it left files in /usr/lib/tasklens");
    Ok(total)
}

/// The seconds from the download to the sample on screen.
fn with_archive(bare: &Bare, screen: &Screen, packages: &Packages, results: &Path) -> Result<f64> {
    println!("The archive, in a folder with a space in its name");
    // As one who never had Tasklens.
    for kept in [".local", ".config", ".cache"] {
        tools::remove_folder(&bare.outside(&format!("{}/{kept}", Bare::home())))?;
    }
    let folder = format!("{}/my programs", Bare::home());
    let began = Instant::now();
    step("unpack", || {
        output_of(&mut bare.user(None, &["mkdir", &folder]))?;
        // A user unpacks it with what a desktop has; the bare Debian has no zstd.
        let mut tar = Command::new("tar");
        tar.args(["--extract", "--zstd", "--file"]).arg(&packages.archive);
        output_of(tar.arg("--directory").arg(bare.outside(&folder)))
    })?;
    let program = format!("{folder}/{}/tasklens", packages.stem());
    let seconds = step("window, and the sample in it", || {
        screen.open_sample(bare, &program, &results.join("archive.png"))
    })?;
    let total = began.elapsed().as_secs_f64();
    println!("    the sample was on screen {seconds:.1} s after the start, {total:.1} s after the download");
    command_line(bare, &program)?;
    step("into the menu and out of it", || menu(bare, &program))?;
    Ok(total)
}

/// Trains on the sample that the window has drawn, and predicts.
fn command_line(bare: &Bare, program: &str) -> Result<()> {
    let home = Bare::home();
    let tasklens = |arguments: &[&str]| {
        let command: Vec<_> = [program].iter().chain(arguments).copied().collect();
        output_of(&mut bare.user(None, &command))
    };
    let version = tasklens(&["--version"])?;
    ensure!(version.trim() == format!("tasklens {VERSION}"), "it is {version}");
    let doctor = step("doctor", || tasklens(&["doctor"]))?;
    for line in doctor.lines().filter(|line| line.contains("OpenVINO") || line.contains("ImageNet")) {
        println!("    {}", line.trim());
    }
    let engine = cfg!(target_arch = "aarch64") || doctor.contains("by OpenVINO");
    ensure!(engine, "it does not predict by the OpenVINO that is in the package:\n{doctor}");

    let config = format!("{home}/.local/share/tasklens/sample/config.yml");
    let image = format!("{home}/.local/share/tasklens/sample/garments/00001.jpg");
    let ways: [(&str, &str, &[&str]); 2] = [
        ("train one epoch, and predict", "first", &[]),
        (
            "train one epoch from the packed ImageNet weights, and predict",
            "second",
            &["--set", "model.backbone=efficientnet_lite0", "--set", "model.pretrained=required"],
        ),
    ];
    for (what, run, more) in ways {
        let run = format!("{home}/{run}");
        tools::remove_folder(&bare.outside(&run))?;
        step(what, || {
            let train = ["train", &config, "--run", &run, "--set", "model.epochs=1"];
            tasklens(&[&train[..], more].concat())?;
            let answer = tasklens(&["predict", &run, &image])?;
            for task in ["print", "sleeves", "neckline"] {
                ensure!(answer.contains(task), "no answer for {task}:\n{answer}");
            }
            Ok(())
        })?;
    }
    Ok(())
}

/// What the archive's own script does to the desktop.
fn menu(bare: &Bare, program: &str) -> Result<()> {
    let script = format!("{}/add-to-menu", program.trim_end_matches("/tasklens"));
    let entry = bare.outside(&format!("{}/.local/share/applications/tasklens-open.desktop", Bare::home()));
    output_of(&mut bare.user(None, &[&script]))?;
    let text = fs::read_to_string(&entry).with_context(|| format!("cannot read {}", entry.display()))?;
    let start = format!("Exec=\"{program}\" open %f\n");
    ensure!(text.contains(&start), "the entry does not have {start}:\n{text}");
    output_of(&mut bare.user(None, &[&script, "--remove"]))?;
    ensure!(!entry.exists(), "{} stays", entry.display());
    Ok(())
}

/// Says that what a developer has is not there.
///
/// # Errors
/// It is.
fn is_bare(bare: &Bare) -> Result<String> {
    const TOOLS: [&str; 5] = ["cargo", "rustc", "python3", "cc", "c++"];
    for tool in TOOLS {
        let found = bare.root(&["sh", "-c", "command -v \"$1\"", "sh", tool]).output()?;
        ensure!(!found.status.success(), "the bare Debian has {tool}");
    }
    let count = output_of(&mut bare.root(&["dpkg-query", "--show"]))?.lines().count();
    Ok(format!("{count} packages, none of {}", TOOLS.join(", ")))
}

fn size_of(folder: &Path) -> Result<String> {
    let text = output("du", ["--summarize".as_ref(), "--block-size=1000000".as_ref(), folder.as_os_str()])?;
    Ok(format!("{} MB", text.split_whitespace().next().unwrap_or_default()))
}

/// Does something, and says how long it took.
fn step<T>(what: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
    let began = Instant::now();
    let done = work().with_context(|| format!("FAILED: {what}"))?;
    println!("  ok  {what} ({:.1} s)", began.elapsed().as_secs_f64());
    Ok(done)
}
