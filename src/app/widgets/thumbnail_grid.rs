//! A grid of thumbnails: only the rows in sight exist, so a million items scroll as ten do.
//!
//! The grid knows positions and pictures; what an item is, what stands below its picture and what opening
//! it means is its owner's. One item or many can be chosen, with the keys and the mouse.

mod caption;
mod keys;
mod lasso;
mod layout;
mod selection;

use std::ops::Range;
use std::path::Path;

use egui::{
    Align2, EventFilter, FontId, Id, Rect, Response, Role, ScrollArea, Sense, Stroke, StrokeKind, Ui, Vec2,
    WidgetInfo, vec2,
};

pub use caption::CaptionLine;
pub use keys::keys_are_free;
use lasso::Lasso;
use layout::Layout;
pub use selection::Selection;

use super::{fit, focus_ring};
use crate::app::services::thumbnails::{Thumbnail, Thumbnails, side_for};
use crate::app::theme::icons;
use crate::app::theme::in_visual_order;
use crate::app::theme::{GRID, RADIUS, Tokens};

/// What a grid shows; asked only about positions in sight.
pub trait GridItems {
    /// Number of items.
    fn count(&self) -> usize;
    /// The image file of an item.
    fn image(&self, position: usize) -> Option<&Path>;
    /// The accessible name, also the tooltip.
    fn name(&self, position: usize) -> String;
    /// Paints what stands below the picture.
    fn caption_ui(&self, ui: &Ui, tokens: &Tokens, area: Rect, position: usize);
    /// What a right click on an item shows; nothing where its owner has no menu.
    fn menu_ui(&self, _cell: &Response, _position: usize) {}
}

/// What a grid remembers from frame to frame.
#[derive(Clone, Debug, Default)]
pub struct GridState {
    /// Where the keys are.
    cursor: Option<usize>,
    /// Where a range begins.
    anchor: Option<usize>,
    selection: Selection,
    /// The cursor was moved: it must be in sight.
    follows: bool,
    /// A press takes an item out of the choice or puts it back.
    toggles: bool,
    /// A drag draws a line around what is meant, also without Alt, which many window managers keep for themselves.
    pub draws_around: bool,
    lasso: Option<Lasso>,
    returns_to_top: bool,
    /// How the last frame was laid out, and how far it was scrolled.
    layout: Option<Layout>,
    offset: f32,
}

impl GridState {
    /// Other items: nothing is chosen and the first are in sight.
    pub fn reset(&mut self) {
        let (layout, draws_around) = (self.layout, self.draws_around);
        *self = Self { returns_to_top: true, layout, draws_around, ..Self::default() };
    }

    /// How many items whole rows in sight have; 0 before the first frame.
    pub fn screenful(&self) -> usize {
        self.layout.map_or(0, |layout| layout.columns * layout.rows_in_sight().max(1))
    }

    /// Where the keys are.
    pub fn cursor(&self) -> Option<usize> {
        self.cursor
    }

    /// Moves the cursor and brings it into sight.
    pub fn set_cursor(&mut self, position: usize) {
        self.cursor = Some(position);
        self.follows = true;
    }

    /// The chosen positions, where several may be chosen.
    pub fn selection(&self) -> &Selection {
        &self.selection
    }

    /// Replaces the selection.
    pub fn set_selection(&mut self, selection: Selection) {
        self.selection = selection;
    }

    /// The same items in another order, or others: the cursor and the selection go with them.
    pub fn follow(&mut self, cursor: Option<usize>, selection: Selection) {
        (self.cursor, self.anchor, self.lasso) = (cursor, cursor, None);
        self.selection = selection;
        self.follows = true;
    }

    /// How far to scroll, where that is not as in the last frame.
    fn wanted_offset(&mut self, layout: &Layout) -> Option<f32> {
        let follows = std::mem::take(&mut self.follows);
        if std::mem::take(&mut self.returns_to_top) {
            return Some(0.0);
        }
        let before = self.layout.filter(|before| !before.has_places_of(layout));
        let offset = match before {
            // Other columns: what was at the top stays there.
            Some(before) => layout.top_of(before.row_at(self.offset) * before.columns),
            None => self.offset,
        };
        let was_in_sight =
            before.is_some_and(|before| self.cursor.is_some_and(|at| before.shows(at, self.offset)));
        let wanted = match self.cursor {
            Some(cursor) if follows || was_in_sight => layout.offset_that_shows(cursor, offset),
            _ => offset,
        };
        (before.is_some() || wanted != self.offset).then_some(wanted)
    }
}

