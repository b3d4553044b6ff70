//! Inspect, Overview, Confusion and Compare.

use std::path::Path;

use egui::{Key, Theme};
use egui_kittest::kittest::{By, NodeT as _, Queryable as _};
use egui_kittest::{Harness, SnapshotResults};
use tasklens::app::services::project::Project;

use super::garments::{IMAGES, PRINTS, SLEEVES, prediction, write_run};
use super::inspect_desk::{Inspect, stage, stage_with, wait_until};
use super::stage::{THEMES, snapshot};

const WINDOW: [f32; 2] = [1208.0, 772.0];
const ZOOMED: [f32; 2] = [568.0, 372.0];

type Desk = Harness<'static, Option<Inspect>>;

fn validates(image: usize) -> bool {
    image % 3 == image / 3 % 3
}

fn print_of(image: usize) -> usize {
    image % 3
}

/// Of the images that validate: how many of this print are taken for that one.
fn confused(actual: usize, predicted: usize) -> usize {
    let of = |image: &usize| {
        validates(*image) && print_of(*image) == actual && prediction(*image)[0].0 == predicted
    };
    (0..IMAGES).filter(of).count()
}

/// Whether there is anything with that in its name.
fn any(harness: &Desk, part_of_name: &str) -> bool {
    harness.query_all_by_label_contains(part_of_name).next().is_some()
}

fn open(harness: &mut Desk, tab: &str) {
    harness.get(By::new().role(egui::accesskit::Role::Tab).label(tab)).click();
    harness.run_steps(3);
}

fn is_open(harness: &Desk, tab: &str) -> bool {
    let tab = harness.get(By::new().role(egui::accesskit::Role::Tab).label(tab));
    tab.accesskit_node().toggled() == Some(egui::accesskit::Toggled::True)
}

fn choose_part(harness: &mut Desk, part: &str) {
    harness.get_by_label("Split to inspect").click();
    harness.run_steps(3);
    harness.get_by_label(part).click();
    harness.run_steps(3);
}

fn value(harness: &Desk, name: &str) -> String {
    harness.get_by_label(name).value().unwrap()
}

#[test]
fn the_overview_agrees_with_what_the_network_said() {
    let mut harness = stage(Theme::Dark, WINDOW, 1.0);
    let (rows, right) = (0..IMAGES).filter(|image| validates(*image)).fold((0, 0), |(rows, right), image| {
        (rows + 1, right + usize::from(prediction(image)[0].0 == print_of(image)))
    });
    let accuracy = format!("{:.1} %", right as f64 / rows as f64 * 100.0);
    let said = value(&harness, "Scores of print");
    assert!(said.starts_with(&format!("accuracy {accuracy}, balanced ")), "{said}");
    let found = (0..IMAGES).filter(|i| validates(*i) && print_of(*i) == 1).count();
    let recall = format!("recall {:.1} %", confused(1, 1) as f64 / found as f64 * 100.0);
    let striped = value(&harness, "striped");
    assert!(striped.starts_with(&format!("{found} images, ")) && striped.contains(&recall), "{striped}");
    assert!(any(&harness, "better than always predicting"));
    assert!(any(&harness, &format!("{rows} images are too few")));

    // On the sleeves the parts differ; image 8 has no label.
    let of = |validating: bool| {
        let images = (0..IMAGES).filter(|image| validates(*image) == validating && *image != 8);
        let right: Vec<bool> = images.map(|image| prediction(image)[1].0 == image / 3 % 2).collect();
        right.iter().filter(|right| **right).count() as f64 / right.len() as f64 * 100.0
    };
    assert_ne!(of(true), of(false), "the test would be about nothing");
    let said = value(&harness, "Scores of sleeves");
    assert!(said.starts_with(&format!("accuracy {:.1} %, balanced ", of(true))), "{said}");

    // Another task, then another part.
    harness.get_by_label("Scores of sleeves").click();
    harness.run_steps(3);
    assert!(harness.query_by_label("striped").is_none() && harness.query_by_label(SLEEVES[0]).is_some());
    choose_part(&mut harness, "Train");
    let rows = (0..IMAGES).filter(|i| !validates(*i) && *i != 8 && *i / 3 % 2 == 0).count();
    assert!(value(&harness, SLEEVES[0]).starts_with(&format!("{rows} images, ")));
    choose_part(&mut harness, "All splits");
    assert!(any(&harness, "these are for validation"));
}

