//! The pictures of the README: `cargo xtask shots [CONFIG]` writes them. Those of Data, Train and Predict show the
//! built-in sample, the others the project that a config names, with its newest run.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use egui::accesskit::Role;
use egui::{Event, Key, Modifiers};
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use tasklens::app::Start;
use tasklens::app::place::Place;
use tasklens_data::config::{Backbone, Config};
use tasklens_data::dataset::{Dataset, Row};

use tasklens_net::model::pretrained;

use crate::desk::Desk;
use crate::whole_loop;

const WINDOW: egui::Vec2 = egui::vec2(1280.0, 800.0);
/// Images of the project that is labelled, and how many of them have their labels already.
const IMAGES: usize = 400;
const LABELLED: usize = 120;
/// Seconds that computing outputs or features may take.
const PATIENCE: u64 = 1800;

/// The folder of the pictures; none if they are not asked for.
fn folder() -> Option<PathBuf> {
    let folder = PathBuf::from(std::env::var_os("TASKLENS_SHOTS")?);
    std::fs::create_dir_all(&folder).unwrap();
    Some(folder)
}

#[test]
#[ignore = "makes files for the README"]
fn readme_shots_of_the_sample() {
    let Some(folder) = folder() else { return };
    let mut desk = Desk::with(WINDOW, whole_loop::sample);
    desk.wait_for(" rows");
    desk.settle();
    desk.press_containing("00007.jpg");
    desk.shot(&folder.join("data.png"));
    whole_loop::train(&mut desk, 12);
    desk.shot(&folder.join("train.png"));
    whole_loop::predict(&mut desk, 6);
    desk.shot(&folder.join("predict.png"));
}

#[test]
#[ignore = "makes files for the README"]
fn readme_shots_of_photographs() {
    let (Some(folder), Some(config)) = (folder(), std::env::var_os("TASKLENS_SHOTS_PROJECT")) else { return };
    let config = Config::open(Path::new(&config)).unwrap();
    let dataset = Dataset::open(&config).unwrap();
    new_project(&folder, &dataset);
    label(&folder, &config, &dataset);
    inspect(&folder, &config);
}

/// Rows that are whole in every task or not at all: spread over the CSV.
fn spread(dataset: &Dataset, count: usize) -> impl Iterator<Item = &Row> {
    let step = (dataset.rows.len() / count).max(1);
    (0..dataset.rows.len()).step_by(step).take(count).map(|row| &dataset.rows[row])
}

fn copy_images<'a>(rows: impl Iterator<Item = &'a Row>, folder: &Path) {
    std::fs::create_dir_all(folder).unwrap();
    for row in rows {
        let name = row.image.file_name().unwrap();
        std::fs::copy(&row.image, folder.join(name)).unwrap();
    }
}

fn new_project(shots: &Path, dataset: &Dataset) {
    let mut desk = Desk::with(WINDOW, |folder| {
        let folder = folder.join("photographs");
        copy_images(spread(dataset, 300), &folder);
        Start { open: Some(folder) }
    });
    desk.wait_for("Label the images of photographs");
    desk.settle();
    for (index, task) in dataset.tasks.iter().take(2).enumerate() {
        if index > 0 {
            desk.press("Add task");
        }
        desk.type_text(&task.name);
        desk.keys(Modifiers::NONE, Key::Enter);
        desk.window.event(Event::Paste(task.labels.join("\n")));
        desk.window.run_steps(3);
    }
    desk.shot(&shots.join("new_project.png"));
}

/// The tasks that nearly every image has a label for: others, such as the sleeves of shoes, do not apply to each.
fn general_tasks(dataset: &Dataset) -> Vec<usize> {
    let labelled = |task: usize| dataset.rows.iter().filter(|row| row.labels[task].class().is_some()).count();
    (0..dataset.tasks.len()).filter(|task| labelled(*task) * 10 > dataset.rows.len() * 9).collect()
}

