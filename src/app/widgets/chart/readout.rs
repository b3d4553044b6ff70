//! The values under the pointer, and the latest ones in words.

use egui::{Response, Stroke, Ui, pos2, vec2};
use egui_plot::PlotTransform;

use super::{Chart, Curve, MarkKind, Point, swatch};
use crate::app::theme::{self, GRID, Tokens};
use crate::app::widgets::name::Name;

/// What the pointer is at.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Pointed {
    /// A whole epoch (from 1).
    Epoch(usize),
    /// Batches that end here, in epochs.
    Batches(f64),
}

impl Pointed {
    /// The epoch, if it is a whole one.
    pub(super) fn epoch(self) -> Option<usize> {
        match self {
            Self::Epoch(epoch) => Some(epoch),
            Self::Batches(_) => None,
        }
    }

    fn x(self) -> f64 {
        match self {
            Self::Epoch(epoch) => epoch as f64,
            Self::Batches(x) => x,
        }
    }

    fn text(self) -> String {
        match self {
            Self::Epoch(epoch) => format!("Epoch {epoch}"),
            Self::Batches(x) => {
                let (epoch, share) = (x.ceil().max(1.0), 1.0 - (x.ceil() - x));
                format!("Epoch {epoch:.0}, {:.0} % of its images", share * 100.0)
            }
        }
    }
}

impl Chart<'_> {
    /// The epoch nearest to `x` that some curve has a value for; within an epoch that is not over, the batches there.
    pub(super) fn nearest(&self, x: f64) -> Option<Pointed> {
        let nearest = |places: &mut dyn Iterator<Item = f64>| {
            places.min_by(|a, b| (a - x).abs().total_cmp(&(b - x).abs()))
        };
        let epoch = nearest(&mut self.curves.iter().flat_map(Curve::epochs).map(|point| point[0]));
        let batches = nearest(&mut self.curves.iter().flat_map(|curve| curve.batches).map(|point| point[0]));
        match (epoch, batches) {
            (Some(epoch), Some(batches))
                if (epoch - x).abs() > 0.5 && (batches - x).abs() < (epoch - x).abs() =>
            {
                Some(Pointed::Batches(batches))
            }
            (Some(epoch), _) => Some(Pointed::Epoch(epoch as usize)),
            (None, batches) => batches.map(Pointed::Batches),
        }
    }

    /// A line through the epoch and a dot on each curve.
    pub(super) fn paint_cursor(&self, ui: &Ui, tokens: &Tokens, transform: &PlotTransform, pointed: Pointed) {
        let frame = *transform.frame();
        let painter = ui.painter().with_clip_rect(frame.expand(3.0));
        let x = transform.position_from_point_x(pointed.x());
        painter.vline(x, frame.y_range(), Stroke::new(1.0, tokens.text_weak));
        for curve in self.curves.iter().filter(|curve| !curve.is_muted) {
            for value in values(curve, pointed).into_iter().flatten() {
                let y = transform.position_from_point_y(self.scale.place(value));
                painter.circle(pos2(x, y), 3.5, curve.color, Stroke::new(1.5, tokens.canvas));
            }
        }
    }

    pub(super) fn readout_ui(&self, ui: &Ui, tokens: &Tokens, response: &Response, pointed: Pointed) {
        let mut tooltip = egui::Tooltip::always_open(
            ui.ctx().clone(),
            ui.layer_id(),
            response.id.with("readout"),
            egui::PopupAnchor::Pointer,
        );
        tooltip = tooltip.gap(16.0);
        tooltip.show(|ui| {
            ui.label(theme::strong(pointed.text()));
            for mark in self.marks.iter().filter(|mark| Some(mark.epoch) == pointed.epoch()) {
                ui.label(theme::caption(
                    tokens,
                    match mark.kind {
                        MarkKind::Best => "Best so far: these weights are kept",
                        MarkKind::RateReduced => "The learning rate was reduced after this epoch",
                        MarkKind::AllLayers => "All layers learn from this epoch on",
                    },
                ));
            }
            let (first, both) = match pointed {
                Pointed::Batches(_) => ("batches, smoothed", true),
                Pointed::Epoch(_) => ("train", self.curves.iter().any(|curve| !curve.validation.is_empty())),
            };
            let grid = egui::Grid::new("values").num_columns(4).min_col_width(0.0);
            grid.spacing(vec2(3.0 * GRID, GRID)).show(ui, |ui| {
                if both {
                    ui.label("");
                    ui.label("");
                    ui.label(theme::caption(tokens, first));
                    if pointed.epoch().is_some() {
                        ui.label(theme::caption(tokens, "validation"));
                    }
                    ui.end_row();
                }
                for curve in &self.curves {
                    self.readout_row_ui(ui, tokens, curve, pointed, both);
                }
            });
        });
    }

    fn readout_row_ui(&self, ui: &mut Ui, tokens: &Tokens, curve: &Curve<'_>, pointed: Pointed, both: bool) {
        let [train, validation] = values(curve, pointed);
        if train.is_none() && validation.is_none() {
            return;
        }
        let alpha = if curve.is_muted { 0.45 } else { 1.0 };
        swatch(ui, curve.color.gamma_multiply(alpha));
        Name::new(&curve.name).at_most(60.0 * GRID).ui(ui);
        let mut value_ui = |value: Option<f64>| {
            let text = value.map_or("\u{2013}".to_owned(), |value| self.scale.exact(value));
            let color = if curve.is_muted { tokens.text_weak } else { tokens.text };
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                ui.label(egui::RichText::new(text).color(color));
            });
        };
        value_ui(train);
        if both && pointed.epoch().is_some() {
            value_ui(validation);
        }
        ui.end_row();
    }

    /// The latest values in words, for screen readers and tests.
    pub(super) fn summary(&self) -> String {
        let mut parts = Vec::new();
        for curve in self.curves.iter().filter(|curve| !curve.is_muted) {
            for (of, points) in [("train", curve.train), ("validation", curve.validation)] {
                if let Some([epoch, value]) = points.last() {
                    parts.push(format!("{} {of} {} at epoch {epoch}", curve.name, self.scale.exact(*value)));
                }
            }
            if let Some([epoch, value]) = curve.batches.last() {
                parts.push(format!(
                    "{} batches {} at epoch {epoch:.2}",
                    curve.name,
                    self.scale.exact(*value)
                ));
            }
        }
        match parts.is_empty() {
            false => parts.join(", "),
            true if !self.waiting.is_empty() => format!("no values yet: {}", self.waiting),
            true => "no values yet".to_owned(),
        }
    }
}

/// Of the training images, or of batches of them; and of the validation images.
fn values(curve: &Curve<'_>, pointed: Pointed) -> [Option<f64>; 2] {
    match pointed {
        Pointed::Epoch(epoch) => [curve.train, curve.validation].map(|points| value_at(points, epoch as f64)),
        Pointed::Batches(x) => [value_at(curve.batches, x), None],
    }
}

fn value_at(points: &[Point], x: f64) -> Option<f64> {
    // In order; a run may lack some epochs (a task without labels).
    let index = points.binary_search_by(|point| point[0].total_cmp(&x)).ok()?;
    points.get(index).map(|point| point[1])
}
