//! `tasklens export`: the labels for other programs.

use std::path::Path;

use anyhow::bail;
use tasklens_data::config::{Task, nearest};
use tasklens_data::dataset::edits;
use tasklens_data::dataset::export::{self, Form, Placing};

use super::arguments::Export as Arguments;
use super::progress::Bar;
use super::{interrupt, open_config, output};

pub fn run(arguments: &Arguments) -> anyhow::Result<bool> {
    let config = open_config(&arguments.config, &arguments.changes, false)?;
    let (dataset, state) = edits::look(&config)?;
    let (form, target) = match (&arguments.csv, &arguments.jsonl, &arguments.folders) {
        (Some(file), _, _) => {
            output("--csv", file)?;
            (Form::Csv, file)
        }
        (None, Some(file), _) => {
            output("--jsonl", file)?;
            (Form::JsonLines, file)
        }
        (None, None, Some(folder)) => {
            let tasks = tasks(&arguments.tasks, &dataset.tasks)?;
            (Form::Folders { tasks, placing: placing(arguments) }, folder)
        }
        // clap asks for one of them.
        (None, None, None) => bail!("give --csv, --jsonl or --folders"),
    };
    if is_same(target, &config.file) {
        bail!("{} is the config itself; choose another name", target.display());
    }
    let stop = interrupt::flag()?;
    let mut bar = Bar::new("exporting");
    let written = export::export(&dataset, &state.values(), &form, target, &mut |done, of| {
        bar.set(done as u64, of as u64);
        !stop.is_set()
    });
    bar.finish();
    let written = written?;
    for notice in &written.notices {
        say!("warning: {notice}");
    }
    out!("{}", written.summary);
    Ok(written.left_out == 0)
}

fn placing(arguments: &Arguments) -> Placing {
    match (arguments.copy, arguments.symbolic) {
        (true, _) => Placing::Copy,
        (false, true) => Placing::SymbolicLink,
        (false, false) => Placing::HardLink,
    }
}

/// The named tasks, or all.
fn tasks(names: &[String], tasks: &[Task]) -> anyhow::Result<Vec<usize>> {
    if names.is_empty() {
        return Ok((0..tasks.len()).collect());
    }
    let mut chosen = Vec::new();
    for name in names {
        let Some(task) = tasks.iter().position(|task| task.name == *name) else {
            let known = || tasks.iter().map(|task| task.name.as_str());
            match nearest(name, known()) {
                Some(near) => bail!("--task {name}: there is no such task, did you mean `{near}`?"),
                None => {
                    bail!(
                        "--task {name}: there is no such task but {}",
                        known().collect::<Vec<_>>().join(", ")
                    )
                }
            }
        };
        if !chosen.contains(&task) {
            chosen.push(task);
        }
    }
    Ok(chosen)
}

fn is_same(a: &Path, b: &Path) -> bool {
    a.canonicalize().is_ok_and(|a| b.canonicalize().is_ok_and(|b| a == b))
}
