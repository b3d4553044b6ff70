//! Above the grid: what is gathered in it, how sure or alike it must be, and what is done with it.

use egui::{Align, Button, Layout, RichText, Role, Slider, Ui, WidgetInfo};
use tasklens_data::text::{counted_grouped, grouped};

use super::LabelView;
use super::collect::Collection;
use super::grid::{Many, SIDES, TASKS};
use crate::app::context::ViewContext;
use crate::app::theme::icons;
use crate::app::theme::{self, GRID, Tokens};
use crate::app::widgets::glossary::{Word, explain};
use crate::app::widgets::name::Name;
use crate::app::widgets::toggle_glyph;

impl LabelView {
    pub(super) fn many_bar_ui(
        &mut self,
        ui: &mut Ui,
        rows: &[usize],
        has_drawer: bool,
        context: &ViewContext<'_>,
    ) {
        let (tokens, count) = (context.tokens, self.chosen_count());
        let task = context.project.and_then(|project| project.dataset.tasks.get(self.task));
        let task = task.map_or("", |task| task.name.as_str());
        let before = self.grid.collector.collection;
        ui.horizontal_wrapped(|ui| match before {
            Collection::Queue => self.queue_bar_ui(ui, rows, has_drawer, context),
            Collection::Like { .. } => self.like_bar_ui(ui, task, count, context),
            Collection::Sure { task: of, .. } => {
                let text = format!("Suggestions for {task} of at least");
                let name = Name::strong(&text).sense(egui::Sense::click()).ui(ui);
                let place = name.rect;
                explain(ui, name, place, &text, (Word::Confidence, ""));
                let mut threshold = self.grid.threshold;
                slider_ui(ui, "Lowest probability", &mut threshold, 0.5..=1.0);
                self.grid.threshold = threshold;
                self.grid.collector.collection = Collection::Sure { task: of, threshold };
                let text = format!("Accept {}", counted_grouped(count, "suggestion"));
                let look = RichText::new(format!("{}  {text}", icons::CHECK)).color(tokens.on_accent);
                let is_enabled = count > 0 && !self.grid.grid.selection().is_empty();
                let button = ui.add_enabled(is_enabled, Button::new(look).fill(tokens.accent));
                button.widget_info(|| WidgetInfo::labeled(Role::Button, is_enabled, &text));
                if button.on_hover_text("Images that are not ticked stay unlabelled (Enter)").clicked() {
                    self.accept_chosen(context);
                }
                back_ui(ui, &mut self.grid);
                ui.label(theme::caption(tokens, "A click or Space takes an image out"));
            }
        });
        if self.grid.collector.collection != before
            && let Collection::Sure { task, .. } = self.grid.collector.collection
        {
            self.task = task;
        }
    }

    fn queue_bar_ui(&mut self, ui: &mut Ui, rows: &[usize], has_drawer: bool, context: &ViewContext<'_>) {
        let tokens = context.tokens;
        if has_drawer {
            self.grid.drawer.button_ui(ui, TASKS);
        }
        let has_task = self.session.suggestions().is_some_and(|all| all.has_task(self.task));
        let has_features = self.session.suggestions().is_some_and(|all| !all.features().is_empty());
        let one = if let [row] = rows { Some(*row) } else { None };
        let is_like = has_features && one.is_some();
        let like = ui.add_enabled(is_like, Button::new("All like this"));
        let why = "Select one image to gather those that look most like it to the network";
        if like.on_hover_text(why).on_disabled_hover_text(why).clicked()
            && let Some(row) = one
        {
            self.grid.gather(Collection::Like { row, task: self.task });
        }
        let review = ui.add_enabled(has_task, Button::new("Review suggestions"));
        let why =
            "See what the model is confident about, take out what is wrong, and accept the rest at once";
        if review.on_hover_text(why).on_disabled_hover_text(format!("{why}. It needs a model")).clicked() {
            let threshold = self.grid.threshold;
            self.grid.gather(Collection::Sure { task: self.task, threshold });
        }
        self.lasso_ui(ui);
        chosen_ui(ui, tokens, self.chosen_count());
        // Where it does not fit beside the rest, it stands below.
        let is_beside = ui.available_size_before_wrap().x >= 27.0 * GRID;
        let layout = if is_beside { Layout::right_to_left(Align::Center) } else { *ui.layout() };
        if !is_beside {
            ui.end_row();
        }
        ui.with_layout(layout, |ui| {
            ui.spacing_mut().slider_width = 24.0 * GRID;
            let side = &mut self.grid.side;
            let slider = ui.add(Slider::new(side, SIDES).show_value(false));
            slider.widget_info(|| WidgetInfo::slider(true, f64::from(*side), "Size of the images"));
            slider.on_hover_text("Size of the images");
        });
    }
}

impl LabelView {
    fn lasso_ui(&mut self, ui: &mut Ui) {
        let grid = &mut self.grid.grid;
        let hint = "Drag a line around the images that you mean (Alt+drag); Control adds to the selection";
        if toggle_glyph(ui, icons::LASSO, "Lasso", grid.draws_around).on_hover_text(hint).clicked() {
            grid.draws_around = !grid.draws_around;
        }
    }
}

fn slider_ui(ui: &mut Ui, name: &str, value: &mut f32, range: std::ops::RangeInclusive<f32>) {
    ui.spacing_mut().slider_width = 32.0 * GRID;
    let shown = *value;
    let slider = ui.add(Slider::new(value, range).fixed_decimals(2).step_by(0.01));
    slider.widget_info(|| WidgetInfo::slider(true, f64::from(shown), name));
    slider.on_hover_text(name);
}

pub(super) fn chosen_ui(ui: &mut Ui, tokens: &Tokens, count: usize) {
    let text = format!("{} selected", grouped(count as u64));
    ui.add(egui::Label::new(theme::caption(tokens, text)).extend());
}

pub(super) fn back_ui(ui: &mut Ui, grid: &mut Many) {
    if ui
        .button(format!("{}  Back", icons::ARROW_LEFT))
        .on_hover_text("Back to all images (Escape)")
        .clicked()
    {
        grid.leave();
    }
}
