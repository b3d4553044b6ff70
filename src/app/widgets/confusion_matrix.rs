//! A confusion matrix: a row per true label, a column per predicted one, sums at the edges. Cells are coloured by
//! share, numbers stand where they fit, and a press on a cell, a label or a head says which images are wanted.
//! Only cells in sight are drawn: more labels than fit scroll under heads that stay.

use egui::{
    Color32, FontId, Rect, Response, Role, ScrollArea, Sense, Stroke, StrokeKind, Ui, UiBuilder, Vec2,
    WidgetInfo, pos2, vec2,
};
use tasklens_data::text::{grouped, whole_percent};
use tasklens_net::evaluation::confusion::{Confusion, Margins, Normalisation};

use crate::app::command::LabelAction;
use crate::app::theme::{self, GRID, TEXT_BODY, TEXT_SMALL, Tokens};
use edges::Frame;
use geometry::Geometry;

mod edges;
mod geometry;

/// A cell of this height has room for a share and a count.
const TWO_LINES: f32 = 9.0 * GRID;

/// How numbers are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum CellNumbers {
    /// Not at all: the cells are too small.
    None,
    /// Small, without a sign.
    Short,
    /// With the share in full.
    Full,
}

/// What was pressed; `None` is any label.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pick {
    /// The true label; `None` for a whole column.
    pub actual: Option<usize>,
    /// The predicted label; `None` for a whole row.
    pub predicted: Option<usize>,
}

/// What the menu of a label at the edge offers.
type Offers<'a> = &'a dyn Fn(usize) -> Vec<LabelAction>;

/// What is wanted of a matrix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MatrixWish {
    /// The images behind a cell, a label or a head.
    Images(Pick),
    /// What was chosen in the menu of a label or a head; with the images behind it.
    OfLabel(usize, LabelAction, Pick),
}

/// The matrix. See the module's docs.
#[must_use = "a matrix shows itself with `ui()`"]
pub struct ConfusionMatrix<'a> {
    labels: &'a [String],
    confusion: &'a Confusion,
    margins: Margins,
    order: Option<&'a [usize]>,
    normalisation: Normalisation,
    color: Color32,
    height: f32,
    offers: Option<Offers<'a>>,
}

impl<'a> ConfusionMatrix<'a> {
    /// Counts per label in their order, in the colour of their task.
    pub fn new(labels: &'a [String], confusion: &'a Confusion, color: Color32) -> Self {
        let margins = confusion.margins();
        let normalisation = Normalisation::None;
        Self { labels, confusion, margins, order: None, normalisation, color, height: 400.0, offers: None }
    }

    /// Another order of rows and columns: each label once.
    pub fn order(mut self, order: &'a [usize]) -> Self {
        self.order = Some(order);
        self
    }

    /// What the shares are of.
    pub fn normalisation(mut self, normalisation: Normalisation) -> Self {
        self.normalisation = normalisation;
        self
    }

    /// The height that it may take; it takes no more than its cells need.
    pub fn height(mut self, height: f32) -> Self {
        self.height = height;
        self
    }

    /// Labels at the edges have a menu, which offers this.
    pub fn offers(mut self, offers: Offers<'a>) -> Self {
        self.offers = Some(offers);
        self
    }

    /// Shows it, within the width there is.
    pub fn ui(self, ui: &mut Ui) -> Option<MatrixWish> {
        let tokens = Tokens::of(ui.ctx());
        let geometry = Geometry::new(ui, self.labels, self.height);
        let (all, _) = ui.allocate_exact_size(geometry.size, Sense::hover());
        let body = geometry.body(all);
        let content = geometry.cell * self.labels.len() as f32;
        let mut child = ui.new_child(UiBuilder::new().max_rect(body));
        let scrolled = ScrollArea::both().auto_shrink(false).show_viewport(&mut child, |ui, seen| {
            ui.set_min_size(content);
            self.cells_ui(ui, tokens, &geometry, seen)
        });
        let offset = scrolled.state.unclamped_offset();
        let hovered = self.hovered(ui, body, offset, geometry.cell);
        let frame = Frame { tokens, geometry, labels: self.labels.len(), all, offset, hovered };
        self.paint_captions(ui, &frame);
        let of_row = self.row_labels_ui(ui, &frame);
        let of_column = self.column_heads_ui(ui, &frame);
        self.paint_sums(ui, &frame);
        scrolled.inner.map(MatrixWish::Images).or(of_row).or(of_column)
    }

