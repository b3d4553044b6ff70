//! Typing a part of a label's name in place of looking for its key.

use egui::{Button, Key, Modifiers, Role, Stroke, StrokeKind, TextEdit, Ui, WidgetInfo};
use tasklens_data::config::Task;

use super::LabelView;
use super::actions::GivenLabel;
use super::panel::{LabelCounts, PressedLabel};
use crate::app::context::ViewContext;
use crate::app::ranking::best_first;
use crate::app::theme::icons;
use crate::app::theme::{self, GRID};

/// A label that is looked for.
#[derive(Debug, Default)]
pub struct LabelSearch {
    task: usize,
    text: String,
    /// Which of those found Enter takes.
    chosen: usize,
    is_open: bool,
}

impl LabelView {
    /// Opens the field for the task at hand.
    pub(super) fn find_label(&mut self, ui: &Ui) {
        // The text of the key that opened it is not for the field.
        ui.input_mut(|input| input.events.retain(|event| !matches!(event, egui::Event::Text(_))));
        self.panel.finding = Some(LabelSearch { task: self.task, ..LabelSearch::default() });
    }

    /// Another task is asked now: its labels are not those that were looked for.
    pub(super) fn forget_other_search(&mut self) {
        let task = self.task;
        self.panel.finding.take_if(|finding| finding.task != task);
    }

    /// Whether a label of this task is looked for.
    pub(super) fn is_finding(&self, task: usize) -> bool {
        self.panel.finding.as_ref().is_some_and(|finding| finding.task == task)
    }

    /// The button above the labels of a task that has many, and what is chosen now.
    pub(super) fn find_button_ui(
        &mut self,
        ui: &mut Ui,
        (index, task): (usize, &Task),
        rows: &[usize],
        counted: &LabelCounts,
        context: &ViewContext<'_>,
    ) {
        ui.horizontal(|ui| {
            let text =
                theme::caption(context.tokens, format!("{}  Find a label (/)", icons::MAGNIFYING_GLASS));
            let button = ui.add(Button::new(text).frame_when_inactive(false));
            button.widget_info(|| {
                WidgetInfo::labeled(Role::Button, true, format!("Find a label of {}", task.name))
            });
            if button.clicked() {
                self.panel.finding = Some(LabelSearch { task: index, ..LabelSearch::default() });
            }
            let answer = self.answer((index, task), rows, counted, context);
            let icon = if answer.is_suggested { icons::LIGHTNING } else { icons::TAG };
            let text = format!("{icon}  {}", answer.text);
            ui.add(egui::Label::new(theme::caption(context.tokens, text)).truncate());
        });
    }

    /// The field, and the labels that fit what is typed; returns the one that was taken.
    pub(super) fn find_ui(
        &mut self,
        ui: &mut Ui,
        (index, task): (usize, &Task),
        rows: &[usize],
        counted: &LabelCounts,
        context: &ViewContext<'_>,
    ) -> Option<PressedLabel> {
        let mut finding = self.panel.finding.take()?;
        let name = format!("Find a label of {}", task.name);
        let id = ui.make_persistent_id("find a label");
        let has_focus = ui.memory(|memory| memory.has_focus(id));
        // Used up here: the field would leave Enter to the images, and the arrows move no cursor.
        let pressed = |key| has_focus && ui.input_mut(|input| input.consume_key(Modifiers::NONE, key));
        let (down, up, is_taken) = (pressed(Key::ArrowDown), pressed(Key::ArrowUp), pressed(Key::Enter));
        let field = TextEdit::singleline(&mut finding.text).id(id).hint_text("Type a part, then Enter");
        let field = ui.add(field.desired_width(f32::INFINITY));
        field.widget_info(|| {
            let mut info = WidgetInfo::labeled(Role::TextInput, true, &name);
            info.current_text_value = Some(finding.text.clone());
            info
        });
        if !std::mem::replace(&mut finding.is_open, true) {
            field.request_focus();
        } else if field.lost_focus() || !field.has_focus() {
            return None;
        }
        let found = best_first(&finding.text, task.labels.iter().map(String::as_str));
        if field.changed() {
            finding.chosen = 0;
        }
        let last = found.len().saturating_sub(1);
        finding.chosen = (finding.chosen + usize::from(down)).saturating_sub(usize::from(up)).min(last);
        let mut taken = found.get(finding.chosen).copied().filter(|_| is_taken);
        ui.add_space(GRID);
        for (at, label) in found.iter().copied().enumerate() {
            let text = &task.labels[label];
            let row = self.label_ui(ui, (index, task), (label, text), rows, (counted, false), context);
            if at == finding.chosen {
                let stroke = Stroke::new(1.0, context.tokens.accent_text);
                ui.painter().rect_stroke(row.rect.shrink(1.0), 4.0, stroke, StrokeKind::Inside);
                if down || up || field.changed() {
                    ui.scroll_to_rect(row.rect, None);
                }
            }
            if row.clicked() {
                taken = Some(label);
            }
        }
        if found.is_empty() {
            ui.label(theme::caption(context.tokens, "No label fits. Escape leaves"));
        }
        match taken {
            Some(_) => field.surrender_focus(),
            None => self.panel.finding = Some(finding),
        }
        taken.map(|label| PressedLabel { task: index, label: GivenLabel::Label(label) })
    }
}