#[test]
fn labels_are_sorted_by_their_headings_and_lead_to_their_errors() {
    let mut harness = stage(Theme::Dark, WINDOW, 1.0);
    let order = |harness: &Desk| {
        let mut order = PRINTS.map(|label| (harness.get_by_label(label).rect().top(), label));
        order.sort_by(|a, b| a.0.total_cmp(&b.0));
        order.map(|(_, label)| label)
    };
    harness.get_by_label("Label").click();
    harness.run_steps(3);
    assert_eq!(order(&harness), ["dotted", "solid", "striped"]);
    harness.get_by_label("Label").click();
    harness.run_steps(3);
    assert_eq!(order(&harness), ["striped", "solid", "dotted"]);
    harness.get_by_label("Predicted").click();
    harness.run_steps(3);
    let mut by_count = PRINTS;
    let predicted = |label: &str| {
        let label = PRINTS.iter().position(|other| *other == label).unwrap();
        (0..3).map(|actual| confused(actual, label)).sum::<usize>()
    };
    by_count.sort_by_key(|label| std::cmp::Reverse(predicted(label)));
    assert_eq!(order(&harness).map(predicted), by_count.map(predicted));

    harness.get_by_label("striped").click();
    harness.run_steps(3);
    assert!(is_open(&harness, "Images"));
    open(&mut harness, "Overview");
    let wrong: usize = (0..9).filter(|i| i / 3 != i % 3).map(|i| confused(i / 3, i % 3)).sum();
    harness.get_by_label(&format!("Show {wrong} errors")).click();
    harness.run_steps(3);
    assert!(is_open(&harness, "Images"));
}

#[test]
fn the_certainty_of_each_range_can_be_read() {
    let harness = stage(Theme::Dark, WINDOW, 1.0);
    let (mut rows, mut right) = (0, 0);
    for image in (0..IMAGES).filter(|image| validates(*image)) {
        let (said, sure) = prediction(image)[0];
        if sure > 13.0 / 15.0 && sure <= 14.0 / 15.0 {
            rows += 1;
            right += usize::from(said == print_of(image));
        }
    }
    let said = value(&harness, "Confidence 87 % to 93 %");
    let share = format!("{:.1} % right", right as f64 / rows as f64 * 100.0);
    assert!(said.starts_with(&format!("{rows} image")) && said.contains(&share), "{said}");
}