/// What happened in a frame.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GridResponse {
    /// Open this: Enter, or a click (a double click, where several can be chosen).
    pub opened: Option<usize>,
    /// The positions in sight.
    pub in_sight: Range<usize>,
}

/// The grid. See the module's docs.
#[must_use = "a grid shows itself with `ui()`"]
pub struct ThumbnailGrid<'a> {
    name: &'a str,
    side: f32,
    caption: f32,
    has_many: bool,
    toggles: bool,
    id: Option<Id>,
}

impl<'a> ThumbnailGrid<'a> {
    /// A grid; `name` is also its accessible name and tells it from other grids.
    pub fn new(name: &'a str) -> Self {
        Self { name, side: 36.0 * GRID, caption: 0.0, has_many: false, toggles: false, id: None }
    }

    /// The least side of the square that holds a picture, in points.
    pub fn side(mut self, side: f32) -> Self {
        self.side = side;
        self
    }

    /// Room for what stands below a picture, in points.
    pub fn caption(mut self, height: f32) -> Self {
        self.caption = height;
        self
    }

    /// Under which the grid has the focus, where its owner takes keys, too.
    pub fn id(mut self, id: Id) -> Self {
        self.id = Some(id);
        self
    }

    /// Several items can be chosen: a click or a drag chooses, Shift and Control widen, a double click opens.
    pub fn many(mut self) -> Self {
        self.has_many = true;
        self
    }

    /// As [`Self::many`], where all begin chosen: a click or a drag takes out, and moving the cursor changes nothing.
    pub fn toggling(mut self, toggles: bool) -> Self {
        self.toggles = toggles;
        self
    }

    /// Shows it in all the space there is.
    pub fn ui(
        self,
        ui: &mut Ui,
        thumbnails: &mut Thumbnails,
        state: &mut GridState,
        items: &impl GridItems,
    ) -> GridResponse {
        let space = ui.available_rect_before_wrap();
        let layout = Layout::new(items.count(), self.side, self.caption, space.size());
        state.cursor = state.cursor.filter(|cursor| *cursor < layout.count);
        state.selection.truncate(layout.count);
        state.toggles = self.toggles;
        let id = self.id.unwrap_or_else(|| ui.make_persistent_id(self.name));
        let mut opened = None;
        if keys_are_free(ui, Some(id)) {
            opened = state.keys(ui, &layout, self.has_many);
        }
        let mut area = ScrollArea::vertical().id_salt(self.name).auto_shrink(false);
        if let Some(offset) = state.wanted_offset(&layout) {
            area = area.vertical_scroll_offset(offset);
        }
        let ground = self.focus_ui(ui, id, space);
        let output = area.show_viewport(ui, |ui, viewport| {
            ui.set_height(layout.total_height());
            let offset = viewport.min.y;
            let in_sight = layout.in_sight(offset);
            for position in in_sight.clone() {
                let place = layout.cell(position, space.min, offset);
                let cell = Cell { position, place, side: layout.side };
                opened = self.cell_ui(ui, &cell, thumbnails, state, items, id).or(opened);
            }
            (in_sight, offset)
        });
        let (in_sight, offset) = output.inner;
        if self.has_many {
            state.draw_lasso(ui, &ground, &layout, space.min, offset);
            state.paint_lasso(&ui.painter_at(space), Tokens::of(ui.ctx()), space.min, offset);
        }
        // Where several can be chosen, the grid has the keyboard from the beginning.
        if !self.has_many && state.cursor.is_none() {
            focus_ring(ui, &ground);
        }
        (state.layout, state.offset) = (Some(layout), offset);
        GridResponse { opened, in_sight }
    }

    /// The grid is one stop of the Tab key; the arrows go on within.
    fn focus_ui(&self, ui: &Ui, id: Id, space: Rect) -> Response {
        let draws = if self.has_many { Sense::DRAG } else { Sense::empty() };
        let response = ui.interact(space, id, Sense::focusable_noninteractive() | draws);
        response.widget_info(|| WidgetInfo::labeled(Role::ListBox, true, self.name));
        if response.has_focus() {
            let arrows =
                EventFilter { horizontal_arrows: true, vertical_arrows: true, ..EventFilter::default() };
            ui.ctx().memory_mut(|memory| memory.set_focus_lock_filter(id, arrows));
        }
        response
    }

