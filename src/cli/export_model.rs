//! `tasklens export-model`: a trained model for other programs.

use anyhow::anyhow;
use tasklens_net::export::{self, AlreadyThere, Options, Precision};

use super::arguments::{ExportModel, ModelFormat};
use super::progress::Bar;
use super::{interrupt, output};

pub fn run(arguments: &ExportModel) -> anyhow::Result<bool> {
    let ModelFormat::Onnx = arguments.format;
    let stop = interrupt::flag()?;
    let file = arguments.out.clone().unwrap_or_else(|| export::default_file(&arguments.run));
    output("--out", &file)?;
    let precision = match (arguments.fp16, arguments.int8) {
        (true, _) => Precision::Half,
        (_, true) => Precision::Int8,
        _ => Precision::Single,
    };
    let options = Options { precision, replace: arguments.force };
    let mut bar = Bar::new("comparing precisions");
    let exported = export::export(&arguments.run, &file, options, &mut |done, of| {
        bar.set(done as u64, of as u64);
        !stop.is_set()
    });
    bar.finish();
    let exported = exported.map_err(|error| match error.downcast_ref::<AlreadyThere>() {
        Some(there) => anyhow!("{there}: give --force to replace it, or another name with --out"),
        None => error,
    })?;
    for note in &exported.notes {
        say!("note: {note}");
    }
    let megabytes = exported.bytes as f64 / 1e6;
    out!("The model ({megabytes:.1} MB) is in {}", exported.file.display());
    out!("What it answers, how well, and how to call it is in {}", exported.card.display());
    Ok(true)
}
