//! `cargo xtask setup | run | test | bench | shots | check | dist`: set-up and everyday tasks.
//!
//! Every task first makes sure that the machine has what the build needs, which takes a moment once
//! it is there. The tool itself depends on next to nothing, so that it compiles in seconds.

#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "it prints for who works on the program, and makes files anew"
)]

mod cargo;
mod dist;
mod libtorch;
mod manifest;
mod openvino;
mod peer;
mod platform;
mod python;
mod setup;
mod system;
mod weights;
mod wheels;

use std::process::ExitCode;

use anyhow::{Result, bail};

use setup::Extra;

const HELP: &str = "\
Set-up and everyday tasks of Tasklens.

Usage: cargo xtask <TASK>

  setup              fetch libtorch, OpenVINO and ImageNet weights into the per-user cache, check system packages
    --gpu            also the CUDA libraries (2.7 GB, for NVIDIA GPUs on Linux)
    --weights NAME   also the ImageNet weights of the network NAME, such as efficientnet_lite1
  run [-- ARGS]      set up, build, and start tasklens (without ARGS: open the built-in sample)
  test [ARGS]        set up and run every test; ARGS go to `cargo test`
  bench [ARGS]       set up and run the benchmarks; ARGS go to `cargo bench`
  bench --peer [PART]  measure Tasklens beside OpenVINO, ONNX Runtime and PyTorch, which are fetched for it (GBs);
                     PART is predict, tasks, train, features, epoch or folder
  shots [CONFIG]     set up and draw the screenshots of the README anew; those of photographs show the project of
                     CONFIG with its newest run
  check              set up, then check the formatting and the lints
  dist               set up, build, and make packages in target/dist for users without Rust: a .deb, and a .tar.zst that
                     runs from any folder (Linux)
    --binary FILE    pack this finished tasklens instead of building one
    --gpu            with the CUDA libraries
    --check          make nothing: try the packages in a bare Debian 12, which takes root and some minutes
";

/// What the user asked for.
#[derive(Debug, PartialEq, Eq)]
enum Task {
    Help,
    Setup(Extra),
    Run(Vec<String>),
    Test(Vec<String>),
    Bench(Vec<String>),
    Peer(Vec<String>),
    Shots(Option<String>),
    Check,
    Dist(dist::Options),
}

impl Task {
    fn parse(args: &[String]) -> Result<Self> {
        let Some((name, rest)) = args.split_first() else { return Ok(Self::Help) };
        let task = match name.as_str() {
            "help" | "-h" | "--help" => return Ok(Self::Help),
            "setup" => return setup_task(rest),
            // Only what follows `--` is for tasklens; an option before it would be a mistake.
            "run" => match rest.split_first() {
                Some((dashes, args)) if dashes == "--" => return Ok(Self::Run(args.to_vec())),
                _ => Self::Run(Vec::new()),
            },
            "test" => return Ok(Self::Test(rest.to_vec())),
            "bench" => {
                return Ok(match rest.split_first() {
                    Some((option, parts)) if option == "--peer" => Self::Peer(parts.to_vec()),
                    _ => Self::Bench(rest.to_vec()),
                });
            }
            "shots" if rest.len() == 1 => return Ok(Self::Shots(rest.first().cloned())),
            "shots" => Self::Shots(None),
            "check" => Self::Check,
            "dist" => return dist_task(rest),
            _ => bail!("there is no task `{name}`\n\n{HELP}"),
        };
        match rest.first() {
            None => Ok(task),
            Some(extra) if name == "run" => {
                bail!(
                    "`{extra}`: what is meant for tasklens goes after `--`, as in `cargo xtask run -- doctor`"
                )
            }
            Some(extra) => bail!("`{name}` does not know `{extra}`\n\n{HELP}"),
        }
    }
}

/// The options of `setup`.
fn setup_task(mut rest: &[String]) -> Result<Task> {
    let mut extra = Extra::default();
    while let Some((option, behind)) = rest.split_first() {
        rest = behind;
        match (option.as_str(), behind.split_first()) {
            ("--gpu", _) => extra.gpu = true,
            ("--weights", Some((name, behind))) => {
                extra.weights = Some(name.clone());
                rest = behind;
            }
            ("--weights", None) => bail!("--weights wants the name of a network\n\n{HELP}"),
            _ => bail!("`setup` does not know `{option}`\n\n{HELP}"),
        }
    }
    Ok(Task::Setup(extra))
}

