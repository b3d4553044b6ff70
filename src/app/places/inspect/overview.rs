//! Scores of every task, and of the one in focus in detail: what they come to in words, whether the network's
//! certainty can be believed, and each label.

use egui::{Rect, RichText, ScrollArea, Ui, UiBuilder, pos2, vec2};
use tasklens_data::dataset::split::Part;
use tasklens_net::evaluation::agreement::Disagreement;
use tasklens_net::evaluation::browse::{BrowseOrder, Query, Verdict};
use tasklens_net::evaluation::inspection::TaskItems;
use tasklens_net::evaluation::scores::TaskScores;

use super::inspected_run::Loaded;
use super::wording::{Score, images, or_dash, part_name};
use super::{Action, Focus, exhibits, focused_scores, label_menu};
use crate::app::command::{AppCommand, LabelName};
use crate::app::context::ViewContext;
use crate::app::theme::icons;
use crate::app::theme::{self, GRID};
use crate::app::widgets::glossary::{Word, explain, term_ui};
use crate::app::widgets::name::Name;
use crate::app::widgets::reliability::ReliabilityDiagram;
use crate::app::widgets::sentence::sentence_ui;
use crate::app::widgets::{empty_place, exhibit_menu};
use labels::{LabelRows, LabelTable, LabelWish};
use verdicts::{Tone, Verdict as Sentence, verdicts};

mod labels;
mod tasks;
mod verdicts;

/// Below this width, one thing stands below the other.
const WIDE: f32 = 860.0;
const DIAGRAM: f32 = 58.0 * GRID;
const LEAST_DIAGRAM: f32 = 40.0 * GRID;
/// So many labels are in sight where the place scrolls as a whole.
const LABELS_IN_SIGHT: usize = 12;

/// The Overview tab. It keeps how the labels are sorted.
#[derive(Default)]
pub struct OverviewTab {
    labels: LabelTable,
}

/// The task in focus in the part shown.
struct TaskShown<'a> {
    task: usize,
    items: &'a TaskItems,
    part: Part,
    scores: &'a TaskScores,
    /// On the rows it learnt from, where these are others.
    train: Option<&'a TaskScores>,
    color: egui::Color32,
    /// Where the run itself measured otherwise.
    disagreement: Option<&'a Disagreement>,
    /// What is computed in.
    precision: &'static str,
}

impl OverviewTab {
    /// Shows the scores of all tasks, and those of the task in focus in detail.
    pub fn ui(
        &mut self,
        ui: &mut Ui,
        loaded: &Loaded,
        focus: &mut Focus,
        context: &mut ViewContext<'_>,
    ) -> Option<Action> {
        let Some(part) = part_shown(loaded, focus) else {
            let text = "No image of any split has been predicted yet.";
            empty_place(ui, icons::CHART_BAR, "No scores", text, |_| {});
            return None;
        };
        if ui.available_width() >= WIDE {
            self.wide_ui(ui, loaded, focus, part, context)
        } else {
            let area = ScrollArea::vertical().id_salt("overview").auto_shrink(false);
            area.show(ui, |ui| self.narrow_ui(ui, loaded, focus, part, context)).inner
        }
    }

    fn wide_ui(
        &mut self,
        ui: &mut Ui,
        loaded: &Loaded,
        focus: &mut Focus,
        part: Part,
        context: &ViewContext<'_>,
    ) -> Option<Action> {
        tasks_card_ui(ui, loaded, focus, part, context);
        let shown = shown(loaded, focus, part, context)?;
        ui.add_space(GRID);
        let area = ui.available_rect_before_wrap();
        let middle = (area.left() + (area.width() * 0.4).clamp(96.0 * GRID, 120.0 * GRID)).round();
        let left = area.with_max_x(middle);
        let right = Rect::from_min_max(pos2(middle + 3.0 * GRID, area.top()), area.max);
        let from_left = within(ui, left, |ui| {
            filled_card_ui(ui, context, |ui| {
                let scroll = ScrollArea::vertical().id_salt("task in focus").auto_shrink(false);
                scroll.show(ui, |ui| task_ui(ui, &shown, context)).inner
            })
        });
        let from_right = within(ui, right, |ui| self.labels_ui(ui, &shown, context));
        ui.allocate_rect(area, egui::Sense::hover());
        from_left.or(from_right)
    }

