//! An image to look at closely: it fills its area, the wheel zooms where the pointer is, dragging moves it.

use std::path::Path;

use egui::{
    Align2, Color32, FontId, Id, Pos2, Rect, Response, Role, Sense, TextureHandle, Ui, Vec2, WidgetInfo, vec2,
};

use super::fit;
use crate::app::context::ViewContext;
use crate::app::services::thumbnails::{Thumbnail, side_for};
use crate::app::theme::icons;
use crate::app::theme::{self, GRID};

/// The image at its largest is so many times as large as it fits.
const MOST: f32 = 16.0;
/// So much may a small image grow before anybody zooms.
const GROWS: f32 = 4.0;

/// How far an image is zoomed, and where to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Zoom {
    /// 1 is as large as it fits.
    factor: f32,
    /// From the middle of the area to the middle of the image, in points.
    offset: Vec2,
}

impl Default for Zoom {
    fn default() -> Self {
        Self { factor: 1.0, offset: Vec2::ZERO }
    }
}

impl Zoom {
    /// As large as it fits.
    pub fn reset(&mut self) {
        *self = Self::default();
    }

    /// Whether it is larger than it fits.
    pub fn is_zoomed(&self) -> bool {
        self.factor > 1.0
    }

    /// 1 is as large as it fits.
    pub fn factor(&self) -> f32 {
        self.factor
    }

    /// Larger (or smaller) by a factor; what is at `fixed`, seen from the middle of the area, stays there.
    pub fn by(&mut self, factor: f32, fixed: Option<Vec2>) {
        let before = self.factor;
        self.factor = (self.factor * factor).clamp(1.0, MOST);
        let fixed = fixed.unwrap_or(Vec2::ZERO);
        self.offset = fixed - (fixed - self.offset) * (self.factor / before);
    }

    /// Where an image of this size (at factor 1) goes; it never leaves the area further than needed.
    fn place(&mut self, size: Vec2, area: Rect) -> Rect {
        let size = size * self.factor;
        let free = ((size - area.size()) / 2.0).max(Vec2::ZERO);
        self.offset = self.offset.clamp(-free, free);
        Rect::from_center_size(area.center() + self.offset, size)
    }
}

/// Shows the image of a file in `area`. The response is the area's: it can have the keys.
pub fn zoom_image_ui(
    ui: &mut Ui,
    id: Id,
    area: Rect,
    path: &Path,
    zoom: &mut Zoom,
    context: &mut ViewContext<'_>,
) -> Response {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let response = zoom_area_ui(ui, id, area, &name, zoom);
    let scale = ui.ctx().pixels_per_point();
    let side = area.size().max_elem() * scale * zoom.factor;
    let texture = match context.thumbnails.get(path, side_for(side)) {
        Thumbnail::Ready(texture) => Some(texture),
        Thumbnail::Loading => context.thumbnails.at_hand(path),
        Thumbnail::Failed(message) => {
            message_ui(ui, area, &message, context.tokens.error);
            return response;
        }
    };
    let Some(texture) = texture else {
        let place = Rect::from_center_size(area.center(), Vec2::splat(8.0 * GRID));
        egui::Spinner::new().paint_at(ui, place);
        return response;
    };
    // A larger decoding of the same image has the same place.
    let size = fit(texture.size_vec2() / scale, area.size(), GROWS);
    paint_zoomed(ui, area, &texture, size, zoom);
    response
}

/// The area that an image called `name` is looked at in: wheel and dragging change `zoom`.
pub fn zoom_area_ui(ui: &mut Ui, id: Id, area: Rect, name: &str, zoom: &mut Zoom) -> Response {
    let response = ui.interact(area, id, Sense::click_and_drag());
    response.widget_info(|| WidgetInfo::labeled(Role::Image, true, format!("Picture of {name}")));
    wheel(ui, &response, zoom);
    if response.dragged() {
        zoom.offset += response.drag_delta();
    }
    if response.double_clicked() {
        zoom.reset();
    }
    if zoom.is_zoomed() {
        let icon = if response.dragged() { egui::CursorIcon::Grabbing } else { egui::CursorIcon::Grab };
        response.clone().on_hover_cursor(icon);
    }
    response
}

/// Paints an image, which has this size in points where it is not zoomed, within `area`. Returns its place, which may
/// be larger than the area.
pub fn paint_zoomed(ui: &mut Ui, area: Rect, texture: &TextureHandle, size: Vec2, zoom: &mut Zoom) -> Rect {
    let place = zoom.place(size, area);
    let mut painted = ui.new_child(egui::UiBuilder::new().max_rect(area));
    painted.set_clip_rect(area.intersect(ui.clip_rect()));
    egui::Image::new((texture.id(), place.size())).corner_radius(4).paint_at(&painted, place);
    place
}

fn wheel(ui: &Ui, response: &Response, zoom: &mut Zoom) {
    let Some(pointer) = response.hover_pos() else { return };
    let (scroll, pinch) = ui.input(|input| (input.smooth_scroll_delta().y, input.zoom_delta()));
    let factor = (scroll / 240.0).exp() * pinch;
    if factor != 1.0 {
        zoom.by(factor, Some(pointer - response.rect.center()));
    }
}

/// Why there is no image, in the middle of its area.
pub fn message_ui(ui: &Ui, area: Rect, message: &str, color: Color32) {
    let painter = ui.painter();
    let centre: Pos2 = area.center();
    let above = centre - vec2(0.0, 4.0 * GRID);
    painter.text(above, Align2::CENTER_BOTTOM, icons::WARNING_CIRCLE, FontId::proportional(44.0), color);
    let font = FontId::proportional(theme::TEXT_BODY);
    let galley = painter.layout(message.to_owned(), font, color, (area.width() - 8.0 * GRID).max(0.0));
    painter.galley(centre - vec2(galley.size().x / 2.0, 0.0), galley, color);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_under_the_pointer_stays_there_while_zooming() {
        let area = Rect::from_min_size(Pos2::ZERO, vec2(400.0, 300.0));
        let size = vec2(400.0, 300.0);
        let mut zoom = Zoom::default();
        let pointer = vec2(120.0, -60.0);
        zoom.by(2.0, Some(pointer));
        let place = zoom.place(size, area);
        // The point of the image that was under the pointer, as a share of its size.
        let share = (pointer + size / 2.0) / size;
        let now = place.min + share * place.size();
        assert!((now - (area.center() + pointer)).length() < 1e-3, "{now:?}");
        assert!(zoom.is_zoomed());
    }

    #[test]
    fn an_image_is_never_dragged_out_of_its_area_nor_made_smaller_than_it_fits() {
        let area = Rect::from_min_size(Pos2::ZERO, vec2(400.0, 300.0));
        let mut zoom = Zoom { offset: vec2(90.0, 90.0), ..Zoom::default() };
        assert_eq!(zoom.place(vec2(400.0, 200.0), area).center(), area.center());
        zoom.by(4.0, None);
        zoom.offset = vec2(1e6, -1e6);
        let place = zoom.place(vec2(400.0, 200.0), area);
        assert_eq!((place.left(), place.bottom()), (0.0, 300.0));
        zoom.by(0.01, None);
        assert_eq!(zoom.factor(), 1.0);
        assert_eq!(zoom.place(vec2(400.0, 200.0), area).center(), area.center());
    }
}
