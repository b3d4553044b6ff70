//! A project of many rows and few pictures, and a run whose outputs are wrong in one row of eight.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use half::f16;
use rand::{RngExt as _, SeedableRng as _};
use rand_pcg::Pcg64;
use tasklens_data::config::{Backbone, Config};
use tasklens_data::dataset::{Dataset, sample};
use tasklens_net::inference::outputs::{MINIATURE_BYTES, OutputBuffer, OutputStore, stamp};
use tasklens_net::model::checkpoint::{self, Description};
use tasklens_net::model::network::Network;

/// Drawn pictures; every folder of rows is a link to them.
pub const PICTURES: usize = 400;
/// Features per row, as the small backbone has them.
pub const FEATURES: usize = 512;

/// Writes the project and its run. The first rows have labels; returns the config and the run.
pub fn project(folder: &Path, rows: usize, labelled: usize) -> (PathBuf, PathBuf) {
    let drawn = folder.join("drawn");
    let sample = sample::write_sample(&drawn, PICTURES, 7, &mut |_, _| true).unwrap();
    let sample = Dataset::open(&Config::open(&sample).unwrap()).unwrap();
    let tasks = sample.tasks.clone();
    let mut csv = String::from("image_path");
    tasks.iter().for_each(|task| write!(csv, ",{}", task.name).unwrap());
    csv.push('\n');
    for copy in 0..rows.div_ceil(PICTURES) {
        let link = folder.join(format!("part{copy}"));
        #[cfg(unix)]
        std::os::unix::fs::symlink(&drawn, link).unwrap();
        #[cfg(windows)]
        std::os::windows::fs::symlink_dir(&drawn, link).unwrap();
    }
    for row in 0..rows {
        let (copy, picture) = (row / PICTURES, row % PICTURES);
        let path = sample.table.cell(picture, sample.columns.path);
        write!(csv, "part{copy}/{path}").unwrap();
        for (task, label) in tasks.iter().zip(&sample.rows[picture].labels) {
            let label = label.class().filter(|_| row < labelled);
            write!(csv, ",{}", label.map_or("", |label| &task.labels[label as usize])).unwrap();
        }
        csv.push('\n');
    }
    std::fs::write(folder.join("garments.csv"), csv).unwrap();
    let mut text = String::from(
        "paths:\n  model_dataframe: garments.csv\nmodel:\n  backbone: xception_small\n  input_shape: [64, 64]\n  \
         device: cpu\n  paths: image_path\n  target_encoder:\n",
    );
    tasks.iter().for_each(|task| writeln!(text, "    {}: [{}]", task.name, task.labels.join(", ")).unwrap());
    let file = folder.join("config.yml");
    std::fs::write(&file, text).unwrap();
    let dataset = Dataset::open(&Config::open(&file).unwrap()).unwrap();
    let run = folder.join("runs/2026-11-23_14-02-11");
    write_run(&run, &dataset);
    (file, run)
}

fn write_run(run: &Path, dataset: &Dataset) {
    std::fs::create_dir_all(run).unwrap();
    let tasks = &dataset.tasks;
    let description = Description {
        epoch: 1,
        ..Description::new(Backbone::XceptionSmall, tasks.clone(), (64, 64), "fp32")
    };
    let network = Network::new(Backbone::XceptionSmall, tasks, 1, tch::Device::Cpu).unwrap();
    checkpoint::write(&run.join("best.safetensors"), &network, &description, &[]).unwrap();
    let store = OutputStore::of(run).unwrap();
    let mut random = Pcg64::seed_from_u64(3);
    for rows in (0..dataset.rows.len()).collect::<Vec<_>>().chunks(2048) {
        let mut buffer = OutputBuffer::new(tasks.len());
        for row in rows.iter().map(|row| &dataset.rows[*row]) {
            buffer.images.push(row.image.to_path_buf());
            buffer.stamps.push(stamp(&row.image));
            for (task, (spec, label)) in tasks.iter().zip(&row.labels).enumerate() {
                let labels = spec.labels.len();
                let is_wrong = random.random_range(0..8) == 0;
                let answer = (label.class().unwrap_or(0) as usize + usize::from(is_wrong)) % labels;
                let sure = random.random_range(0.4..1.0_f32).max(1.5 / labels as f32);
                let rest = (1.0 - sure) / (labels - 1) as f32;
                let of = |label| if label == answer { sure } else { rest };
                buffer.probabilities[task].extend((0..labels).map(of));
            }
            let feature = |_| f16::from_f32(random.random_range(0.0..1.0)).to_le_bytes();
            buffer.features.extend((0..FEATURES).flat_map(feature));
            buffer.miniatures.extend((0..MINIATURE_BYTES).map(|_| 128_u8));
        }
        store.append(&buffer).unwrap();
    }
}
