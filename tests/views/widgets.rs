//! Pictures of the shared parts.

use std::cell::Cell;
use std::path::{Path, PathBuf};

use egui::accesskit::Role;
use egui::{Align2, FontId, Key, Modifiers, Rect, Ui};
use egui_kittest::Harness;
use egui_kittest::SnapshotResults;
use egui_kittest::kittest::{By, NodeT as _, Queryable as _};
use tasklens::app::services::thumbnails::Thumbnails;
use tasklens::app::theme::Tokens;
use tasklens::app::widgets::chart::{Chart, Curve, Mark, MarkKind, Scale};
use tasklens::app::widgets::confusion_matrix::{ConfusionMatrix, MatrixWish, Pick};
use tasklens::app::widgets::probability_bars::ProbabilityBars;
use tasklens::app::widgets::reliability::ReliabilityDiagram;
use tasklens::app::widgets::thumbnail_grid::{GridItems, GridState, Selection, ThumbnailGrid};
use tasklens_net::evaluation::confusion::{Confusion, Normalisation};
use tasklens_net::evaluation::scores::score;

use super::stage::{THEMES, harness, snapshot};

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
                    batches: &[],
                    each_batch: &[],
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
        harness.hover_at(place.lerp_inside(egui::vec2(0.5, 0.3)));
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

/// So many labels of unlike frequency; neighbours are taken for each other, and every tenth for the first.
fn confusion(labels: usize) -> (Vec<String>, Confusion) {
    let mut confusion = Confusion::new(labels);
    for label in 0..labels {
        let of = 40 + label * 37 % 160;
        (0..of).for_each(|i| {
            let predicted = match i {
                _ if i % 7 == 3 => (label + 1) % labels,
                _ if i % 19 == 5 && label % 10 == 9 => 0,
                _ => label,
            };
            confusion.add(label, predicted);
        });
    }
    let name = |label| match label {
        1 => "a label so long that it has to end somewhere".to_owned(),
        _ => format!("label_{label}"),
    };
    ((0..labels).map(name).collect(), confusion)
}

#[test]
fn a_confusion_matrix_fits_two_labels_and_forty() {
    let mut pictures = SnapshotResults::new();
    for (theme, (labels, by)) in THEMES.into_iter().flat_map(|theme| {
        let cases = [(2, Normalisation::Actual), (10, Normalisation::None), (40, Normalisation::Predicted)];
        cases.map(move |case| (theme, case))
    }) {
        let (names, counts) = confusion(labels);
        let count = counts.count(1, 0);
        let mut harness = harness(
            theme,
            [720.0, 520.0],
            1.0,
            |_| None,
            move |ui, picked: &mut Option<MatrixWish>| {
                let tokens = Tokens::of(ui.ctx());
                let matrix = ConfusionMatrix::new(&names, &counts, tokens.task(1)).normalisation(by);
                *picked = matrix.height(480.0).ui(ui).or(*picked);
            },
        );
        snapshot(&mut harness, &format!("confusion_matrix_{labels}"));
        let long = "a label so long that it has to end somewhere";
        if labels == 2 {
            harness.get_by_label(&format!("{long} predicted as label_0: {count}")).click();
            harness.run_steps(2);
            let picked = harness.state().as_ref().unwrap().unwrap();
            assert_eq!(picked, MatrixWish::Images(Pick { actual: Some(1), predicted: Some(0) }));
        }
        if labels == 40 {
            assert!(harness.query_by_label_contains("label_39 predicted as").is_none(), "it is out of sight");
            harness.hover_at(egui::pos2(400.0, 300.0));
            harness.event(egui::Event::MouseWheel {
                unit: egui::MouseWheelUnit::Point,
                delta: egui::vec2(-2000.0, -2000.0),
                modifiers: Modifiers::NONE,
                phase: egui::TouchPhase::Move,
                source: egui::MouseWheelSource::Unknown,
            });
            harness.run_steps(60);
            assert!(harness.query_by_label_contains("label_39 predicted as label_39").is_some());
            assert!(harness.query_by_label_contains("All label_39: ").is_some(), "the labels scroll with it");
        }
        pictures.extend_harness(&mut harness);
    }
}

