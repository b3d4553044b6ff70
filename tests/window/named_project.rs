//! A project of drawn garments whose tasks, labels, images and runs have such names as a test wants.

use std::path::{Path, PathBuf};

use tasklens_data::config::Config;
use tasklens_data::dataset::Dataset;

use crate::garments::{picture, prediction, write_run};

/// The names; the first task has three labels or more, the second two.
pub struct Names {
    pub tasks: [(String, Vec<String>); 2],
    /// Of an image, with its ending.
    pub image: fn(usize) -> String,
    pub runs: Vec<String>,
}

/// Writes a project of so many images into `folder/shop`; returns its config.
pub fn write(folder: &Path, names: &Names, images: usize) -> PathBuf {
    let folder = folder.join("shop");
    std::fs::create_dir_all(&folder).unwrap();
    let [(prints, print), (sleeves, sleeve)] = &names.tasks;
    let mut csv = format!("path,{prints},{sleeves},split\n");
    for image in 0..images {
        let name = (names.image)(image);
        picture(image).save(folder.join(&name)).unwrap();
        let part = if image % 3 == image / 3 % 3 { "validation" } else { "train" };
        csv += &format!("{name},{},{},{part}\n", print[image % 3], sleeve[image / 3 % 2]);
    }
    std::fs::write(folder.join("garments.csv"), csv).unwrap();
    let file = folder.join("config.yml");
    let text = format!(
        "paths:\n  model_dataframe: garments.csv\nmodel:\n  backbone: xception_small\n  input_shape: [32, 32]\n  \
         device: cpu\n  split_column: split\n  target_encoder:\n    {prints}: [{}]\n    {sleeves}: [{}]\n",
        print.join(", "),
        sleeve.join(", ")
    );
    std::fs::write(&file, text).unwrap();
    let dataset = Dataset::open(&Config::open(&file).unwrap()).unwrap();
    for run in &names.runs {
        write_run(&folder.join("runs").join(run), &dataset, prediction);
    }
    file
}
