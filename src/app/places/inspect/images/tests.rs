use std::path::Path;

use egui_kittest::Harness;
use egui_kittest::kittest::Queryable as _;
use tasklens_data::config::{Config, Task};
use tasklens_data::dataset::table::Table;
use tasklens_net::evaluation::inspection::TaskItems;
use tasklens_net::inference::outputs::Features;

use super::*;
use crate::app::command::CommandSender;
use crate::app::context::TrainingState;
use crate::app::services::jobs::Jobs;
use crate::app::services::predictors::Predictors;
use crate::app::services::runs::Runs;
use crate::app::services::thumbnails::Thumbnails;
use crate::app::theme::{self, Tokens};

/// Five rows, of which some have outputs.
fn basis(version: u64, images: [&str; 5], rows: &[usize]) -> ItemBasis {
    let config = "{paths: {model_dataframe: x.csv}, model: {target_encoder: {print: [plain, dotted]}}}";
    let config = Config::parse(config, Path::new("/config.yml")).unwrap();
    let csv = images.iter().fold("path,print\n".to_owned(), |csv, image| csv + image + ",plain\n");
    let table = Table::from_bytes(csv.into(), Path::new("/x.csv")).unwrap();
    let dataset = Dataset::from_table(table, &config).unwrap();
    let task = TaskItems {
        task: Task { name: "print".into(), labels: vec!["plain".into(), "dotted".into()] },
        in_dataset: Some(0),
        labels: vec![Some(0); rows.len()],
        probabilities: [0.2, 0.8].repeat(rows.len()),
        predicted: vec![1; rows.len()],
        unknown_labels: 0,
    };
    let inspection = Inspection {
        rows: rows.to_vec(),
        parts: vec![tasklens_data::dataset::split::Part::Train; rows.len()],
        tasks: vec![task],
        features: Features::default(),
    };
    ItemBasis { version, inspection: Arc::new(inspection), dataset: Arc::new(dataset) }
}

const IMAGES: [&str; 5] = ["a.png", "b.png", "c.png", "d.png", "e.png"];

#[test]
fn what_is_shown_stays_the_same_images_when_more_outputs_come() {
    let mut tab = ImagesTab::default();
    tab.browse(Query { among: Some(Arc::new(vec![0, 1])), ..mistakes() }, None, basis(1, IMAGES, &[1, 3]));
    tab.large = Some(1);
    assert_eq!(tab.renumber(basis(2, IMAGES, &[0, 1, 2, 3, 4])), 0);
    assert_eq!((tab.query.among.as_deref(), tab.large), (Some(&vec![1, 3]), Some(3)));
    // The rows were read again in another order.
    let sorted = ["d.png", "c.png", "b.png", "a.png", "new.png"];
    assert_eq!(tab.renumber(basis(3, sorted, &[0, 2, 3])), 0);
    assert_eq!((tab.query.among.as_deref(), tab.large), (Some(&vec![0, 1]), Some(0)));
    // The first is about another image now.
    let changed = ["x.png", "c.png", "b.png", "a.png", "new.png"];
    assert_eq!(tab.renumber(basis(4, changed, &[0, 1, 2, 3, 4])), 1, "d is lost");
    assert_eq!((tab.query.among.as_deref(), tab.large), (Some(&vec![2]), None));
}

#[test]
fn items_that_another_tab_hands_over_are_numbers_of_what_it_shows() {
    let mut tab = ImagesTab::default();
    tab.renumber(basis(1, IMAGES, &[1, 3]));
    tab.open(1, basis(2, IMAGES, &[0, 1, 2, 3, 4]));
    assert_eq!(tab.large, Some(1));
    // What is loaded in the next frame may be newer still.
    tab.renumber(basis(3, IMAGES, &[1, 2]));
    assert_eq!(tab.large, Some(0));
}

#[test]
fn a_chip_says_what_led_here_until_it_is_removed() {
    let mut tab = ImagesTab::default();
    let title = "3 images within the lasso".to_owned();
    let query = Query { among: Some(Arc::new(vec![0, 1, 4])), ..mistakes() };
    tab.browse(query, Some(title), basis(1, IMAGES, &[0, 1, 2, 3, 4]));
    let mut parts = None;
    let mut harness =
        Harness::builder().with_size([800.0, 200.0]).with_context_setup(theme::install).build_ui_state(
            move |ui, tab: &mut ImagesTab| {
                let (commands, jobs, thumbnails, runs, predictors) = parts.get_or_insert_with(|| {
                    let ctx = ui.ctx();
                    (
                        CommandSender::new(ctx).0,
                        Jobs::new(ctx),
                        Thumbnails::new(ctx),
                        Runs::default(),
                        Predictors::default(),
                    )
                });
                let context = ViewContext {
                    project: None,
                    commands,
                    tokens: Tokens::of(ui.ctx()),
                    jobs,
                    runs,
                    predictors,
                    thumbnails,
                    device: None,
                    training: TrainingState::Idle,
                    edits: None,
                };
                tab.search(&context);
                tab.filter_bar_ui(ui, &context);
            },
            tab,
        );
    let wait_for = |harness: &mut Harness<'_, ImagesTab>, count: &str| {
        for _ in 0..500 {
            harness.run_steps(1);
            if harness.query_by_label(count).is_some() {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        panic!("{count}: {:?}", harness.root());
    };
    wait_for(&mut harness, "3 of 5 images");
    assert!(harness.query_by_label("3 images within the lasso").is_some());
    harness.get_by_label("Remove: 3 images within the lasso").click();
    wait_for(&mut harness, "5 of 5 images");
    assert!(harness.query_by_label("3 images within the lasso").is_none());
}
