//! A run with outputs made by hand: what Inspect shows is then known to the last digit.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use half::f16;
use tasklens::app::services::project::{Project, Summary};
use tasklens_data::config::{Backbone, Config, Task};
use tasklens_data::dataset::Dataset;
use tasklens_net::inference::outputs::{MINIATURE_BYTES, OutputBuffer, OutputStore, stamp};
use tasklens_net::model::checkpoint::{self, Description};
use tasklens_net::model::conventions::Conventions;
use tasklens_net::model::network::Network;
use tasklens_net::training::split_file;

/// Labels of the two tasks.
pub const PRINTS: [&str; 3] = ["solid", "striped", "dotted"];
/// See [`PRINTS`].
pub const SLEEVES: [&str; 2] = ["long", "short"];
/// Images, a third of which validate.
pub const IMAGES: usize = 60;
const FEATURES: usize = 512;

/// What the network says of an image, by its number: print, sleeves, and how sure it is. Every seventh print
/// is taken for the next one, every eleventh sleeve for the other.
pub fn prediction(image: usize) -> [(usize, f32); 2] {
    let print = image % 3 + usize::from(image % 7 == 3);
    let sleeves = image / 3 % 2 + usize::from(image % 11 == 5);
    let sure = 0.55 + 0.4 * (image * 37 % 100) as f32 / 100.0;
    [(print % 3, sure), (sleeves % 2, 1.5 - sure)]
}

/// A project of [`IMAGES`] drawn pictures in `folder`, and a run of it with all its outputs.
pub fn inspected(folder: &Path) -> (Project, PathBuf) {
    let mut csv = String::from("path,print,sleeves,split,shop\n");
    for image in 0..IMAGES {
        picture(image).save(folder.join(format!("{image:02}.png"))).unwrap();
        let part = if image % 3 == image / 3 % 3 { "validation" } else { "train" };
        // One image without a sleeve label.
        let sleeves = if image == 8 { "" } else { SLEEVES[image / 3 % 2] };
        csv += &format!("{image:02}.png,{},{sleeves},{part},shop {}\n", PRINTS[image % 3], image % 4);
    }
    std::fs::write(folder.join("garments.csv"), csv).unwrap();
    let file = folder.join("config.yml");
    let text = "paths:\n  model_dataframe: garments.csv\nmodel:\n  backbone: xception_small\n  input_shape: [32, 32]\n  \
                device: cpu\n  split_column: split\n  target_encoder:\n    print: [solid, striped, dotted]\n    sleeves: [long, short]\n";
    std::fs::write(&file, text).unwrap();
    let config = Config::open(&file).unwrap();
    let dataset = Dataset::open(&config).unwrap();
    let run = folder.join("runs/2026-11-23_14-02-11");
    write_run(&run, &dataset, prediction);
    let summary = Arc::new(Summary::of(&dataset));
    (Project { config, dataset: Arc::new(dataset), summary, generation: 1 }, run)
}

/// A run folder with a checkpoint of new weights, and outputs that say what `predict` says.
pub fn write_run(run: &Path, dataset: &Dataset, predict: impl Fn(usize) -> [(usize, f32); 2]) {
    std::fs::create_dir_all(run).unwrap();
    let tasks = dataset.tasks.clone();
    let description = Description {
        backbone: "xception_small".to_owned(),
        conventions: Conventions::default(),
        tasks: tasks.clone(),
        height: 32,
        width: 32,
        mean: [0.5; 3],
        std: [0.5; 3],
        precision: "fp32".to_owned(),
        epoch: 1,
        config: String::new(),
        extra: serde_json::Value::Null,
    };
    let network = Network::new(Backbone::XceptionSmall, &tasks, 1, tch::Device::Cpu).unwrap();
    checkpoint::write(&run.join("best.safetensors"), &network, &description, &[]).unwrap();
    split_file::write(run, dataset, &dataset.split).unwrap();
    let mut buffer = OutputBuffer::new(tasks.len());
    for (number, row) in dataset.rows.iter().enumerate() {
        buffer.images.push(row.image.to_path_buf());
        buffer.stamps.push(stamp(&row.image));
        let said = predict(number);
        for ((task, probabilities), said) in tasks.iter().zip(&mut buffer.probabilities).zip(said) {
            probabilities.extend(spread(task, said));
        }
        buffer.features.extend(features(number, said[0].0));
        buffer.miniatures.extend(miniature(number));
    }
    OutputStore::of(run).unwrap().append(&buffer).unwrap();
}

/// `sure` for the answer, the rest shared by the others.
fn spread(task: &Task, (answer, sure): (usize, f32)) -> Vec<f32> {
    let rest = (1.0 - sure) / (task.labels.len() - 1) as f32;
    (0..task.labels.len()).map(|label| if label == answer { sure } else { rest }).collect()
}

/// Images that train and are like one that validates, which looks the same: 12 and 25 are the same photograph
/// as 0 and 13, 16 is one much like 4.
pub const COPIES: [(usize, usize); 3] = [(12, 0), (25, 13), (16, 4)];

fn miniature(number: usize) -> Vec<u8> {
    let of = COPIES.iter().find(|(copy, _)| *copy == number).map_or(number, |(_, of)| *of);
    let noise = |i: usize| if number == 16 { 30 * (i % 2) } else { 0 };
    (0..MINIATURE_BYTES).map(|i| ((of + 3) * (i * i + 7) % 221 + noise(i)) as u8).collect()
}

/// Images predicted alike are neighbours; within, those of like number.
fn features(number: usize, print: usize) -> Vec<u8> {
    let value = |i: usize| match i {
        0..3 => f32::from(u8::from(i == print)) * 4.0,
        _ => ((number * 13 + i * (number % 5 + 1)) % 17) as f32 / 17.0,
    };
    (0..FEATURES).flat_map(|i| f16::from_f32(value(i)).to_le_bytes()).collect()
}

/// A garment in plain, striped or dotted cloth.
pub fn picture(image: usize) -> image::RgbImage {
    let cloth = [[196, 84, 72], [72, 128, 190], [90, 160, 98], [214, 164, 66]][image % 4];
    image::RgbImage::from_fn(60, 80, |x, y| {
        let wide = if (image / 3).is_multiple_of(2) { 26 } else { 18 };
        let is_cloth = x.abs_diff(30) < if y < 40 { wide } else { 16 } && (8..72).contains(&y);
        let marked = match image % 3 {
            0 => false,
            1 => y / 5 % 2 == 0,
            _ => x % 8 < 3 && y % 8 < 3,
        };
        image::Rgb(match (is_cloth, marked) {
            (true, true) => [240, 236, 230],
            (true, false) => cloth,
            (false, _) => [226, 224, 220],
        })
    })
}
