//! One suspect large: the image, what the probabilities say, and the three answers.

use egui::{Label, RichText, ScrollArea, Ui};
use tasklens_net::evaluation::inspection::TaskItems;
use tasklens_net::evaluation::suspects::Suspect;

use super::decisions::Decision;
use super::list;
use crate::app::context::ViewContext;
use crate::app::theme::icons;
use crate::app::theme::{self, GRID};
use crate::app::widgets::large_image::large_image_ui;
use crate::app::widgets::name::{self, Name};
use crate::app::widgets::probability_bars::ProbabilityBars;

/// What the user answers about a suspect.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SuspectAnswer {
    /// The proposed label is right.
    Accept,
    /// The given label is right.
    Keep,
    /// Decide later.
    Skip,
}

/// Shows a suspect; returns the answer, once there is one. What is below the answers scrolls by itself where it `scrolls`.
pub fn ui(
    ui: &mut Ui,
    items: &TaskItems,
    suspect: &Suspect,
    decision: Decision,
    scrolls: bool,
    context: &mut ViewContext<'_>,
) -> Option<SuspectAnswer> {
    let label = |class: u32| items.task.labels.get(class as usize).map_or("", String::as_str);
    let answer = answers_ui(ui, label(suspect.given), label(suspect.proposed));
    ui.add_space(2.0 * GRID);
    if scrolls {
        let area = ScrollArea::vertical().id_salt("suspect").auto_shrink(false);
        area.show(ui, |ui| facts_ui(ui, items, suspect, decision, context));
    } else {
        facts_ui(ui, items, suspect, decision, context);
    }
    answer
}

/// The image, where it is from, what the classifier says of it, and its other labels.
fn facts_ui(
    ui: &mut Ui,
    items: &TaskItems,
    suspect: &Suspect,
    decision: Decision,
    context: &mut ViewContext<'_>,
) {
    let tokens = context.tokens;
    let Some((dataset, _)) = context.labels() else { return };
    let Some(row) = dataset.rows.get(suspect.of.row) else { return };
    let height = (ui.clip_rect().height() * 0.52).clamp(40.0 * GRID, 140.0 * GRID);
    large_image_ui(ui, &row.image, height, context);
    ui.add_space(2.0 * GRID);
    ui.horizontal_wrapped(|ui| {
        let path = dataset.table.cell(suspect.of.row, dataset.columns.path);
        let shown = Label::new(theme::strong(theme::in_visual_order(&path))).wrap().selectable(true);
        ui.add(shown).widget_info(|| egui::WidgetInfo::labeled(egui::Role::Label, true, path.as_ref()));
        let part = suspect.part.adjective();
        let facts = format!("line {} of the CSV, {part} image", dataset.table.line_of_row(suspect.of.row));
        ui.label(theme::caption(tokens, facts));
        if decision != Decision::Open {
            let (icon, text) = list::said(decision);
            ui.label(RichText::new(format!("{icon} {text}")).color(tokens.success));
        }
    });
    ui.add_space(2.0 * GRID);
    let color = tokens.task(items.in_dataset.unwrap_or(0));
    ProbabilityBars::new(&items.task.name, &items.task.labels, &suspect.probabilities, color).ui(ui);
    if let Some(record) = suspect.record {
        ui.add(Label::new(theme::caption(tokens, record.sentence())).wrap()).on_hover_text(
            "Counted on the labelled images that the classifier was not trained on and about which it is \
             as confident.",
        );
    }
    other_labels_ui(ui, items, suspect.of.row, context);
}

fn answers_ui(ui: &mut Ui, given: &str, proposed: &str) -> Option<SuspectAnswer> {
    let mut answer = None;
    ui.horizontal_wrapped(|ui| {
        let buttons = [
            (
                icons::CHECK,
                format!("Accept {proposed}"),
                "A",
                "The proposed label is right",
                SuspectAnswer::Accept,
            ),
            (icons::X, format!("Keep {given}"), "K", "The given label is right", SuspectAnswer::Keep),
            (icons::SKIP_FORWARD, "Skip".to_owned(), "S", "Go on and decide later", SuspectAnswer::Skip),
        ];
        for (icon, text, key, hint, wanted) in buttons {
            let button = name::button_ui(ui, &format!("{icon}  {text}"), &format!("  ({key})"));
            button.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, &text));
            if button.on_hover_text(format!("{hint} ({key})")).clicked() {
                answer = Some(wanted);
            }
        }
    });
    answer
}

/// The labels of the other tasks: they often tell which of two is meant.
fn other_labels_ui(ui: &mut Ui, items: &TaskItems, row: usize, context: &ViewContext<'_>) {
    let Some((dataset, _)) = context.labels() else { return };
    let tokens = context.tokens;
    ui.add_space(2.0 * GRID);
    ui.horizontal_wrapped(|ui| {
        for (task, spec) in dataset.tasks.iter().enumerate() {
            if spec.name == items.task.name {
                continue;
            }
            let label = dataset.label_text(row, task);
            Name::new(&format!("{}:", spec.name)).color(tokens.task(task)).ui(ui);
            Name::new(label.as_deref().unwrap_or("\u{2013}")).ui(ui);
            ui.add_space(2.0 * GRID);
        }
    });
}