    fn narrow_ui(
        &mut self,
        ui: &mut Ui,
        loaded: &Loaded,
        focus: &mut Focus,
        part: Part,
        context: &ViewContext<'_>,
    ) -> Option<Action> {
        tasks_card_ui(ui, loaded, focus, part, context);
        let shown = shown(loaded, focus, part, context)?;
        ui.add_space(GRID);
        let action = context.tokens.card_frame().show(ui, |ui| task_ui(ui, &shown, context)).inner;
        ui.add_space(GRID);
        let rows = shown.items.task.labels.len().min(LABELS_IN_SIGHT) as f32 + 1.5;
        let (card, _) = ui
            .allocate_exact_size(vec2(ui.available_width(), (rows * 7.0 + 6.0) * GRID), egui::Sense::hover());
        action.or(within(ui, card, |ui| self.labels_ui(ui, &shown, context)))
    }

    fn labels_ui(&mut self, ui: &mut Ui, shown: &TaskShown<'_>, context: &ViewContext<'_>) -> Option<Action> {
        let task = &shown.items.task;
        let name = |label: usize| LabelName::new(&task.name, &task.labels[label]);
        let labels = LabelRows {
            names: &task.labels,
            scores: &shown.scores.labels,
            color: shown.color,
            offers: &|label| label_menu::offers(&name(label), context),
        };
        match filled_card_ui(ui, context, |ui| self.labels.ui(ui, &labels))? {
            LabelWish::Mistakes(label) => Some(shown.browse(Some(label))),
            LabelWish::Do(label, action) => {
                label_menu::act(action, name(label), shown.having(label), context)
            }
        }
    }
}

/// The part in focus, or the one that says most where that has no scores.
fn part_shown(loaded: &Loaded, focus: &Focus) -> Option<Part> {
    let has_scores = |part: &Part| loaded.scores.iter().any(|scores| scores.of(*part).is_some());
    let all = [Part::Validation, Part::Test, Part::Train];
    focus.part.filter(has_scores).or_else(|| all.into_iter().find(has_scores))
}

fn shown<'a>(
    loaded: &'a Loaded,
    focus: &Focus,
    part: Part,
    context: &ViewContext<'_>,
) -> Option<TaskShown<'a>> {
    let items = loaded.inspection.tasks.get(focus.task)?;
    let scores = loaded.scores.get(focus.task)?;
    Some(TaskShown {
        task: focus.task,
        items,
        part,
        scores: focused_scores(loaded, &Focus { part: Some(part), ..*focus })?,
        train: scores.of(Part::Train).filter(|_| part != Part::Train),
        color: context.tokens.task(items.in_dataset.unwrap_or(focus.task)),
        disagreement: loaded
            .disagreements
            .iter()
            .find(|found| part == Part::Validation && found.task == items.task.name),
        precision: loaded.precision,
    })
}

impl TaskShown<'_> {
    /// All that have a label.
    fn having(&self, label: usize) -> Query {
        Query {
            task: self.task,
            part: Some(self.part),
            actual: Some(label as u32),
            order: BrowseOrder::Loss,
            descending: true,
            ..Query::default()
        }
    }

    /// The wrong ones, those that surprise most first.
    fn browse(&self, label: Option<usize>) -> Action {
        let query = Query {
            task: self.task,
            part: Some(self.part),
            actual: label.map(|label| label as u32),
            verdict: Verdict::Wrong,
            order: BrowseOrder::Loss,
            descending: true,
            ..Query::default()
        };
        Action::Browse { query, title: None }
    }

    fn errors(&self) -> usize {
        let right = self.scores.accuracy.map_or(0.0, |accuracy| accuracy.value * self.scores.rows as f64);
        self.scores.rows - right.round() as usize
    }
}

fn tasks_card_ui(ui: &mut Ui, loaded: &Loaded, focus: &mut Focus, part: Part, context: &ViewContext<'_>) {
    if focus.part != Some(part) {
        let text = format!("Scores are for one split at a time: these are for {}.", part_name(Some(part)));
        ui.label(theme::caption(context.tokens, text));
    }
    context.tokens.card_frame().show(ui, |ui| {
        ui.set_width(ui.available_width());
        tasks::tasks_ui(ui, loaded, focus, part, context);
    });
}

