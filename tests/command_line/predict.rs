//! Predictions come for all that can be predicted, and can be joined with what was asked.

use std::path::Path;
use std::process::Command;

use crate::{err, out, tasklens};

/// A folder with a trained run and three pictures, one of them in a folder below.
pub fn trained() -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let at = |name: &str| folder.path().join(name);
    std::fs::create_dir_all(at("sub/in")).expect("made");
    let mut csv = "image_path,shade\n".to_owned();
    for i in 0..12_u8 {
        let level = if i % 2 == 0 { 60 } else { 220 } + i;
        image::RgbImage::from_pixel(32, 32, image::Rgb([level; 3]))
            .save(at(&format!("{i}.png")))
            .expect("saved");
        csv += &format!("{i}.png,{}\n", if i % 2 == 0 { "dark" } else { "light" });
    }
    for copy in ["sub/x.png", "sub/in/y.png"] {
        std::fs::copy(at("1.png"), at(copy)).expect("copied");
    }
    std::fs::write(at("data.csv"), csv).expect("a CSV");
    let config = "paths: {model_dataframe: data.csv}\nmodel:\n  input_shape: [32, 32]\n  target_encoder: {shade: [dark, \
                  light]}\n  paths: image_path\n  backbone: xception_small\n  pretrained: none\n  device: cpu\n  \
                  workers: 1\n  epochs: 1\n  batch_size: 8\n";
    std::fs::write(at("config.yml"), config).expect("a config");
    let trained = tasklens(folder.path(), &["train", "config.yml", "--run", "run"]);
    assert!(trained.status.success(), "{}", err(&trained));
    folder
}

fn read(file: &Path) -> String {
    std::fs::read_to_string(file).expect("text")
}

#[test]
fn a_csv_comes_back_with_its_rows_and_columns_and_what_failed_says_why() {
    let folder = trained();
    let folder = folder.path();
    std::fs::write(
        folder.join("sub/list.csv"),
        "image_path;id;shade\nx.png;A1;dark\nnope.png;A2;\nin\\y.png;A3;\n",
    )
    .expect("a CSV");
    let predict = tasklens(folder, &["predict", "run", "sub/list.csv", "--csv", "out.csv"]);
    assert_eq!(predict.status.code(), Some(1));
    assert!(err(&predict).contains("`shade` as `shade_predicted`"), "{}", err(&predict));
    assert!(out(&predict).contains("2 of 3 images in out.csv"), "{}", out(&predict));
    let written = read(&folder.join("out.csv"));
    let lines: Vec<&str> = written.lines().collect();
    assert_eq!(lines[0], "image_path;id;shade;shade_predicted;shade:dark;shade:light;error");
    assert!(lines[1].starts_with("x.png;A1;dark;") && lines[1].ends_with(';'), "{written}");
    assert!(lines[2].starts_with("nope.png;A2;;;;;") && lines[2].contains("is missing"), "{written}");
    assert!(lines[3].starts_with("in\\y.png;A3;;") && lines[3].ends_with(';'), "{written}");

    let to_stdout = tasklens(folder, &["predict", "run", "sub/list.csv", "--csv", "-"]);
    assert_eq!(out(&to_stdout), written);
    assert!(err(&to_stdout).contains("2 of 3 images in standard output"), "{}", err(&to_stdout));

    let json = tasklens(folder, &["predict", "run", "sub/list.csv", "--json"]);
    let rows: Vec<serde_json::Value> =
        out(&json).lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let of = |id: &str| rows.iter().find(|row| row["row"]["id"] == id).expect("a row");
    assert_eq!((&of("A1")["image"], &of("A1")["row"]["image_path"]), (&"sub/x.png".into(), &"x.png".into()));
    assert!(of("A1")["tasks"]["shade"]["label"].is_string() && of("A2")["error"].is_string());
}

#[cfg(target_os = "linux")]
#[test]
fn one_bad_argument_among_many_stops_nothing() {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt as _;

    let folder = trained();
    let folder = folder.path();
    let latin = OsStr::from_bytes(b"caf\xe9.png");
    std::fs::copy(folder.join("1.png"), folder.join(latin)).expect("copied");
    std::fs::create_dir(folder.join("empty")).expect("made");
    std::fs::write(folder.join("none.csv"), "").expect("written");
    let inputs = ["1.png", "gone.png", "empty", "none.csv", "localhost:1/a.png", "HTTP://127.0.0.1:1/a.png"];
    let predict = |more: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tasklens"));
        command.current_dir(folder).args(["predict", "run"]).args(inputs).arg(latin).arg("2.png").args(more);
        command.output().expect("the program starts")
    };
    let lines = predict(&[]);
    assert_eq!(lines.status.code(), Some(1));
    assert_eq!(out(&lines).lines().count(), 3, "{}", out(&lines));
    for said in [
        "warning: gone.png does not exist",
        "warning: empty holds no images",
        "warning: none.csv is empty",
        "warning: `localhost:1/a.png` is not a file",
        "warning: HTTP://127.0.0.1:1/a.png: ",
    ] {
        assert!(err(&lines).contains(said), "{said}: {}", err(&lines));
    }
    assert_eq!(predict(&["--csv", "out.csv"]).status.code(), Some(1));
    let written = read(&folder.join("out.csv"));
    let images: Vec<&str> = written.lines().filter_map(|line| line.split(',').next()).collect();
    let expected = [&["image_path"][..], &inputs, &["caf\u{fffd}.png", "2.png"]].concat();
    assert_eq!(images, expected, "{written}");
    assert!(written.contains("gone.png,,,,gone.png does not exist"), "{written}");
}
