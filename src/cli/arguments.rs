//! The arguments of the command line.

use std::ffi::OsString;
use std::net::IpAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use super::predict::Shard;

/// Train one convolutional network that answers several questions about an image at once.
///
/// Without a command the window opens.
#[derive(Debug, Parser)]
#[command(name = "tasklens", version, max_term_width = 100)]
pub struct Arguments {
    /// The command.
    #[command(subcommand)]
    pub verb: Option<Verb>,
    /// Log to standard error what is done; RUST_LOG gives finer control
    #[arg(long, global = true)]
    pub verbose: bool,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Open the window on a config.yml, a CSV, a run folder, a Keras model, images, or a folder of images to label
    Open {
        /// The file or folder
        path: PathBuf,
    },
    /// Write the built-in sample: drawn garments with a CSV and a config.yml
    Sample {
        /// The folder to write to; created if it does not exist
        folder: PathBuf,
        /// How many images to draw
        #[arg(long, default_value_t = 2000, value_parser = clap::value_parser!(u32).range(20..=1_000_000))]
        images: u32,
        /// The same seed gives the same bytes
        #[arg(long, default_value_t = 7)]
        seed: u64,
    },
    /// Start a project: write a CSV and a config.yml for a folder of images
    New(New),
    /// Bring what another program made: a published data set, or a model of the Python project
    #[command(subcommand)]
    Import(Import),
    /// List what is wrong with a config, its CSV and its images
    Check(Check),
    /// Train with a config; Ctrl-C stops after the current batch and keeps the best weights
    Train(Train),
    /// List the runs of a project with their names, notes and accuracies
    Runs(Runs),
    /// Predict images with a trained model
    Predict(Predict),
    /// Answer other programs and browsers by HTTP with a trained model
    Serve(Serve),
    /// Evaluate a model on labelled images
    Evaluate(Evaluate),
    /// Train one network for all tasks and one for each, and compare their accuracy and speed
    Compare(Compare),
    /// Show the progress of labelling: counts per task and label
    LabelStats(LabelStats),
    /// Write the labels for other programs: a CSV, JSON lines, or a folder per label
    Export(Export),
    /// Write a trained model for other programs: an ONNX file that takes images as they are, and a card beside it
    ExportModel(ExportModel),
    /// List the tasks and labels, or change them in the CSV, the config and the label edits
    Labels(Labels),
    /// Check this computer: GPU, libraries, memory, disk, weights, display
    Doctor,
}

/// `tasklens new`
#[derive(Debug, Args)]
pub struct New {
    /// The folder of images; its sub-folders are included
    pub folder: PathBuf,
    /// A task with its labels, such as --task "sleeves=short,long"; repeat it for each task
    #[arg(long = "task", value_name = "NAME=LABELS", value_parser = name_and_labels, required_unless_present = "folders_as")]
    pub tasks: Vec<(String, String)>,
    /// Add a task with this name whose labels are the names of the sub-folders, and fill it in
    #[arg(long, value_name = "NAME")]
    pub folders_as: Option<String>,
}

/// `tasklens import`
#[derive(Debug, Subcommand)]
pub enum Import {
    /// DeepFashion's category-and-attribute benchmark: crop the images to their boxes, and write a CSV and a config.yml
    Deepfashion(ImportDeepFashion),
    /// A model that the Python project trained with Keras becomes a run
    Keras(ImportKeras),
}

/// `tasklens import deepfashion`
#[derive(Debug, Args)]
pub struct ImportDeepFashion {
    /// The folder of the download, with `img` and `Anno_fine`
    #[arg(required_unless_present = "config")]
    pub data: Option<PathBuf>,
    /// A dataset_config.yml of the Python project: where its files are, and which categories go together
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// The folder for all results [default: where the dataset config says, else the folder of the download]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
}

/// `tasklens check`
#[derive(Debug, Args)]
pub struct Check {
    /// The config.yml
    pub config: PathBuf,
    /// Override a key for this call, such as --set model.batch_size=8
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = key_and_value)]
    pub changes: Vec<(String, String)>,
    /// One JSON object per problem
    #[arg(long)]
    pub json: bool,
}

