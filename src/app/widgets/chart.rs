//! Line charts over epochs: train solid, validation dashed, one colour per curve, muted curves of
//! other runs behind them, vertical marks, and a readout of every curve at the epoch under the pointer.
//!
//! A chart shows what it is given; which curves are shown and what their colours mean is the view's.

use std::borrow::Cow;

use egui::{Align2, Color32, FontId, Pos2, Rangef, Rect, Response, Role, Stroke, Ui, WidgetInfo, pos2, vec2};
use egui_plot::{AxisHints, Line, LineStyle, Plot, PlotBounds, PlotPoints, PlotTransform, VLine};

use super::name::Name;
use crate::app::theme::icons;
use crate::app::theme::{self, GRID, TEXT_SMALL, Tokens};

mod scale;
pub use scale::{Scale, short_rate};

/// A point of a curve: the epoch (from 1) and the value.
pub type Point = [f64; 2];

/// One quantity of one run, as measured on the two splits.
#[derive(Clone, Debug)]
pub struct Curve<'a> {
    /// What the readout calls it.
    pub name: Cow<'a, str>,
    /// The colour of both lines.
    pub color: Color32,
    /// On the training images; a solid line.
    pub train: &'a [Point],
    /// On the validation images; a dashed line.
    pub validation: &'a [Point],
    /// Thin and pale: an earlier run.
    pub is_muted: bool,
}

/// What a vertical mark stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MarkKind {
    /// The epoch whose weights are kept.
    Best,
    /// The learning rate was reduced after this epoch.
    RateReduced,
    /// All layers learn from this epoch on, which only the heads did before.
    AllLayers,
}

/// A vertical line at an epoch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mark {
    /// The epoch (from 1).
    pub epoch: usize,
    /// What happened there.
    pub kind: MarkKind,
}

impl MarkKind {
    /// Its line, the same in the chart and in the legend.
    pub fn stroke(self, tokens: &Tokens) -> (Stroke, LineStyle) {
        match self {
            Self::Best => (Stroke::new(1.5, tokens.accent_text), LineStyle::Solid),
            Self::RateReduced => (Stroke::new(1.0, tokens.text_weak), LineStyle::Dotted { spacing: 4.0 }),
            Self::AllLayers => (Stroke::new(1.0, tokens.text_weak), LineStyle::Dashed { length: 4.0 }),
        }
    }
}

/// A chart with its title. See the module's docs.
#[must_use = "a chart shows itself with `ui()`"]
pub struct Chart<'a> {
    title: &'a str,
    scale: Scale,
    curves: Vec<Curve<'a>>,
    marks: &'a [Mark],
    height: f32,
    cursor: Option<usize>,
    about: &'a str,
}

impl<'a> Chart<'a> {
    /// An empty chart; the title also names it for screen readers.
    pub fn new(title: &'a str) -> Self {
        Self {
            title,
            scale: Scale::Number,
            curves: Vec::new(),
            marks: &[],
            height: 200.0,
            cursor: None,
            about: "",
        }
    }

    /// How values are laid out and written.
    pub fn scale(mut self, scale: Scale) -> Self {
        self.scale = scale;
        self
    }

    /// Adds a curve; the first ones are in front.
    pub fn curve(mut self, curve: Curve<'a>) -> Self {
        self.curves.push(curve);
        self
    }

    /// Vertical marks at epochs.
    pub fn marks(mut self, marks: &'a [Mark]) -> Self {
        self.marks = marks;
        self
    }

    /// Height of the whole widget, title included.
    pub fn height(mut self, height: f32) -> Self {
        self.height = height;
        self
    }

    /// An epoch to mark because the pointer is over it in a chart beside this one.
    pub fn cursor(mut self, epoch: Option<usize>) -> Self {
        self.cursor = epoch;
        self
    }

    /// What it shows, in a tooltip of its title.
    pub fn about(mut self, about: &'a str) -> Self {
        self.about = about;
        self
    }

    /// Shows it over the full width; returns the epoch under the pointer.
    pub fn ui(self, ui: &mut Ui) -> Option<usize> {
        let tokens = Tokens::of(ui.ctx());
        let bottom = ui.cursor().top() + self.height;
        self.title_ui(ui, tokens);
        let plot_height = (bottom - ui.cursor().top()).max(60.0);
        let shown = self.plot(tokens, plot_height).show(ui, |plot| {
            plot.set_plot_bounds(self.bounds());
            self.add_lines(plot, tokens);
        });
        let response = shown.response;
        let hovered_epoch = response
            .hover_pos()
            .map(|pointer| shown.transform.value_from_position(pointer).x)
            .and_then(|x| self.nearest_epoch(x));
        if let Some(epoch) = hovered_epoch.or(self.cursor) {
            self.paint_cursor(ui, tokens, &shown.transform, epoch);
        }
        if let Some(epoch) = hovered_epoch {
            self.readout_ui(ui, tokens, &response, epoch);
        }
        response.widget_info(|| {
            let mut info = WidgetInfo::labeled(Role::Image, true, format!("{} chart", self.title));
            info.current_text_value = Some(self.summary());
            info
        });
        hovered_epoch
    }

