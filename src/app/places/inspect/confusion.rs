//! The confusion matrix of the task in focus, and the most frequent confusions beside it.

use std::sync::Arc;

use egui::{Align, Layout, ScrollArea, Ui};
use tasklens_net::evaluation::browse::{BrowseOrder, Query};
use tasklens_net::evaluation::confusion::Normalisation;

use super::inspected_run::Loaded;
use super::wording::{image_of, images, part_name};
use super::{Action, Focus, exhibits, label_menu};
use crate::app::command::{AppCommand, LabelAction, LabelName};
use crate::app::context::ViewContext;
use crate::app::services::derived::Derived;
use crate::app::theme::icons;
use crate::app::theme::{self, GRID};
use crate::app::widgets::choice::{Choice, Segments};
use crate::app::widgets::confusion_matrix::{ConfusionMatrix, MatrixWish, Pick};
use crate::app::widgets::{empty_place, exhibit_menu};
use counts::ConfusionCounts;

mod counts;
mod pairs;

/// Below this width, the list stands below the matrix.
const WIDE: f32 = 860.0;
const LIST_WIDTH: f32 = 72.0 * GRID;
/// Of the matrix where the place scrolls as a whole.
const NARROW_HEIGHT: f32 = 80.0 * GRID;

const NORMALISATIONS: [Choice<'static, Normalisation>; 3] = [
    Choice::new(
        Normalisation::Actual,
        "Per true label",
        "Shares of the images with each true label; the diagonal is recall",
    ),
    Choice::new(
        Normalisation::Predicted,
        "Per prediction",
        "Shares of the images with each predicted label; the diagonal is precision",
    ),
    Choice::new(Normalisation::None, "Counts", "Numbers of images"),
];

/// The order of rows and columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum LabelOrder {
    Confused,
    Given,
    Frequency,
}

const ORDERS: [Choice<'static, LabelOrder>; 3] = [
    Choice::new(
        LabelOrder::Confused,
        "By confusion",
        "Labels that are confused with each other are placed side by side",
    ),
    Choice::new(LabelOrder::Given, "As in config", "The order of the labels in config.yml"),
    Choice::new(LabelOrder::Frequency, "By frequency", "The most frequent label first"),
];

/// The tab. It keeps how the matrix is shown, and what was counted.
pub struct ConfusionTab {
    normalisation: Normalisation,
    order: LabelOrder,
    /// Of a version of the inspection. While it is counted anew, because labels or outputs have changed, the old
    /// counts are still shown.
    counts: Derived<(u64, Focus), ConfusionCounts>,
}

impl Default for ConfusionTab {
    fn default() -> Self {
        Self { normalisation: Normalisation::Actual, order: LabelOrder::Confused, counts: Derived::default() }
    }
}

impl ConfusionTab {
    /// Shows the matrix of the task in focus; a click leads to its images.
    pub fn ui(
        &mut self,
        ui: &mut Ui,
        loaded: &Loaded,
        focus: &Focus,
        context: &mut ViewContext<'_>,
    ) -> Option<Action> {
        self.count(loaded, focus, context);
        if let Some(message) = self.counts.failure() {
            empty_place(ui, icons::WARNING, "No confusion matrix", message, |_| {});
            return None;
        }
        if self.counts.key().is_none_or(|(_, counted)| counted != focus) {
            return None;
        }
        let counts = self.counts.get()?;
        let items = loaded.inspection.tasks.get(focus.task)?;
        if counts.confusion.labels() != items.task.labels.len() {
            return None;
        }
        if counts.rows == 0 {
            let text = format!("No predicted {} has a label for {}.", image_of(focus.part), items.task.name);
            empty_place(ui, icons::GRID_FOUR, "Nothing to count", &text, |_| {});
            return None;
        }
        let color = context.tokens.task(items.in_dataset.unwrap_or(focus.task));
        let subject = format!("{} on {}", items.task.name, part_name(focus.part));
        let name = |label: usize| LabelName::new(&items.task.name, &items.task.labels[label]);
        let offers = |label: usize| label_menu::offers(&name(label), context);
        let place =
            ConfusionArea { labels: &items.task.labels, subject, counts, color, offers: &offers, context };
        let (normalisation, order) = (&mut self.normalisation, &mut self.order);
        let wish = if ui.available_width() >= WIDE {
            place.wide_ui(ui, normalisation, order)
        } else {
            let area = ScrollArea::vertical().id_salt("confusion").auto_shrink(false);
            area.show(ui, |ui| place.narrow_ui(ui, normalisation, order)).inner
        };
        match wish? {
            MatrixWish::Images(pick) => Some(Action::Browse { query: query(*focus, pick), title: None }),
            MatrixWish::OfLabel(label, action, pick) => {
                label_menu::act(action, name(label), query(*focus, pick), context)
            }
        }
    }

    /// Counts in the background what is in focus, where that is not what was counted.
    fn count(&mut self, loaded: &Loaded, focus: &Focus, context: &ViewContext<'_>) {
        let (inspection, focus) = (&loaded.inspection, *focus);
        self.counts.want(&(loaded.version, focus), || {
            let inspection = Arc::clone(inspection);
            context.jobs.start_quietly("Counting confusions", move |_| {
                Ok(ConfusionCounts::of(&inspection, focus.task, focus.part))
            })
        });
    }
}

