//! What helps where no model suggests labels.

use egui::Ui;

use super::LabelView;
use crate::app::command::UiCommand;
use crate::app::context::{TrainingState, ViewContext};
use crate::app::theme;
use crate::app::widgets::command_button;

impl LabelView {
    /// One line on what would help, and the network that can be trained at once.
    pub(super) fn advice_ui(&self, ui: &mut Ui, context: &ViewContext<'_>) {
        let Some(advice) = self.session.advice() else { return };
        ui.horizontal_wrapped(|ui| {
            if context.training == TrainingState::Idle {
                ui.label(theme::caption(context.tokens, advice));
                command_button(ui, context.commands, UiCommand::TrainFirst);
            } else {
                let text = "A network is being trained: it suggests labels here when it is done";
                ui.label(theme::caption(context.tokens, text));
            }
        });
    }
}
