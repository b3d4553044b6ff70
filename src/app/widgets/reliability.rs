//! A reliability diagram: per range of confidence how many predictions are right, beside the diagonal on which
//! they would be if the network's certainty were true, and how many images each range has.

use egui::{Align2, Color32, FontId, Rect, Role, Sense, Shape, Stroke, Ui, WidgetInfo, pos2, vec2};
use tasklens_data::text::{counted_grouped, grouped, percent};
use tasklens_net::evaluation::scores::{Calibration, CalibrationBin};

use crate::app::theme::{GRID, TEXT_SMALL, Tokens};

/// Room for the numbers of the axis at the left.
const AXIS: f32 = 12.0 * GRID;
/// Height of the numbers of the axis at the bottom.
const FOOT: f32 = 5.0 * GRID;
/// Height of the counts.
const COUNTS: f32 = 11.0 * GRID;
/// A range with fewer images says little, and is paler.
const FEW: usize = 10;

/// The diagram. See the module's docs.
#[must_use = "a diagram shows itself with `ui()`"]
pub struct ReliabilityDiagram<'a> {
    calibration: &'a Calibration,
    color: Color32,
    height: f32,
}

impl<'a> ReliabilityDiagram<'a> {
    /// A diagram in the colour of its task.
    pub fn new(calibration: &'a Calibration, color: Color32) -> Self {
        Self { calibration, color, height: 60.0 * GRID }
    }

    /// Height of the whole widget.
    pub fn height(mut self, height: f32) -> Self {
        self.height = height;
        self
    }

    /// Shows it over the full width.
    pub fn ui(self, ui: &mut Ui) {
        let (all, _) = ui.allocate_exact_size(vec2(ui.available_width(), self.height), Sense::hover());
        let plot = Rect::from_min_max(
            pos2(all.left() + AXIS, all.top() + 2.0 * GRID),
            pos2(all.right() - 2.0 * GRID, all.bottom() - FOOT - COUNTS),
        );
        let counts =
            Rect::from_min_max(pos2(plot.left(), plot.bottom() + FOOT), pos2(plot.right(), all.bottom()));
        if plot.width() <= 0.0 || plot.height() <= 0.0 {
            return;
        }
        let tokens = Tokens::of(ui.ctx());
        paint_axes(ui, tokens, plot);
        let most = self.calibration.bins.iter().map(|bin| bin.rows).max().unwrap_or(0).max(1);
        for bin in self.calibration.bins.iter().filter(|bin| bin.rows > 0) {
            let x = |share: f64| plot.left() + plot.width() * share as f32;
            let column = Rect::from_x_y_ranges(x(bin.low)..=x(bin.high), plot.top()..=counts.bottom());
            let name = sure(bin);
            let response = ui.interact(column, ui.scope_id().with(("bin", &name)), Sense::hover());
            let said = right(bin);
            response.widget_info(|| {
                let mut info = WidgetInfo::labeled(Role::ProgressIndicator, true, &name);
                info.current_text_value = Some(said.clone());
                info
            });
            if response.hovered() {
                ui.painter().rect_filled(column, 0.0, tokens.card_hovered.gamma_multiply(0.5));
            }
            self.paint_bin(ui, tokens, plot, bin);
            paint_count(ui, tokens, counts.intersect(column), bin.rows, most);
            response.on_hover_text(format!("{name}: {said}"));
        }
        paint_diagonal(ui, tokens, plot);
    }

    /// The bar, the 95 % interval of its height, and a dot where confidence and accuracy meet.
    fn paint_bin(&self, ui: &Ui, tokens: &Tokens, plot: Rect, bin: &CalibrationBin) {
        let (Some(accuracy), Some(confidence)) = (bin.accuracy, bin.confidence) else { return };
        let at = |x: f64, y: f64| {
            pos2(plot.left() + plot.width() * x as f32, plot.bottom() - plot.height() * y as f32)
        };
        let bar = Rect::from_two_pos(at(bin.low, 0.0), at(bin.high, accuracy.value)).shrink2(vec2(1.0, 0.0));
        let alpha = if bin.rows < FEW { 0.3 } else { 0.6 };
        ui.painter().rect_filled(bar, 1.0, self.color.gamma_multiply(alpha));
        let whisker = [at(confidence, accuracy.low), at(confidence, accuracy.high)];
        ui.painter().line_segment(whisker, Stroke::new(1.0, tokens.text));
        ui.painter().circle_filled(at(confidence, accuracy.value), 3.0, tokens.text);
    }
}

fn paint_axes(ui: &Ui, tokens: &Tokens, plot: Rect) {
    let font = FontId::proportional(TEXT_SMALL);
    for quarter in 0..=4 {
        let share = quarter as f32 / 4.0;
        let (x, y) = (plot.left() + plot.width() * share, plot.bottom() - plot.height() * share);
        ui.painter().hline(plot.x_range(), y.round() + 0.5, Stroke::new(1.0, tokens.line));
        let text = format!("{} %", quarter * 25);
        ui.painter().text(
            pos2(plot.left() - 2.0 * GRID, y),
            Align2::RIGHT_CENTER,
            &text,
            font.clone(),
            tokens.text_weak,
        );
        // The corner has its zero already.
        if quarter == 0 {
            continue;
        }
        let align = if quarter == 4 { Align2::RIGHT_TOP } else { Align2::CENTER_TOP };
        let edge = if quarter == 4 { 2.0 * GRID } else { 0.0 };
        ui.painter().text(pos2(x + edge, plot.bottom() + 3.0), align, text, font.clone(), tokens.text_weak);
    }
}

fn paint_diagonal(ui: &Ui, tokens: &Tokens, plot: Rect) {
    let line = [plot.left_bottom(), plot.right_top()];
    ui.painter().extend(Shape::dashed_line(&line, Stroke::new(1.0, tokens.text_weak), 5.0, 3.0));
}

/// A bar that hangs from the axis, and the number where there is room.
fn paint_count(ui: &Ui, tokens: &Tokens, area: Rect, rows: usize, most: usize) {
    let area = area.shrink2(vec2(1.0, 0.0));
    let font = FontId::proportional(TEXT_SMALL);
    let number = ui.painter().layout_no_wrap(grouped(rows as u64), font, tokens.text_weak);
    let fits = number.size().x <= area.width() + 1.0;
    let room = area.height() - if fits { number.size().y + 2.0 } else { 0.0 };
    let bar = area.with_max_y(area.top() + (room * rows as f32 / most as f32).max(1.0));
    ui.painter().rect_filled(bar, 1.0, tokens.text_weak.gamma_multiply(0.5));
    if fits {
        let at = pos2(area.center().x - number.size().x / 2.0, bar.bottom() + 1.0);
        ui.painter().galley(at, number, tokens.text_weak);
    }
}

fn sure(bin: &CalibrationBin) -> String {
    format!("Confidence {:.0} % to {:.0} %", bin.low * 100.0, bin.high * 100.0)
}

fn right(bin: &CalibrationBin) -> String {
    let images = counted_grouped(bin.rows, "image");
    let Some(accuracy) = bin.accuracy else { return images };
    format!(
        "{images}, {} right (95 % interval: {:.0} % to {:.0} %)",
        percent(accuracy.value),
        accuracy.low * 100.0,
        accuracy.high * 100.0
    )
}
