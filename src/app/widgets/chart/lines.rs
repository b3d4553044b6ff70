//! What is drawn in the plot of a chart, and above it.

use egui::{Align2, FontId, Rangef, Rect, Stroke, Ui, pos2};
use egui_plot::{AxisHints, Line, LineStyle, Plot, PlotBounds, PlotPoints, PlotTransform, Points, VLine};

use super::{Chart, Curve, Point, Scale};
use crate::app::services::figure::epoch_marks;
use crate::app::theme::{GRID, TEXT_SMALL, Tokens};

const DASHED: LineStyle = LineStyle::Dashed { length: 6.0 };

impl Chart<'_> {
    pub(super) fn plot<'p>(&self, tokens: &Tokens, height: f32) -> Plot<'p> {
        let scale = self.scale;
        Plot::new(self.title)
            .height(height)
            .show_background(false)
            .show_x(false)
            .show_y(false)
            .allow_drag(false)
            .allow_scroll(false)
            .allow_zoom(false)
            .allow_axis_zoom_drag(false)
            .allow_boxed_zoom(false)
            .grid_color(tokens.line)
            .grid_spacing(24.0..=200.0)
            .x_grid_spacer(|input| epoch_marks(&input))
            .custom_x_axes(vec![
                axis(AxisHints::new_x(), tokens)
                    .label_spacing(Rangef::new(24.0, 40.0))
                    .formatter(|mark, _| format!("{:.0}", mark.value)),
            ])
            .y_grid_spacer(move |input| scale.marks(&input))
            .custom_y_axes(vec![
                axis(AxisHints::new_y(), tokens)
                    .min_thickness(44.0)
                    .formatter(move |mark, _| scale.axis_text(mark.value, mark.step_size)),
            ])
    }

    /// Where the horizontal axis ends.
    pub(super) fn last_epoch(&self) -> f64 {
        let all = self.curves.iter().flat_map(|curve| curve.epochs().chain(curve.batches));
        let last = all.map(|point| point[0]).fold(1.0, f64::max);
        self.end.map_or(last, |end| end.max(last))
    }

    /// What is shown: all epochs, and the values of all curves with a little room. Single batches may lie far outside.
    pub(super) fn bounds(&self) -> PlotBounds {
        let points = self.curves.iter().flat_map(|curve| curve.epochs().chain(curve.batches));
        let (low, high) = self.scale.range(points.map(|point| point[1]));
        let last = self.last_epoch();
        let room = last * 0.02;
        PlotBounds::from_min_max([-room, low], [last + room, high])
    }

    pub(super) fn add_lines(&self, plot: &mut egui_plot::PlotUi<'_>, tokens: &Tokens) {
        for mark in self.marks {
            let (stroke, style) = mark.kind.stroke(tokens);
            plot.vline(VLine::new("", mark.epoch as f64).stroke(stroke).style(style).allow_hover(false));
        }
        let has_epochs = self.curves.iter().any(|curve| !curve.is_muted && curve.epochs().next().is_some());
        // What is drawn last is in front.
        for curve in self.curves.iter().rev() {
            self.add_line(plot, curve, curve.each_batch, (0.75, 0.22, LineStyle::Solid));
        }
        for curve in self.curves.iter().rev() {
            let strength = if has_epochs { 0.55 } else { 1.0 };
            self.add_line(plot, curve, curve.batches, (1.2, strength, LineStyle::Solid));
            if let ([point], true) = (curve.batches, !has_epochs) {
                self.add_dots(plot, tokens, curve, std::slice::from_ref(point), true);
            }
        }
        for curve in self.curves.iter().rev() {
            let (width, strength) = if curve.is_muted { (1.0, 0.45) } else { (2.0, 1.0) };
            for (points, style) in [(curve.train, LineStyle::Solid), (curve.validation, DASHED)] {
                self.add_line(plot, curve, points, (width, strength, style));
                if !curve.is_muted && self.scale != Scale::Log {
                    self.add_dots(plot, tokens, curve, points, style == LineStyle::Solid);
                }
            }
        }
    }

    fn add_line(
        &self,
        plot: &mut egui_plot::PlotUi<'_>,
        curve: &Curve<'_>,
        points: &[Point],
        (width, strength, style): (f32, f32, LineStyle),
    ) {
        let line = Line::new("", PlotPoints::new(self.scale.line(points)));
        let line = line.color(curve.color.gamma_multiply(strength)).width(width).style(style);
        plot.line(line.allow_hover(false).allow_band(false));
    }

    /// A dot per epoch: filled, or a ring of the same size for validation.
    fn add_dots(
        &self,
        plot: &mut egui_plot::PlotUi<'_>,
        tokens: &Tokens,
        curve: &Curve<'_>,
        points: &[Point],
        is_filled: bool,
    ) {
        let radius = radius(points.len());
        let mut add = |color, radius| {
            let points = PlotPoints::new(points.to_vec());
            let dots = Points::new("", points).color(color).radius(radius).filled(true);
            plot.points(dots.allow_hover(false));
        };
        add(curve.color, radius);
        if !is_filled {
            add(tokens.panel, radius - 1.25);
        }
    }

    /// The names of marks, in the margin above the plot.
    pub(super) fn paint_names(&self, ui: &Ui, tokens: &Tokens, transform: &PlotTransform) {
        let frame = *transform.frame();
        for mark in self.marks {
            let Some(name) = mark.kind.name() else { continue };
            let (stroke, _) = mark.kind.stroke(tokens);
            let font = FontId::proportional(TEXT_SMALL);
            let galley = ui.painter().layout_no_wrap(name.to_owned(), font, stroke.color);
            let x = transform.position_from_point_x(mark.epoch as f64);
            let half = galley.size().x / 2.0;
            let middle = x.clamp(frame.left() + half, (frame.right() - half).max(frame.left() + half));
            let top = frame.top() - galley.size().y - 1.0;
            ui.painter().galley(pos2(middle - half, top), galley, stroke.color);
            ui.painter().vline(x, frame.top() - 2.0..=frame.top() + 2.0, Stroke::new(1.5, stroke.color));
        }
    }

    /// What is waited for.
    pub(super) fn paint_waiting(&self, ui: &Ui, tokens: &Tokens, plot: Rect) {
        let is_empty =
            self.curves.iter().all(|curve| curve.epochs().next().is_none() && curve.batches.is_empty());
        if !is_empty || self.waiting.is_empty() {
            return;
        }
        let font = FontId::proportional(TEXT_SMALL);
        let mut job = egui::text::LayoutJob::simple(
            self.waiting.to_owned(),
            font,
            tokens.text_weak,
            plot.width() * 0.8,
        );
        job.halign = egui::Align::Center;
        let galley = ui.painter().layout_job(job);
        let rect =
            Align2::CENTER_CENTER.anchor_size(plot.center(), galley.size()).expand2(egui::vec2(8.0, 4.0));
        ui.painter().rect_filled(rect, GRID, tokens.panel);
        ui.painter().galley(pos2(rect.center().x, rect.top() + 4.0), galley, tokens.text_weak);
    }
}

/// Of a dot: the fewer there are, the larger.
fn radius(points: usize) -> f32 {
    match points {
        0..=5 => 4.5,
        6..=20 => 3.5,
        21..=50 => 2.75,
        _ => 2.0,
    }
}

fn axis<'a>(hints: AxisHints<'a>, tokens: &Tokens) -> AxisHints<'a> {
    hints.tick_label_font(FontId::proportional(TEXT_SMALL)).tick_label_color(tokens.text_weak)
}
