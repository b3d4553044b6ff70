//! What is labelled: a data set, and the network that its first labels train.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Instant;

use tasklens::config::{Config, DeviceChoice};
use tasklens::dataset::{Dataset, sample};
use tasklens::inference::Predictor;
use tasklens::inference::outputs::{Outputs, Store};
use tasklens::labelling::suggestions::Suggestions;
use tasklens::training;
use tasklens::training::events::Event;

/// A data set to label in simulation: its labels are known, and given out as they are asked for.
pub struct Subject {
    pub name: &'static str,
    pub title: &'static str,
    pub folder: PathBuf,
    pub dataset: Dataset,
    /// Images that are labelled to begin with, at random.
    pub first: usize,
    /// Images that are labelled in a round.
    pub step: usize,
    /// Images that are labelled in the end.
    pub last: usize,
}

/// The sample, and the photographs where they are.
pub fn all(root: &Path, folder: &Path) -> Vec<Subject> {
    let images = folder.join("sample/images");
    let config =
        sample::write_sample(&images, sample::IMAGES, sample::SEED, &mut |_, _| true).expect("the sample");
    let config = Config::open(&config).expect("a config");
    let mut all = vec![Subject {
        name: "sample",
        title: "The built-in sample: drawn garments",
        folder: folder.join("sample"),
        dataset: Dataset::open(&config).expect("rows"),
        first: 200,
        step: 50,
        last: 800,
    }];
    let photographs = std::env::var_os("TASKLENS_PHOTOGRAPHS")
        .map_or_else(|| root.join("../shared/data/clothing"), PathBuf::from);
    let csv = photographs.join("clothing.csv");
    if !csv.is_file() {
        eprintln!(
            "{} is not there: without the photographs; name their folder in TASKLENS_PHOTOGRAPHS",
            csv.display()
        );
        return all;
    }
    let config = format!(
        "{{paths: {{model_dataframe: '{}'}}, model: {{input_shape: [64, 64], paths: image_path, split_column: split, target_encoder: {{item: \
         [t_shirt, longsleeve, shirt, outwear, dress, pants, shorts, skirt, shoes, hat], sleeves: [long_sleeve, \
         short_sleeve], worn_on: [upper_body, lower_body, whole_body, feet, head]}}}}}}",
        csv.display()
    );
    let config = Config::parse(&config, &photographs.join("config.yml")).expect("a config");
    all.push(Subject {
        name: "photographs",
        title: "Photographs of clothes",
        folder: folder.join("photographs"),
        dataset: Dataset::open(&config).expect("rows"),
        first: 300,
        step: 100,
        last: 1500,
    });
    all
}

impl Subject {
    /// Tasks for which every row has a label: a task that some rows cannot answer is labelled along.
    pub fn complete_tasks(&self) -> Vec<usize> {
        let is_complete = |task: &usize| self.dataset.rows.iter().all(|row| row.labels[*task].is_some());
        (0..self.dataset.tasks.len()).filter(is_complete).collect()
    }

    /// Per task the share of the held-out rows with a label that are predicted right.
    pub fn accuracy(&self, said: &Suggestions) -> Vec<f64> {
        self.shares(|task, row| said.top(task, row).map(|(label, _)| label))
    }

    /// Per task the share of the held-out rows with a label that have the most frequent one of the others.
    pub fn shares_of_most_frequent(&self) -> Vec<f64> {
        let counts = self.dataset.label_counts();
        let most = |task: usize| (0..).zip(&counts[task]).max_by_key(|(_, count)| count.train);
        self.shares(|task, _| most(task).map(|(label, _)| label))
    }

    fn shares(&self, answer: impl Fn(usize, usize) -> Option<u32>) -> Vec<f64> {
        let share = |task: usize| {
            let (mut right, mut of) = (0_u32, 0_u32);
            for row in &self.dataset.split.validation {
                if let Some(label) = self.dataset.rows[*row].labels[task] {
                    of += 1;
                    right += u32::from(answer(task, *row) == Some(label));
                }
            }
            f64::from(right) / f64::from(of.max(1))
        };
        (0..self.dataset.tasks.len()).map(share).collect()
    }