    fn cell_ui(
        &self,
        ui: &mut Ui,
        cell: &Cell,
        thumbnails: &mut Thumbnails,
        state: &mut GridState,
        items: &impl GridItems,
        grid: Id,
    ) -> Option<usize> {
        let position = cell.position;
        let tokens = Tokens::of(ui.ctx());
        let is_chosen = self.has_many && state.selection.contains(position);
        let has_cursor = state.cursor == Some(position);
        let response = ui.interact(cell.place, grid.with(position), Sense::CLICK);
        response.widget_info(|| WidgetInfo::labeled(Role::ListBoxOption, true, items.name(position)));
        let is_selected = is_chosen || !self.has_many && has_cursor;
        ui.ctx().accesskit_node_builder(response.id, |node| node.set_selected(is_selected));
        cell.back_ui(ui, tokens, &response, is_chosen);
        cell.picture_ui(ui, tokens, thumbnails, items.image(position));
        if cell.place.height() > cell.side {
            items.caption_ui(ui, tokens, cell.place.with_min_y(cell.place.top() + cell.side), position);
        }
        if is_chosen {
            cell.chosen_ui(ui, tokens);
        }
        if has_cursor {
            let ring = Stroke::new(2.0, tokens.accent_text);
            ui.painter().rect_stroke(cell.tile(), RADIUS, ring, StrokeKind::Inside);
        }
        items.menu_ui(&response, position);
        let mut opened = None;
        if response.clicked() {
            if self.has_many {
                state.press(position, ui.input(|input| input.modifiers));
            } else {
                state.cursor = Some(position);
                opened = Some(position);
            }
        }
        if self.has_many && response.double_clicked() {
            opened = Some(position);
        }
        if response.hovered() {
            response.on_hover_text(in_visual_order(&items.name(position)));
        }
        opened
    }
}

/// One cell in sight.
struct Cell {
    position: usize,
    place: Rect,
    side: f32,
}

impl Cell {
    /// The square that holds the picture.
    fn tile(&self) -> Rect {
        Rect::from_min_size(self.place.min, Vec2::splat(self.side))
    }

    fn back_ui(&self, ui: &Ui, tokens: &Tokens, response: &Response, is_chosen: bool) {
        let painter = ui.painter();
        let fill = if response.hovered() { tokens.card } else { tokens.panel };
        if is_chosen {
            painter.rect_filled(self.place, RADIUS, tokens.selected);
        } else {
            painter.rect_filled(self.tile(), RADIUS, fill);
        }
    }

    /// That it is chosen is said by a mark, too, not by colour alone.
    fn chosen_ui(&self, ui: &Ui, tokens: &Tokens) {
        let at = self.tile().right_top() + vec2(-4.0 * GRID, 4.0 * GRID);
        ui.painter().circle_filled(at, 2.5 * GRID, tokens.accent);
        let font = FontId::proportional(12.0);
        ui.painter().text(at, Align2::CENTER_CENTER, icons::CHECK, font, tokens.on_accent);
    }

    fn picture_ui(&self, ui: &mut Ui, tokens: &Tokens, thumbnails: &mut Thumbnails, image: Option<&Path>) {
        let space = self.tile().shrink(GRID);
        let pixels = side_for(space.width() * ui.ctx().pixels_per_point());
        let thumbnail = image.map(|image| thumbnails.get(image, pixels));
        match thumbnail {
            Some(Thumbnail::Ready(texture)) => {
                // A small image may grow, but not until it is all blocks.
                let size = fit(texture.size_vec2(), space.size(), 4.0);
                let place = Rect::from_center_size(space.center(), size.round());
                egui::Image::new((texture.id(), size)).corner_radius(3).paint_at(ui, place);
            }
            Some(Thumbnail::Loading) => {}
            Some(Thumbnail::Failed(_)) | None => {
                let font = FontId::proportional(24.0);
                ui.painter().text(
                    space.center(),
                    Align2::CENTER_CENTER,
                    icons::WARNING,
                    font,
                    tokens.warning,
                );
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_columns_keep_what_was_at_the_top() {
        let wide = Layout::new(1000, 88.0, 36.0, vec2(1208.0, 600.0));
        let narrow = Layout::new(1000, 88.0, 36.0, vec2(500.0, 600.0));
        let mut state =
            GridState { layout: Some(wide), offset: wide.row_height * 10.0, ..GridState::default() };
        assert_eq!(state.wanted_offset(&wide), None);
        let offset = state.wanted_offset(&narrow).unwrap();
        assert!(narrow.in_sight(offset).contains(&(10 * wide.columns)));
    }
}
