//! The Predict place: images become entries with bars, and no error is lost.

use std::path::Path;
use std::sync::Arc;

use egui::{Key, Theme};
use egui_kittest::Harness;
use egui_kittest::SnapshotResults;
use egui_kittest::kittest::Queryable as _;
use tasklens::app::command::AppCommand;
use tasklens::app::places::predict::PredictView;
use tasklens::app::places::predict::worker::OpenedModel;
use tasklens::app::services::project::ImageSource;
use tasklens_data::config::{DeviceChoice, Task};
use tasklens_data::images::Rgb;
use tasklens_net::inference::Prediction;

use super::stage::{Stage, THEMES, harness, project, snapshot};

type Predict = Stage<PredictView>;

const WINDOW: [f32; 2] = [1208.0, 772.0];

/// A network that looks at the first pixel alone, and fails for pure black.
fn open(path: &Path, _: DeviceChoice) -> anyhow::Result<OpenedModel> {
    anyhow::ensure!(path.ends_with("best.safetensors"), "{} is no checkpoint of Tasklens", path.display());
    let labels = |labels: &[&str]| labels.iter().map(|label| (*label).to_owned()).collect();
    let tasks = vec![
        Task { name: "print".into(), labels: labels(&["striped", "solid", "floral"]) },
        Task { name: "sleeves".into(), labels: labels(&["long_sleeve", "short_sleeve"]) },
        Task { name: "neckline".into(), labels: labels(&["v_neckline", "no_neckline", "crew_neckline"]) },
    ];
    let one = |image: &Rgb| {
        let [r, g, b] = image.get_pixel(0, 0).0;
        anyhow::ensure!(r > 0 || g > 0 || b > 0, "the network cannot see in the dark");
        let red = f32::from(r) / 255.0 * 0.9 + 0.05;
        let rest = 1.0 - red;
        Ok(Prediction {
            probabilities: vec![
                vec![red, rest * 0.7, rest * 0.3],
                vec![rest, red],
                vec![rest * 0.6, red * 0.9, rest * 0.4 + red * 0.1],
            ],
        })
    };
    Ok(OpenedModel {
        path: path.to_path_buf(),
        tasks,
        predict: Box::new(move |images| images.iter().map(one).collect()),
        // Larger than all of the images, so that scaling leaves the first pixel as it is.
        input_size: (1024, 1024),
    })
}

fn image(name: &str, [r, g, b]: [u8; 3], width: u32, height: u32) -> ImageSource {
    let shade = |x: u32, y: u32, value: u8| {
        if x == 0 && y == 0 {
            value
        } else {
            (f32::from(value) * (0.55 + 0.45 * ((x / 16 + y / 16) % 2) as f32)) as u8
        }
    };
    let pixels =
        Rgb::from_fn(width, height, |x, y| image::Rgb([shade(x, y, r), shade(x, y, g), shade(x, y, b)]));
    ImageSource::Pixels { name: name.into(), image: Arc::new(pixels) }
}

fn stage(theme: Theme, size: [f32; 2], zoom: f32) -> Harness<'static, Option<Predict>> {
    let folder = tempfile::tempdir().unwrap().keep();
    harness(
        theme,
        size,
        zoom,
        move |ctx| Stage::new(ctx, PredictView::with_models(Arc::new(open)), Some(project(&folder))),
        |ui, stage: &mut Predict| {
            stage.begin_frame();
            let (view, mut context) = stage.split();
            view.poll(&mut context);
            view.ui(ui, &mut context);
        },
    )
}

fn view<'a>(harness: &'a mut Harness<'static, Option<Predict>>) -> &'a mut PredictView {
    &mut harness.state_mut().as_mut().unwrap().view
}