    /// The title, and the latest values of the first curve.
    fn title_ui(&self, ui: &mut Ui, tokens: &Tokens) {
        ui.horizontal(|ui| {
            let title = ui.label(theme::strong(self.title));
            if !self.about.is_empty() {
                ui.label(theme::caption(tokens, icons::INFO)).on_hover_text(self.about);
                title.on_hover_text(self.about);
            }
            let mut shown = self.curves.iter().filter(|curve| !curve.is_muted);
            let Some(first) = shown.next() else { return };
            let latest = |points: &[Point]| points.last().map(|point| self.scale.exact(point[1]));
            let text = match (latest(first.train), latest(first.validation)) {
                (Some(train), Some(validation)) => {
                    format!("{}  train {train}  validation {validation}", first.name)
                }
                (Some(value), None) | (None, Some(value)) => match shown.next() {
                    Some(_) => format!("{}  {value}", first.name),
                    None => value,
                },
                (None, None) => return,
            };
            ui.add(egui::Label::new(theme::caption(tokens, text)).truncate());
        });
    }

    fn plot<'p>(&self, tokens: &Tokens, height: f32) -> Plot<'p> {
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
            .x_grid_spacer(|input| scale::epoch_marks(&input))
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

    /// What is shown: all epochs, and the values of all curves with a little room.
    fn bounds(&self) -> PlotBounds {
        let points = || self.curves.iter().flat_map(|curve| curve.train.iter().chain(curve.validation));
        let last = points().map(|point| point[0]).fold(5.0, f64::max);
        let (low, high) = self.scale.range(points().map(|point| point[1]));
        let room = (last - 1.0) * 0.02;
        PlotBounds::from_min_max([1.0 - room, low], [last + room, high])
    }

    fn add_lines(&self, plot: &mut egui_plot::PlotUi<'_>, tokens: &Tokens) {
        for mark in self.marks {
            let (stroke, style) = mark.kind.stroke(tokens);
            plot.vline(VLine::new("", mark.epoch as f64).stroke(stroke).style(style).allow_hover(false));
        }
        // What is drawn last is in front.
        for curve in self.curves.iter().rev() {
            let (width, color) = match curve.is_muted {
                true => (1.0, curve.color.gamma_multiply(0.45)),
                false => (2.0, curve.color),
            };
            let splits =
                [(curve.train, LineStyle::Solid), (curve.validation, LineStyle::Dashed { length: 6.0 })];
            for (points, style) in splits {
                let points = PlotPoints::new(self.scale.line(points));
                plot.line(
                    Line::new("", points)
                        .color(color)
                        .width(width)
                        .style(style)
                        .allow_hover(false)
                        .allow_band(false),
                );
            }
        }
    }

    /// The epoch nearest to `x` that some curve has a value for.
    fn nearest_epoch(&self, x: f64) -> Option<usize> {
        self.curves
            .iter()
            .flat_map(|curve| curve.train.iter().chain(curve.validation))
            .map(|point| point[0])
            .min_by(|a, b| (a - x).abs().total_cmp(&(b - x).abs()))
            .map(|epoch| epoch as usize)
    }

    /// A line through the epoch and a dot on each curve.
    fn paint_cursor(&self, ui: &Ui, tokens: &Tokens, transform: &PlotTransform, epoch: usize) {
        let frame = *transform.frame();
        let painter = ui.painter().with_clip_rect(frame.expand(3.0));
        let x = transform.position_from_point_x(epoch as f64);
        painter.vline(x, frame.y_range(), Stroke::new(1.0, tokens.text_weak));
        for curve in self.curves.iter().filter(|curve| !curve.is_muted) {
            for points in [curve.train, curve.validation] {
                let Some(value) = value_at(points, epoch) else { continue };
                let y = transform.position_from_point_y(self.scale.place(value));
                painter.circle(pos2(x, y), 3.5, curve.color, Stroke::new(1.5, tokens.canvas));
            }
        }
    }

    fn readout_ui(&self, ui: &Ui, tokens: &Tokens, response: &Response, epoch: usize) {
        let mut tooltip = egui::Tooltip::always_open(
            ui.ctx().clone(),
            ui.layer_id(),
            response.id.with("readout"),
            egui::PopupAnchor::Pointer,
        );
        tooltip = tooltip.gap(16.0);
        tooltip.show(|ui| {
            ui.label(theme::strong(format!("Epoch {epoch}")));
            for mark in self.marks.iter().filter(|mark| mark.epoch == epoch) {
                ui.label(theme::caption(
                    tokens,
                    match mark.kind {
                        MarkKind::Best => "Best so far: these weights are kept",
                        MarkKind::RateReduced => "The learning rate was reduced after this epoch",
                        MarkKind::AllLayers => "All layers learn from this epoch on",
                    },
                ));
            }
            let has_validation = self.curves.iter().any(|curve| !curve.validation.is_empty());
            egui::Grid::new("values").num_columns(4).min_col_width(0.0).spacing(vec2(3.0 * GRID, GRID)).show(
                ui,
                |ui| {
                    if has_validation {
                        ui.label("");
                        ui.label("");
                        ui.label(theme::caption(tokens, "train"));
                        ui.label(theme::caption(tokens, "validation"));
                        ui.end_row();
                    }
                    for curve in &self.curves {
                        self.readout_row_ui(ui, tokens, curve, epoch, has_validation);
                    }
                },
            );
        });
    }

    fn readout_row_ui(&self, ui: &mut Ui, tokens: &Tokens, curve: &Curve<'_>, epoch: usize, both: bool) {
        let (train, validation) = (value_at(curve.train, epoch), value_at(curve.validation, epoch));
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
        if both {
            value_ui(validation);
        }
        ui.end_row();
    }

    /// The latest values in words, for screen readers and tests.
    fn summary(&self) -> String {
        let mut parts = Vec::new();
        let last = self.curves.iter().filter(|curve| !curve.is_muted);
        for curve in last {
            let splits = [("train", curve.train), ("validation", curve.validation)];
            for (split, points) in splits {
                if let Some([epoch, value]) = points.last() {
                    parts.push(format!(
                        "{} {split} {} at epoch {epoch}",
                        curve.name,
                        self.scale.exact(*value)
                    ));
                }
            }
        }
        if parts.is_empty() { "no values yet".to_owned() } else { parts.join(", ") }
    }
}

fn axis<'a>(hints: AxisHints<'a>, tokens: &Tokens) -> AxisHints<'a> {
    hints.tick_label_font(FontId::proportional(TEXT_SMALL)).tick_label_color(tokens.text_weak)
}