/// What the Confusion place leaves at 1280 by 800.
#[test]
fn thirty_labels_are_all_in_sight() {
    let (names, counts) = confusion(30);
    let (last, of) = (format!("label_29 predicted as label_29: {}", counts.count(29, 29)), counts.actual(29));
    let mut harness = harness(
        egui::Theme::Dark,
        [904.0, 644.0],
        1.0,
        |_| (),
        move |ui, ()| {
            let height = ui.available_height();
            let color = Tokens::of(ui.ctx()).task(1);
            ConfusionMatrix::new(&names, &counts, color).height(height).ui(ui);
        },
    );
    let window = Rect::from_min_size(egui::Pos2::ZERO, egui::vec2(904.0, 644.0)).shrink(24.0);
    let cell = harness.get_by_label(&last).rect();
    assert!(window.contains_rect(cell) && cell.width() >= 18.0 && cell.height() >= 15.0, "{cell}");
    // Nothing is left to scroll.
    harness.hover_at(window.center());
    harness.event(egui::Event::MouseWheel {
        unit: egui::MouseWheelUnit::Point,
        delta: egui::vec2(-500.0, -500.0),
        modifiers: Modifiers::NONE,
        phase: egui::TouchPhase::Move,
        source: egui::MouseWheelSource::Unknown,
    });
    harness.run_steps(30);
    assert_eq!(harness.get_by_label(&last).rect(), cell);
    assert!(harness.query_by_label(&format!("All label_29: {of}")).is_some());
}

#[test]
fn a_reliability_diagram_shows_how_far_certainty_is_from_the_truth() {
    let labels: Vec<Option<u32>> = (0..400).map(|row| Some(row % 2)).collect();
    let probabilities: Vec<f32> = (0..400)
        .flat_map(|row| {
            let sure = 0.5 + (row * 7 % 50) as f32 / 100.0;
            let right = (row * 13 % 100) as f32 / 100.0 < sure * 0.85;
            if (row % 2 == 0) == right { [sure, 1.0 - sure] } else { [1.0 - sure, sure] }
        })
        .collect();
    let scores = score(&labels, &probabilities, 2);
    let mut pictures = SnapshotResults::new();
    for theme in THEMES {
        let calibration = scores.calibration.clone();
        let mut harness = harness(
            theme,
            [420.0, 320.0],
            1.0,
            |_| (),
            move |ui, ()| {
                let tokens = Tokens::of(ui.ctx());
                ReliabilityDiagram::new(&calibration, tokens.task(0)).height(280.0).ui(ui);
            },
        );
        let bin = scores.calibration.bins.iter().find(|bin| bin.low > 0.79).unwrap();
        let said = harness.get_by_label("Confidence 80 % to 87 %").value().unwrap();
        let right = bin.accuracy.unwrap().value * 100.0;
        assert!(said.starts_with(&format!("{} images, {right:.1} % right", bin.rows)), "{said}");
        snapshot(&mut harness, "reliability");
        pictures.extend_harness(&mut harness);
    }
}

/// The same few images again and again.
struct Many {
    images: Vec<PathBuf>,
    count: usize,
    asked: Cell<usize>,
}

impl GridItems for Many {
    fn count(&self) -> usize {
        self.count
    }

    fn image(&self, position: usize) -> Option<&Path> {
        self.asked.set(self.asked.get() + 1);
        Some(&self.images[position % self.images.len()])
    }

    fn name(&self, position: usize) -> String {
        format!("item {position}")
    }

    fn caption_ui(&self, ui: &Ui, tokens: &Tokens, area: Rect, position: usize) {
        let text = format!("item {position} with a long name that does not fit");
        let area = area.shrink2(egui::vec2(8.0, 4.0));
        let font = FontId::proportional(12.0);
        let galley = tasklens::app::widgets::name::shortened(ui, &text, font, tokens.text, area.width());
        ui.painter().galley(area.left_top(), galley, tokens.text);
        ui.painter().text(
            area.left_bottom(),
            Align2::LEFT_BOTTOM,
            "87 %",
            FontId::proportional(12.0),
            tokens.text_weak,
        );
    }
}

struct Wall {
    items: Many,
    state: GridState,
    thumbnails: Thumbnails,
    opened: Option<usize>,
}

