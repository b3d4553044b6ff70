//! Another run on the same rows: what it mends, what it breaks, and whether the difference is more than chance.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use egui::{Align, Layout, Role, ScrollArea, Ui, WidgetInfo};
use tasklens_data::text::counted_grouped;
use tasklens_net::evaluation::browse::Query;

use super::inspected_run::{InspectedRun, Loaded};
use super::wording::{image_of, images};
use super::{Action, Focus};
use crate::app::context::ViewContext;
use crate::app::theme::icons;
use crate::app::theme::{self, GRID};
use crate::app::widgets::empty_place;
use crate::app::widgets::model_menu::model_menu_ui;
use crate::app::widgets::name;
use card::TaskCard;
use other::OtherRun;
use rows::{Change, Compared, ComparedTask};

mod card;
mod other;
mod rows;

/// The Compare tab. It keeps the run that is compared with.
#[derive(Default)]
pub struct CompareTab {
    other: Option<OtherRun>,
}

impl CompareTab {
    /// Shows the comparison, or what it waits for.
    pub fn ui(
        &mut self,
        ui: &mut Ui,
        inspected: &InspectedRun,
        loaded: &Loaded,
        focus: &Focus,
        context: &mut ViewContext<'_>,
    ) -> Option<Action> {
        let runs = context.runs;
        if self.other.is_none() {
            // The likeliest; nothing is computed for it unasked.
            let beside = runs.beside(&inspected.run);
            self.other = beside.map(|run| OtherRun::new(run.record.folder.clone()));
        }
        let Some(other) = &mut self.other else {
            let text = "Train another network on these rows to see here what it does better and worse.";
            empty_place(ui, icons::GIT_DIFF, "Only one run has a model", text, |_| {});
            return None;
        };
        other.poll((&inspected.run, loaded), focus.part, context);
        let chosen = run_menu_ui(ui, context, &inspected.run, other);
        if let Some(folder) = chosen {
            self.other = Some(OtherRun::new(folder));
            ui.ctx().request_repaint();
            return None;
        }
        ui.add_space(GRID);
        let place = CompareArea { inspected, loaded, focus, context };
        place.other_ui(ui, other)
    }
}

/// Which run; returns another one where it was chosen.
fn run_menu_ui(
    ui: &mut Ui,
    context: &ViewContext<'_>,
    inspected: &Path,
    other: &OtherRun,
) -> Option<PathBuf> {
    let mut chosen = None;
    ui.horizontal(|ui| {
        ui.label(theme::caption(context.tokens, "Compare with"));
        let name = context.runs.name_of(&other.run);
        let menu = name::combo(ui, "compared run", &name, 52.0 * GRID).show_ui(ui, |ui| {
            let run = model_menu_ui(ui, context.runs, Some(&other.run), Some(inspected));
            chosen = run.filter(|run| *run != other.run);
        });
        menu.response.widget_info(|| WidgetInfo::labeled(Role::ComboBox, true, "Run to compare with"));
    });
    chosen
}

/// What stands around the comparison.
struct CompareArea<'a> {
    inspected: &'a InspectedRun,
    loaded: &'a Loaded,
    focus: &'a Focus,
    context: &'a ViewContext<'a>,
}