/// Exactly the images behind a cell, a label or a head.
fn query(focus: Focus, pick: Pick) -> Query {
    let label = |label: Option<usize>| label.map(|label| label as u32);
    Query {
        task: focus.task,
        part: focus.part,
        actual: label(pick.actual),
        predicted: label(pick.predicted),
        order: BrowseOrder::Confidence,
        descending: true,
        ..Query::default()
    }
}

/// The counts, and what they are drawn with.
struct ConfusionArea<'a> {
    labels: &'a [String],
    /// The task and the split.
    subject: String,
    counts: &'a ConfusionCounts,
    color: egui::Color32,
    /// What the menu of a label offers.
    offers: &'a dyn Fn(usize) -> Vec<LabelAction>,
    context: &'a ViewContext<'a>,
}

impl ConfusionArea<'_> {
    fn wide_ui(
        &self,
        ui: &mut Ui,
        normalisation: &mut Normalisation,
        order: &mut LabelOrder,
    ) -> Option<MatrixWish> {
        self.choices_ui(ui, normalisation, order);
        ui.add_space(2.0 * GRID);
        let mut wish = None;
        ui.horizontal_top(|ui| {
            let height = ui.available_height();
            let width = ui.available_width() - LIST_WIDTH - 4.0 * GRID;
            ui.allocate_ui(egui::vec2(width, height), |ui| {
                ui.set_min_size(egui::vec2(width, height));
                wish = self.matrix_ui(ui, *normalisation, *order, height);
            });
            ui.add_space(2.0 * GRID);
            self.context.tokens.card_frame().show(ui, |ui| {
                ui.vertical(|ui| {
                    ui.set_min_size(ui.available_size());
                    let pick = pairs::pairs_ui(ui, self.labels, self.counts, self.color);
                    wish = wish.or(pick.map(MatrixWish::Images));
                });
            });
        });
        wish
    }

    fn narrow_ui(
        &self,
        ui: &mut Ui,
        normalisation: &mut Normalisation,
        order: &mut LabelOrder,
    ) -> Option<MatrixWish> {
        self.choices_ui(ui, normalisation, order);
        ui.add_space(2.0 * GRID);
        let wish = self.matrix_ui(ui, *normalisation, *order, NARROW_HEIGHT);
        ui.add_space(4.0 * GRID);
        let frame = self.context.tokens.card_frame();
        let of_list = frame.show(ui, |ui| {
            ui.set_width(ui.available_width());
            ui.set_max_height(NARROW_HEIGHT);
            pairs::pairs_ui(ui, self.labels, self.counts, self.color)
        });
        wish.or(of_list.inner.map(MatrixWish::Images))
    }

    fn choices_ui(&self, ui: &mut Ui, normalisation: &mut Normalisation, order: &mut LabelOrder) {
        let is_wide = ui.available_width() >= WIDE;
        let direction =
            if is_wide { Layout::left_to_right(Align::Center) } else { Layout::top_down(Align::Min) };
        let choices = |ui: &mut Ui| {
            Segments::new("Numbers", &NORMALISATIONS).ui(ui, normalisation);
            if self.labels.len() > 2 {
                Segments::new("Order", &ORDERS).ui(ui, order);
            }
            ui.horizontal(|ui| {
                let facts = format!("{}, {} of them wrong", images(self.counts.rows), self.counts.wrong);
                ui.label(theme::caption(self.context.tokens, facts));
                if let Some(action) = exhibit_menu::button_ui(ui, "Confusion matrix", false) {
                    let counts = &self.counts.confusion;
                    let exhibit = Box::new(exhibits::confusion_matrix(&self.subject, self.labels, counts));
                    self.context.commands.send(AppCommand::OfFigure { action, exhibit });
                }
            });
        };
        ui.allocate_ui_with_layout(egui::vec2(ui.available_width(), 0.0), direction, choices);
    }

    fn matrix_ui(
        &self,
        ui: &mut Ui,
        normalisation: Normalisation,
        order: LabelOrder,
        height: f32,
    ) -> Option<MatrixWish> {
        let matrix = ConfusionMatrix::new(self.labels, &self.counts.confusion, self.color);
        let matrix = match order {
            LabelOrder::Confused => matrix.order(&self.counts.by_confusion),
            LabelOrder::Frequency => matrix.order(&self.counts.by_frequency),
            LabelOrder::Given => matrix,
        };
        matrix.normalisation(normalisation).height(height).offers(self.offers).ui(ui)
    }
}

#[cfg(test)]
mod tests {
    use tasklens_data::dataset::split::Part;

    use super::counts::tests::inspection;
    use super::*;

    #[test]
    fn a_cell_leads_to_exactly_its_images() {
        let inspection = inspection();
        for part in [None, Some(Part::Train), Some(Part::Validation)] {
            let focus = Focus { task: 0, part };
            let counts = ConfusionCounts::of(&inspection, 0, part);
            for (actual, predicted, count) in counts.confusion.cells() {
                let pick = Pick { actual: Some(actual), predicted: Some(predicted) };
                let items = inspection.select(&query(focus, pick));
                assert_eq!(items.len(), count, "{actual} as {predicted} in {part:?}");
                let print = &inspection.tasks[0];
                assert!(items.iter().all(|item| {
                    print.labels[*item] == Some(actual as u32) && print.predicted[*item] == predicted as u32
                }));
            }
        }
    }
}