#[test]
fn a_cell_names_its_images_and_leads_to_them() {
    let mut harness = stage(Theme::Dark, WINDOW, 1.0);
    open(&mut harness, "Confusion");
    let cell = |actual: usize, predicted: usize| {
        format!("{} predicted as {}: {}", PRINTS[actual], PRINTS[predicted], confused(actual, predicted))
    };
    wait_until(&mut harness, |harness| harness.query_by_label(&cell(0, 0)).is_some());
    for actual in 0..3 {
        for predicted in 0..3 {
            let name = cell(actual, predicted);
            let is_there = harness.query_by_label(&name).is_some();
            assert_eq!(is_there, confused(actual, predicted) > 0, "{name}");
        }
    }
    harness.get_by_label(&cell(0, 1)).hover();
    harness.run_steps(40);
    let (count, of) = (confused(0, 1), (0..3).map(|predicted| confused(0, predicted)).sum::<usize>());
    let is = if count == 1 { "is" } else { "are" };
    let share = (count as f64 / of as f64 * 100.0).round();
    let sentence = format!("{count} of {of} solid {is} taken for striped ({share} %)");
    assert!(harness.query_by_label(&sentence).is_some(), "{sentence}");

    harness.get_by_label("Numbers: Per prediction").click();
    harness.run_steps(3);
    harness.get_by_label(&cell(0, 1)).hover();
    harness.run_steps(40);
    let of = (0..3).map(|actual| confused(actual, 1)).sum::<usize>();
    let share = (count as f64 / of as f64 * 100.0).round();
    let sentence = format!("{count} of {of} predicted as striped {is} solid ({share} %)");
    assert!(harness.query_by_label(&sentence).is_some(), "{sentence}");

    harness.get_by_label(&cell(0, 1)).focus();
    harness.run_steps(2);
    harness.key_press(Key::Enter);
    harness.run_steps(3);
    assert!(is_open(&harness, "Images"));
    open(&mut harness, "Confusion");
    let pair = harness.get_by_label("solid taken for striped");
    assert!(pair.value().unwrap().starts_with(&format!("{count} times")));
    pair.click();
    harness.run_steps(3);
    assert!(is_open(&harness, "Images"));
}

#[test]
fn all_parts_are_counted_together() {
    let mut harness = stage(Theme::Dark, WINDOW, 1.0);
    open(&mut harness, "Confusion");
    choose_part(&mut harness, "All splits");
    let right = (0..IMAGES).filter(|image| print_of(*image) == 0 && prediction(*image)[0].0 == 0).count();
    wait_until(&mut harness, |harness| {
        harness.query_by_label(&format!("solid predicted as solid: {right}")).is_some()
    });
}

/// What the second run says: right where the first is wrong with a print that is not solid, wrong at every ninth
/// image; sleeves as the first.
fn second(image: usize) -> [(usize, f32); 2] {
    let [print, sleeves] = prediction(image);
    let said = match image {
        image if image % 9 == 4 => (print_of(image) + 1) % 3,
        image if print_of(image) > 0 => print_of(image),
        _ => print.0,
    };
    [(said, print.1 * 0.98), sleeves]
}

const SECOND: &str = "2026-11-22_09-15-40";

fn write_second(folder: &Path, project: &mut Project) {
    write_run(&folder.join("runs").join(SECOND), &project.dataset, second);
}

/// How many images that validate are right in the first and the second run.
fn changes(was: bool, is: bool) -> usize {
    let right = |image: usize, said: [(usize, f32); 2]| said[0].0 == print_of(image);
    let matches = |image: &usize| {
        validates(*image) && right(*image, prediction(*image)) == was && right(*image, second(*image)) == is
    };
    (0..IMAGES).filter(matches).count()
}

fn compare(theme: Theme, size: [f32; 2], zoom: f32) -> Desk {
    let mut harness = stage_with(theme, size, zoom, write_second);
    open(&mut harness, "Compare");
    wait_until(&mut harness, |harness| any(harness, "print: "));
    harness
}

#[test]
fn two_runs_are_compared_image_by_image() {
    let mut harness = compare(Theme::Dark, WINDOW, 1.0);
    // The second run is the older one.
    let [fixed, broken] = [changes(true, false), changes(false, true)];
    assert!(fixed > 0 && broken > 0, "the test would be about nothing");
    for (count, what) in [
        (fixed, "fixed"),
        (broken, "broken"),
        (changes(false, false), "still wrong"),
        (changes(true, true), "still right"),
    ] {
        assert!(harness.query_by_label(&format!("print: {count} {what}")).is_some(), "{count} {what}");
    }
    assert!(any(&harness, "The difference may be due to chance (p = "));
    assert!(harness.query_by_label("Both runs are right and wrong on the same images.").is_some(), "sleeves");
    let right = changes(false, true) + changes(true, true);
    let of = (0..IMAGES).filter(|image| validates(*image)).count();
    let accuracy = format!("{:.1} %", right as f64 / of as f64 * 100.0);
    let name = format!("Accuracy of {SECOND}");
    let said = harness.get_all_by_label(&name).next().unwrap().value();
    assert_eq!(said.as_deref(), Some(accuracy.as_str()));
    harness.get_by_label(&format!("print: {fixed} fixed")).click();
    harness.run_steps(3);
    assert!(is_open(&harness, "Images"));
}

