//! Help in Label before anything was trained: a backbone looks at the images by itself, heads learn from the first
//! labels, and what they have learnt becomes a run.

use std::path::Path;

use egui::{Key, Modifiers};
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use tasklens::app::Start;
use tasklens::app::place::Place;
use tasklens_data::config::Backbone;
use tasklens_net::model::network::Network;
use tasklens_net::model::tensor_file;
use tasklens_net::training::run_folder;

use crate::desk::Desk;
use crate::label::unlabelled;

/// The unlabelled images, with drawn weights for the backbone of their config.
fn with_weights(folder: &Path) -> Start {
    let start = unlabelled(folder);
    let network = Network::new(Backbone::XceptionSmall, &[], 3, tch::Device::Cpu).unwrap();
    let weights: Vec<_> = network.parameters().iter().map(|p| (p.name.clone(), &p.tensor)).collect();
    tensor_file::write(&folder.join("shop/drawn.safetensors"), &weights, None).unwrap();
    configure(folder, "pretrained: drawn.safetensors\n  batch_size: 4\n  device: cpu");
    start
}

/// Puts this in place of `pretrained: none`.
fn configure(folder: &Path, pretrained: &str) {
    let file = folder.join("shop/config.yml");
    let config = std::fs::read_to_string(&file).unwrap();
    std::fs::write(file, config.replace("pretrained: none", pretrained)).unwrap();
}

fn label_place(start: impl FnOnce(&Path) -> Start) -> Desk {
    let mut desk = Desk::with(egui::vec2(1280.0, 800.0), start);
    desk.wait_for("60 rows");
    desk.go_to(Place::Label);
    desk.wait_for("1 of 60");
    desk
}

#[test]
fn ten_labels_bring_suggestions_and_become_a_run_that_predict_opens() {
    let mut desk = label_place(with_weights);
    desk.wait_for("suggests after about ten labels");
    assert!(!desk.shows("Save as a run"), "nothing was learnt yet");
    for image in 0..10 {
        for _task in 0..3 {
            desk.keys(Modifiers::NONE, [Key::Num1, Key::Num2][image % 2]);
        }
    }
    desk.wait_for("30 label edits");
    desk.wait_for("print: right on ");
    desk.wait_for("11 of 60");
    desk.wait_until("suggestions", |window| {
        window.query_all_by_label_contains("print: ").any(|node| node.accesskit_node().value().is_some())
    });
    desk.press("Save as a run");
    desk.wait_for("Saved as the run ");
    let runs = run_folder::list_runs(&desk.folder.path().join("shop/runs"));
    assert_eq!(runs.len(), 1);
    desk.go_to(Place::Predict);
    desk.wait_for(&run_folder::name(&runs[0]));
    desk.go_to(Place::Train);
    desk.wait_for(&run_folder::name(&runs[0]));
}

#[test]
fn what_the_user_cancels_stays_cancelled_until_it_is_asked_for() {
    let mut desk = label_place(with_weights);
    desk.wait_for("Processing 60 images");
    desk.press_containing("Cancel: Processing");
    desk.wait_for("Process ");
    desk.keys(Modifiers::NONE, Key::F5);
    desk.settle();
    desk.wait_for("Process ");
    assert!(!desk.shows("Processing"));
    desk.press_containing("Process ");
    desk.wait_until("all are seen", |window| window.query_all_by_label_contains("Process ").next().is_none());
    desk.wait_for("suggests after about ten labels");
}

#[test]
fn where_no_weights_are_nothing_happens_and_a_line_says_what_would_help() {
    let mut desk = label_place(unlabelled);
    desk.wait_for("the config has `pretrained: none`. Update the model helps all the same");
    let mut desk = label_place(|folder| {
        let start = unlabelled(folder);
        configure(folder, "pretrained: auto");
        start
    });
    desk.wait_for("No model suggests labels yet. What helps: train a network");
    assert!(!desk.folder.path().join("shop/runs").exists());
}