/// `tasklens train`
#[derive(Debug, Args)]
pub struct Train {
    /// The config.yml; with --resume, the default is that of the run
    #[arg(required_unless_present = "resume")]
    pub config: Option<PathBuf>,
    /// The folder of the new run [default: named by the time, in `runs` in the project's folder]
    #[arg(long, conflicts_with = "resume")]
    pub run: Option<PathBuf>,
    /// Resume this run where it was left, also within an epoch
    #[arg(long, value_name = "RUN")]
    pub resume: Option<PathBuf>,
    /// Write also to places that the config names outside of its project's folder
    #[arg(long)]
    pub allow_outside: bool,
    /// Override a key for this run, such as --set model.epochs=3
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = key_and_value)]
    pub changes: Vec<(String, String)>,
    /// One JSON object per event
    #[arg(long)]
    pub json: bool,
}

/// `tasklens runs`
#[derive(Debug, Args)]
pub struct Runs {
    /// The config.yml
    pub config: PathBuf,
    /// One JSON object per run
    #[arg(long)]
    pub json: bool,
}

/// `tasklens predict`
#[derive(Debug, Args)]
pub struct Predict {
    /// A checkpoint (.safetensors) or a run folder
    pub model: PathBuf,
    /// Images, folders of images, CSVs with a column of image paths, or URLs
    #[arg(required_unless_present = "watch", conflicts_with = "watch")]
    pub inputs: Vec<OsString>,
    /// Write a CSV with every label's probability instead of a line per image; - is standard output
    #[arg(long, value_name = "FILE", conflicts_with = "json")]
    pub csv: Option<PathBuf>,
    /// One JSON object per image
    #[arg(long)]
    pub json: bool,
    /// Write a Parquet file with every label's probability, whole or not at all; where it is there already, nothing is done
    #[arg(long, value_name = "FILE", conflicts_with_all = ["csv", "json"])]
    pub out: Option<PathBuf>,
    /// Watch a folder: each image that is there or appears is answered once, by a row that is added to --csv, also after a
    /// restart; Ctrl-C ends it
    #[arg(long, value_name = "FOLDER", requires = "csv")]
    pub watch: Option<PathBuf>,
    /// Predict part I of N of the images, counted from 0, such as 0/4: for array jobs with the same inputs each
    #[arg(long, value_name = "I/N", requires = "out")]
    pub shard: Option<Shard>,
    /// Batch size
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u16).range(1..=4096))]
    pub batch_size: u16,
    /// auto, cpu, cuda or cuda:N
    #[arg(long, default_value = "auto", value_parser = device)]
    pub device: tasklens_data::config::DeviceChoice,
}

/// `tasklens serve`
#[derive(Debug, Args)]
pub struct Serve {
    /// A run folder, or a checkpoint (.safetensors); better weights are loaded as they come
    pub run: PathBuf,
    /// The port; 0 is any that is free
    #[arg(long, default_value_t = 8900)]
    pub port: u16,
    /// The address to answer at; with 0.0.0.0 other computers can ask, without a password
    #[arg(long, default_value = "127.0.0.1")]
    pub host: IpAddr,
    /// Requests that are answered at the same time; more are told to try again (503)
    #[arg(long, value_name = "N", default_value_t = 128, value_parser = clap::value_parser!(u16).range(1..=4096))]
    pub queue: u16,
    /// Largest request, megabytes
    #[arg(long, value_name = "MB", default_value_t = 32, value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub max_mb: u16,
    /// Longest time for a request, seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u16).range(1..=3600))]
    pub timeout: u16,
    /// Fetch images from URLs also for other computers, which so reach what this computer reaches
    #[arg(long)]
    pub allow_urls: bool,
    /// Fetch no images from URLs: for a service that others reach through a web server on this computer
    #[arg(long, conflicts_with = "allow_urls")]
    pub no_urls: bool,
    /// auto, cpu, cuda or cuda:N
    #[arg(long, default_value = "auto", value_parser = device)]
    pub device: tasklens_data::config::DeviceChoice,
}