fn wait_until(
    harness: &mut Harness<'static, Option<Predict>>,
    is_done: impl Fn(&Harness<'static, Option<Predict>>) -> bool,
) {
    for _ in 0..500 {
        harness.run_steps(1);
        if is_done(harness) {
            harness.run_steps(2);
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    panic!("it did not come in five seconds");
}

/// The value of the entry of that name in the list.
fn entry(harness: &Harness<'static, Option<Predict>>, name: &str) -> Option<String> {
    let by = egui_kittest::kittest::By::new().role(egui::accesskit::Role::ListItem).label(name);
    harness.query(by).and_then(|node| node.value())
}

#[test]
fn a_dropped_image_becomes_an_entry_with_bars() {
    let mut harness = stage(Theme::Dark, WINDOW, 1.0);
    view(&mut harness).set_model("runs/a/best.safetensors".into());
    view(&mut harness).add_images(vec![image("dress_12.jpg", [255, 40, 40], 60, 80)]);
    wait_until(&mut harness, |harness| {
        entry(harness, "dress_12.jpg").is_some_and(|value| value.contains("striped"))
    });
    assert_eq!(entry(&harness, "dress_12.jpg").as_deref(), Some("striped, short_sleeve, no_neckline"));
    assert_eq!(harness.get_by_label("print: striped").value().as_deref(), Some("95.0 %"));
    assert_eq!(harness.get_by_label("sleeves: long_sleeve").value().as_deref(), Some("5.0 %"));
    assert!(harness.query_by_label_contains("60 \u{d7} 80 pixels").is_some());
    // The network that answers can be taken along.
    let stage = harness.state().as_ref().unwrap();
    stage.sent();
    harness.get_by_label("Export model\u{2026}").click();
    harness.run_steps(2);
    let sent = harness.state().as_ref().unwrap().sent();
    let exports = |command: &AppCommand| {
        matches!(command, AppCommand::AskWhereToExportModel { model, .. }
            if model.ends_with("a/best.safetensors"))
    };
    assert!(sent.iter().any(exports), "{sent:?}");
}

#[test]
fn an_error_stays_with_its_image_and_the_others_are_predicted() {
    let mut harness = stage(Theme::Dark, WINDOW, 1.0);
    view(&mut harness).set_model("runs/a/best.safetensors".into());
    view(&mut harness).add_images(vec![
        image("red", [255, 0, 0], 20, 20),
        image("night", [0, 0, 0], 20, 20),
        ImageSource::Path("/nowhere/gone.jpg".into()),
        image("grey", [90, 90, 90], 20, 20),
    ]);
    wait_until(&mut harness, |harness| {
        ["red", "night", "gone.jpg", "grey"]
            .iter()
            .all(|name| entry(harness, name).is_some_and(|value| value != "waiting"))
    });
    assert!(entry(&harness, "night").unwrap().contains("cannot see in the dark"));
    assert!(entry(&harness, "gone.jpg").unwrap().contains("/nowhere/gone.jpg"));
    assert!(entry(&harness, "red").unwrap().contains("striped"));
    assert!(entry(&harness, "grey").unwrap().contains("solid"));
}

#[test]
fn keys_move_through_the_list_and_delete_removes() {
    let mut harness = stage(Theme::Dark, WINDOW, 1.0);
    view(&mut harness).set_model("runs/a/best.safetensors".into());
    let images = ["one", "two", "three"].map(|name| image(name, [200, 0, 0], 10, 10)).to_vec();
    view(&mut harness).add_images(images);
    wait_until(&mut harness, |harness| {
        entry(harness, "three").is_some_and(|value| value.contains("striped"))
    });
    assert!(harness.query_by_label("Picture of one").is_some());
    harness.key_press(Key::ArrowDown);
    harness.run_steps(2);
    assert!(harness.query_by_label("Picture of two").is_some());
    harness.key_press(Key::Delete);
    harness.run_steps(2);
    assert!(harness.query_by_label("Picture of three").is_some());
    assert!(entry(&harness, "two").is_none());
    harness.get_by_label("Clear").click();
    harness.run_steps(3);
    assert!(harness.query_by_label("Drop images here").is_some());
}

#[test]
fn another_model_answers_anew_and_a_bad_one_says_why() {
    let mut harness = stage(Theme::Dark, WINDOW, 1.0);
    view(&mut harness).add_images(vec![image("red", [255, 0, 0], 20, 20)]);
    wait_until(&mut harness, |harness| harness.query_by_label_contains("20 \u{d7} 20 pixels").is_some());
    assert_eq!(entry(&harness, "red").as_deref(), Some("waiting"), "there is no model yet");
    view(&mut harness).set_model("runs/a/notes.txt".into());
    wait_until(&mut harness, |harness| {
        harness.query_by_label_contains("is no checkpoint of Tasklens").is_some()
    });
    view(&mut harness).set_model("runs/a/best.safetensors".into());
    wait_until(&mut harness, |harness| entry(harness, "red").is_some_and(|value| value.contains("striped")));
}

#[test]
fn a_typed_address_is_handed_on_and_the_shortcut_puts_the_cursor_there() {
    let mut harness = stage(Theme::Dark, WINDOW, 1.0);
    view(&mut harness).type_url();
    harness.run_steps(3);
    let field = harness.get_by_label("Image URL");
    assert!(field.is_focused());
    field.type_text("https://example.org/dress.jpg");
    harness.run_steps(2);
    harness.key_press(Key::Enter);
    harness.run_steps(2);
    let sent = harness.state().as_ref().unwrap().sent();
    let urls: Vec<_> = sent.iter().filter(|command| matches!(command, AppCommand::FetchUrl(_))).collect();
    assert!(
        matches!(urls.as_slice(), [AppCommand::FetchUrl(url)] if url == "https://example.org/dress.jpg"),
        "{sent:?}"
    );
}

#[test]
fn pictures_of_the_list_in_both_themes() {
    let mut pictures = SnapshotResults::new();
    for theme in THEMES {
        let mut harness = stage(theme, WINDOW, 1.0);
        harness.run_steps(3);
        snapshot(&mut harness, "predict_empty");
        view(&mut harness).set_model("runs/2026-11-23 14-02-11/best.safetensors".into());
        fill(&mut harness);
        snapshot(&mut harness, "predict");
        harness.key_press(Key::ArrowDown);
        harness.key_press(Key::ArrowDown);
        harness.key_press(Key::ArrowDown);
        harness.run_steps(3);
        snapshot(&mut harness, "predict_error");
        pictures.extend_harness(&mut harness);
    }
}

fn fill(harness: &mut Harness<'static, Option<Predict>>) {
    view(harness).add_images(vec![
        image("dress_12.jpg", [200, 90, 70], 480, 640),
        image("a photograph with a very long file name from a telephone.jpg", [60, 120, 160], 800, 320),
        image("pasted 1", [120, 150, 90], 300, 300),
        ImageSource::Path("/nowhere/gone.jpg".into()),
    ]);
    wait_until(harness, |harness| {
        let name = "pasted 1";
        entry(harness, name).is_some_and(|value| value != "waiting")
            && entry(harness, "gone.jpg").is_some_and(|value| value != "waiting")
    });
    for _ in 0..20 {
        std::thread::sleep(std::time::Duration::from_millis(10));
        harness.run_steps(1);
    }
}

#[test]
fn a_small_window_at_200_percent_still_has_everything_one_below_the_other() {
    let mut harness = stage(Theme::Light, [568.0, 372.0], 2.0);
    view(&mut harness).set_model("runs/a/best.safetensors".into());
    fill(&mut harness);
    snapshot(&mut harness, "predict_zoomed");
}
