//! A model of the Python project comes in, answers, is measured and trains on.

use std::io::Read as _;

use tasklens_net::model::checkpoint;
use tasklens_net::model::conventions::Conventions;

use crate::{err, out, tasklens};

/// A small Xception with the heads `print_clf` and `sleeves_clf`, as Keras 2 saved it.
const MODEL: &[u8] = include_bytes!("../../crates/tasklens-net/tests/networks/keras/keras2.h5.gz");

/// A folder with the model, the config and a CSV of a few pictures.
fn project() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let at = |name: &str| folder.path().join(name);
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
    folder
}

#[test]
fn a_model_of_the_python_project_answers_is_measured_and_trains_on() {
    let folder = project();
    let folder = folder.path();
    let import = ["import", "keras", "model.h5", "--config", "config.yml"];
    let imported = tasklens(folder, &[&import[..], &["--out", "run"]].concat());
    assert!(imported.status.success(), "{}", err(&imported));
    let told =
        "Xception, small of 71 x 64 pixels, print (3 labels), sleeves (2 labels), from Keras 2.21.0: run\n";
    assert!(out(&imported).starts_with(told), "{}", out(&imported));
    assert!(out(&imported).contains("Train it on: tasklens train --resume run"), "{}", out(&imported));
    assert!(
        err(&imported).contains("Which images the model was trained on is not known"),
        "{}",
        err(&imported)
    );

    let predict = tasklens(folder, &["predict", "run", "3.png"]);
    assert!(predict.status.success() && out(&predict).starts_with("3.png  print "), "{}", err(&predict));
    let evaluate = tasklens(folder, &["evaluate", "run", "--quick", "--json"]);
    assert!(evaluate.status.success(), "{}", err(&evaluate));

    let conventions =
        |name: &str| checkpoint::read_description(&folder.join(name)).expect("read").conventions;
    let trained = tasklens(folder, &["train", "--resume", "run"]);
    assert!(trained.status.success(), "{}{}", out(&trained), err(&trained));
    assert!(out(&trained).contains("epoch 1/1  loss "), "{}", out(&trained));
    assert_eq!(
        [conventions("run/best.safetensors"), conventions("run/last.safetensors")],
        [Conventions::Keras; 2]
    );

    // Others begin on its backbone, and keep the conventions.
    let further =
        ["train", "config.yml", "--run", "further", "--set", "model.pretrained=run/best.safetensors"];
    let further = tasklens(folder, &further);
    assert!(further.status.success(), "{}{}", out(&further), err(&further));
    assert_eq!(conventions("further/best.safetensors"), Conventions::Keras);

    let alone = tasklens(folder, &[&import[..], &["--out", "alone.safetensors"]].concat());
    assert!(alone.status.success() && folder.join("alone.safetensors").is_file(), "{}", err(&alone));
    let again = tasklens(folder, &[&import[..], &["--out", "run"]].concat());
    assert_eq!(again.status.code(), Some(1));
    assert!(err(&again).contains("run already contains a run"), "{}", err(&again));

    let other = tasklens(folder, &[&import[..], &["--set", "model.input_shape=[64, 64]"]].concat());
    assert_eq!(other.status.code(), Some(1));
    assert!(
        err(&other).contains("the height of its images is 71, and `input_shape` has 64"),
        "{}",
        err(&other)
    );
    assert!(!folder.join("runs").exists(), "nothing is left of what is refused");
    let none = tasklens(folder, &["import", "keras", "data.csv", "--config", "config.yml"]);
    assert!(err(&none).contains("data.csv is no HDF5 file"), "{}", err(&none));
}
