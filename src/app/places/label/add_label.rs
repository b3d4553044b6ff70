//! A label that is missing is added where it is missed.

use egui::{Button, Key, Role, TextEdit, Ui, WidgetInfo};
use tasklens_data::config::Task;
use tasklens_data::dataset::vocabulary::VocabularyChange;

use super::LabelView;
use crate::app::command::AppCommand;
use crate::app::context::ViewContext;
use crate::app::theme::icons;
use crate::app::theme::{self, GRID};

/// A label while it is typed.
#[derive(Debug)]
pub struct NewLabel {
    task: usize,
    text: String,
    is_new: bool,
}

impl LabelView {
    /// The button below the labels of a task, or the field to type the new one into.
    pub(super) fn add_label_ui(&mut self, ui: &mut Ui, index: usize, task: &Task, context: &ViewContext<'_>) {
        ui.add_space(0.5 * GRID);
        let Some(adding) = self.panel.adding.as_mut().filter(|adding| adding.task == index) else {
            let text = theme::caption(context.tokens, format!("{}  Add a label", icons::PLUS));
            let button = ui.add(Button::new(text).frame_when_inactive(false));
            button.widget_info(|| {
                WidgetInfo::labeled(Role::Button, true, format!("Add a label to {}", task.name))
            });
            if button.clicked() {
                self.panel.adding = Some(NewLabel { task: index, text: String::new(), is_new: true });
            }
            return;
        };
        let field = TextEdit::singleline(&mut adding.text).hint_text("New label, then Enter");
        let field = ui.add(field.desired_width(f32::INFINITY));
        let text = adding.text.trim().to_owned();
        let name = format!("New label of {}", task.name);
        field.widget_info(|| WidgetInfo::text_edit(true, "", text.as_str(), &name));
        if std::mem::take(&mut adding.is_new) {
            field.request_focus();
        } else if field.lost_focus() {
            let is_kept = ui.input(|input| input.key_pressed(Key::Enter)) && !text.is_empty();
            self.panel.adding = None;
            if is_kept {
                let change = VocabularyChange::AddLabel { task: task.name.clone(), label: text };
                context.commands.send(AppCommand::ChangeVocabulary(change));
            }
        }
    }
}
