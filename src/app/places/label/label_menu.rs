//! The menu of a label in the panel, and what the other places ask of it: the images that have it.

use egui::{Response, Ui};
use tasklens_data::config::Task;

use super::LabelView;
use super::arrange::Which;
use super::panel::LabelCounts;
use crate::app::command::{LabelAction, LabelName};
use crate::app::context::ViewContext;
use crate::app::widgets::context_menu::{context_menu, menu_of};
use crate::app::widgets::label_menu::label_entries_ui;

const OFFERS: [LabelAction; 6] = [
    LabelAction::ShowImages,
    LabelAction::Rename,
    LabelAction::ChooseKey,
    LabelAction::CopyName,
    LabelAction::Inspect,
    LabelAction::ShowInData,
];

impl LabelView {
    /// Labels the images that have this label, whatever else they have, from now on.
    pub fn show_label(&mut self, name: &LabelName, tasks: &[Task]) {
        let (Some(filter), Some((task, _))) = (name.filter(tasks), name.find(tasks)) else { return };
        self.which = Which::All;
        self.show_filter(filter);
        self.task = task;
    }

    /// The menu of a label; `is_asked_by_key`: the menu key was pressed for it.
    pub(super) fn label_menu(
        &mut self,
        response: &Response,
        (index, task): (usize, &Task),
        (label, text): (usize, &str),
        is_asked_by_key: bool,
        context: &ViewContext<'_>,
    ) {
        let has_model = context.runs.current().is_some();
        let is_offered = |action: &LabelAction| *action != LabelAction::Inspect || has_model;
        let offers: Vec<LabelAction> = OFFERS.into_iter().filter(is_offered).collect();
        let content = |ui: &mut Ui| label_entries_ui(ui, &offers);
        let chosen = match is_asked_by_key {
            true => menu_of(response, true, content),
            false => context_menu(response, content),
        };
        let name = LabelName::new(&task.name, text);
        match (chosen.flatten(), context.project) {
            (Some(LabelAction::ShowImages), Some(project)) => self.show_label(&name, &project.dataset.tasks),
            (Some(LabelAction::ChooseKey), _) => {
                self.task = index;
                self.assigning = Some((index, label));
            }
            (Some(action), _) => action.send(name, context.commands),
            (None, _) => {}
        }
    }

    /// The label of the active task whose menu the menu key opens: the one that the rows have, else the one that is
    /// suggested, else the first. `None` where the key was not pressed.
    pub(super) fn label_of_menu_key(&mut self, rows: &[usize], counted: &LabelCounts) -> Option<usize> {
        if !std::mem::take(&mut self.panel.wants_menu) {
            return None;
        }
        let given = counted.counts.iter().position(|count| *count > 0);
        let suggested = || {
            let [row] = rows else { return None };
            self.suggestion(self.task, *row).map(|(label, _)| label as usize)
        };
        Some(given.or_else(suggested).unwrap_or(0))
    }
}
