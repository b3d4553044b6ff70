//! Labels that are probably wrong: accept the proposed label, keep the given one, or go on.
//!
//! The list is made once and stays while it is worked through, so that nothing jumps under the user's hands;
//! what was decided is read from the label edits, so that undo and a restart show it right. When the CSV is read
//! anew, each suspect stays with its image, wherever the row of that is then.

mod decisions;
mod detail;
mod headline;
mod list;
mod several;

use std::sync::Arc;

use egui::{Key, Modifiers, Ui};
use tasklens_data::dataset::Reading;
use tasklens_data::dataset::edits::{AnnotationSource, Step};
use tasklens_data::text::grouped;
use tasklens_data::work::KeepGoing;
use tasklens_net::evaluation::inspection::TaskItems;
use tasklens_net::evaluation::suspects::{self, TaskSuspects};
use tasklens_net::model::pretrained;
use tasklens_net::training::unseen;

use super::inspected_run::{InspectedRun, Loaded};
use super::search::{Search, Words};
use super::{Action, Focus};
use crate::app::command::{AppCommand, Level};
use crate::app::context::ViewContext;
use crate::app::services::label_edits::LabelEdits;
use crate::app::theme::icons;
use crate::app::theme::{self, GRID};
use crate::app::widgets::empty_place;
use decisions::{Decision, DecisionCounts, accept_several, change, decision, task_in};
use detail::SuspectAnswer;
use several::{Several, SeveralAnswer};

const WORDS: Words = Words {
    icon: icons::TAG,
    searching: (
        "Looking for labels that are probably wrong",
        "Small classifiers are trained on the network's features, each without a fifth of the rows, so that \
         every label is judged by a classifier that was not trained on it.",
    ),
    waiting: "The labels are checked when all images have been predicted.",
    again: "Look for label errors",
};

/// Below this width, the suspects stand below the one that is selected.
const WIDE: f32 = 170.0 * GRID;
/// How high their list is there.
const NARROW_LIST: f32 = 60.0 * GRID;

/// The tab.
#[derive(Default)]
pub struct IssuesTab {
    search: Search<Arc<Vec<TaskSuspects>>>,
    /// The reading of the CSV that the suspects' row numbers are of.
    reading: Option<Reading>,
    /// Whether rows have moved since the search, or gone.
    has_moved: bool,
    /// How many suspects have which decision.
    counts: Option<DecisionCounts>,
    /// Position in the list of the task in focus.
    selected: usize,
    of_task: usize,
    scroll_to_selected: bool,
    /// Several at once, while they are reviewed.
    several: Option<Several>,
}

impl IssuesTab {
    /// Shows the tab.
    pub fn ui(
        &mut self,
        ui: &mut Ui,
        inspected: &InspectedRun,
        loaded: &Loaded,
        focus: &Focus,
        context: &mut ViewContext<'_>,
    ) -> Option<Action> {
        if self.search.poll() {
            (self.reading, self.has_moved, self.several) = (None, false, None);
        }
        if self.search.is_due(inspected) {
            self.start(loaded, context);
        }
        if self.of_task != focus.task {
            (self.of_task, self.selected, self.several) = (focus.task, 0, None);
        }
        self.follow_rows(context);
        let items = loaded.inspection.tasks.get(focus.task)?;
        let all = self.search.found.clone();
        let Some(found) = all.as_ref().and_then(|found| found.get(focus.task)) else {
            if self.search.waiting_ui(ui, inspected, &WORDS) {
                self.start(loaded, context);
            }
            return None;
        };
        if found.suspects.is_empty() && self.has_moved {
            let text = "The CSV has changed since its labels were checked, and none of the suspects is left.";
            empty_place(ui, icons::TAG, "The rows have changed", text, |ui| {
                if ui.button(WORDS.again).clicked() {
                    self.start(loaded, context);
                }
            });
            return None;
        }
        if found.suspects.is_empty() {
            let text = format!(
                "None of the {} labels of {} clearly contradicts the network's out-of-sample probabilities.",
                grouped(found.rows as u64),
                items.task.name
            );
            let text = format!("{text} {}.", found.wrong.sentence());
            empty_place(ui, icons::CHECK_CIRCLE, "No label looks wrong", &text, |_| {});
            return None;
        }
        self.selected = self.selected.min(found.suspects.len() - 1);
        if let Some(several) = &mut self.several {
            match several.ui(ui, items, found, context) {
                SeveralAnswer::Stay => {}
                SeveralAnswer::Leave => self.several = None,
                SeveralAnswer::Accept(chosen) => {
                    self.several = None;
                    accept_several(&chosen, items, found, context);
                }
            }
            return None;
        }
        self.keys(ui, items, found, context);
        if ui.available_width() >= WIDE {
            self.summary_ui(ui, items, found, loaded, context);
            self.both_ui(ui, items, found, context);
        } else {
            let area = egui::ScrollArea::vertical().id_salt("suspect and list").auto_shrink(false);
            area.show(ui, |ui| {
                self.summary_ui(ui, items, found, loaded, context);
                self.narrow_ui(ui, items, found, context);
            });
        }
        None
    }