/// The options of `dist`.
fn dist_task(mut rest: &[String]) -> Result<Task> {
    let mut options = dist::Options::default();
    while let Some((option, behind)) = rest.split_first() {
        rest = behind;
        match (option.as_str(), behind.split_first()) {
            ("--gpu", _) => options.gpu = true,
            ("--check", _) => options.check = true,
            ("--binary", Some((file, behind))) => {
                options.binary = Some(file.into());
                rest = behind;
            }
            ("--binary", None) => bail!("--binary wants a finished tasklens\n\n{HELP}"),
            _ => bail!("`dist` does not know `{option}`\n\n{HELP}"),
        }
    }
    if options.check && options.binary.is_some() {
        bail!("--check tries the packages that were made: run `cargo xtask dist --binary FILE` before it");
    }
    Ok(Task::Dist(options))
}

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let usual = || setup::run(&Extra::default());
    let done = Task::parse(&args).and_then(|task| match task {
        Task::Help => {
            print!("{HELP}");
            Ok(())
        }
        Task::Setup(extra) => setup::run(&extra).map(|libtorch| setup::say_what_next(&libtorch)),
        Task::Run(args) => cargo::run(&usual()?, &args),
        Task::Test(args) => cargo::test(&usual()?, &args),
        Task::Bench(args) => cargo::bench(&usual()?, &args),
        Task::Peer(parts) => usual().and_then(|libtorch| cargo::peer(&libtorch, &peer::python()?, &parts)),
        Task::Shots(project) => cargo::shots(&usual()?, project.as_deref()),
        Task::Check => cargo::check(&usual()?),
        Task::Dist(options) => dist::run(&options),
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Task> {
        Task::parse(&line.split_whitespace().map(str::to_owned).collect::<Vec<_>>())
    }

    #[test]
    fn arguments_after_the_dashes_go_to_the_program() {
        assert_eq!(
            parse("run -- train config.yml --json").unwrap(),
            Task::Run(vec!["train".into(), "config.yml".into(), "--json".into()])
        );
        assert_eq!(parse("run").unwrap(), Task::Run(vec![]));
        assert_eq!(
            parse("test --lib -- --nocapture").unwrap(),
            Task::Test(vec!["--lib".into(), "--".into(), "--nocapture".into()])
        );
    }

    #[test]
    fn the_peer_is_a_bench_of_its_own() {
        assert_eq!(
            parse("bench --peer train folder").unwrap(),
            Task::Peer(vec!["train".into(), "folder".into()])
        );
        assert_eq!(parse("bench -p x").unwrap(), Task::Bench(vec!["-p".into(), "x".into()]));
    }

    #[test]
    fn the_set_up_takes_its_options_in_any_order() {
        let setup =
            |gpu, weights: Option<&str>| Task::Setup(Extra { gpu, weights: weights.map(str::to_owned) });
        assert_eq!(parse("setup").unwrap(), setup(false, None));
        assert_eq!(parse("setup --gpu").unwrap(), setup(true, None));
        assert_eq!(parse("setup --weights net --gpu").unwrap(), setup(true, Some("net")));
        assert!(parse("setup --weights").unwrap_err().to_string().contains("wants the name"));
    }

    #[test]
    fn packages_are_made_or_tried() {
        let dist = |gpu, check, binary: Option<&str>| {
            Task::Dist(dist::Options { gpu, check, binary: binary.map(Into::into) })
        };
        assert_eq!(parse("dist").unwrap(), dist(false, false, None));
        assert_eq!(parse("dist --binary a/tasklens --gpu").unwrap(), dist(true, false, Some("a/tasklens")));
        assert_eq!(parse("dist --check").unwrap(), dist(false, true, None));
        assert!(parse("dist --binary").unwrap_err().to_string().contains("wants a finished"));
        assert!(parse("dist --check --binary x").unwrap_err().to_string().contains("were made"));
    }

    #[test]
    fn a_mistake_is_explained_and_not_passed_over() {
        assert!(parse("run doctor").unwrap_err().to_string().contains("after `--`"));
        assert!(parse("setup --gpus").unwrap_err().to_string().contains("--gpus"));
        assert!(parse("tests").unwrap_err().to_string().contains("no task `tests`"));
    }
}
