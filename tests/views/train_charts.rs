//! The charts of a run that is young, and what can be done with a chart.

use egui::Theme;
use egui_kittest::SnapshotResults;
use egui_kittest::kittest::{NodeT as _, Queryable as _};
use tasklens::app::command::AppCommand;
use tasklens::app::context::TrainingState;
use tasklens::app::services::figure::{Exhibit, FigureAction, FigureForm};
use tasklens_net::training::events::{BatchProgress, Event, LatestBatches, Phase};

use super::stage::{THEMES, snapshot};
use super::train::{WINDOW, metrics, play, press, stage, started, train};

/// Batches of 16 images in an epoch, up to this share of it; every third is hard.
fn batches(epoch: usize, share: f64) -> Vec<Event> {
    let of = 2731;
    let last = (share * of as f64) as usize / 16;
    let event = |batch: usize| {
        let at = epoch as f64 - 1.0 + (batch * 16) as f64 / of as f64;
        let loss = 3.2 * (-at / 0.7).exp() + 0.8 + if batch.is_multiple_of(3) { 0.5 } else { -0.25 };
        Event::Batch(BatchProgress {
            epoch,
            phase: Phase::Train,
            done: batch * 16,
            of,
            images_per_sec: 61.3,
            loss,
            phase_secs_left: 27.8,
            secs_left: 3723.0,
            latest: Some(LatestBatches {
                batches: 1,
                loss,
                task_loss: vec![loss / 2.0, loss / 4.0, loss / 4.0],
            }),
        })
    };
    (1..=last).map(event).collect()
}

fn chart_value(harness: &egui_kittest::Harness<'_, Option<super::train::Train>>, name: &str) -> String {
    harness.get_by_label(name).accesskit_node().value().unwrap()
}

#[test]
fn the_loss_of_batches_is_drawn_before_the_first_epoch_is_over_and_behind_the_epochs_later() {
    let mut pictures = SnapshotResults::new();
    for theme in THEMES {
        let (mut harness, _folder) = stage(theme, WINDOW, 1.0, true);
        let first: Vec<Event> = std::iter::once(started()).chain(batches(1, 0.6)).collect();
        play(&mut harness, &first, TrainingState::Running);
        let said = chart_value(&harness, "Loss chart");
        assert!(said.starts_with("total batches ") && said.contains(" at epoch 0.6"), "{said}");
        snapshot(&mut harness, "train_first_epoch");
        pictures.extend_harness(&mut harness);

        let mut later = batches(1, 1.0);
        for epoch in 1..=2 {
            later.push(Event::Epoch(metrics(epoch, true)));
            later.extend(batches(epoch + 1, if epoch == 2 { 0.4 } else { 1.0 }));
        }
        play(&mut harness, &later, TrainingState::Running);
        let said = chart_value(&harness, "Loss chart");
        assert!(said.contains("total train ") && said.contains(" at epoch 2, total validation "), "{said}");
        assert!(said.contains(" at epoch 2.4"), "{said}");
        snapshot(&mut harness, "train_third_epoch");
        pictures.extend_harness(&mut harness);
    }
}

#[test]
fn a_chart_is_copied_and_saved_as_it_is_shown() {
    let (mut harness, _folder) = stage(Theme::Dark, WINDOW, 1.0, true);
    let events = [started(), Event::Epoch(metrics(1, true)), Event::Epoch(metrics(2, true))];
    play(&mut harness, &events, TrainingState::Running);
    // A curve that is hidden is left out.
    press(&mut harness, "Show sleeves in the charts");
    let mut choose = |chart: &str, entry: &str| {
        press(&mut harness, &format!("Chart actions: {chart}"));
        press(&mut harness, entry);
        let mut sent = train(&mut harness).sent();
        match (sent.pop(), sent.is_empty()) {
            (Some(AppCommand::OfFigure { action, exhibit }), true) => (action, *exhibit),
            other => panic!("{other:?}"),
        }
    };
    let (action, exhibit) = choose("Loss", "Copy values");
    assert_eq!(action, FigureAction::CopyValues);
    let csv = exhibit.csv().unwrap();
    let lines: Vec<&str> = csv.lines().collect();
    assert_eq!(
        lines[0],
        "epoch,total train,total validation,print train,print validation,neckline train,neckline validation"
    );
    assert_eq!(lines.len(), 3, "two epochs: {csv}");
    assert!(lines[2].starts_with(&format!("2,{},", metrics(2, true).train.loss)), "{csv}");
    assert_eq!(exhibit.file_name(FigureForm::Csv), "2026-11-23 14-02-11 loss.csv");
    let (action, exhibit) = choose("Accuracy", "Save as SVG\u{2026}");
    assert_eq!(action, FigureAction::Save(FigureForm::Svg));
    let Exhibit::Figure(figure) = exhibit else { panic!("a chart") };
    assert_eq!((figure.ends, figure.marks.len()), ((0.0, 20.0), 1));
}

#[test]
fn the_menu_of_a_chart_is_not_covered_by_the_values_under_the_pointer() {
    let (mut harness, _folder) = stage(Theme::Dark, WINDOW, 1.0, true);
    let events = [started(), Event::Epoch(metrics(1, true)), Event::Epoch(metrics(2, true))];
    play(&mut harness, &events, TrainingState::Running);
    let place = harness.get_by_label("Loss chart").rect();
    harness.hover_at(place.center());
    harness.run_steps(3);
    assert!(harness.query_by_label("Epoch 2").is_some(), "the values under the pointer");
    press(&mut harness, "Chart actions: Loss");
    harness.hover_at(place.center());
    harness.run_steps(3);
    assert!(harness.query_by_label("Copy values").is_some() && harness.query_by_label("Epoch 2").is_none());
}