/// `tasklens compare`
#[derive(Debug, Args)]
pub struct Compare {
    /// The config.yml of the network for all tasks
    pub config: PathBuf,
    /// Train each network for this many epochs [default: as in the config]
    #[arg(long, value_name = "N")]
    pub epochs: Option<usize>,
    /// Repeat everything with this many seeds, starting from that of the config
    #[arg(long, value_name = "K", default_value_t = 1)]
    pub seeds: usize,
    /// Prefix of the run folders; repeating the command resumes where it was stopped
    #[arg(long, default_value = "compare")]
    pub name: String,
    /// Write both charts and the numbers as a self-contained HTML page; - is standard output
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
    /// All numbers as one JSON object
    #[arg(long)]
    pub json: bool,
    /// Also write to paths outside the config's folder, if the config names any
    #[arg(long)]
    pub allow_outside: bool,
    /// Override a key for the networks, such as --set model.batch_size=16
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = key_and_value)]
    pub changes: Vec<(String, String)>,
}

/// `tasklens evaluate`
#[derive(Debug, clap::Args)]
pub struct Evaluate {
    /// A run folder, or a checkpoint
    pub run: PathBuf,
    /// A CSV of labelled images to evaluate on [default: the run's own training and validation images]
    pub csv: Option<PathBuf>,
    /// The whole report as one JSON object
    #[arg(long)]
    pub json: bool,
    /// Write the report as a self-contained HTML page with figures and the worst images; - is standard output
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
    /// Compare with another run on the same images: what this run fixes and breaks
    #[arg(long, value_name = "RUN")]
    pub compare: Option<PathBuf>,
    /// Evaluate the validation images only, and skip the search for label errors and near-duplicates
    #[arg(long, conflicts_with = "csv")]
    pub quick: bool,
    /// auto, cpu, cuda or cuda:N
    #[arg(long, default_value = "auto", value_parser = device)]
    pub device: tasklens_data::config::DeviceChoice,
}

/// `tasklens label-stats`
#[derive(Debug, Args)]
pub struct LabelStats {
    /// The config.yml
    pub config: PathBuf,
    /// Override a key for this call, such as --set paths.model_dataframe=other.csv
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = key_and_value)]
    pub changes: Vec<(String, String)>,
    /// All counts as one JSON object
    #[arg(long)]
    pub json: bool,
}

/// `tasklens export`
#[derive(Debug, Args)]
#[command(group(clap::ArgGroup::new("form").required(true).args(["csv", "jsonl", "folders"])))]
pub struct Export {
    /// The config.yml
    pub config: PathBuf,
    /// Write a copy of the CSV, with the edits of the window; - is standard output
    #[arg(long, value_name = "FILE")]
    pub csv: Option<PathBuf>,
    /// Write one JSON object per line and image, with path, labels and flag; - is standard output
    #[arg(long, value_name = "FILE")]
    pub jsonl: Option<PathBuf>,
    /// Create a folder per task and label, with links to its images
    #[arg(long, value_name = "DIR")]
    pub folders: Option<PathBuf>,
    /// Copy the images instead of linking them
    #[arg(long, conflicts_with_all = ["csv", "jsonl", "symbolic"])]
    pub copy: bool,
    /// Create symbolic links instead of hard links
    #[arg(long, conflicts_with_all = ["csv", "jsonl"])]
    pub symbolic: bool,
    /// Only this task; can be repeated [default: all]
    #[arg(long = "task", value_name = "NAME", conflicts_with_all = ["csv", "jsonl"])]
    pub tasks: Vec<String>,
    /// Override a key for this call, such as --set paths.model_dataframe=other.csv
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = key_and_value)]
    pub changes: Vec<(String, String)>,
}

/// `tasklens export-model`
#[derive(Debug, Args)]
pub struct ExportModel {
    /// A run folder, or a checkpoint (.safetensors)
    pub run: PathBuf,
    /// The format of the file
    #[arg(long, value_enum, default_value_t)]
    pub format: ModelFormat,
    /// The file to write, ending in .onnx; its card is beside it, ending in .md [default: beside the run's weights]
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Half precision: half the size; tells by how much the answers differ on the run's validation images
    #[arg(long)]
    pub fp16: bool,
    /// Weights of 8 bits: a quarter to a third of the size; tells what accuracy that costs on the run's validation images
    #[arg(long, conflicts_with = "fp16")]
    pub int8: bool,
    /// Replace the file and its card if they are there already
    #[arg(long)]
    pub force: bool,
}