    /// The label that stands at a place.
    fn at(&self, place: usize) -> usize {
        self.order.and_then(|order| order.get(place)).copied().unwrap_or(place)
    }

    /// Row and column under the pointer.
    fn hovered(&self, ui: &Ui, body: Rect, offset: Vec2, cell: Vec2) -> Option<[usize; 2]> {
        let pointer = ui.ctx().pointer_latest_pos().filter(|_| ui.rect_contains_pointer(body))?;
        let at = (pointer - body.min + offset) / cell;
        let place = [at.y as usize, at.x as usize];
        place.iter().all(|place| *place < self.labels.len()).then_some(place)
    }

    fn cells_ui(&self, ui: &Ui, tokens: &Tokens, geometry: &Geometry, seen: Rect) -> Option<Pick> {
        let (origin, cell) = (ui.min_rect().min, geometry.cell);
        let most = self.confusion.cells().map(|(_, _, count)| count).max().unwrap_or(0);
        let numbers = self.numbers(ui, cell, most);
        let mut pick = None;
        let n = self.labels.len();
        for row in Geometry::in_sight(seen.y_range(), cell.y, n) {
            for column in Geometry::in_sight(seen.x_range(), cell.x, n) {
                let place = Rect::from_min_size(origin + vec2(column as f32, row as f32) * cell, cell);
                let (actual, predicted) = (self.at(row), self.at(column));
                self.paint_cell(ui, tokens, place, (actual, predicted), (most, numbers));
                let response = self.cell_response(ui, place, actual, predicted);
                if response.is_some_and(|response| self.respond(ui, tokens, response, actual, predicted)) {
                    pick = Some(Pick { actual: Some(actual), predicted: Some(predicted) });
                }
            }
        }
        pick
    }

    /// Cells with images can be pressed, and have a name; empty ones only explain themselves.
    fn cell_response(&self, ui: &Ui, place: Rect, actual: usize, predicted: usize) -> Option<Response> {
        let count = self.confusion.count(actual, predicted);
        let id = ui.scope_id().with((actual, predicted));
        if count == 0 {
            return ui.rect_contains_pointer(place).then(|| ui.interact(place, id, Sense::hover()));
        }
        let response = ui.interact(place, id, Sense::click());
        response.widget_info(|| {
            let (actual, predicted) = (&self.labels[actual], &self.labels[predicted]);
            WidgetInfo::labeled(Role::Button, true, format!("{actual} predicted as {predicted}: {count}"))
        });
        Some(response)
    }

    /// Whether the cell was pressed.
    fn respond(&self, ui: &Ui, tokens: &Tokens, response: Response, actual: usize, predicted: usize) -> bool {
        if response.gained_focus() {
            response.scroll_to_me(None);
        }
        if response.hovered() || response.has_focus() {
            let stroke = Stroke::new(2.0, tokens.accent_text);
            ui.painter().rect_stroke(response.rect, 2.0, stroke, StrokeKind::Inside);
        }
        let clicked = response.clicked();
        response.on_hover_ui(|ui| {
            ui.label(self.sentence(actual, predicted));
        });
        clicked
    }

    fn paint_cell(
        &self,
        ui: &Ui,
        tokens: &Tokens,
        place: Rect,
        labels: (usize, usize),
        (most, numbers): (usize, CellNumbers),
    ) {
        let (actual, predicted) = labels;
        let count = self.confusion.count(actual, predicted);
        let share = match self.normalisation {
            Normalisation::None => share(count, most),
            _ => self.share(actual, predicted),
        };
        // Even a single mistake is to be told from none.
        let fill = match count {
            0 => tokens.panel,
            _ => tokens.shade(self.color, 0.1 + 0.9 * share),
        };
        let inner = place.shrink(0.5);
        ui.painter().rect_filled(inner, 2.0, fill);
        if actual == predicted {
            let stroke = Stroke::new(1.0, tokens.text_weak);
            ui.painter().rect_stroke(inner, 2.0, stroke, StrokeKind::Inside);
        }
        if count > 0 {
            self.paint_numbers(ui, inner, count, share, numbers, theme::text_on(fill));
        }
    }