    /// What a network says of all rows that is trained on the `labelled` ones, a fifth of which validate it.
    pub fn outputs(&self, folder: &Path, labelled: &[usize], seed: u64) -> Outputs {
        self.outputs_of(folder, labelled, &|row| self.dataset.rows[row].labels.clone(), seed)
    }

    /// As [`Subject::outputs`], where the rows have these labels.
    pub fn outputs_of(
        &self,
        folder: &Path,
        labelled: &[usize],
        labels: &dyn Fn(usize) -> Vec<Option<u32>>,
        seed: u64,
    ) -> Outputs {
        let run = folder.join("run");
        let trained = folder.join("trained");
        if !trained.is_file() {
            let began = Instant::now();
            // What a bench that was interrupted has left.
            let _ = std::fs::remove_dir_all(&run);
            std::fs::create_dir_all(folder).expect("a folder");
            let epochs = train(&self.config(folder, labelled, labels, seed), &run);
            std::fs::write(&trained, "").expect("a mark");
            let (images, secs) = (labelled.len(), began.elapsed().as_secs_f64());
            eprintln!("{} {seed}: {images} images, {epochs} epochs in {secs:.0} s", self.name);
        }
        let store = Store::of(&run).expect("a store");
        let rows = &self.dataset.rows;
        let which: Vec<usize> = (0..rows.len()).collect();
        let open = || Predictor::open(&run, DeviceChoice::Cpu);
        let pass = store.compute(open, rows, &which, (32, 1), &mut |_, _| true).expect("outputs");
        assert!(pass.complete && pass.failures.is_empty(), "{:?}", pass.failures);
        store.load().expect("outputs")
    }

    /// A project with only the `labelled` rows in its CSV: nothing of the others can leak into the network.
    fn config(
        &self,
        folder: &Path,
        labelled: &[usize],
        labels: &dyn Fn(usize) -> Vec<Option<u32>>,
        seed: u64,
    ) -> Config {
        let csv = folder.join("labelled.csv");
        let mut writer = csv::Writer::from_path(&csv).expect("a CSV");
        let tasks = &self.dataset.tasks;
        let names = tasks.iter().map(|task| task.name.as_str());
        writer.write_record(std::iter::once("image_path").chain(names)).expect("a row");
        for row in labelled {
            let (row, labels) = (&self.dataset.rows[*row], labels(*row));
            let labels = labels
                .iter()
                .zip(tasks)
                .map(|(label, task)| label.map_or("", |label| task.labels[label as usize].as_str()));
            let image = row.image.to_str().expect("a path in UTF-8");
            writer.write_record(std::iter::once(image).chain(labels)).expect("a row");
        }
        writer.flush().expect("the CSV");
        let mut text = format!(
            "paths: {{model_dataframe: labelled.csv}}\nmodel:\n  paths: image_path\n  input_shape: [64, 64]\n  backbone: \
             xception_small\n  pretrained: none\n  batch_size: 16\n  random_seed: {seed}\n  learning_rate: 0.002\n  \
             epochs: 60\n  early_stopping_patience: 15\n  lr_reducer_patience: 6\n  lr_reducer_factor: 0.3\n  \
             device: cpu\n  augmentation: {{rotation: 5, shift: 0.1, zoom: [0.8, 1.2], brightness: [0.7, 1.3]}}\n  \
             target_encoder:\n"
        );
        for task in tasks {
            let _ = writeln!(text, "    {}: [{}]", task.name, task.labels.join(", "));
        }
        Config::parse(&text, &folder.join("config.yml")).expect("a config")
    }
}

/// Trains a run and gives the number of its epochs.
fn train(config: &Config, run: &Path) -> usize {
    let request = training::Request {
        config: config.clone(),
        run: Some(run.to_path_buf()),
        resume: false,
        allow_outside: false,
        edits: training::Unsaved::default(),
    };
    let mut epochs = 0;
    for event in training::start(request, || {}).events {
        match event {
            Event::Epoch(epoch) => {
                epochs = epoch.epoch;
            }
            Event::Failed { error } => panic!("{error}"),
            _ => {}
        }
    }
    epochs
}
