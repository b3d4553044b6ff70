//! Beside the large image: its path, what the network says in every task, and the rest of its row.

use egui::{Align, Button, Label, Layout, RichText, Ui, vec2};
use tasklens_data::dataset::{Dataset, ImageRow};

use super::{ImagesTab, ItemBasis};
use crate::app::command::AppCommand;
use crate::app::context::ViewContext;
use crate::app::services::project::ImageSource;
use crate::app::theme::icons;
use crate::app::theme::{self, GRID};
use crate::app::widgets::probability_bars::ProbabilityBars;

impl ImagesTab {
    pub(super) fn details_ui(
        &mut self,
        ui: &mut Ui,
        basis: &ItemBasis,
        item: usize,
        context: &ViewContext<'_>,
    ) {
        let tokens = context.tokens;
        let (dataset, row) = (&*basis.dataset, basis.inspection.rows[item]);
        let path = dataset.table.cell(row, dataset.columns.path);
        let shown = Label::new(theme::strong(theme::in_visual_order(&path))).wrap().selectable(true);
        ui.add(shown).widget_info(|| egui::WidgetInfo::labeled(egui::Role::Label, true, path.as_ref()));
        let part = basis.inspection.parts[item].name();
        let place = format!("line {} of the CSV \u{b7} {part}", dataset.table.line_of_row(row));
        ui.label(theme::caption(tokens, place));
        ui.add_space(2.0 * GRID);
        self.bars_ui(ui, basis, item, context);
        cells_ui(ui, dataset, row, context);
        self.actions_ui(ui, dataset, row, context);
    }

    /// Every task; a press on a label shows its heat map.
    fn bars_ui(&mut self, ui: &mut Ui, basis: &ItemBasis, item: usize, context: &ViewContext<'_>) {
        let target = self.heat.target(&basis.heat_subject(item, self.query.task));
        let target = target.filter(|_| self.heat.is_on);
        for (index, task) in basis.inspection.tasks.iter().enumerate() {
            let color = context.tokens.task(task.in_dataset.unwrap_or(index));
            let chosen = target.filter(|(task, _)| *task == index).map(|(_, label)| label as usize);
            let mut pressed = None;
            ProbabilityBars::new(&task.task.name, &task.task.labels, task.of(item), color)
                .truth(task.labels[item].map(|label| label as usize))
                .choose(chosen, &mut pressed)
                .ui(ui);
            if let Some(label) = pressed.and_then(|label| u32::try_from(label).ok()) {
                self.heat.choose(index, Some(label));
            }
            ui.add_space(4.0 * GRID);
        }
    }

    fn actions_ui(&mut self, ui: &mut Ui, dataset: &Dataset, row: usize, context: &ViewContext<'_>) {
        let Some(image) = dataset.rows.get(row).map(|row| &row.image) else { return };
        ui.horizontal_wrapped(|ui| {
            if ui.button(format!("{}  Open folder", icons::FOLDER_OPEN)).clicked() {
                context.commands.send(AppCommand::ShowInFolder(image.to_path_buf()));
            }
            if ui.button(format!("{}  Predict this image", icons::CROSSHAIR)).clicked() {
                context.commands.send(AppCommand::OpenImages(vec![ImageSource::Path(image.to_path_buf())]));
            }
            if ui.add(Button::new(format!("{}  Show in Data", icons::TABLE))).clicked() {
                context.commands.send(AppCommand::SelectRow(ImageRow::of(dataset, row)));
            }
        });
    }
}

/// What else the CSV says of the row.
fn cells_ui(ui: &mut Ui, dataset: &Dataset, row: usize, context: &ViewContext<'_>) {
    let others = |column: &usize| *column != dataset.columns.path && !dataset.columns.tasks.contains(column);
    let columns: Vec<usize> = (0..dataset.table.headers.len()).filter(others).collect();
    if columns.is_empty() {
        return;
    }
    ui.label(theme::strong("Other columns"));
    let name_width = (ui.available_width() * 0.35).round();
    ui.scope(|ui| {
        ui.spacing_mut().interact_size.y = 5.0 * GRID;
        ui.spacing_mut().item_spacing.y = GRID;
        for column in columns {
            ui.horizontal_top(|ui| {
                let size = vec2(name_width, 5.0 * GRID);
                let left = Layout::left_to_right(Align::Min);
                ui.allocate_ui_with_layout(size, left, |ui| {
                    ui.set_min_width(name_width);
                    let name = RichText::new(&dataset.table.headers[column]).color(context.tokens.text_weak);
                    ui.add(Label::new(name).truncate());
                });
                let cell = dataset.table.cell(row, column);
                ui.add(Label::new(RichText::new(cell)).wrap().selectable(true));
            });
        }
    });
    ui.add_space(4.0 * GRID);
}
