//! How far the labelling is: a bar per task, and the rate.

use std::time::Duration;

use egui::{Rect, Role, Sense, Ui, WidgetInfo, vec2};
use tasklens_data::text::{duration, grouped};

use super::LabelView;
use crate::app::context::ViewContext;
use crate::app::theme::{self, GRID};
use crate::app::widgets::name::Name;

const NAME_WIDTH: f32 = 18.0 * GRID;

impl LabelView {
    /// Shows it.
    pub(super) fn progress_ui(&self, ui: &mut Ui, context: &ViewContext<'_>) {
        let Some(project) = context.project else { return };
        let tokens = context.tokens;
        let tasks = &project.dataset.tasks;
        ui.spacing_mut().interact_size.y = 4.0 * GRID;
        ui.spacing_mut().item_spacing.y = GRID;
        let mut left = 0;
        for task in self.tasks_in_question(tasks) {
            let counts = project.summary.labels.get(task);
            let counted: usize =
                counts.map_or(0, |counts| counts.iter().map(|count| count.used() + count.unused).sum());
            let other = [&project.summary.missing, &project.summary.not_applicable];
            let of = counted + other.map(|rows| rows.get(task).copied().unwrap_or(0)).iter().sum::<usize>();
            // The counts of the summary follow a little later; the user sees each label count at once.
            let labelled = project.dataset.answered(task).min(of);
            left += of - labelled;
            let share = if of == 0 { 0.0 } else { labelled as f32 / of as f32 };
            ui.horizontal(|ui| {
                ui.set_height(4.0 * GRID);
                ui.allocate_ui(vec2(NAME_WIDTH, 4.0 * GRID), |ui| {
                    ui.set_width(NAME_WIDTH);
                    Name::caption(tokens, &tasks[task].name).ui(ui);
                });
                let text = format!("{} of {}", grouped(labelled as u64), grouped(of as u64));
                let width = (ui.available_width() - 28.0 * GRID).max(10.0 * GRID);
                let (area, response) = ui.allocate_exact_size(vec2(width, 1.5 * GRID), Sense::hover());
                ui.painter().rect_filled(area, 3.0, tokens.track);
                let bar = Rect::from_min_size(area.min, vec2(area.width() * share, area.height()));
                ui.painter().rect_filled(bar, 3.0, tokens.task(task));
                response.widget_info(|| {
                    let name = format!("{}: {text} images labelled", tasks[task].name);
                    WidgetInfo::labeled(Role::ProgressIndicator, true, name)
                });
                ui.add(egui::Label::new(theme::caption(tokens, text)).extend());
            });
        }
        let text = match self.rate.per_minute() {
            Some(rate) if rate >= 1.0 && left > 0 => {
                let time = Duration::from_secs_f64(left as f64 / rate * 60.0);
                format!("{rate:.0} labels a minute, {} left at this rate", duration(time))
            }
            Some(rate) => format!("{rate:.0} labels a minute"),
            None => String::new(),
        };
        if !text.is_empty() {
            ui.label(theme::caption(tokens, text));
        }
    }
}
