//! What narrows rows or images: a text, and labels.

use egui::{Key, Role, TextEdit, Ui, Vec2, WidgetInfo};
use tasklens_data::dataset::filter::{Filter, TaskFilter};

use super::name::{self, Name};
use super::{DOES_NOT_APPLY, field_info};
use crate::app::services::project::Project;
use crate::app::theme::GRID;
use crate::app::theme::icons;

/// The field for a text; `is_wanted` puts the cursor into it. Escape empties it.
pub fn filter_text_ui(ui: &mut Ui, name: &str, text: &mut String, is_wanted: bool) {
    let width = (ui.available_width() * 0.4).clamp(40.0 * GRID, 75.0 * GRID);
    let field = TextEdit::singleline(text)
        .hint_text(format!("{}  Filter by path or label", icons::MAGNIFYING_GLASS))
        .margin(Vec2::new(8.0, 6.0))
        .desired_width(width);
    let field = ui.add(field);
    field.widget_info(|| field_info(text, name));
    if is_wanted {
        field.request_focus();
    }
    if field.lost_focus() && ui.input(|input| input.key_pressed(Key::Escape)) {
        text.clear();
    }
}

/// One menu for all tasks: any label, each label, or none.
pub fn labels_menu_ui(ui: &mut Ui, project: &Project, filter: &mut Filter) {
    let tasks = &project.dataset.tasks;
    let not_applicable = &project.summary.not_applicable;
    filter.tasks.resize(tasks.len(), TaskFilter::Any);
    let mut chosen: Vec<String> = tasks
        .iter()
        .zip(&filter.tasks)
        .filter_map(|(task, filter)| match filter {
            TaskFilter::Any => None,
            TaskFilter::Missing => Some(format!("no {}", task.name)),
            TaskFilter::DoesNotApply => Some(format!("{} does not apply", task.name)),
            TaskFilter::Label(class) => task.labels.get(*class as usize).cloned(),
        })
        .collect();
    if filter.lacks_a_label {
        chosen.push("a label is missing".to_owned());
    }
    if filter.has_problem {
        chosen.push("has a problem".to_owned());
    }
    let text = if chosen.is_empty() { "Any label".to_owned() } else { chosen.join(", ") };
    let menu = name::combo(ui, "label filter", &text, 36.0 * GRID).show_ui(ui, |ui| {
        if ui.selectable_label(chosen.is_empty(), "Any label").clicked() {
            *filter =
                Filter { text: std::mem::take(&mut filter.text), part: filter.part, ..Filter::default() };
        }
        ui.toggle_value(&mut filter.lacks_a_label, "A label is missing");
        ui.toggle_value(&mut filter.has_problem, "Has a problem");
        filter.tasks.resize(tasks.len(), TaskFilter::Any);
        for (index, (task, chosen)) in tasks.iter().zip(&mut filter.tasks).enumerate() {
            ui.separator();
            Name::strong(&task.name).at_most(name::widest_entry(ui)).ui(ui);
            for (class, label) in task.labels.iter().enumerate() {
                let this = TaskFilter::Label(u32::try_from(class).unwrap_or(u32::MAX));
                choice_ui(ui, chosen, this, label);
            }
            if not_applicable.get(index).is_some_and(|rows| *rows > 0) {
                choice_ui(ui, chosen, TaskFilter::DoesNotApply, DOES_NOT_APPLY);
            }
            choice_ui(ui, chosen, TaskFilter::Missing, &format!("no {}", task.name));
        }
    });
    menu.response.widget_info(|| WidgetInfo::labeled(Role::ComboBox, true, "Filter by label"));
}

fn choice_ui(ui: &mut Ui, chosen: &mut TaskFilter, this: TaskFilter, name: &str) {
    if name::entry_ui(ui, *chosen == this, name).clicked() {
        *chosen = if *chosen == this { TaskFilter::Any } else { this };
    }
}