    /// The project may have been read anew: each suspect keeps its image, and gets the row that is about it now.
    fn follow_rows(&mut self, context: &ViewContext<'_>) {
        let (Some((dataset, _)), Some(found)) = (context.labels(), &self.search.found) else { return };
        if self.reading.as_ref() == Some(dataset.reading()) {
            return;
        }
        let renumbered: Vec<TaskSuspects> = found.iter().map(|found| found.renumbered(dataset)).collect();
        if renumbered != **found {
            self.has_moved = true;
            let image = |found: &[TaskSuspects], at: usize| {
                Some(found.get(self.of_task)?.suspects.get(at)?.of.image.clone())
            };
            let selected = image(found, self.selected);
            let left = renumbered.get(self.of_task).map_or(0, |found| found.suspects.len());
            let at = (0..left).find(|at| image(&renumbered, *at) == selected);
            self.selected = at.unwrap_or(self.selected);
            self.scroll_to_selected = true;
            self.several = None;
            self.search.found = Some(Arc::new(renumbered));
        }
        self.reading = Some(dataset.reading().clone());
        self.counts = None;
    }

    fn start(&mut self, loaded: &Loaded, context: &ViewContext<'_>) {
        self.selected = 0;
        let (inspection, dataset) = (Arc::clone(&loaded.inspection), Arc::clone(&loaded.dataset));
        let folder = loaded.store.folder().to_path_buf();
        let config = context.project.map(|project| project.config.clone());
        self.search.start(context.jobs.start("Looking for label errors", move |progress| {
            let mut unseen = |rows: &[usize], keep_going: &mut KeepGoing<'_>| {
                let Some(config) = &config else { return Ok(None) };
                unseen::features(config, &dataset, rows, &pretrained::cached, keep_going)
            };
            let found = suspects::find(&dataset, &inspection, &folder, &mut unseen, &mut |done, of| {
                progress.set(done as u64, of as u64);
                progress.keep_going()
            })?;
            Ok(found.map(Arc::new))
        }));
    }

    /// The decisions on the suspects of the task in focus.
    fn counts(
        &mut self,
        items: &TaskItems,
        found: &TaskSuspects,
        context: &ViewContext<'_>,
    ) -> DecisionCounts {
        let (task, version) = (self.of_task, context.edits.map_or(0, LabelEdits::version));
        if let Some(counts) = self.counts.filter(|counts| (counts.task, counts.version) == (task, version)) {
            return counts;
        }
        let mut suspects = [0; 4];
        for suspect in &found.suspects {
            suspects[decision(items, suspect, context) as usize] += 1;
        }
        *self.counts.insert(DecisionCounts { task, version, suspects })
    }

    fn summary_ui(
        &mut self,
        ui: &mut Ui,
        items: &TaskItems,
        found: &TaskSuspects,
        loaded: &Loaded,
        context: &ViewContext<'_>,
    ) {
        let counts = self.counts(items, found, context);
        ui.horizontal_wrapped(|ui| {
            ui.label(theme::strong(headline::headline(&found.wrong, counts.of(Decision::Open))));
            let text = format!(
                "{} accepted, {} kept, of {} suspects among {} labels",
                grouped(counts.of(Decision::Accepted)),
                grouped(counts.of(Decision::Kept)),
                grouped(found.suspects.len() as u64),
                grouped(found.rows as u64)
            );
            ui.add(egui::Label::new(theme::caption(context.tokens, text)).truncate()).on_hover_text(
                "Confident learning (Northcutt et al. 2021): each label is compared with probabilities from a \
                 classifier that was not trained on it. For training rows, classifiers on the network's \
                 features are fitted five times, each time without a fifth of the rows.",
            );
            if counts.of(Decision::Open) > 1 && self.several_button_ui(ui) {
                let is_open = |at: &usize| decision(items, &found.suspects[*at], context) == Decision::Open;
                let open = (0..found.suspects.len()).filter(is_open).collect();
                self.several = Some(Several::new(found, open));
            }
            let changed = counts.of(Decision::Accepted) + counts.of(Decision::Changed);
            if self.has_moved {
                let text = "The rows of the CSV have changed since";
                ui.label(theme::caption(context.tokens, text)).on_hover_text(
                    "These labels still belong to their images. Rows that were added to the CSV since have not \
                     been checked yet.",
                );
            }
            if (changed > 0 || self.has_moved) && !self.search.is_running() && ui.button("Search again").clicked() {
                self.start(loaded, context);
            }
        });
        verdict_ui(ui, found, context);
        ui.add_space(2.0 * GRID);
    }

    /// Whether several are to be reviewed at once.
    fn several_button_ui(&self, ui: &mut Ui) -> bool {
        let button = ui.button(format!("{}  Change several\u{2026}", icons::CHECK));
        button.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, "Change several labels"));
        let hint = "See all proposed labels in a grid, take out what is wrong, and change the rest at once";
        button.on_hover_text(hint).clicked()
    }

    fn both_ui(
        &mut self,
        ui: &mut Ui,
        items: &TaskItems,
        found: &TaskSuspects,
        context: &mut ViewContext<'_>,
    ) {
        let scroll = std::mem::take(&mut self.scroll_to_selected);
        let mut chosen = None;
        let width = (ui.available_width() * 0.4).clamp(70.0 * GRID, 120.0 * GRID);
        let panel = egui::Panel::left("suspects").exact_size(width).resizable(false);
        panel.frame(egui::Frame::new()).show(ui, |ui| {
            chosen = list::ui(ui, items, &found.suspects, self.selected, scroll, context);
        });
        egui::CentralPanel::no_frame()
            .frame(egui::Frame::new().inner_margin(egui::Margin { left: 16, ..egui::Margin::ZERO }))
            .show(ui, |ui| self.detail_ui(ui, items, found, true, context));
        self.selected = chosen.unwrap_or(self.selected);
    }

    /// One below the other.
    fn narrow_ui(
        &mut self,
        ui: &mut Ui,
        items: &TaskItems,
        found: &TaskSuspects,
        context: &mut ViewContext<'_>,
    ) {
        self.detail_ui(ui, items, found, false, context);
        ui.add_space(2.0 * GRID);
        let scroll = std::mem::take(&mut self.scroll_to_selected);
        let size = egui::vec2(ui.available_width(), NARROW_LIST);
        let chosen = ui.allocate_ui(size, |ui| {
            ui.set_max_height(NARROW_LIST);
            list::ui(ui, items, &found.suspects, self.selected, scroll, context)
        });
        self.selected = chosen.inner.unwrap_or(self.selected);
    }

    fn detail_ui(
        &mut self,
        ui: &mut Ui,
        items: &TaskItems,
        found: &TaskSuspects,
        scrolls: bool,
        context: &mut ViewContext<'_>,
    ) {
        let Some(suspect) = found.suspects.get(self.selected) else { return };
        let decision = decision(items, suspect, context);
        if let Some(answer) = detail::ui(ui, items, suspect, decision, scrolls, context) {
            self.answer(answer, items, found, context);
        }
    }

    /// A, K and S answer; up and down go from suspect to suspect.
    fn keys(&mut self, ui: &Ui, items: &TaskItems, found: &TaskSuspects, context: &ViewContext<'_>) {
        if ui.ctx().egui_wants_keyboard_input() {
            return;
        }
        let pressed = |key| ui.input_mut(|input| input.consume_key(Modifiers::NONE, key));
        let answers =
            [(Key::A, SuspectAnswer::Accept), (Key::K, SuspectAnswer::Keep), (Key::S, SuspectAnswer::Skip)];
        for (key, answer) in answers {
            if pressed(key) {
                self.answer(answer, items, found, context);
            }
        }
        let before = self.selected;
        if pressed(Key::ArrowDown) {
            self.selected = (self.selected + 1).min(found.suspects.len() - 1);
        }
        if pressed(Key::ArrowUp) {
            self.selected = self.selected.saturating_sub(1);
        }
        self.scroll_to_selected |= self.selected != before;
    }

    fn answer(
        &mut self,
        answer: SuspectAnswer,
        items: &TaskItems,
        found: &TaskSuspects,
        context: &ViewContext<'_>,
    ) {
        let (Some(suspect), Some((dataset, edits))) = (found.suspects.get(self.selected), context.labels())
        else {
            return;
        };
        let Some(task) = task_in(items, dataset) else { return };
        match change(answer, suspect, items, task, (dataset, edits)) {
            Ok(Some(change)) => {
                context
                    .commands
                    .send(AppCommand::Edit(Step::now(AnnotationSource::LabelIssue, vec![change])));
            }
            Ok(None) => {}
            Err(message) => {
                context.commands.toast(Level::Warning, message);
                return;
            }
        }
        // To the next that is open, from here on and then from the top.
        let count = found.suspects.len();
        let next = (1..count)
            .map(|step| (self.selected + step) % count)
            .find(|index| decision(items, &found.suspects[*index], context) == Decision::Open);
        self.selected = next.unwrap_or(self.selected);
        self.scroll_to_selected = true;
    }
}

/// How many labels are wrong, and what the list misses.
fn verdict_ui(ui: &mut Ui, found: &TaskSuspects, context: &ViewContext<'_>) {
    let verdict = egui::Label::new(theme::caption(context.tokens, found.sentence())).wrap();
    ui.add(verdict).on_hover_text(
        "Where the network is most confident, its own mistakes are rare, so most labels that it contradicts \
         there are wrong. The share is the one that best explains how often network and label differ, from the \
         least to the most confident prediction; 19 times in 20, such an interval contains the true share. \
         Mistakes that the network makes with high confidence count as wrong labels.",
    );
    if let Some(memorised) = &found.memorised {
        let text = format!("{}  {}", icons::WARNING, memorised.warning());
        ui.add(egui::Label::new(theme::caption(context.tokens, text).color(context.tokens.warning)).wrap());
    }
}