/// A small square in a curve's colour.
pub fn swatch(ui: &mut Ui, color: Color32) -> Rect {
    let (rect, _) = ui.allocate_exact_size(vec2(2.5 * GRID, 2.5 * GRID), egui::Sense::hover());
    ui.painter().rect_filled(rect, 2.0, color);
    rect
}

fn value_at(points: &[Point], epoch: usize) -> Option<f64> {
    // Epochs are whole and in order; a run may lack some (a task without labels).
    let index = points.binary_search_by(|point| point[0].total_cmp(&(epoch as f64))).ok()?;
    points.get(index).map(|point| point[1])
}

/// A short sample of a line with its meaning, for legends.
pub fn line_sample(ui: &mut Ui, stroke: Stroke, style: LineStyle, text: &str) -> Response {
    let tokens = Tokens::of(ui.ctx());
    let font = FontId::proportional(TEXT_SMALL);
    let galley = ui.painter().layout_no_wrap(text.to_owned(), font.clone(), tokens.text_weak);
    let width = 6.0 * GRID + GRID + galley.size().x;
    let (rect, response) = ui.allocate_exact_size(vec2(width, 5.0 * GRID), egui::Sense::hover());
    let (left, right) = (rect.left_center(), rect.left_center() + vec2(6.0 * GRID, 0.0));
    paint_sample(ui, left, right, stroke, style);
    ui.painter().text(right + vec2(GRID, 0.0), Align2::LEFT_CENTER, text, font, tokens.text_weak);
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, text));
    response
}

fn paint_sample(ui: &Ui, left: Pos2, right: Pos2, stroke: Stroke, style: LineStyle) {
    let painter = ui.painter();
    match style {
        LineStyle::Solid => {
            painter.line_segment([left, right], stroke);
        }
        LineStyle::Dashed { length } => {
            painter.extend(egui::Shape::dashed_line(&[left, right], stroke, length, length * 0.6));
        }
        LineStyle::Dotted { spacing } => {
            painter.extend(egui::Shape::dotted_line(&[left, right], stroke.color, spacing, stroke.width));
        }
    }
}
