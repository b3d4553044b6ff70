//! Pictures of the shared parts.

use egui_kittest::kittest::Queryable as _;
use tasklens::app::theme::Tokens;
use tasklens::app::widgets::chart::{Chart, Curve, Mark, MarkKind, Scale};
use tasklens::app::widgets::probability_bars::ProbabilityBars;

use super::stage::{THEMES, harness, snapshot};
use egui_kittest::SnapshotResults;

#[test]
fn a_chart_shows_both_splits_marks_and_the_values_under_the_pointer() {
    let falling: Vec<[f64; 2]> = (1..=12).map(|e| [f64::from(e), 2.0 / f64::from(e)]).collect();
    let validation: Vec<[f64; 2]> = falling.iter().map(|[e, l]| [*e, l + 0.1 + e * 0.01]).collect();
    let marks = [Mark { epoch: 9, kind: MarkKind::Best }, Mark { epoch: 6, kind: MarkKind::RateReduced }];
    let mut pictures = SnapshotResults::new();
    for theme in THEMES {
        let (falling, validation) = (falling.clone(), validation.clone());
        let mut harness = harness(
            theme,
            [520.0, 300.0],
            1.0,
            |_| (),
            move |ui, ()| {
                let tokens = Tokens::of(ui.ctx());
                let curve = |name: &'static str, color, train, validation, is_muted| Curve {
                    name: name.into(),
                    color,
                    train,
                    validation,
                    is_muted,
                };
                Chart::new("Loss")
                    .scale(Scale::Number)
                    .curve(curve(
                        "a task with a rather long name",
                        tokens.task(0),
                        &falling,
                        &validation,
                        false,
                    ))
                    .curve(curve("earlier", tokens.task(1), &validation, &[], true))
                    .marks(&marks)
                    .height(260.0)
                    .ui(ui);
            },
        );
        let chart = harness.get_by_label("Loss chart");
        let value = chart.value().unwrap();
        assert!(value.contains("train 0.1667 at epoch 12"), "{value}");
        let place = chart.rect();
        harness.hover_at(place.lerp_inside(egui::vec2(0.456, 0.3)));
        harness.run_steps(3);
        assert!(harness.query_by_label("Epoch 6").is_some(), "the readout names the epoch");
        assert!(harness.query_by_label("0.3333").is_some(), "and the exact value there");
        snapshot(&mut harness, "chart");
        pictures.extend_harness(&mut harness);
    }
}

#[test]
fn bars_are_sorted_the_answer_stands_out_and_many_labels_fold() {
    let labels: Vec<String> = (0..14)
        .map(|n| {
            if n == 3 { "a label so long that it has to end somewhere".into() } else { format!("label_{n}") }
        })
        .collect();
    let mut probabilities = vec![0.004; 14];
    (probabilities[7], probabilities[3], probabilities[9]) = (0.81, 0.12, 0.000_1);
    let mut pictures = SnapshotResults::new();
    for theme in THEMES {
        let (labels, probabilities) = (labels.clone(), probabilities.clone());
        let mut harness = harness(
            theme,
            [420.0, 340.0],
            1.0,
            |_| (),
            move |ui, ()| {
                let tokens = Tokens::of(ui.ctx());
                ProbabilityBars::new("print", &labels, &probabilities, tokens.task(2)).ui(ui);
            },
        );
        let answer = harness.get_by_label("print: label_7");
        assert_eq!(answer.value().as_deref(), Some("81.0 %"));
        let second = harness.get_by_label("print: a label so long that it has to end somewhere");
        assert!(answer.rect().top() < second.rect().top(), "the most probable label comes first");
        assert!(harness.query_by_label("print: label_9").is_none(), "the 14th is folded away");
        snapshot(&mut harness, "probability_bars");
        harness.get_by_label("4 more\u{2026}").click();
        harness.run_steps(3);
        assert_eq!(harness.get_by_label("print: label_9").value().as_deref(), Some("<0.1 %"));
        pictures.extend_harness(&mut harness);
    }
}
