//! The text of a new `config.yml`, with comments for newcomers.

use std::fmt::Write as _;

use crate::config::presets::{Keys, Proposed};
use crate::config::{Augmentation, Optimizer, Pretrained, Recipe, Schedule, auto_or, yaml_scalar};

/// Content of a new config.
pub(super) struct StarterConfig<'a> {
    /// The CSV, relative to the config if that is short.
    pub table: String,
    /// The column with the image path; none only while it is not chosen yet.
    pub path_column: Option<&'a str>,
    /// Task names with their labels.
    pub tasks: Vec<(&'a str, &'a [String])>,
    /// The column that says train or validation, if there is one.
    pub split_column: Option<&'a str>,
    /// The settings that are suggested for training.
    pub training: &'a Proposed,
}

impl StarterConfig<'_> {
    /// The text of the config.
    pub fn to_yaml(&self) -> String {
        let mut out = String::new();
        let _ = writeln!(out, "# Relative paths start at the folder of this file.");
        let _ = writeln!(out, "paths:");
        let _ = writeln!(out, "  model_dataframe: {}", yaml_scalar(&self.table));
        let _ = writeln!(out, "  runs: runs                    # each training makes a folder in here");
        let _ = writeln!(out, "model:");
        if let Some(column) = self.path_column {
            let _ = writeln!(out, "  # The column with the image path, relative to the folder of the CSV.");
            let _ = writeln!(out, "  paths: {}", yaml_scalar(column));
        }
        let _ = writeln!(out, "  # One task per column, with the labels that may stand in it.");
        let _ = writeln!(out, "  target_encoder:");
        for (name, labels) in &self.tasks {
            let labels: Vec<String> = labels.iter().map(|label| yaml_scalar(label)).collect();
            let _ = writeln!(out, "    {}: [{}]", yaml_scalar(name), labels.join(", "));
        }
        match self.split_column {
            Some(column) => {
                let _ = writeln!(out, "  # The column that says train, validation or test.");
                let _ = writeln!(out, "  split_column: {}", yaml_scalar(column));
            }
            None => {
                let _ = writeln!(
                    out,
                    "  validation_split: 0.2         # share of the rows that is held back to measure"
                );
            }
        }
        self.training_yaml(&mut out);
        out
    }

    /// The keys of the preset, each with a comment.
    fn training_yaml(&self, out: &mut String) {
        let Proposed { recipe, keys, lacks } = self.training;
        let _ = writeln!(out, "  # How it trains: {}. {}", recipe.title(), recipe.about());
        if let Some(lacks) = lacks {
            let _ = writeln!(out, "  # {lacks} Then {} in Train is better.", Recipe::Quick.title());
        }
        let mut line = |setting: String, comment: &str| {
            let _ = match comment {
                "" => writeln!(out, "  {setting}"),
                _ => writeln!(out, "  {setting:<COMMENT_AT$} # {comment}"),
            };
        };
        line(format!("backbone: {}", keys.backbone.name()), "the network that all tasks share");
        line(
            format!("input_shape: [{}, {}]", keys.size.0, keys.size.1),
            "height and width, pixels; smaller is faster",
        );
        match keys.pretrained {
            Pretrained::None => line("pretrained: none".to_owned(), "from random weights"),
            _ => line("pretrained: required".to_owned(), "begin with its ImageNet weights"),
        }
        stages_yaml(keys, &mut line);
        augmentation_yaml(&keys.augmentation, &mut line);
        rates_yaml(keys, &mut line);
        let about_epochs = match keys.early_stopping_patience < keys.epochs {
            true => "at most; fewer when it gets no better",
            false => "passes over the images",
        };
        line(format!("epochs: {}", keys.epochs), about_epochs);
        line(
            format!("batch_size: {}", auto_or(keys.batch_size)),
            "images per step; smaller needs less memory",
        );
        line(
            format!("early_stopping_patience: {}", keys.early_stopping_patience),
            "epochs without progress until it stops",
        );
        line("random_seed: 42".to_owned(), "");
    }
}

/// Column at which comments start.
const COMMENT_AT: usize = 34;

type WriteLine<'a> = &'a mut dyn FnMut(String, &str);

fn stages_yaml(keys: &Keys, line: WriteLine<'_>) {
    if keys.freeze {
        line("freeze_convolutional_layers: true".to_owned(), "train the heads alone: fast without a GPU");
    }
    if keys.frozen_epochs > 0 {
        line(format!("frozen_epochs: {}", keys.frozen_epochs), "the heads alone first");
    }
}

fn augmentation_yaml(augmentation: &Augmentation, line: WriteLine<'_>) {
    if *augmentation == Augmentation::default() {
        return;
    }
    if *augmentation == Augmentation::none() {
        line("augmentation: none".to_owned(), "no random changes to the images");
        return;
    }
    line("augmentation:".to_owned(), "random changes to each training image");
    let Augmentation { rotation, shift, zoom, brightness, horizontal_flip, crop } = augmentation;
    line(format!("  rotation: {rotation}"), "");
    line(format!("  shift: {shift}"), "");
    line(format!("  zoom: [{}, {}]", zoom.0, zoom.1), "");
    line(format!("  brightness: [{}, {}]", brightness.0, brightness.1), "");
    line(format!("  horizontal_flip: {horizontal_flip}"), "false where left and right matter");
    if let Some(crop) = crop {
        line("  crop:".to_owned(), "a part of the image, enlarged");
        line(format!("    scale: [{}, {}]", crop.scale.0, crop.scale.1), "its share of the area");
    }
}

fn rates_yaml(keys: &Keys, line: WriteLine<'_>) {
    if let Optimizer::AdamW { .. } = keys.optimizer {
        line(format!("optimizer: {}", keys.optimizer.name()), "");
    }
    line(format!("learning_rate: {}", keys.learning_rate), "the size of a step");
    if let Some(rate) = keys.backbone_learning_rate {
        line(format!("backbone_learning_rate: {rate}"), "smaller where the network knows much");
    }
    if keys.label_smoothing > 0.0 {
        line(format!("label_smoothing: {}", keys.label_smoothing), "answers that are less sure");
    }
    match keys.schedule {
        Schedule::OneCycle => line("schedule: one_cycle".to_owned(), "the rate rises and falls once"),
        Schedule::Plateau => {
            line(
                format!("lr_reducer_patience: {}", keys.lr_reducer_patience),
                "epochs without progress, then ...",
            );
            line(
                format!("lr_reducer_factor: {}", keys.lr_reducer_factor),
                "... the rate is multiplied by it",
            );
        }
    }
}
