//! The output files of a run outside its own folder, as named by its config: where they are, and what they may
//! replace. A config may come from anywhere, so both are checked before a run starts.

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;

use anyhow::{Context as _, bail, ensure};
use tasklens_data::config::{Config, OutputPath, Outside};
use tasklens_data::files;

use super::Request;
use crate::inference::features;
use crate::model::tensor_file;

/// Maximum size of a history's header, bytes.
const LONGEST_HEADER: u64 = 1 << 20;

/// The files that a run would write outside the project's folder. Reads the disk.
pub fn outside(request: &Request) -> Vec<Outside> {
    let mut written = vec![OutputPath::Model, OutputPath::History];
    // An explicitly named run folder is the user's own choice.
    if request.run.is_none() {
        written.push(OutputPath::Runs);
    } else if request.config.model.freeze_convolutional_layers {
        written.push(OutputPath::InRuns(features::FOLDER));
    }
    request.config.outside(&written)
}

/// A sentence that lists the paths outside a project.
pub fn told(config: &Config, outside: &[Outside]) -> String {
    let places: Vec<String> = outside.iter().map(Outside::to_string).collect();
    let (folder, places) = (config.folder().display(), places.join(", "));
    format!("this would be written outside the project's folder {folder}: {places}")
}

/// Checks whether the output files of a run may be written: only a model or a history may be replaced by one. Reads
/// the disk.
///
/// # Errors
/// A file has another extension, or exists and is something else; the message says which and what to do.
pub fn check(config: &Config) -> anyhow::Result<()> {
    let paths = &config.paths;
    if let Some(file) = &paths.model_path {
        check_model(file).context("`paths.model_path`")?;
    }
    if let Some(file) = &paths.training_history_path {
        check_history(file).context("`paths.training_history_path`")?;
    }
    Ok(())
}

/// Copies the best model to `model_path`.
///
/// # Errors
/// Something else is there by now, or it cannot be written.
pub(super) fn copy_model(best: &Path, to: &Path) -> anyhow::Result<()> {
    let to = &files::without_detours(to);
    check_model(to)?;
    let bytes = std::fs::read(best).with_context(|| format!("cannot read {}", best.display()))?;
    files::replace(to, &bytes).with_context(|| format!("cannot write {}", to.display()))
}

/// Copies the history to `training_history_path`.
///
/// # Errors
/// As [`copy_model`].
pub(super) fn write_history(text: &str, to: &Path) -> anyhow::Result<()> {
    let to = &files::without_detours(to);
    check_history(to)?;
    files::replace(to, text.as_bytes()).with_context(|| format!("cannot write {}", to.display()))
}

/// Checks whether a model may be written there.
///
/// # Errors
/// Something else is there; the message says what to do.
pub(super) fn check_model(file: &Path) -> anyhow::Result<()> {
    if holds_something(file, "safetensors")? && tensor_file::header(file).is_err() {
        bail!(
            "{} already exists and is not a safetensors file, so it is not replaced; choose another file",
            file.display()
        );
    }
    Ok(())
}

fn check_history(file: &Path) -> anyhow::Result<()> {
    if holds_something(file, "csv")? && !is_history(file)? {
        bail!(
            "{} already exists and is not a training history, so it is not replaced; choose another file",
            file.display()
        );
    }
    Ok(())
}

/// Checks the extension, and returns whether a non-empty file is there.
fn holds_something(file: &Path, ending: &str) -> anyhow::Result<bool> {
    ensure!(
        file.extension().is_some_and(|e| e.eq_ignore_ascii_case(ending)),
        "{} does not end in `.{ending}`: choose a file name that does",
        file.display()
    );
    let Ok(metadata) = std::fs::symlink_metadata(file) else { return Ok(false) };
    ensure!(!metadata.is_symlink(), "{} is a symbolic link: give the file itself", file.display());
    ensure!(metadata.is_file(), "{} already exists and is not a file: choose another", file.display());
    Ok(metadata.len() > 0)
}

/// Whether a file begins like a history of Keras' CSVLogger or of this program: with `epoch`, and a `loss`.
fn is_history(file: &Path) -> anyhow::Result<bool> {
    let cannot = || format!("cannot read {}", file.display());
    let mut first = Vec::new();
    let reader = BufReader::new(std::fs::File::open(file).with_context(cannot)?);
    reader.take(LONGEST_HEADER).read_until(b'\n', &mut first).with_context(cannot)?;
    let mut lines = csv::ReaderBuilder::new().has_headers(false).from_reader(&first[..]);
    let columns = lines.records().next().and_then(Result::ok).unwrap_or_default();
    Ok(columns.get(0) == Some("epoch") && columns.iter().any(|column| column == "loss"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::training::events::EpochMetrics;
    use crate::training::history;

    #[test]
    fn a_history_takes_the_place_of_a_history_alone() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("history.csv");
        let own = history::to_csv(&["a,b".to_owned()], &[EpochMetrics::without_values(1)]);
        for text in ["", &own, "epoch,accuracy,loss,val_accuracy,val_loss\r\n0,0.5,1.2,0.4,1.3\r\n"] {
            std::fs::write(&file, text).unwrap();
            check_history(&file).unwrap();
        }
        for text in ["image_path,print\na.jpg,solid\n", "epoch\n", "loss,epoch\n", "export A=1\n", "\"epoch"]
        {
            std::fs::write(&file, text).unwrap();
            let error = write_history(&own, &file).unwrap_err().to_string();
            assert!(error.contains("history.csv already exists and is not a training history"), "{error}");
            assert_eq!(std::fs::read_to_string(&file).unwrap(), text);
        }
        std::fs::write(&file, [0xff, 0xfe, b'\n']).unwrap();
        assert!(check_history(&file).is_err());
    }

    #[test]
    fn a_model_takes_the_place_of_a_model_alone() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("net.safetensors");
        check_model(&file).unwrap();
        std::fs::write(&file, "").unwrap();
        check_model(&file).unwrap();
        tensor_file::write(&file, &[("a".to_owned(), &tch::Tensor::from_slice(&[1_f32]))], None).unwrap();
        check_model(&file).unwrap();
        std::fs::write(&file, "ssh-ed25519 AAAA me@home\n").unwrap();
        let error = copy_model(&file, &file).unwrap_err().to_string();
        assert!(error.contains("net.safetensors already exists and is not a safetensors file"), "{error}");
        std::fs::create_dir(dir.path().join("folder.safetensors")).unwrap();
        assert!(check_model(&dir.path().join("folder.safetensors")).is_err());
    }

    #[test]
    fn no_other_ending_is_written_to() {
        for file in ["/home/me/.bashrc", "/home/me/authorized_keys", "csv", "a.csv.sh"] {
            let error = check_history(Path::new(file)).unwrap_err().to_string();
            assert_eq!(error, format!("{file} does not end in `.csv`: choose a file name that does"));
            assert!(check_model(Path::new(file)).is_err());
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_link_is_not_what_it_leads_to() {
        let dir = tempfile::tempdir().unwrap();
        let link = dir.path().join("history.csv");
        std::os::unix::fs::symlink(dir.path().join("gone.csv"), &link).unwrap();
        assert!(check_history(&link).unwrap_err().to_string().contains("is a symbolic link"));
    }
}
