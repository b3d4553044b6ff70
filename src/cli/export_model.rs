//! `tasklens export-model`: a trained model for other programs.

use tasklens_net::export::{self, Options};

use super::arguments::ExportModel;
use super::interrupt;

pub fn run(arguments: &ExportModel) -> anyhow::Result<bool> {
    let stop = interrupt::flag()?;
    let file = arguments.out.clone().unwrap_or_else(|| export::default_file(&arguments.run));
    let options = Options { half: arguments.fp16, replace: arguments.force };
    let exported = export::export(&arguments.run, &file, options, &|| !stop.is_set())?;
    for note in &exported.notes {
        say!("note: {note}");
    }
    let megabytes = exported.bytes as f64 / 1e6;
    out!("The model ({megabytes:.1} MB) is in {}", exported.file.display());
    out!("What it answers, how well, and how to call it is in {}", exported.card.display());
    Ok(true)
}
