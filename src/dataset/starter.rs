//! The text of a first `config.yml`, with comments for a newcomer.

use std::fmt::Write as _;

use crate::config::yaml_scalar;

/// What a first config is made of.
pub(super) struct StarterConfig<'a> {
    /// The CSV, relative to the config where that is short.
    pub table: String,
    /// The column with the image path; none only while it is still being looked for.
    pub path_column: Option<&'a str>,
    /// Task names with their labels.
    pub tasks: Vec<(&'a str, &'a [String])>,
    /// The column that says train or validation.
    pub split_column: Option<&'a str>,
    /// Data rows of the CSV.
    pub rows: usize,
}

impl StarterConfig<'_> {
    /// The YAML.
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
        out.push_str(&self.training_yaml());
        out
    }

    /// Settings with which a first run ends in reasonable time also without a GPU.
    fn training_yaml(&self) -> String {
        let batch_size = match self.rows {
            0..200 => 8,
            200..2_000 => 16,
            _ => 32,
        };
        format!(
            "  input_shape: [224, 224]       # height and width in pixels; smaller is faster
  batch_size: {batch_size}{}# images per step; smaller needs less memory
  epochs: 30                    # at most; training stops early when it gets no better
  learning_rate: 0.001
  early_stopping_patience: 8    # epochs without progress before it stops
  lr_reducer_patience: 3        # epochs without progress before the learning rate is reduced
  lr_reducer_factor: 0.3
  random_seed: 42
",
            " ".repeat(if batch_size < 10 { 17 } else { 16 })
        )
    }
}