/// What is to be said of the task in focus.
fn task_ui(ui: &mut Ui, shown: &TaskShown<'_>, context: &ViewContext<'_>) -> Option<Action> {
    let tokens = context.tokens;
    let mut action = None;
    ui.set_width(ui.available_width());
    ui.horizontal(|ui| {
        let of = format!(
            "Labelled rows that were in this split when the run started, computed in {}",
            shown.precision
        );
        let count = theme::caption(tokens, images(shown.scores.rows));
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            let errors = shown.errors();
            let text = match errors {
                1 => "Show the error".to_owned(),
                errors => format!("Show {} errors", tasklens_data::text::grouped(errors as u64)),
            };
            let button = ui.add_enabled(errors > 0, egui::Button::new(text));
            if button.on_hover_text("The images with a wrong prediction, the most surprising first").clicked()
            {
                action = Some(shown.browse(None));
            }
            let title = format!("{} on {}", shown.items.task.name, part_name(Some(shown.part)));
            ui.with_layout(egui::Layout::left_to_right(egui::Align::Center), |ui| {
                let room = ui.available_width() - 20.0 * GRID;
                Name::strong(&title).at_most(room).ui(ui);
                ui.label(count).on_hover_text(of);
            });
        });
    });
    ui.add_space(GRID);
    let disagreement = shown.disagreement.map(|found| Sentence { tone: Tone::Note, text: found.sentence() });
    let verdicts = verdicts(shown.scores, &shown.items.task.labels, shown.train);
    for verdict in verdicts.into_iter().chain(disagreement) {
        let (icon, color) = match verdict.tone {
            Tone::Good => (icons::CHECK_CIRCLE, tokens.success),
            Tone::Note => (icons::INFO, tokens.accent_text),
            Tone::Warning => (icons::WARNING, tokens.warning),
        };
        ui.horizontal_top(|ui| {
            ui.label(RichText::new(icon).size(16.0).color(color));
            sentence_ui(ui, verdict.text);
        });
    }
    ui.add_space(2.0 * GRID);
    facts_ui(ui, shown.scores, context);
    ui.add_space(3.0 * GRID);
    let subject = format!("{} on {}", shown.items.task.name, part_name(Some(shown.part)));
    let (calibration, color) = (&shown.scores.calibration, shown.color);
    ui.horizontal(|ui| {
        let text = "A bar for each range of confidence: its height is the share of these images that is right, \
                    with its 95 % interval. On the dashed line, the confidence is justified; below it, the \
                    network is overconfident. At the bottom, how many images there are.";
        term_ui(ui, theme::strong("Calibration"), Word::Calibration);
        let shown = "confidence, and the share that is right";
        let label = egui::Label::new(theme::caption(tokens, shown)).truncate().sense(egui::Sense::click());
        let label = ui.add(label);
        let place = label.rect;
        explain(ui, label, place, shown, (Word::Confidence, text));
        if let Some(action) = exhibit_menu::button_ui(ui, "Calibration", true) {
            let exhibit = Box::new(exhibits::calibration(&subject, calibration, color));
            context.commands.send(AppCommand::OfFigure { action, exhibit });
        }
    });
    // Rather a little lower than cut off at the bottom.
    let room = ui.clip_rect().bottom() - ui.cursor().top() - GRID;
    let height = room.clamp(LEAST_DIAGRAM, DIAGRAM);
    ReliabilityDiagram::new(calibration, color).height(height).ui(ui);
    action
}

/// The scores in a row, each with its interval.
fn facts_ui(ui: &mut Ui, scores: &TaskScores, context: &ViewContext<'_>) {
    let tokens = context.tokens;
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing = vec2(4.0 * GRID, 2.0 * GRID);
        for score in Score::ALL {
            let below = match (score.interval(scores), score) {
                (Some(estimate), _) => score.range(&estimate),
                (None, Score::Calibration) => {
                    let by_chance = score.to_beat(scores).map(|chance| score.text(chance));
                    format!("chance {}", or_dash(by_chance))
                }
                (None, _) => String::new(),
            };
            let fact = ui.vertical(|ui| {
                ui.spacing_mut().item_spacing.y = 0.0;
                term_ui(ui, theme::caption(tokens, score.name()), score.word());
                ui.label(theme::strong(or_dash(score.of(scores).map(|value| score.text(value)))));
                ui.label(theme::caption(tokens, below));
            });
            fact.response.on_hover_text(score.meaning());
        }
    });
}

/// Content in a place of its own.
fn within<T>(ui: &mut Ui, place: Rect, content: impl FnOnce(&mut Ui) -> T) -> T {
    content(&mut ui.new_child(UiBuilder::new().max_rect(place).id_salt(place.left() as i32)))
}

/// A card that fills its place.
fn filled_card_ui<T>(ui: &mut Ui, context: &ViewContext<'_>, content: impl FnOnce(&mut Ui) -> T) -> T {
    let frame = context.tokens.card_frame();
    frame
        .show(ui, |ui| {
            ui.set_min_size(ui.available_size());
            content(ui)
        })
        .inner
}
