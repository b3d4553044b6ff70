//! The command line: everything the window does works without a screen, too.
//!
//! [`arguments`] is what can be typed, [`progress`] how work is shown; each command has its own module.
//! Exit codes: 0, 1 (the data or run has a problem), 2 (usage).

/// `println!` that never panics: what could not be printed is told at the end, and a run goes on.
macro_rules! out {
    ($($text:tt)*) => { $crate::cli::stdout::line(format_args!($($text)*)) };
}

/// The command of the set-up, which brings weights and libraries; `None` in a package, whose user has no cargo.
fn set_up() -> Option<&'static str> {
    (!user_folders::is_packaged()).then_some("`cargo xtask setup` in the folder of Tasklens")
}

mod arguments;
mod check;
mod compare;
mod doctor;
mod evaluate;
mod export;
mod export_model;
mod import;
mod interrupt;
mod label_stats;
mod labels;
mod new;
mod predict;
mod progress;
mod runs;
mod serve;
mod stdout;
mod train;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use clap::Parser as _;
use tasklens_data::config::{Config, OutputPath, Outside};
use tasklens_data::dataset::edits::Journal;
use tasklens_data::dataset::{sample, vocabulary};
use tasklens_data::files::{self, Output};
use tasklens_data::panics;
use tasklens_data::text::{counted, is};
use tasklens_data::user_folders;
use tasklens_net::training::{imported_run, outputs};

use crate::app;
use crate::logging;
use arguments::{Arguments, Verb};

/// The commands that can be typed, for a test that the window speaks of none.
#[cfg(test)]
pub(crate) fn command_names() -> Vec<String> {
    use clap::CommandFactory as _;
    Arguments::command().get_subcommands().map(|command| command.get_name().to_owned()).collect()
}

/// Runs the program with the arguments of the process.
pub fn main() -> ExitCode {
    let outcome = match Arguments::try_parse() {
        Ok(arguments) => {
            let _logging = logging::start(&logging::folder(), arguments.verbose);
            panics::write_reports(&panics::folder(), logging::last_lines);
            let faults = faults_before();
            run(arguments, faults)
        }
        // On wrong usage this ends the process with 2.
        Err(usage) if usage.use_stderr() => {
            let Some(told) = std::env::args_os().nth(1).and_then(|first| bare_path(Path::new(&first))) else {
                usage.exit()
            };
            say!("tasklens: {told}");
            return ExitCode::from(2);
        }
        Err(help) => {
            stdout::keep(help.print());
            Ok(true)
        }
    };
    let is_fine = outcome.unwrap_or_else(|error| {
        say!("tasklens: {error:#}");
        false
    });
    match stdout::finish() {
        Ok(()) if is_fine => ExitCode::SUCCESS,
        Ok(()) => ExitCode::from(1),
        Err(error) => {
            say!("tasklens: cannot write to standard output: {error}");
            ExitCode::from(1)
        }
    }
}

/// What to do with a file or folder that was given without a command.
fn bare_path(path: &Path) -> Option<String> {
    if !path.exists() {
        return None;
    }
    let shown = path.display();
    let in_window = format!("`tasklens open {shown}`");
    Some(match imported_run::newer_format(path) {
        Some(told) => told,
        None if imported_run::is_named_as_keras(path) => format!(
            "{shown} is a Keras model: `tasklens import keras {shown} --config config.yml` makes it a run of a project. In \
             the window, open the project and drop the file on it"
        ),
        None if path.join("Anno_fine").is_dir() => format!(
            "{shown} is a download of DeepFashion: `tasklens import deepfashion {shown}` makes it a project, and so does \
             {in_window}"
        ),
        None => format!("{shown} is no command: {in_window} opens it in the window"),
    })
}

/// Whether all is well: `false` is exit code 1 for what was already said in words.
fn run(arguments: Arguments, faults: Vec<String>) -> anyhow::Result<bool> {
    match arguments.verb {
        None => window(None, faults),
        Some(Verb::Open { path }) => window(Some(path), faults),
        Some(Verb::Sample { folder, images, seed }) => write_sample(&folder, images as usize, seed),
        Some(Verb::New(arguments)) => new::run(&arguments),
        Some(Verb::Import(what)) => import::run(&what),
        Some(Verb::Check(arguments)) => check::run(&arguments),
        Some(Verb::Train(arguments)) => train::run(&arguments),
        Some(Verb::Runs(arguments)) => runs::run(&arguments),
        Some(Verb::Serve(arguments)) => serve::run(&arguments),
        Some(Verb::Predict(arguments)) => predict::run(&arguments),
        Some(Verb::Evaluate(arguments)) => evaluate::run(&arguments),
        Some(Verb::Compare(arguments)) => compare::run(&arguments),
        Some(Verb::LabelStats(arguments)) => label_stats::run(&arguments),
        Some(Verb::Export(arguments)) => export::run(&arguments),
        Some(Verb::ExportModel(arguments)) => export_model::run(&arguments),
        Some(Verb::Labels(arguments)) => labels::run(&arguments),
        Some(Verb::Doctor) => Ok(doctor()),
    }
}

