//! What a path is, and reading it: config, CSV, run folder, checkpoint, images. In a job's thread.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use tasklens_data::config::presets::Proposed;
use tasklens_data::config::{Config, OutputPath, Outside};
use tasklens_data::dataset::create::{self, FoundImages};
use tasklens_data::dataset::propose::{self, Proposal};
use tasklens_data::dataset::{Dataset, sample, vocabulary};
use tasklens_data::images::decode::has_image_ending;
use tasklens_data::text::counted_grouped;
use tasklens_net::training::imported_run::is_named_as_keras;
use tasklens_net::training::{self, run_folder::RunRecord};

use crate::app::services::jobs::Progress;
use crate::app::services::project::{ImageSource, Summary};
use crate::app::services::runs::Run;

/// What was opened, beside what was open before.
pub struct Opened {
    pub opening: Opening,
    /// Whether its rows are about the same images, in the same order, as those that were open before.
    pub has_same_rows: bool,
}

/// A project as it was read.
pub struct OpenedProject {
    /// Of the project.
    pub config: Config,
    /// The rows of its CSV.
    pub dataset: Dataset,
    /// What was counted in the rows.
    pub summary: Summary,
}

/// What paths turned out to be.
pub enum Opening {
    /// A config with its rows.
    Project(Box<OpenedProject>),
    /// A config without a CSV, for which the sample would be drawn outside of its folder.
    Outside(Box<Config>, Vec<Outside>),
    /// A CSV without a config, a guess at one, and how to train.
    Bare(Box<Proposal>, Box<Proposed>),
    /// A run folder.
    Run(Box<Run>),
    /// A checkpoint.
    Model(PathBuf),
    /// A model that Keras saved.
    Keras(PathBuf),
    /// A folder with the annotation of DeepFashion.
    DeepFashion(PathBuf),
    /// Images to predict.
    Images(Vec<ImageSource>),
    /// A folder of images, and nothing that says more about them.
    Folder(FoundImages),
    /// A folder of images with a checkpoint beside them.
    Predict(PathBuf, FoundImages),
}

/// So many images of a folder go to Predict at once.
pub const MOST_PREDICTED: usize = 1000;
/// The folder in a download of DeepFashion that tells it from other folders of images.
const ANNOTATION: &str = "Anno_fine";
/// Endings of the tables that are opened, without the dot.
pub const TABLE_ENDINGS: [&str; 3] = ["csv", "tsv", "txt"];

/// Reads what was dropped, chosen or named, and compares its rows with those that are open.
///
/// # Errors
/// See [`open`].
pub fn open_after(
    paths: &[PathBuf],
    before: Option<&Dataset>,
    progress: &Progress,
) -> anyhow::Result<Opened> {
    let opening = open(paths, progress)?;
    let has_same_rows = match (&opening, before) {
        (Opening::Project(opened), Some(before)) => opened.dataset.has_images_of(before),
        _ => false,
    };
    Ok(Opened { opening, has_same_rows })
}

/// Reads what was dropped, chosen or named.
///
/// # Errors
/// There is no such path, or it cannot be used; the message says which and what to do.
fn open(paths: &[PathBuf], progress: &Progress) -> anyhow::Result<Opening> {
    let [path] = paths else {
        // Those of formats that are not read say so in the list.
        let is_image = |path: &&PathBuf| has_image_ending(path) || create::is_unread(path);
        let images: Vec<_> = paths.iter().filter(is_image).cloned().collect();
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
        _ if is_named_as_keras(path) => Ok(Opening::Keras(path.clone())),
        _ if has_image_ending(path) => Ok(Opening::Images(vec![ImageSource::Path(path.clone())])),
        _ => bail!(
            "Tasklens cannot open {}: it opens a CSV, a config.yml, a run folder, a .safetensors checkpoint, a \
             Keras model (.h5) or images",
            path.display()
        ),
    }
}

/// A config with its rows. The pictures of the sample are drawn when it is opened for the first time.
fn open_config(file: &Path, progress: &Progress) -> anyhow::Result<Opening> {
    let finished = vocabulary::finish(file)?;
    let mut config = Config::open(file)?;
    config.notices.extend(finished.map(|finished| finished.to_string()));
    if sample::is_missing(&config) {
        let outside = config.outside(&[OutputPath::Table]);
        if !outside.is_empty() {
            return Ok(Opening::Outside(Box::new(config), outside));
        }
        sample::draw_for(&config, &mut |done, of| {
            progress.set(done as u64, of as u64);
            progress.keep_going()
        })?;
    }
    let dataset = Dataset::open(&config)?;
    let summary = Summary::of(&dataset);
    Ok(Opening::Project(Box::new(OpenedProject { config, dataset, summary })))
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
    let proposal = propose::propose_config(file)?;
    let training = training::propose(proposal.rows, proposal.rows, proposal.aspect);
    Ok(Opening::Bare(Box::new(proposal), Box::new(training)))
}