    /// The share, and below it the count, as far as there is room.
    fn paint_numbers(
        &self,
        ui: &Ui,
        cell: Rect,
        count: usize,
        share: f32,
        numbers: CellNumbers,
        color: Color32,
    ) {
        let number = grouped(count as u64);
        let (mut main, below) = match self.normalisation {
            Normalisation::None => (number, None),
            _ => (whole_percent(share), Some(number)),
        };
        let font = match numbers {
            CellNumbers::None => return,
            CellNumbers::Short => FontId::proportional(TEXT_SMALL),
            CellNumbers::Full => FontId::new(TEXT_BODY, theme::medium()),
        };
        if numbers == CellNumbers::Short {
            main = main.trim_end_matches(" %").to_owned();
        }
        let main = ui.painter().layout_no_wrap(main, font, color);
        let below = below.filter(|_| numbers == CellNumbers::Full && cell.height() >= TWO_LINES);
        let below =
            below.map(|text| ui.painter().layout_no_wrap(text, FontId::proportional(TEXT_SMALL), color));
        let height = main.size().y + below.as_ref().map_or(0.0, |below| below.size().y);
        let mut top = (cell.center().y - height / 2.0).round();
        for galley in std::iter::once(main).chain(below) {
            let size = galley.size();
            ui.painter().galley(pos2((cell.center().x - size.x / 2.0).round(), top), galley, color);
            top += size.y;
        }
    }

    /// How the numbers are written in cells of this size: all of them alike, so that a cell without one is empty.
    fn numbers(&self, ui: &Ui, cell: Vec2, most: usize) -> CellNumbers {
        let (full, short) = match self.normalisation {
            Normalisation::None => (grouped(most as u64), grouped(most as u64)),
            _ => ("100 %".to_owned(), ">99".to_owned()),
        };
        let fits = |text: String, font: FontId| {
            ui.painter().layout_no_wrap(text, font, self.color).size().x + 3.0 <= cell.x
        };
        if cell.y >= 5.0 * GRID && fits(full, FontId::new(TEXT_BODY, theme::medium())) {
            CellNumbers::Full
        } else if fits(short, FontId::proportional(TEXT_SMALL)) {
            CellNumbers::Short
        } else {
            CellNumbers::None
        }
    }

    /// Of the row's or the column's images; of the row's where nothing is normalised.
    fn share(&self, actual: usize, predicted: usize) -> f32 {
        let count = self.confusion.count(actual, predicted);
        match self.normalisation {
            Normalisation::Predicted => share(count, self.margins.predicted[predicted]),
            _ => share(count, self.margins.actual[actual]),
        }
    }

    /// What a cell says, in words.
    fn sentence(&self, actual: usize, predicted: usize) -> String {
        let count = self.confusion.count(actual, predicted);
        let percent = whole_percent(self.share(actual, predicted));
        let (from, to) = (&self.labels[actual], &self.labels[predicted]);
        let counted = if count == 0 { "None".to_owned() } else { grouped(count as u64) };
        let is = if count == 1 || count == 0 { "is" } else { "are" };
        match self.normalisation {
            Normalisation::Predicted => {
                let of = grouped(self.margins.predicted[predicted] as u64);
                format!("{counted} of {of} predicted as {to} {is} {from} ({percent})")
            }
            _ => {
                let of = grouped(self.margins.actual[actual] as u64);
                let what = if actual == predicted { "right".to_owned() } else { format!("taken for {to}") };
                format!("{counted} of {of} {from} {is} {what} ({percent})")
            }
        }
    }
}

fn share(count: usize, of: usize) -> f32 {
    if of == 0 { 0.0 } else { count as f32 / of as f32 }
}
