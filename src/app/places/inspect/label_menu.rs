//! The menu of a label in the tables of Inspect, and what other places ask of it: the images that have a label.

use tasklens_net::evaluation::browse::{BrowseOrder, Query};

use super::{Action, InspectView};
use crate::app::command::{LabelAction, LabelName, Level};
use crate::app::context::ViewContext;

/// What is offered for a label of the network; what changes or shows the project's own needs that to have it, too.
pub fn offers(name: &LabelName, context: &ViewContext<'_>) -> Vec<LabelAction> {
    let is_in_project = context.project.is_some_and(|project| name.find(&project.dataset.tasks).is_some());
    let all = [
        LabelAction::ShowImages,
        LabelAction::ShowInLabel,
        LabelAction::ShowInData,
        LabelAction::Rename,
        LabelAction::CopyName,
    ];
    let needs_project = |action: &LabelAction| {
        matches!(action, LabelAction::ShowInLabel | LabelAction::ShowInData | LabelAction::Rename)
    };
    all.into_iter().filter(|action| is_in_project || !needs_project(action)).collect()
}

/// Does what was chosen in the menu; `query` finds the images that the label stands for there.
pub fn act(action: LabelAction, name: LabelName, query: Query, context: &ViewContext<'_>) -> Option<Action> {
    match action {
        LabelAction::ShowImages => Some(Action::Browse { query, title: None }),
        action => {
            action.send(name, context.commands);
            None
        }
    }
}

impl InspectView {
    /// Shows the images that have this label, once the run is read.
    pub fn show_label(&mut self, name: LabelName) {
        self.wanted_label = Some(name);
    }

    /// Leads to the images of the label that was asked for.
    pub(super) fn take_in_label(&mut self, context: &ViewContext<'_>) {
        let Some(loaded) = self.inspected.as_ref().and_then(|inspected| inspected.loaded.as_ref()) else {
            return;
        };
        if self.wanted.is_some() || loaded.inspection.is_empty() {
            return;
        }
        let Some(name) = self.wanted_label.take() else { return };
        let Some((task, label)) = name.find(loaded.inspection.tasks.iter().map(|items| &items.task)) else {
            let text = format!(
                "The network does not know the label {} of {}: it was added after the training.",
                name.label, name.task
            );
            context.commands.toast(Level::Info, text);
            return;
        };
        let query = Query {
            task,
            part: self.focus.part,
            actual: Some(label),
            order: BrowseOrder::Loss,
            descending: true,
            ..Query::default()
        };
        self.act(Action::Browse { query, title: None });
    }
}