/// Formats of exported models.
#[derive(Clone, Copy, Debug, Default, clap::ValueEnum)]
pub enum ModelFormat {
    /// ONNX, for ONNX Runtime, OpenVINO and others
    #[default]
    Onnx,
}

/// `tasklens import keras`
#[derive(Debug, Args)]
pub struct ImportKeras {
    /// The model that Keras saved, such as model.h5
    pub model: PathBuf,
    /// The config.yml that it was trained with: it says the tasks and the order of their labels
    #[arg(long, value_name = "CONFIG")]
    pub config: PathBuf,
    /// The folder of the new run, or a checkpoint (.safetensors) alone [default: a run named by the time, in `runs` beside
    /// the config]
    #[arg(long, value_name = "RUN_OR_FILE")]
    pub out: Option<PathBuf>,
    /// Write the run also to a place that the config names outside of its folder
    #[arg(long)]
    pub allow_outside: bool,
    /// Change a key for this call, such as --set model.input_shape=[299, 299]
    #[arg(long = "set", value_name = "KEY=VALUE", value_parser = key_and_value)]
    pub changes: Vec<(String, String)>,
}

/// `tasklens labels`
#[derive(Debug, Args)]
pub struct Labels {
    /// The config.yml
    pub config: PathBuf,
    /// Show what would change, without writing anything
    #[arg(long, global = true)]
    pub dry_run: bool,
    /// Change also a CSV that lies outside of the project's folder
    #[arg(long, global = true)]
    pub allow_outside: bool,
    /// The change to make; without one, the tasks and labels are listed
    #[command(subcommand)]
    pub change: Option<LabelChange>,
}

/// The changes of `tasklens labels`.
#[derive(Clone, Debug, Subcommand)]
pub enum LabelChange {
    /// Add a label to a task
    Add {
        /// The task
        task: String,
        /// The new label
        label: String,
    },
    /// Rename a label everywhere
    Rename {
        /// The task
        task: String,
        /// The label
        old: String,
        /// Its new name
        new: String,
    },
    /// Merge one label into another
    Merge {
        /// The task
        task: String,
        /// The label to replace, or a text in the column that is not a label
        from: String,
        /// The label to keep
        into: String,
    },
    /// Remove a label; its images become unlabelled
    Remove {
        /// The task
        task: String,
        /// The label, or a text in the column that is not a label
        label: String,
    },
    /// Add a task; an existing column of that name keeps its cells
    AddTask {
        /// The task and its column
        task: String,
        /// Its labels, at least two
        #[arg(required = true, num_args = 2..)]
        labels: Vec<String>,
    },
    /// Rename a task and its column
    RenameTask {
        /// The task
        old: String,
        /// Its new name
        new: String,
    },
    /// Remove a task from the config; its column stays in the CSV
    RemoveTask {
        /// The task
        task: String,
    },
}

fn key_and_value(text: &str) -> Result<(String, String), String> {
    let (key, value) = text.split_once('=').ok_or("expected KEY=VALUE, such as model.epochs=3")?;
    Ok((key.trim().to_owned(), value.to_owned()))
}

fn name_and_labels(text: &str) -> Result<(String, String), String> {
    let (name, labels) =
        text.split_once('=').ok_or("expected a task and its labels, such as \"sleeves=short,long\"")?;
    Ok((name.trim().to_owned(), labels.to_owned()))
}

fn device(text: &str) -> Result<tasklens_data::config::DeviceChoice, String> {
    tasklens_data::config::DeviceChoice::from_name(text)
        .ok_or_else(|| "expected auto, cpu, cuda, cuda:N or mps".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_arguments_fit_together() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn a_change_may_hold_further_equals_signs() {
        assert_eq!(key_and_value("paths.runs=a=b").unwrap(), ("paths.runs".to_owned(), "a=b".to_owned()));
        assert!(key_and_value("model.epochs").is_err());
    }
}
