//! Rows of figures in columns that are painted rather than laid out: thousands of rows cost what is in sight,
//! figures stand flush right, and a row is one thing to press and to read aloud.

use egui::{
    Align2, Color32, FontFamily, FontId, Rangef, Rect, Response, Role, Sense, Ui, WidgetInfo, pos2, vec2,
};

use super::glossary::{Word, explain, mark_ui};
use super::name::shortened;
use crate::app::theme::icons;
use crate::app::theme::{self, GRID, RADIUS, TEXT_BODY, TEXT_SMALL, Tokens};

/// Space between two columns.
const GAP: f32 = 3.0 * GRID;

/// How wide a question mark is to press.
const MARK: f32 = 3.0 * GRID;

/// From the edge of a row to its text.
const EDGE: f32 = 2.0 * GRID;

/// Where the columns of a table are.
#[derive(Clone, Debug)]
pub struct Columns(Vec<Rangef>);

impl Columns {
    /// Columns within `x`, a little in from its ends: the least width of each, and how much of what is left over it takes beside the others.
    pub fn new(x: Rangef, columns: &[(f32, f32)]) -> Self {
        let x = Rangef::new(x.min + EDGE, x.max - EDGE);
        let least = Self::least(columns) - 2.0 * EDGE;
        let shares: f32 = columns.iter().map(|(_, share)| share).sum();
        let rest = (x.span() - least).max(0.0) / shares.max(1e-6);
        let mut left = x.min;
        Self(
            columns
                .iter()
                .map(|(least, share)| {
                    let range = Rangef::new(left.round(), (left + least + share * rest).round());
                    left += least + share * rest + GAP;
                    range
                })
                .collect(),
        )
    }

    /// The width that columns of these least widths need.
    pub fn least(columns: &[(f32, f32)]) -> f32 {
        columns.iter().map(|(least, _)| least + GAP).sum::<f32>() - GAP + 2.0 * EDGE
    }

    /// A cell of a row.
    pub fn cell(&self, row: Rect, column: usize) -> Rect {
        Rect::from_x_y_ranges(self.0.get(column).copied().unwrap_or(Rangef::NOTHING), row.y_range())
    }
}

/// A row over the full width, to be painted upon; `name` and `value` are what is read aloud.
pub fn row_ui(ui: &mut Ui, height: f32, here: bool, name: &str, value: &str) -> Response {
    let tokens = Tokens::of(ui.ctx());
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), height), Sense::click());
    response.widget_info(|| {
        let mut info = WidgetInfo::selected(Role::Button, true, here, name);
        info.current_text_value = Some(value.to_owned());
        info
    });
    if here || response.hovered() || response.has_focus() {
        let fill = if here { tokens.selected } else { tokens.card };
        ui.painter().rect_filled(rect, RADIUS, fill);
    }
    super::focus_ring(ui, &response);
    response
}

/// One line of text flush left, centred in height, ending in an ellipsis where there is no room.
pub fn text_left(ui: &Ui, cell: Rect, text: &str, color: Color32) {
    let galley = shortened(ui, text, FontId::proportional(TEXT_BODY), color, cell.width());
    ui.painter().galley(pos2(cell.left(), (cell.center().y - galley.size().y / 2.0).round()), galley, color);
}

/// A figure flush right, centred in height.
pub fn figure(ui: &Ui, cell: Rect, text: &str, color: Color32) {
    let font = FontId::proportional(TEXT_BODY);
    ui.painter().text(cell.right_center(), Align2::RIGHT_CENTER, text, font, color);
}