fn open_folder(folder: &Path, progress: &Progress) -> anyhow::Result<Opening> {
    if let Ok(run) = RunRecord::open(folder) {
        return Ok(Opening::Run(Box::new(Run::new(run))));
    }
    let config = folder.join("config.yml");
    if config.is_file() {
        return open_config(&config, progress);
    }
    if folder.join(ANNOTATION).is_dir() {
        return Ok(Opening::DeepFashion(folder.to_path_buf()));
    }
    let mut table = only_file(folder, &["csv", "tsv"])?.map(|table| open_table(&table, progress));
    let names_images = |opening: &Opening| match opening {
        Opening::Bare(proposal, _) => proposal.has_path(),
        Opening::Project(_)
        | Opening::Outside(..)
        | Opening::Run(_)
        | Opening::Model(_)
        | Opening::Keras(_)
        | Opening::DeepFashion(_)
        | Opening::Images(_)
        | Opening::Folder(_)
        | Opening::Predict(..) => true,
    };
    // A table that names no images is not what a folder of images is about.
    if let Some(Ok(opening)) = table.take_if(|table| table.as_ref().is_ok_and(names_images)) {
        return Ok(opening);
    }
    let checkpoint = only_file(folder, &["safetensors"])?;
    let found = create::find_images(folder, &mut |images| {
        progress.say(format!("{} so far", counted_grouped(images, "image")));
        progress.keep_going()
    })?;
    match checkpoint {
        Some(checkpoint) => return Ok(Opening::Predict(checkpoint, found)),
        None if !found.images.is_empty() => return Ok(Opening::Folder(found)),
        None => {}
    }
    table.unwrap_or_else(|| {
        let folder = folder.display();
        let why: String = found.notices.iter().map(|notice| format!(". {notice}")).collect();
        bail!("{folder} is not a run folder, and has no config.yml, CSV or readable images{why}")
    })
}

/// The first images of a folder, to be predicted.
pub fn to_predict(found: &FoundImages) -> Vec<ImageSource> {
    let images = 0..found.images.len().min(MOST_PREDICTED);
    images.map(|image| ImageSource::Path(found.path(image))).collect()
}

/// The one file of a folder with such an ending; `None` where there is none, or several to choose from.
fn only_file(folder: &Path, endings: &[&str]) -> anyhow::Result<Option<PathBuf>> {
    let entries =
        std::fs::read_dir(folder).with_context(|| format!("{} cannot be read", folder.display()))?;
    let paths = entries.filter_map(|entry| entry.ok().map(|entry| entry.path()));
    let mut files = paths.filter(|path| endings.contains(&ending(path).as_str()) && path.is_file());
    let first = files.next();
    Ok(if files.next().is_none() { first } else { None })
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
    /// Neither an address nor files.
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
    use crate::app::services::jobs::JobKind;

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

    fn open_one(path: &Path) -> anyhow::Result<Opening> {
        open(&[path.to_path_buf()], &Progress::new(String::new(), JobKind::Quiet, &egui::Context::default()))
    }

    #[test]
    fn a_folder_of_images_is_offered_to_be_labelled_and_an_unknown_file_says_what_is_taken() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["b.JPG", "a.png", "notes.doc"] {
            std::fs::write(folder.path().join(name), b"").unwrap();
        }
        let Ok(Opening::Folder(found)) = open_one(folder.path()) else { panic!("no folder of images") };
        assert_eq!(found.images, ["a.png", "b.JPG"]);
        let error = open_one(&folder.path().join("notes.doc")).err().unwrap().to_string();
        assert!(error.contains("notes.doc") && error.contains("config.yml"), "{error}");
        let error = open_one(&folder.path().join("gone.csv")).err().unwrap().to_string();
        assert!(error.contains("gone.csv"), "{error}");
    }

    #[test]
    fn images_that_cannot_be_read_are_not_dropped_in_silence() {
        let folder = tempfile::tempdir().unwrap();
        let paths = ["a.HEIC", "b.png", "c.txt"].map(|name| folder.path().join(name));
        std::fs::write(&paths[0], "").unwrap();
        let progress = Progress::new(String::new(), JobKind::Quiet, &egui::Context::default());
        let Ok(Opening::Images(images)) = open(&paths, &progress) else { panic!("no images") };
        assert_eq!(images.len(), 2);
        let error = open_one(folder.path()).err().unwrap().to_string();
        assert!(error.contains("1 image is left out") && error.contains("HEIC"), "{error}");
    }

    #[test]
    fn the_one_csv_or_checkpoint_of_a_folder_opens_and_a_csv_only_if_it_names_images() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
        write("a.png", "");
        write("prices.csv", "item,price\ncoat,20\nhat,5\n");
        assert!(matches!(open_one(folder.path()), Ok(Opening::Folder(_))));
        write("prices.csv", "photo,kind\na.png,x\n");
        assert!(matches!(open_one(folder.path()), Ok(Opening::Bare(..))));
        write("net.safetensors", "");
        std::fs::remove_file(folder.path().join("prices.csv")).unwrap();
        let Ok(Opening::Predict(net, found)) = open_one(folder.path()) else { panic!("no prediction") };
        assert_eq!((net, found.images.len()), (folder.path().join("net.safetensors"), 1));
        std::fs::remove_file(folder.path().join("net.safetensors")).unwrap();
        write("prices.csv", "photo,kind\na.png,x\n");
        write("more.csv", "photo,kind\na.png,x\n");
        assert!(matches!(open_one(folder.path()), Ok(Opening::Folder(_))), "there are two to choose from");
    }
}