/// A grid of `count` items where many can be chosen.
fn wall(theme: egui::Theme, count: usize) -> Harness<'static, Option<Wall>> {
    let folder = tempfile::tempdir().unwrap().keep();
    let images = [(40, 60), (90, 30), (50, 50), (20, 80), (160, 90)];
    let images = images.iter().enumerate().map(|(index, (width, height))| {
        let path = folder.join(format!("{index}.png"));
        let shade =
            |x: u32, y: u32| if (x / 8 + y / 8).is_multiple_of(2) { [200, 120, 80] } else { [90, 140, 170] };
        image::RgbImage::from_fn(*width, *height, |x, y| image::Rgb(shade(x, y))).save(&path).unwrap();
        path
    });
    let mut images: Vec<PathBuf> = images.collect();
    images.push(folder.join("gone.png"));
    harness(
        theme,
        [560.0, 420.0],
        1.0,
        move |ctx| Wall {
            items: Many { images, count, asked: Cell::new(0) },
            state: GridState::default(),
            thumbnails: Thumbnails::new(ctx),
            opened: None,
        },
        |ui, wall: &mut Wall| {
            wall.thumbnails.begin_frame();
            wall.items.asked.set(0);
            let grid = ThumbnailGrid::new("Wall").side(96.0).caption(40.0).many();
            let response = grid.ui(ui, &mut wall.thumbnails, &mut wall.state, &wall.items);
            wall.opened = response.opened.or(wall.opened);
        },
    )
}

fn wall_of<'a>(harness: &'a mut Harness<'static, Option<Wall>>) -> &'a mut Wall {
    harness.state_mut().as_mut().unwrap()
}

#[test]
fn a_grid_keeps_shapes_marks_what_is_chosen_and_elides_long_names() {
    let mut pictures = SnapshotResults::new();
    for theme in THEMES {
        let mut harness = wall(theme, 40);
        let mut chosen = Selection::range(1..4);
        chosen.toggle(6);
        wall_of(&mut harness).state.set_selection(chosen);
        wall_of(&mut harness).state.set_cursor(6);
        for _ in 0..30 {
            std::thread::sleep(std::time::Duration::from_millis(10));
            harness.run_steps(1);
        }
        snapshot(&mut harness, "thumbnail_grid");
        pictures.extend_harness(&mut harness);
    }
}

#[test]
fn many_items_are_chosen_by_keys_and_mouse() {
    let mut harness = wall(egui::Theme::Dark, 40);
    let chosen = |harness: &mut Harness<'static, Option<Wall>>| {
        wall_of(harness).state.selection().iter().collect::<Vec<_>>()
    };
    harness.get_by_label("item 2").click();
    harness.run_steps(2);
    harness.key_press_modifiers(Modifiers::SHIFT, Key::ArrowRight);
    harness.run_steps(2);
    assert_eq!(chosen(&mut harness), [2, 3]);
    harness.get_by_label("item 7").click_modifiers(Modifiers::COMMAND);
    harness.run_steps(2);
    assert_eq!(chosen(&mut harness), [2, 3, 7]);
    assert_eq!(wall_of(&mut harness).opened, None, "a click chooses");
    harness.key_press(Key::Enter);
    harness.run_steps(2);
    assert_eq!(wall_of(&mut harness).opened, Some(7));
    harness.key_press_modifiers(Modifiers::COMMAND, Key::A);
    harness.run_steps(2);
    assert_eq!(chosen(&mut harness).len(), 40);
}

#[test]
fn of_a_million_items_only_those_in_sight_are_asked_for() {
    let mut harness = wall(egui::Theme::Dark, 1_000_000);
    harness.key_press(Key::End);
    harness.run_steps(3);
    let asked = wall_of(&mut harness).items.asked.get();
    assert!((1..40).contains(&asked), "{asked}");
    let last = harness.get_by_label("item 999999");
    assert_eq!(last.accesskit_node().is_selected(), Some(true));
    let place = last.rect();
    assert!(place.top() >= 0.0 && place.bottom() <= 420.0, "{place}");
    let cells = harness.query_all(By::new().role(Role::ListBoxOption)).count();
    assert!(cells < 40, "{cells}");
}
