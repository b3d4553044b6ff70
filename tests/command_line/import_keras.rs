//! A model of the Python project comes in, answers, is measured and trains on.

use tasklens_net::model::checkpoint;
use tasklens_net::model::conventions::Conventions;

use crate::{err, keras_project, out, tasklens};

#[test]
fn a_model_of_the_python_project_answers_is_measured_and_trains_on() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let folder = folder.path();
    keras_project::write(folder);
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

#[test]
fn a_model_without_a_command_is_told_what_to_do() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let folder = folder.path();
    for name in ["model.h5", "model.keras"] {
        std::fs::write(folder.join(name), "weights").expect("written");
    }
    std::fs::create_dir_all(folder.join("fashion/Anno_fine")).expect("made");
    for (path, told) in [
        ("model.h5", "`tasklens import keras model.h5 --config config.yml`"),
        ("model.keras", "`keras.models.load_model(\"model.keras\").save(\"model.h5\")`"),
        ("fashion", "`tasklens import deepfashion fashion`"),
    ] {
        let said = tasklens(folder, &[path]);
        assert_eq!(said.status.code(), Some(2), "{path}");
        assert!(err(&said).contains(told), "{}", err(&said));
    }
    let said = tasklens(folder, &["no such file.h5"]);
    assert!(
        said.status.code() == Some(2) && err(&said).contains("unrecognized subcommand"),
        "{}",
        err(&said)
    );
}
