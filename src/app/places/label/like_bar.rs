//! Above the grid while it shows the images like one.

use egui::{RichText, Slider, Ui, WidgetInfo};

use super::LabelView;
use super::alike::Clarity;
use super::grid_bar::{back_ui, chosen_ui};
use crate::app::context::ViewContext;
use crate::app::theme::icons;
use crate::app::theme::{self, GRID, TEXT_SMALL};

/// The slider goes in such steps.
const STEP: f32 = 0.001;
/// A part of a step that rounding may cost.
const ROUNDING: f32 = 0.01;

impl LabelView {
    pub(super) fn like_bar_ui(&mut self, ui: &mut Ui, task: &str, count: usize, context: &ViewContext<'_>) {
        let tokens = context.tokens;
        ui.label(theme::strong(format!("Like this, without a label for {task}")));
        self.likeness_ui(ui);
        chosen_ui(ui, tokens, count);
        back_ui(ui, &mut self.grid);
        let clarity = self.grid.collector.found().and_then(|found| found.cut).map(|cut| cut.clarity);
        // In a line of its own.
        ui.end_row();
        match clarity {
            Some(Clarity::Blind) => {
                let text = format!(
                    "{}  Nearly all images look the same to this model, so no other is selected: train a \
                     network or choose another model, or select by hand",
                    icons::WARNING
                );
                ui.label(RichText::new(text).size(TEXT_SMALL).color(tokens.warning));
            }
            Some(Clarity::Even) => {
                let text = "There is no clear gap between images like this and others: check the last ones";
                ui.label(theme::caption(tokens, text));
            }
            Some(Clarity::Clear) | None => {}
        }
    }

    fn likeness_ui(&mut self, ui: &mut Ui) {
        // Down to a step, so that the slider leaves it as it is.
        let before = (self.grid.likeness() / STEP + ROUNDING).floor() * STEP;
        let mut likeness = before;
        ui.spacing_mut().slider_width = 32.0 * GRID;
        let slider = ui.add(Slider::new(&mut likeness, 0.0..=1.0).fixed_decimals(3).step_by(f64::from(STEP)));
        slider.widget_info(|| WidgetInfo::slider(true, f64::from(before), "Lowest similarity"));
        slider.on_hover_text("Lowest similarity. It begins where the gap is");
        if (likeness - before).abs() > STEP / 2.0 {
            self.grid.set_likeness(likeness);
        }
    }
}
