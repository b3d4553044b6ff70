//! Line charts over epochs: train solid, validation dashed, one colour per curve, the loss of the batches thin behind
//! them, muted curves of other runs, vertical marks, and a readout of every curve at the epoch under the pointer.
//!
//! A chart shows what it is given; which curves are shown and what their colours mean is the view's.

use std::borrow::Cow;

use egui::{
    Align, Align2, Color32, FontId, Layout, Pos2, Rect, Response, Role, Stroke, Ui, WidgetInfo, vec2,
};
use egui_plot::LineStyle;

use crate::app::command::CommandSender;
use crate::app::theme::icons;
use crate::app::theme::{self, GRID, TEXT_SMALL, Tokens};

mod export;
mod lines;
mod readout;

pub use crate::app::services::figure::{Point, Scale, short_rate};

/// Height of the names of marks above the plot.
const MARKS: f32 = 4.0 * GRID;
/// A lower chart has no room for them.
const LOW: f32 = 120.0;

/// One quantity of one run, as measured on the two splits.
#[derive(Clone, Debug)]
pub struct Curve<'a> {
    /// What the readout calls it.
    pub name: Cow<'a, str>,
    /// The colour of its lines.
    pub color: Color32,
    /// On the training images; a solid line.
    pub train: &'a [Point],
    /// On the validation images; a dashed line.
    pub validation: &'a [Point],
    /// Thin and pale: an earlier run.
    pub is_muted: bool,
    /// Per batch of the training images, smoothed; a thin line.
    pub batches: &'a [Point],
    /// The same as it was; faint.
    pub each_batch: &'a [Point],
}

impl<'a> Curve<'a> {
    /// A curve without points.
    pub fn new(name: impl Into<Cow<'a, str>>, color: Color32) -> Self {
        let (name, empty) = (name.into(), &[][..]);
        Self {
            name,
            color,
            train: empty,
            validation: empty,
            is_muted: false,
            batches: empty,
            each_batch: empty,
        }
    }

    /// The points of whole epochs.
    fn epochs(&self) -> impl Iterator<Item = &'a Point> {
        self.train.iter().chain(self.validation)
    }
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
    /// Its line, the same in the chart and in the legend. It stands behind the data.
    pub fn stroke(self, tokens: &Tokens) -> (Stroke, LineStyle) {
        match self {
            Self::Best => (Stroke::new(1.0, tokens.accent_text), LineStyle::Dotted { spacing: 6.0 }),
            Self::RateReduced => (Stroke::new(1.0, tokens.text_weak), LineStyle::Dotted { spacing: 4.0 }),
            Self::AllLayers => (Stroke::new(1.0, tokens.text_weak), LineStyle::Dashed { length: 4.0 }),
        }
    }

    /// What stands above it; the others are explained by the legend alone.
    fn name(self) -> Option<&'static str> {
        (self == Self::Best).then_some("best")
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
    end: Option<f64>,
    waiting: &'a str,
    commands: Option<&'a CommandSender>,
    subject: &'a str,
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
            end: None,
            waiting: "",
            commands: None,
            subject: "",
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

    /// The epoch at which the horizontal axis ends; without one it is the last that has a value.
    pub fn end(mut self, end: f64) -> Self {
        self.end = Some(end);
        self
    }

    /// What stands in the plot as long as there are no values.
    pub fn waiting(mut self, waiting: &'a str) -> Self {
        self.waiting = waiting;
        self
    }

    /// Can be copied and saved, as a chart of this `subject`.
    pub fn actions(mut self, commands: &'a CommandSender, subject: &'a str) -> Self {
        (self.commands, self.subject) = (Some(commands), subject);
        self
    }

    /// Shows it over the full width; returns the epoch under the pointer.
    pub fn ui(self, ui: &mut Ui) -> Option<usize> {
        let tokens = Tokens::of(ui.ctx());
        let bottom = ui.cursor().top() + self.height;
        self.title_ui(ui, tokens);
        // The names of marks stand above the data, never on it.
        let has_names = self.height >= LOW && self.marks.iter().any(|mark| mark.kind.name().is_some());
        if has_names {
            ui.add_space(MARKS - ui.spacing().item_spacing.y);
        }
        let plot_height = (bottom - ui.cursor().top()).max(40.0);
        let shown = self.plot(tokens, plot_height).show(ui, |plot| {
            plot.set_plot_bounds(self.bounds());
            self.add_lines(plot, tokens);
        });
        let response = shown.response;
        if has_names {
            self.paint_names(ui, tokens, &shown.transform);
        }
        self.paint_waiting(ui, tokens, response.rect);
        // What can be chosen is not covered by what can be read.
        let is_free = !egui::Popup::is_any_open(ui.ctx());
        let pointed = response
            .hover_pos()
            .filter(|_| is_free)
            .map(|pointer| shown.transform.value_from_position(pointer).x)
            .and_then(|x| self.nearest(x));
        let hovered_epoch = pointed.and_then(readout::Pointed::epoch);
        if let Some(pointed) = pointed.or(self.cursor.map(readout::Pointed::Epoch)) {
            self.paint_cursor(ui, tokens, &shown.transform, pointed);
        }
        if let Some(pointed) = pointed {
            self.readout_ui(ui, tokens, &response, pointed);
        }
        self.context_menu(&response);
        response.widget_info(|| {
            let mut info = WidgetInfo::labeled(Role::Image, true, format!("{} chart", self.title));
            info.current_text_value = Some(self.summary());
            info
        });
        hovered_epoch
    }

    /// The title, the latest values of the first curve, and the menu.
    fn title_ui(&self, ui: &mut Ui, tokens: &Tokens) {
        ui.horizontal(|ui| {
            let title = ui.label(theme::strong(self.title));
            if !self.about.is_empty() {
                ui.label(theme::caption(tokens, icons::INFO)).on_hover_text(self.about);
                title.on_hover_text(self.about);
            }
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                self.menu_ui(ui);
                let text = self.latest();
                ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                    ui.add(egui::Label::new(theme::caption(tokens, text)).truncate());
                });
            });
        });
    }

    fn latest(&self) -> String {
        let mut shown = self.curves.iter().filter(|curve| !curve.is_muted);
        let Some(first) = shown.next() else { return String::new() };
        let latest = |points: &[Point]| points.last().map(|point| self.scale.exact(point[1]));
        match (latest(first.train), latest(first.validation), latest(first.batches)) {
            (Some(train), Some(validation), _) => {
                format!("{}  train {train}  validation {validation}", first.name)
            }
            (Some(value), None, _) | (None, Some(value), _) => match shown.next() {
                Some(_) => format!("{}  {value}", first.name),
                None => value,
            },
            (None, None, Some(batches)) => format!("{}  batches {batches}", first.name),
            (None, None, None) => String::new(),
        }
    }
}

/// A small square in a curve's colour.
pub fn swatch(ui: &mut Ui, color: Color32) -> Rect {
    let (rect, _) = ui.allocate_exact_size(vec2(2.5 * GRID, 2.5 * GRID), egui::Sense::hover());
    ui.painter().rect_filled(rect, 2.0, color);
    rect
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
