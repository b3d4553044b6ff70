//! What is said of an exported model: in the file itself, and in the card beside it.

use std::path::Path;

use anyhow::Context as _;
use serde_json::{Map, Value, json};
use tasklens_data::config::networks::NetworkFacts;
use tasklens_data::config::{Config, Task};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::model::checkpoint::Description;
use crate::onnx::outputs;
use crate::onnx::protobuf::StringStringEntryProto;
use crate::training::events::EpochMetrics;
use crate::training::run_folder::{self, RunRecord};

/// What is known of a model.
#[derive(Clone, Debug)]
pub struct About {
    /// The run's name, or that of the file of a checkpoint alone.
    pub run: String,
    /// Its network.
    pub network: &'static NetworkFacts,
    /// Its tasks with their labels.
    pub tasks: Vec<Task>,
    /// Per task what was measured of it.
    pub scores: Vec<Score>,
    /// Height and width of the network's images, pixels.
    pub size: (u32, u32),
    /// Images that it was trained on and validated with, where the run says.
    pub images: Option<(usize, usize)>,
    /// Name of the table of its labels.
    pub table: Option<String>,
    /// Epochs that it was trained for.
    pub epoch: usize,
    /// Where a network that was brought over comes from.
    pub origin: Option<String>,
    /// `fp32`, `fp16` or `int8`: how exact the exported file is.
    pub precision: &'static str,
    /// When it was exported, UTC.
    pub date: String,
    /// What else is to be known, in sentences.
    pub notes: Vec<String>,
}

/// What was measured of a task.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Score {
    /// Share of the validation images answered rightly, 0 to 1.
    pub accuracy: Option<f64>,
    /// Validation images with a label.
    pub images: Option<usize>,
}

impl About {
    /// That of a checkpoint, with what the run folder around it says.
    ///
    /// # Errors
    /// The checkpoint is of an unknown network, or the clock cannot be read.
    pub fn new(checkpoint: &Path, description: &Description) -> anyhow::Result<Self> {
        let folder = checkpoint.parent().unwrap_or(Path::new(""));
        let record = RunRecord::open(folder).ok().filter(|record| record.started.is_some());
        let name = run_folder::name(checkpoint);
        let run = record.as_ref().map_or(name, |record| record.name.clone());
        let started = record.and_then(|record| record.started);
        let metrics = description.extra.get("metrics").cloned().unwrap_or_default();
        let metrics: Option<EpochMetrics> = serde_json::from_value(metrics).unwrap_or_default();
        let score = |(place, task): (usize, &Task)| {
            let accuracy = metrics.as_ref().and_then(|metrics| {
                metrics.validation.task_accuracy.get(place).copied().filter(|accuracy| accuracy.is_finite())
            });
            let labelled = started.as_ref().and_then(|started| {
                let place = started.tasks.iter().position(|name| *name == task.name)?;
                started.validation_labels.get(place)
            });
            Score { accuracy, images: labelled.map(|labelled| labelled.images) }
        };
        let table = Config::parse(&description.config, &folder.join(run_folder::CONFIG)).ok();
        let table = table.map(|config| run_folder::name(&config.paths.model_dataframe));
        Ok(Self {
            run,
            network: description.backbone()?.facts(),
            scores: description.tasks.iter().enumerate().map(score).collect(),
            tasks: description.tasks.clone(),
            size: (description.height, description.width),
            images: started.map(|started| (started.n_train, started.n_validation)),
            table,
            epoch: description.epoch,
            origin: description.extra.get("imported_from").and_then(Value::as_str).map(str::to_owned),
            precision: "fp32",
            date: OffsetDateTime::now_utc()
                .replace_nanosecond(0)?
                .format(&Rfc3339)
                .context("the date cannot be written")?,
            notes: Vec::new(),
        })
    }

    /// The names of the outputs, in the order of the tasks.
    pub fn outputs(&self) -> Vec<String> {
        outputs(&self.tasks)
    }

    /// `metadata_props` of the file.
    pub(super) fn properties(&self) -> Vec<StringStringEntryProto> {
        let per_task = |value: &dyn Fn(usize, &Task) -> Value| -> Value {
            let tasks = self.tasks.iter().enumerate();
            Value::Object(
                tasks.map(|(place, task)| (task.name.clone(), value(place, task))).collect::<Map<_, _>>(),
            )
        };
        let names: Vec<&str> = self.tasks.iter().map(|task| task.name.as_str()).collect();
        let outputs = self.outputs();
        let (height, width) = self.size;
        let entries = [
            ("tasks", json!(names).to_string()),
            ("labels", per_task(&|_, task| json!(task.labels)).to_string()),
            ("outputs", per_task(&|place, _| json!(outputs[place])).to_string()),
            ("accuracy", per_task(&|place, _| json!(self.scores[place].accuracy)).to_string()),
            ("validation_images", per_task(&|place, _| json!(self.scores[place].images)).to_string()),
            ("input_size", json!({ "height": height, "width": width }).to_string()),
            ("precision", self.precision.to_owned()),
            ("network", self.network.name.to_owned()),
            ("run", self.run.clone()),
            ("date", self.date.clone()),
            ("tasklens_version", env!("CARGO_PKG_VERSION").to_owned()),
        ];
        let entry = |(key, value): (&str, String)| StringStringEntryProto {
            key: Some(key.to_owned()),
            value: Some(value),
        };
        entries.into_iter().map(entry).collect()
    }
}
