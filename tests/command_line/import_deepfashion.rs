//! A data set as others publish it becomes a project: imported, trained on and predicted with.

use tasklens_data::dataset::import::deepfashion::drawn;

use super::{err, out, tasklens};

#[test]
fn deep_fashion_is_imported_trained_on_and_predicted_with() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let folder = folder.path();
    drawn::write(&folder.join("data"), [24, 6, 6], 5).expect("written");
    assert_eq!(tasklens(folder, &["import", "deepfashion"]).status.code(), Some(2), "a folder must be named");
    let nothing = tasklens(folder, &["import", "deepfashion", "nowhere"]);
    assert_eq!(nothing.status.code(), Some(1));
    assert!(err(&nothing).contains("list_category_cloth.txt"), "{}", err(&nothing));

    let import = tasklens(folder, &["import", "deepfashion", "data", "--out", "shop"]);
    assert!(import.status.success(), "{}", err(&import));
    assert!(out(&import).starts_with("36 images in "), "{}", out(&import));
    assert!(out(&import).contains("sleeves: long_sleeve, short_sleeve, sleeveless\n"), "{}", out(&import));

    // What is left out is told, and is exit code 1.
    std::fs::write(folder.join("data/img/Drawn_Tee/img_00000002.jpg"), "no image").expect("written");
    std::fs::remove_file(folder.join("shop/img_crop/Drawn_Tee/img_00000002.jpg")).expect("removed");
    let again = tasklens(folder, &["import", "deepfashion", "data", "--out", "shop"]);
    assert_eq!(again.status.code(), Some(1));
    assert!(err(&again).contains("Anno_fine/train.txt:2: "), "{}", err(&again));
    assert!(out(&again).contains("35 crops were there already"), "{}", out(&again));

    let config = folder.join("shop/config.yml");
    let config = config.to_str().expect("UTF-8");
    let check = tasklens(folder, &["check", config]);
    assert!(out(&check).contains("35 rows: 23 train, 6 validation, 6 not used"), "{}", out(&check));
    let tiny = ["model.epochs=1", "model.input_shape=[32, 32]", "model.backbone=xception_small"];
    let tiny = tiny.into_iter().chain(["model.pretrained=none", "model.device=cpu"]);
    let tiny = tiny.chain(["model.freeze_convolutional_layers=false"]).flat_map(|key| ["--set", key]);
    let arguments = ["train", config, "--run", "run"].into_iter().chain(tiny).collect::<Vec<_>>();
    let train = tasklens(folder, &arguments);
    assert!(train.status.success(), "{}", err(&train));
    let predict = tasklens(folder, &["predict", "run", "shop/img_crop/Drawn_Dress"]);
    assert!(predict.status.success(), "{}", err(&predict));
    assert!(out(&predict).contains("sleeves"), "{}", out(&predict));
}

#[cfg(unix)]
#[test]
fn an_import_that_was_interrupted_goes_on_where_it_was() {
    use std::process::{Command, Stdio};
    use std::time::{Duration, Instant};

    let folder = tempfile::tempdir().expect("a temporary folder");
    let folder = folder.path();
    drawn::write(&folder.join("data"), [600, 6, 6], 5).expect("written");
    let child = Command::new(env!("CARGO_BIN_EXE_tasklens"))
        .current_dir(folder)
        .args(["import", "deepfashion", "data"])
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let begun = Instant::now();
    let crops = folder.join("data/img_crop/Drawn_Blouse");
    while std::fs::read_dir(&crops).map_or(0, Iterator::count) < 2
        && begun.elapsed() < Duration::from_secs(60)
    {
        std::thread::sleep(Duration::from_millis(2));
    }
    let signal = Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(signal.expect("it runs").success());
    let stopped = child.wait_with_output().expect("it ends");
    assert_eq!(stopped.status.code(), Some(1));
    assert!(err(&stopped).contains("the same import goes on from there"), "{}", err(&stopped));
    assert!(!folder.join("data/processed_subset.csv").exists());
    let again = tasklens(folder, &["import", "deepfashion", "data"]);
    assert!(again.status.success(), "{}", err(&again));
    let kept = out(&again);
    assert!(kept.starts_with("612 images in ") && !kept.contains("; 0 crops were there already"), "{kept}");
}