/// Opens the window, with what is to be told at once; a relative path is meant from here.
fn window(path: Option<PathBuf>, notices: Vec<String>) -> anyhow::Result<bool> {
    let open = path.map(std::path::absolute).transpose().context("cannot determine the current folder")?;
    app::run_window(app::Start { open }, notices)?;
    Ok(true)
}

/// What is to be told of faults that ended the program before; it is logged, too, and so on standard error.
fn faults_before() -> Vec<String> {
    let told = |path: PathBuf| {
        let path = path.display();
        log::warn!("Tasklens stopped with an internal error in its last run; the report is {path}");
        format!(
            "Tasklens stopped with an internal error in its last run. The report is {path}: please attach that \
             file when you report the problem. Label edits that were shown as kept are on disk."
        )
    };
    panics::take_unread(&panics::folder()).into_iter().map(told).collect()
}

fn write_sample(folder: &Path, images: usize, seed: u64) -> anyhow::Result<bool> {
    let stop = interrupt::flag()?;
    let mut bar = progress::Bar::new("drawing");
    let config = sample::write_sample(folder, images, seed, &mut |done, of| {
        bar.set(done as u64, of as u64);
        !stop.is_set()
    })?;
    bar.finish();
    out!("{images} drawn garments in {}", folder.display());
    out!("Train on them: tasklens train {}", config.display());
    Ok(true)
}

fn doctor() -> bool {
    let checks = doctor::look();
    for check in &checks {
        out!("{check}");
    }
    checks.iter().all(|check| check.status != doctor::Status::Fail)
}

/// Where an option's file goes. A result on standard output has it for itself: what is said from now on goes to
/// standard error.
fn output(option: &str, file: &Path) -> anyhow::Result<Output> {
    let output = Output::of(file).with_context(|| format!("{option} {}", file.display()))?;
    if output.is_standard() {
        stdout::leave_to_result();
    }
    Ok(output)
}

/// A config with its `--set` changes; its notices go to standard error. The sample that the config at
/// the root of the repository names is drawn when it is opened for the first time.
fn open_config(file: &Path, changes: &[(String, String)], allow_outside: bool) -> anyhow::Result<Config> {
    if is_table(file) {
        bail!(
            "{} is a table: give the path of its config.yml, or open it in the window, which proposes one",
            file.display()
        );
    }
    let config = Config::with_overrides(file, changes)?;
    tell_notices(&config);
    match vocabulary::cut_short(&config) {
        Ok(None) => {}
        Ok(Some(change)) => say!(
            "warning: a change of tasks and labels was interrupted: {change}. Open the project in the window, or make \
             the change again with `tasklens labels`, to complete it"
        ),
        Err(damaged) => say!("warning: {damaged}"),
    }
    if sample::is_missing(&config) {
        draw_sample(&config, allow_outside)?;
    }
    Ok(config)
}

fn tell_notices(config: &Config) {
    for notice in &config.notices {
        say!("note: {notice}");
    }
}

/// Whether a file's name ends as a table's does.
fn is_table(file: &Path) -> bool {
    file.extension()
        .is_some_and(|ending| ["csv", "tsv"].iter().any(|table| ending.eq_ignore_ascii_case(table)))
}

fn draw_sample(config: &Config, allow_outside: bool) -> anyhow::Result<()> {
    if let Some(outside) = config.outside(&[OutputPath::Table]).first().filter(|_| !allow_outside) {
        bail!(
            "{} has no CSV: {outside}, outside the project's folder. To get the built-in sample there, create it \
             with `tasklens sample`",
            config.file.display()
        );
    }
    let mut bar = progress::Bar::new("drawing the sample");
    sample::draw_for(config, &mut |done, of| {
        bar.set(done as u64, of as u64);
        true
    })?;
    bar.finish();
    Ok(())
}

/// Refuses to write where a config leads out of its project's folder.
fn refuse_outside(config: &Config, outside: &[Outside]) -> anyhow::Result<()> {
    if outside.is_empty() {
        return Ok(());
    }
    bail!("{}. Correct the config, or allow it with --allow-outside", outputs::told(config, outside))
}

/// Label edits beside a CSV that it does not have, and so are `not` used; `None` if there are none.
///
/// # Errors
/// They cannot be read.
fn unsaved_edits(csv: &Path, not: &str) -> anyhow::Result<Option<String>> {
    let pending = Journal::look(csv)?.pending_count();
    Ok((pending > 0).then(|| {
        format!(
            "{} beside {} {} not saved in it and not {not}: `Save labels` in the window writes them",
            counted(pending, "label edit"),
            files::without_detours(csv).display(),
            is(pending)
        )
    }))
}
