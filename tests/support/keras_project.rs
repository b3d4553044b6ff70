//! A project of a few pictures, and the model of the Python project that answers its tasks.

#![allow(clippy::expect_used, reason = "a test helper that fails is a failed test")]

use std::io::Read as _;
use std::path::Path;

/// A small Xception with the heads `print_clf` and `sleeves_clf`, as Keras 2 saved it.
const MODEL: &[u8] = include_bytes!("../../crates/tasklens-net/tests/networks/keras/keras2.h5.gz");

/// Writes `model.h5`, `config.yml`, `data.csv` and twelve pictures into a folder.
pub fn write(folder: &Path) {
    let at = |name: &str| folder.join(name);
    let mut bytes = Vec::new();
    flate2::read::GzDecoder::new(MODEL).read_to_end(&mut bytes).expect("unpacks");
    std::fs::write(at("model.h5"), bytes).expect("written");
    let mut csv = "image_path,print,sleeves\n".to_owned();
    for i in 0..12_u32 {
        let pixel = |x: u32, y: u32| image::Rgb([(x * i) as u8, (y * 3) as u8, (x + y * i) as u8]);
        image::RgbImage::from_fn(64, 71, pixel).save(at(&format!("{i}.png"))).expect("saved");
        let print = ["solid", "striped", "floral"][i as usize % 3];
        csv += &format!("{i}.png,{print},{}\n", if i % 2 == 0 { "short" } else { "long" });
    }
    std::fs::write(at("data.csv"), csv).expect("a CSV");
    let config = "paths: {model_dataframe: data.csv, model_path: models/multitask.h5}\nmodel:\n  input_shape: [71, 64]\n  \
                  target_encoder: {print: [solid, striped, floral], sleeves: [short, long]}\n  paths: image_path\n  \
                  backbone: xception_small\n  device: cpu\n  workers: 1\n  epochs: 1\n  batch_size: 4\n";
    std::fs::write(at("config.yml"), config).expect("a config");
}
