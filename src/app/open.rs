//! What a path is, and reading it: config, CSV, run folder, checkpoint, images. In a job's thread.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

use super::jobs::Progress;
use super::project::{ImageSource, Summary};
use crate::config::Config;
use crate::dataset::propose::{self, Proposal};
use crate::dataset::{Dataset, sample};
use crate::images::decode::has_image_ending;
use crate::training::run_folder::RunRecord;

/// What paths turned out to be.
pub enum Opening {
    /// A config with its rows.
    Project(Box<(Config, Dataset, Summary)>),
    /// A CSV without a config, and a guess at one.
    Bare(Box<Proposal>),
    /// A run folder.
    Run(Box<RunRecord>),
    /// A checkpoint.
    Model(PathBuf),
    /// Images to predict.
    Images(Vec<ImageSource>),
}

/// Endings of tables.
pub const TABLE_ENDINGS: [&str; 3] = ["csv", "tsv", "txt"];
/// So many images of a folder are taken.
const MAX_IMAGES: usize = 1000;

/// Reads what was dropped, chosen or named.
///
/// # Errors
/// There is no such path, or it cannot be used; the message says which and what to do.
pub fn open(paths: &[PathBuf], progress: &Progress) -> anyhow::Result<Opening> {
    let [path] = paths else {
        let images: Vec<_> = paths.iter().filter(|path| has_image_ending(path)).cloned().collect();
        if images.is_empty() {
            bail!("open one CSV, config, run folder or checkpoint at a time, or several images");
        }
        return Ok(Opening::Images(images.into_iter().map(ImageSource::Path).collect()));
    };
    let kind = std::fs::metadata(path).with_context(|| format!("{} cannot be opened", path.display()))?;
    if kind.is_dir() {
        return open_folder(path, progress);
    }
    match ending(path).as_str() {
        "yml" | "yaml" => open_config(path, progress),
        "safetensors" => Ok(Opening::Model(path.clone())),
        ending if TABLE_ENDINGS.contains(&ending) => open_table(path, progress),
        _ if has_image_ending(path) => Ok(Opening::Images(vec![ImageSource::Path(path.clone())])),
        _ => bail!(
            "{} is nothing that Tasklens opens: it takes a CSV, a config.yml, a run folder, a \
             .safetensors checkpoint or images",
            path.display()
        ),
    }
}

/// A config with its rows. The pictures of the sample are drawn when it is opened for the first time.
fn open_config(file: &Path, progress: &Progress) -> anyhow::Result<Opening> {
    let config = Config::open(file)?;
    if sample::is_missing(&config) {
        sample::draw_for(&config, &mut |done, of| {
            progress.set(done as u64, of as u64);
            progress.keep_going()
        })?;
    }
    let dataset = Dataset::open(&config)?;
    let summary = Summary::of(&dataset);
    Ok(Opening::Project(Box::new((config, dataset, summary))))
}

/// A CSV opens with the config beside it that names it; without one, a config is proposed.
fn open_table(file: &Path, progress: &Progress) -> anyhow::Result<Opening> {
    let stem = file.with_extension("yml");
    let beside = file.with_file_name("config.yml");
    for candidate in [stem, beside] {
        let Ok(config) = Config::open(&candidate) else { continue };
        if same_file(&config.paths.model_dataframe, file) {
            return open_config(&candidate, progress);
        }
    }
    Ok(Opening::Bare(Box::new(propose::propose_config(file)?)))
}

fn open_folder(folder: &Path, progress: &Progress) -> anyhow::Result<Opening> {
    if let Ok(run) = RunRecord::open(folder) {
        return Ok(Opening::Run(Box::new(run)));
    }
    let config = folder.join("config.yml");
    if config.is_file() {
        return open_config(&config, progress);
    }
    let mut images: Vec<PathBuf> = std::fs::read_dir(folder)
        .with_context(|| format!("{} cannot be read", folder.display()))?
        .filter_map(|entry| entry.ok().map(|entry| entry.path()))
        .filter(|path| has_image_ending(path))
        .collect();
    if images.is_empty() {
        bail!("{} is neither a run folder, nor has it a config.yml or images", folder.display());
    }
    images.sort();
    images.truncate(MAX_IMAGES);
    Ok(Opening::Images(images.into_iter().map(ImageSource::Path).collect()))
}

fn ending(path: &Path) -> String {
    path.extension().map(|ending| ending.to_string_lossy().to_lowercase()).unwrap_or_default()
}

fn same_file(a: &Path, b: &Path) -> bool {
    match (a.canonicalize(), b.canonicalize()) {
        (Ok(a), Ok(b)) => a == b,
        _ => a == b,
    }
}

/// What pasted text stands for.
#[derive(Debug, PartialEq, Eq)]
pub enum Pasted {
    /// An address to fetch.
    Url(String),
    /// Files, as file managers copy them.
    Paths(Vec<PathBuf>),
    /// Anything else.
    Other,
}

/// Tells an address, `file:` addresses and absolute paths from other text.
pub fn read_pasted(text: &str) -> Pasted {
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    if let [line] = lines[..]
        && url::Url::parse(line).is_ok_and(|url| matches!(url.scheme(), "http" | "https"))
    {
        return Pasted::Url(line.to_owned());
    }
    let paths: Option<Vec<PathBuf>> = lines
        .iter()
        .map(|line| match url::Url::parse(line) {
            Ok(url) if url.scheme() == "file" => url.to_file_path().ok(),
            _ => Some(PathBuf::from(line)).filter(|path| path.is_absolute()),
        })
        .collect();
    match paths {
        Some(paths) if !paths.is_empty() => Pasted::Paths(paths),
        _ => Pasted::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pasted_text_is_an_address_or_files_or_neither() {
        assert_eq!(
            read_pasted(" https://example.org/a.jpg\n"),
            Pasted::Url("https://example.org/a.jpg".to_owned())
        );
        #[cfg(unix)]
        assert_eq!(
            read_pasted("file:///tmp/my%20dress.jpg\r\n/tmp/b.png"),
            Pasted::Paths(vec!["/tmp/my dress.jpg".into(), "/tmp/b.png".into()])
        );
        assert_eq!(read_pasted("a red dress"), Pasted::Other);
        assert_eq!(read_pasted(""), Pasted::Other);
    }

    #[test]
    fn a_folder_of_images_opens_as_images_and_an_unknown_file_says_what_is_taken() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["b.JPG", "a.png", "notes.doc"] {
            std::fs::write(folder.path().join(name), b"").unwrap();
        }
        let progress = Progress::new(String::new(), false, &egui::Context::default());
        let Ok(Opening::Images(images)) = open(&[folder.path().to_path_buf()], &progress) else {
            panic!("no images")
        };
        let names: Vec<_> = images.iter().map(ImageSource::name).collect();
        assert_eq!(names, ["a.png", "b.JPG"]);
        let error = open(&[folder.path().join("notes.doc")], &progress).err().unwrap().to_string();
        assert!(error.contains("notes.doc") && error.contains("config.yml"), "{error}");
        let error = open(&[folder.path().join("gone.csv")], &progress).err().unwrap().to_string();
        assert!(error.contains("gone.csv"), "{error}");
    }
}
