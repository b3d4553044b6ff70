//! How to export the labels: as a CSV, as folders of images, or as JSON lines.

use egui::{Button, Checkbox, Id, Label, Modal, Role, ScrollArea, Ui, WidgetInfo};
use tasklens_data::dataset::Dataset;
use tasklens_data::dataset::export::{Form, Placing};
use tasklens_data::text::grouped;

use crate::app::theme::icons;
use crate::app::theme::{self, GRID, Tokens};
use crate::app::widgets::choice::{Choice, Segments};
use crate::app::widgets::{accent_button, dot_ui};

/// What is being chosen.
pub struct ExportForm {
    kind: ExportKind,
    placing: Placing,
    /// The tasks by name, and whether they are exported.
    tasks: Vec<(String, bool)>,
    /// The keyboard goes to the next step when the form appears.
    is_new: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ExportKind {
    Csv,
    Folders,
    JsonLines,
}

/// What the user did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExportAnswer {
    /// Nothing yet.
    Stay,
    /// Close the form.
    Leave,
    /// Export in this form.
    GoOn(Form),
}

impl ExportForm {
    /// All tasks, as a CSV unless chosen otherwise.
    pub fn new(dataset: &Dataset) -> Self {
        let tasks = dataset.tasks.iter().map(|task| (task.name.clone(), true)).collect();
        Self { kind: ExportKind::Csv, placing: Placing::default(), tasks, is_new: true }
    }

    /// What was chosen; `None` while it is nothing.
    fn form(&self) -> Option<Form> {
        match self.kind {
            ExportKind::Csv => Some(Form::Csv),
            ExportKind::JsonLines => Some(Form::JsonLines),
            ExportKind::Folders => {
                let chosen = self.tasks.iter().enumerate().filter(|(_, (_, is_chosen))| *is_chosen);
                let tasks: Vec<usize> = chosen.map(|(task, _)| task).collect();
                (!tasks.is_empty()).then_some(Form::Folders { tasks, placing: self.placing })
            }
        }
    }

    /// Asks over everything else. `pending` label edits are not in the CSV yet.
    pub fn ask(&mut self, ctx: &egui::Context, pending: usize) -> ExportAnswer {
        let tokens = Tokens::of(ctx);
        let frame = tokens.card_frame().inner_margin(20).corner_radius(theme::RADIUS + 4);
        let modal = Modal::new(Id::unique("export labels")).frame(frame).show(ctx, |ui| {
            ui.set_width((110.0 * GRID).min(ctx.content_rect().width() - 16.0 * GRID));
            self.ui(ui, tokens, pending)
        });
        let is_left = modal.should_close();
        match modal.inner {
            ExportAnswer::Stay if is_left => ExportAnswer::Leave,
            answer => answer,
        }
    }

    fn ui(&mut self, ui: &mut Ui, tokens: &Tokens, pending: usize) -> ExportAnswer {
        ui.label(theme::heading("Export labels"));
        ui.add_space(2.0 * GRID);
        let kinds = [
            Choice::new(ExportKind::Csv, "CSV", "Your CSV with the current labels"),
            Choice::new(
                ExportKind::Folders,
                "Folders",
                "One folder per label with its images, as most training tools expect",
            ),
            Choice::new(ExportKind::JsonLines, "JSON lines", "One line per image, for scripts"),
        ];
        Segments::new("Export as", &kinds).ui(ui, &mut self.kind);
        ui.add_space(2.0 * GRID);
        let what = match self.kind {
            ExportKind::Csv => "A copy of your CSV: other columns, their order and the delimiter are kept.",
            ExportKind::Folders => {
                "task/label/0001_name.jpg for each labelled image, in a new folder inside the one that you choose."
            }
            ExportKind::JsonLines => {
                "{\"image\": path, \"labels\": {task: label or null}, \"flag\": note or null} for each image."
            }
        };
        ui.add(Label::new(what).wrap());
        if self.kind == ExportKind::Folders {
            ui.add_space(2.0 * GRID);
            self.folders_ui(ui, tokens);
        }
        ui.add_space(2.0 * GRID);
        if pending > 0 {
            let is_one = pending == 1;
            let edits = if is_one { "label edit that is" } else { "label edits that are" };
            let text = format!("Includes {} {edits} not in the CSV yet.", grouped(pending as u64));
            ui.label(theme::caption(tokens, text));
        }
        self.footer_ui(ui, tokens)
    }

    /// Which tasks, and how.
    fn folders_ui(&mut self, ui: &mut Ui, tokens: &Tokens) {
        let placings = [
            Choice::new(
                Placing::HardLink,
                "Hard links",
                "They take no space and survive when the originals are moved",
            ),
            Choice::new(
                Placing::SymbolicLink,
                "Symbolic links",
                "They take no space and point to the originals",
            ),
            Choice::new(Placing::Copy, "Copies", "Separate files, to take elsewhere"),
        ];
        Segments::new("Images as", &placings).ui(ui, &mut self.placing);
        ui.add_space(GRID);
        // The window has as much room for the rest.
        let height = (ui.ctx().content_rect().height() - 75.0 * GRID).clamp(18.0 * GRID, 40.0 * GRID);
        ScrollArea::vertical().max_height(height).auto_shrink([false, true]).show(ui, |ui| {
            for (task, (name, is_chosen)) in self.tasks.iter_mut().enumerate() {
                ui.horizontal(|ui| {
                    dot_ui(ui, tokens, task);
                    let chosen = ui.add(Checkbox::new(is_chosen, name.as_str()));
                    chosen.widget_info(|| {
                        WidgetInfo::selected(Role::CheckBox, true, *is_chosen, name.as_str())
                    });
                });
            }
        });
    }

    fn footer_ui(&mut self, ui: &mut Ui, tokens: &Tokens) -> ExportAnswer {
        let mut answer = ExportAnswer::Stay;
        let form = self.form();
        if form.is_none() {
            let text = format!("{}  Choose at least one task.", icons::WARNING);
            ui.label(egui::RichText::new(text).color(tokens.warning));
        }
        ui.horizontal(|ui| {
            let next = match self.kind {
                ExportKind::Folders => "Choose a folder\u{2026}",
                ExportKind::Csv | ExportKind::JsonLines => "Choose a file\u{2026}",
            };
            let go_on = accent_button(ui, icons::EXPORT, next, form.is_some());
            if std::mem::take(&mut self.is_new) {
                go_on.request_focus();
            }
            if go_on.clicked()
                && let Some(form) = form
            {
                answer = ExportAnswer::GoOn(form);
            }
            if ui.add(Button::new("Cancel")).clicked() {
                answer = ExportAnswer::Leave;
            }
        });
        answer
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_chosen_tasks_become_folders_and_none_is_no_export() {
        let tasks = ["print", "sleeves"].map(|name| (name.to_owned(), true)).to_vec();
        let mut form = ExportForm { kind: ExportKind::Folders, placing: Placing::Copy, tasks, is_new: true };
        form.tasks[0].1 = false;
        assert_eq!(form.form(), Some(Form::Folders { tasks: vec![1], placing: Placing::Copy }));
        form.tasks[1].1 = false;
        assert_eq!(form.form(), None);
        form.kind = ExportKind::JsonLines;
        assert_eq!(form.form(), Some(Form::JsonLines));
    }
}