/// A figure flush right, and what it is to be seen beside below it.
pub fn two_figures(ui: &Ui, cell: Rect, text: &str, below: &str, color: Color32) {
    let tokens = Tokens::of(ui.ctx());
    let (font, small) = (FontId::new(TEXT_BODY, theme::medium()), FontId::proportional(TEXT_SMALL));
    let up = cell.right_center() - vec2(0.0, 2.0 * GRID);
    let down = cell.right_center() + vec2(0.0, 2.25 * GRID);
    ui.painter().text(up, Align2::RIGHT_CENTER, text, font, color);
    ui.painter().text(down, Align2::RIGHT_CENTER, below, small, tokens.text_weak);
}

/// The heading of a column of figures, or of names with `is_name`. Its response explains it on hover.
pub fn heading_ui(ui: &Ui, cell: Rect, name: &str, is_name: bool) -> Response {
    let response = ui.interact(cell, ui.scope_id().with(("column", name)), Sense::hover());
    response.widget_info(|| WidgetInfo::labeled(Role::ColumnHeader, true, name));
    paint_heading(ui, cell, name, is_name, response.hovered(), FontFamily::Proportional);
    response
}

/// As [`heading_ui`], for a word of the trade: a press leads to it in the glossary; `hint` is the column's own.
pub fn term_heading_ui(
    ui: &Ui,
    cell: Rect,
    name: &str,
    is_name: bool,
    (word, hint): (Word, &str),
) -> Response {
    let response = ui.interact(cell, ui.scope_id().with(("column", name)), Sense::click());
    let text = paint_heading(ui, cell, name, is_name, response.hovered(), FontFamily::Proportional);
    explain(ui, response, text, name, (word, hint))
}

/// A question mark that explains the word of a column of figures, whose heading has another use for a press.
pub fn heading_mark_ui(ui: &Ui, cell: Rect, name: &str, is_sorted: bool, word: Word) {
    let font = FontId::proportional(TEXT_SMALL);
    let text = ui.painter().layout_no_wrap(name.to_owned(), font, Color32::PLACEHOLDER);
    let caret = if is_sorted { 4.0 * GRID } else { 0.0 };
    let right = cell.right() - text.size().x - caret;
    let left = (right - MARK).max(cell.left() - GAP);
    mark_ui(ui, Rect::from_x_y_ranges(left..=left + MARK, cell.y_range()), word);
}

/// As [`heading_ui`], to be pressed: `sorted` says whether rows are sorted by it, and whether the greatest is first.
pub fn sort_heading_ui(ui: &Ui, cell: Rect, name: &str, is_name: bool, sorted: Option<bool>) -> Response {
    let response = ui.interact(cell, ui.scope_id().with(("column", name)), Sense::click());
    response.widget_info(|| {
        let state = sorted.map(|descending| if descending { "descending" } else { "ascending" });
        let mut info = WidgetInfo::labeled(Role::Button, true, name);
        info.current_text_value = state.map(str::to_owned);
        info
    });
    let lit = sorted.is_some() || response.hovered() || response.has_focus();
    let family = if sorted.is_some() { theme::medium() } else { FontFamily::Proportional };
    let _ = match sorted {
        Some(true) => paint_heading(ui, cell, &format!("{} {name}", icons::CARET_DOWN), is_name, lit, family),
        Some(false) => paint_heading(ui, cell, &format!("{} {name}", icons::CARET_UP), is_name, lit, family),
        None => paint_heading(ui, cell, name, is_name, lit, family),
    };
    super::focus_ring(ui, &response);
    response
}

/// Returns where the text is.
fn paint_heading(ui: &Ui, cell: Rect, text: &str, is_name: bool, lit: bool, family: FontFamily) -> Rect {
    let tokens = Tokens::of(ui.ctx());
    let color = if lit { tokens.text } else { tokens.text_weak };
    let galley = shortened(ui, text, FontId::new(TEXT_SMALL, family), color, cell.width());
    let x = if is_name { cell.left() } else { cell.right() - galley.size().x };
    let at = pos2(x, (cell.center().y - galley.size().y / 2.0).round());
    let place = Rect::from_min_size(at, galley.size());
    ui.painter().galley(at, galley, color);
    place
}