#[test]
fn a_run_that_does_not_tell_its_split_is_said_to() {
    let told = |without: &'static [&'static str]| {
        let mut harness = stage_with(Theme::Dark, WINDOW, 1.0, move |folder, project| {
            write_second(folder, project);
            for run in without {
                std::fs::remove_file(folder.join("runs").join(run).join("split.csv")).unwrap();
            }
        });
        open(&mut harness, "Compare");
        wait_until(&mut harness, |harness| any(harness, "print: "));
        let sentences = harness.query_all_by_label_contains("today's split is used");
        sentences.filter_map(|node| node.accesskit_node().label().or(node.value())).collect::<Vec<_>>()
    };
    assert_eq!(told(&[]), [] as [String; 0]);
    let [second] = &told(&[SECOND])[..] else { panic!("one sentence") };
    assert!(second.starts_with(&format!("{SECOND}'s own split is not known")), "{second}");
    assert!(second.ends_with("some of these images may have been used in its training."));
    let [both] = &told(&[SECOND, "2026-11-23_14-02-11"])[..] else { panic!("one sentence") };
    assert!(both.contains(SECOND) && both.contains("2026-11-23_14-02-11"), "{both}");
}

#[test]
fn a_run_without_outputs_predicts_only_when_asked() {
    let mut harness = stage_with(Theme::Dark, WINDOW, 1.0, |folder, project| {
        write_second(folder, project);
        std::fs::remove_dir_all(folder.join("runs").join(SECOND).join("outputs")).unwrap();
    });
    open(&mut harness, "Compare");
    let button = format!("Predict with {SECOND}");
    let waiting = (0..IMAGES).filter(|image| validates(*image)).count();
    let text = format!("{waiting} validation images must go through this network once");
    wait_until(&mut harness, |harness| any(harness, &text) && harness.query_by_label(&button).is_some());
    harness.get_by_label(&button).click();
    wait_until(&mut harness, |harness| any(harness, "still right"));
    assert!(harness.query_by_label(&button).is_none());
}

#[test]
fn without_another_run_the_place_says_so() {
    let mut harness = stage(Theme::Dark, WINDOW, 1.0);
    open(&mut harness, "Compare");
    assert!(harness.query_by_label("Only one run has a model").is_some());
}

#[test]
fn pictures() {
    let mut pictures = SnapshotResults::new();
    for theme in THEMES {
        let mut harness = stage(theme, WINDOW, 1.0);
        snapshot(&mut harness, "inspect_overview");
        open(&mut harness, "Confusion");
        wait_until(&mut harness, |harness| any(harness, "predicted as"));
        snapshot(&mut harness, "inspect_confusion");
        pictures.extend_harness(&mut harness);
        let mut harness = compare(theme, WINDOW, 1.0);
        snapshot(&mut harness, "inspect_compare");
        pictures.extend_harness(&mut harness);
    }
    let zoomed = [
        ("Overview", "Scores of print", "inspect_overview_zoomed"),
        ("Confusion", "predicted as", "inspect_confusion_zoomed"),
    ];
    for (tab, has, name) in zoomed {
        let mut harness = stage(Theme::Light, ZOOMED, 2.0);
        open(&mut harness, tab);
        wait_until(&mut harness, |harness| any(harness, has));
        snapshot(&mut harness, name);
        pictures.extend_harness(&mut harness);
    }
    let mut harness = compare(Theme::Light, ZOOMED, 2.0);
    snapshot(&mut harness, "inspect_compare_zoomed");
    pictures.extend_harness(&mut harness);
}