impl CompareArea<'_> {
    fn other_ui(&self, ui: &mut Ui, other: &mut OtherRun) -> Option<Action> {
        if let Some(message) = other.failure.clone() {
            empty_place(ui, icons::WARNING, "This run cannot be compared", &message, |ui| {
                if ui.button("Try again").clicked() {
                    other.failure = None;
                }
            });
            return None;
        }
        if other.progress().is_some() {
            progress_ui(ui, other);
        }
        let compared = other.compared()?;
        let (rows, missing) = (compared.rows, compared.missing);
        let action = if rows > 0 { self.compared_ui(ui, other, compared) } else { None };
        if other.progress().is_some() {
            return action;
        }
        if rows == 0 {
            self.nothing_predicted_ui(ui, other, missing);
        } else if missing > 0 && self.missing_ui(ui, missing) {
            other.predict(self.loaded, self.focus.part, self.context);
        }
        action
    }

    fn nothing_predicted_ui(&self, ui: &mut Ui, other: &mut OtherRun, missing: usize) {
        if missing == 0 {
            let text = format!("No {} has been predicted yet.", image_of(self.focus.part));
            empty_place(ui, icons::GIT_DIFF, "Nothing to compare", &text, |_| {});
            return;
        }
        let text = format!(
            "{} must go through this network once. The outputs are kept beside the run.",
            counted_grouped(missing, &image_of(self.focus.part))
        );
        let title = format!("{} has not predicted these images yet", other.name());
        empty_place(ui, icons::GIT_DIFF, &title, &text, |ui| {
            let text = egui::RichText::new(format!("Predict with {}", other.name()));
            let text = text.color(self.context.tokens.on_accent);
            if ui.add(egui::Button::new(text).fill(self.context.tokens.accent)).clicked() {
                other.predict(self.loaded, self.focus.part, self.context);
            }
        });
    }

    /// Whether the rest is wanted.
    fn missing_ui(&self, ui: &mut Ui, missing: usize) -> bool {
        let mut wanted = false;
        ui.horizontal_wrapped(|ui| {
            let text = format!("{} are left out: this run has not predicted them.", images(missing));
            ui.label(theme::caption(self.context.tokens, text));
            wanted = ui.button("Predict them").clicked();
        });
        wanted
    }

    fn compared_ui(&self, ui: &mut Ui, other: &OtherRun, compared: &Compared) -> Option<Action> {
        let (first, second) = (self.inspected.name(), other.name());
        let mut action = None;
        // What is said below the cards needs its line.
        let below = if compared.missing > 0 { 10.0 * GRID } else { 0.0 };
        let height = (ui.available_height() - below).max(0.0);
        let area = ScrollArea::vertical().id_salt("compared").auto_shrink(false).max_height(height);
        area.show(ui, |ui| {
            self.sentences_ui(ui, compared, other);
            for task in &compared.tasks {
                let items = self.loaded.inspection.tasks.get(task.task);
                let index = items.and_then(|items| items.in_dataset).unwrap_or(task.task);
                let card = TaskCard {
                    compared: task,
                    color: self.context.tokens.task(index),
                    names: [&first, &second],
                };
                // Items of a dataset that was opened since may be others.
                let is_same = |_: &Change| other.has_items_of(self.loaded);
                if let Some(change) = card.ui(ui).filter(is_same) {
                    action = Some(browse(self.focus, task, change, &second));
                }
                ui.add_space(GRID);
            }
        });
        action
    }

    /// What has to be known about the numbers.
    fn sentences_ui(&self, ui: &mut Ui, compared: &Compared, other: &OtherRun) {
        let (first, second) = (self.inspected.name(), other.name());
        let mut sentences = Vec::new();
        match other.tell_split() {
            Some([false, true]) => sentences.push(without_split(&first)),
            Some([true, false]) => sentences.push(without_split(&second)),
            Some([false, false]) => sentences.push(format!(
                "The own splits of {first} and {second} are not known, so today's split is used; some of these \
                 images may have been used in their training."
            )),
            Some([true, true]) | None => {}
        }
        let learnt = compared.rows - compared.new_to_both;
        if learnt > 0 {
            sentences.push(format!(
                "Compared on the {} that neither {first} nor {second} was trained on. The other {learnt} are \
                 counted separately: a run does better on images that it was trained on.",
                images(compared.new_to_both)
            ));
        }
        match compared.left_out.as_slice() {
            [] => {}
            [task] => sentences.push(format!("{task} is left out: only one of the runs has this task.")),
            tasks => {
                let tasks = tasks.join(", ");
                sentences.push(format!("{tasks} are left out: only one of the runs has these tasks."));
            }
        }
        for sentence in sentences {
            ui.horizontal_top(|ui| {
                let tokens = self.context.tokens;
                ui.label(egui::RichText::new(icons::WARNING).size(16.0).color(tokens.warning));
                ui.add(egui::Label::new(sentence).wrap());
            });
        }
    }
}

/// That a run does not tell which images it used.
fn without_split(run: &str) -> String {
    format!(
        "{run}'s own split is not known, so today's split is used for it; some of these images may have been used in its \
         training."
    )
}

fn progress_ui(ui: &mut Ui, other: &OtherRun) {
    let Some(progress) = other.progress() else { return };
    ui.horizontal(|ui| {
        ui.label(progress.title());
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            if ui.button("Cancel").clicked() {
                other.cancel();
            }
            let bar = egui::ProgressBar::new(progress.fraction().unwrap_or(0.0)).desired_height(2.0 * GRID);
            ui.add(bar);
        });
    });
    ui.add_space(GRID);
}

/// Exactly the images behind a count.
fn browse(focus: &Focus, task: &ComparedTask, change: Change, second: &str) -> Action {
    let items = Arc::clone(task.of(change));
    let count = images(items.len());
    let title = match change {
        Change::Fixed => format!("{count} that are right here and wrong in {second}"),
        Change::Broken => format!("{count} that are wrong here and right in {second}"),
        Change::StillWrong => format!("{count} that both runs get wrong"),
        Change::StillRight => format!("{count} that both runs get right"),
    };
    let query = Query { task: task.task, part: focus.part, among: Some(items), ..Query::default() };
    Action::Browse { query, title: Some(title) }
}