/// A project in which some images are labelled, beside copies of them all.
fn partly_labelled(folder: &Path, config: &Config, dataset: &Dataset) -> Start {
    let folder = folder.join("photographs");
    copy_images(spread(dataset, IMAGES), &folder.join("images"));
    let tasks = general_tasks(dataset);
    let names: Vec<&str> = tasks.iter().map(|task| dataset.tasks[*task].name.as_str()).collect();
    let mut csv = format!("image_path,{}\n", names.join(","));
    for (index, row) in spread(dataset, IMAGES).enumerate() {
        let name = row.image.file_name().unwrap().to_string_lossy();
        write!(csv, "images/{name}").unwrap();
        for (task, label) in tasks.iter().map(|task| (&dataset.tasks[*task], row.labels[*task])) {
            let label =
                label.class().filter(|_| index < LABELLED).map(|label| task.labels[label as usize].as_str());
            write!(csv, ",{}", label.unwrap_or_default()).unwrap();
        }
        csv.push('\n');
    }
    std::fs::write(folder.join("labels.csv"), csv).unwrap();
    let mut text = String::from(
        "paths:\n  model_dataframe: labels.csv\nmodel:\n  paths: image_path\n  backbone: efficientnet_lite2\n  \
         freeze_convolutional_layers: true\n",
    );
    // `cargo xtask setup` brings the weights.
    let weights = pretrained::cached(Backbone::EfficientNetLite2).unwrap();
    let (height, width) = (config.model.height, config.model.width);
    writeln!(
        text,
        "  pretrained: {}\n  input_shape: [{height}, {width}]\n  target_encoder:",
        weights.display()
    )
    .unwrap();
    for task in tasks.iter().map(|task| &dataset.tasks[*task]) {
        writeln!(text, "    {}: [{}]", task.name, task.labels.join(", ")).unwrap();
    }
    let file = folder.join("config.yml");
    std::fs::write(&file, text).unwrap();
    Start { open: Some(file) }
}

fn label(shots: &Path, config: &Config, dataset: &Dataset) {
    let mut desk = Desk::with(WINDOW, |folder| partly_labelled(folder, config, dataset));
    desk.wait_for(&format!("{IMAGES} rows"));
    desk.go_to(Place::Label);
    // The buttons of the labels that a model suggests say how probable each is.
    let first_task = format!("{}: ", dataset.tasks[general_tasks(dataset)[0]].name);
    desk.wait_up_to(PATIENCE, "suggestions", |window| {
        window.query_all_by_label_contains(&first_task).any(|node| node.accesskit_node().value().is_some())
    });
    desk.settle();
    desk.shot(&shots.join("label.png"));
    desk.keys(Modifiers::NONE, Key::G);
    desk.settle();
    desk.press("Review suggestions");
    desk.settle();
    desk.shot(&shots.join("label_review.png"));
    desk.keys(Modifiers::NONE, Key::Escape);
    let first = |node: &egui_kittest::Node<'_>| node.accesskit_node().role() == Role::ListBoxOption;
    desk.window.query_all_by(|node| node.role() == Role::ListBoxOption).filter(first).nth(3).unwrap().click();
    desk.window.run_steps(3);
    desk.press("All like this");
    desk.settle();
    desk.shot(&shots.join("label_like.png"));
}

fn tab(desk: &mut Desk, name: &str) {
    desk.window.get_by_role_and_label(Role::Tab, name).click();
    desk.window.run_steps(3);
    desk.settle();
}

fn inspect(shots: &Path, config: &Config) {
    let mut desk = Desk::with(WINDOW, |_| Start { open: Some(config.file.clone()) });
    desk.wait_for(" rows");
    desk.go_to(Place::Inspect);
    desk.wait_up_to(PATIENCE, "the outputs of all images", |window| {
        window.state().is_at_rest() && window.query_by_role_and_label(Role::Tab, "Label errors").is_some()
    });
    desk.settle();
    desk.shot(&shots.join("inspect_overview.png"));
    tab(&mut desk, "Map");
    desk.shot(&shots.join("inspect_map.png"));
    tab(&mut desk, "Label errors");
    desk.shot(&shots.join("inspect_issues.png"));
    tab(&mut desk, "Confusion");
    desk.shot(&shots.join("inspect_confusion.png"));
    let worst = most_confused(&desk, &config.model.tasks[0].labels);
    desk.press(&worst);
    desk.settle();
    desk.window.query_all_by(|node| node.role() == Role::ListBoxOption).next().unwrap().click();
    desk.keys(Modifiers::NONE, Key::Enter);
    desk.settle();
    desk.press("Heat map");
    desk.settle();
    desk.shot(&shots.join("inspect_heat.png"));
}

/// The cell of two labels with the most images; sums have names of the same form.
fn most_confused(desk: &Desk, labels: &[String]) -> String {
    let is_label = |name: &str| labels.iter().any(|label| label == name);
    let cells = desk.window.query_all_by_label_contains(" predicted as ");
    let counted = cells.filter_map(|node| {
        let name = node.accesskit_node().label()?;
        let (pair, count) = name.rsplit_once(": ")?;
        let (actual, predicted) = pair.split_once(" predicted as ")?;
        let count: usize = count.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()?;
        (actual != predicted && is_label(actual) && is_label(predicted)).then_some((count, name))
    });
    counted.max().unwrap().1
}
