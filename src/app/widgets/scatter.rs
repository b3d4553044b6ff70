//! Points in a plane to pan, zoom, point at, click and lasso; a hundred thousand of them as one mesh.
//!
//! The widget knows places and colours; which points there are, what they stand for and what a click means is
//! its owner's.

mod dots;
mod nearest;
pub mod polygon;
mod view;

use egui::{
    CursorIcon, EventFilter, Key, Modifiers, PointerButton, Pos2, Rect, Response, Role, Sense, Shape, Stroke,
    Ui, Vec2, WidgetInfo, vec2,
};

use crate::app::theme::{RADIUS, Tokens};
use dots::Dots;
use nearest::Grid;
use polygon::Polygon;
use view::View;

/// How near the pointer must be to a point, in points of the screen.
const REACH: f32 = 8.0;
/// How far the pointer moves between corners of a lasso.
const LASSO_STEP: f32 = 3.0;

/// A point to draw.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Dot {
    /// Index into the places.
    pub item: u32,
    pub color: egui::Color32,
    /// Whether it is only background: it cannot be pointed at or caught.
    pub is_dim: bool,
}

/// What is shown. Places are around (0, 0), y up.
#[derive(Clone, Copy, Debug)]
pub struct Cloud<'a> {
    /// One per item, also of those that are not drawn.
    pub places: &'a [[f32; 2]],
    /// Half of the width and height of what is in sight before any zoom.
    pub half: Vec2,
    /// What is drawn; the last are on top.
    pub dots: &'a [Dot],
    /// Changes whenever something above does.
    pub version: u64,
}

/// What a scatter plot remembers from frame to frame.
#[derive(Default)]
pub struct ScatterState {
    view: View,
    dots: Dots,
    grid: Option<(u64, Grid)>,
    gesture: Gesture,
}

impl ScatterState {
    /// Shows everything.
    pub fn reset_view(&mut self) {
        self.view = View::default();
    }

    /// Whether not everything is in sight.
    pub fn is_zoomed(&self) -> bool {
        self.view != View::default()
    }
}

/// What the pressed pointer does.
#[derive(Default)]
enum Gesture {
    #[default]
    None,
    Pan,
    /// The corners so far, on the screen.
    Lasso(Vec<Pos2>),
    /// A lasso was given up: nothing until the button is let go.
    Cancelled,
}

/// What happened in a frame.
pub struct ScatterOutput {
    /// The response of the canvas.
    pub response: Response,
    /// The item under the pointer and where it is on the screen.
    pub hovered: Option<(usize, Pos2)>,
    /// The item that was clicked.
    pub clicked: Option<usize>,
    /// A lasso was closed around these items, ascending.
    pub lassoed: Option<Vec<usize>>,
}

/// The plot. See the module's docs.
#[must_use = "a plot shows itself with `ui()`"]
pub struct Scatter<'a> {
    name: &'a str,
    value: String,
    cloud: Cloud<'a>,
    is_lasso: bool,
}

impl<'a> Scatter<'a> {
    /// A plot; `name` and `value` are what screen readers say of it.
    pub fn new(name: &'a str, value: String, cloud: Cloud<'a>) -> Self {
        Self { name, value, cloud, is_lasso: false }
    }

    /// Whether dragging draws a lasso; it does with Shift in any case.
    pub fn lasso(mut self, is_lasso: bool) -> Self {
        self.is_lasso = is_lasso;
        self
    }

    /// Shows it in all the space there is.
    pub fn ui(self, ui: &mut Ui, state: &mut ScatterState) -> ScatterOutput {
        let tokens = Tokens::of(ui.ctx());
        let (rect, response) =
            ui.allocate_exact_size(ui.available_size().max(Vec2::splat(64.0)), Sense::click_and_drag());
        response.widget_info(|| {
            let mut info = WidgetInfo::labeled(Role::Image, true, self.name);
            info.current_text_value = Some(self.value.clone());
            info
        });
        let lassoed = self.drag(ui, &response, rect, state);
        zoom(ui, &response, rect, self.cloud.half, &mut state.view);
        keys(ui, &response, &mut state.view);
        state.view.keep_in_sight(self.cloud.half);
        let painter = ui.painter().with_clip_rect(rect.intersect(ui.clip_rect()));
        painter.rect(rect, RADIUS, tokens.panel, Stroke::new(1.0, tokens.line), egui::StrokeKind::Inside);
        let screen = state.view.on(rect, self.cloud.half);
        painter.add(state.dots.shape(ui.ctx(), &self.cloud, &screen));
        let is_idle = matches!(state.gesture, Gesture::None);
        let pointer = response.hover_pos().filter(|_| is_idle);
        let hovered = pointer.and_then(|pointer| {
            let cloud = &self.cloud;
            if state.grid.as_ref().is_none_or(|(version, _)| *version != cloud.version) {
                state.grid = Some((cloud.version, Grid::new(cloud)));
            }
            let (_, grid) = state.grid.as_ref()?;
            let item = grid.nearest(cloud, screen.place_of(pointer), REACH / screen.scale())?;
            Some((item, screen.pos_of(cloud.places[item])))
        });
        if let Some((_, at)) = hovered {
            painter.circle_stroke(at, state.dots.radius() + 2.5, Stroke::new(2.0, tokens.text));
        }
        if let Gesture::Lasso(corners) = &state.gesture {
            let mut line = corners.clone();
            line.extend(corners.first());
            painter.add(Shape::line(line, Stroke::new(1.5, tokens.accent_text)));
        }
        if response.hovered() {
            ui.set_cursor_icon(match (&state.gesture, hovered) {
                (Gesture::Pan, _) => CursorIcon::Grabbing,
                (Gesture::None, Some(_)) => CursorIcon::PointingHand,
                (Gesture::None, None) if !self.is_lasso && !ui.input(|input| input.modifiers.shift) => {
                    CursorIcon::Grab
                }
                _ => CursorIcon::Crosshair,
            });
        }
        let clicked = hovered.map(|(item, _)| item).filter(|_| response.clicked());
        if response.double_clicked() && hovered.is_none() {
            state.reset_view();
        }
        ScatterOutput { response, hovered, clicked, lassoed }
    }

    /// Pans, or draws the lasso; returns what a closed one holds.
    fn drag(&self, ui: &Ui, response: &Response, rect: Rect, state: &mut ScatterState) -> Option<Vec<usize>> {
        if response.drag_started() {
            let (origin, shift) = ui.input(|input| (input.pointer.press_origin(), input.modifiers.shift));
            let by_first = response.drag_started_by(PointerButton::Primary);
            state.gesture = match origin.filter(|_| by_first && (self.is_lasso || shift)) {
                Some(origin) => Gesture::Lasso(vec![origin]),
                None => Gesture::Pan,
            };
        }
        if matches!(state.gesture, Gesture::Lasso(_))
            && ui.input_mut(|input| input.consume_key(Modifiers::NONE, Key::Escape))
        {
            state.gesture = Gesture::Cancelled;
        }
        match &mut state.gesture {
            Gesture::Pan => {
                let scale = state.view.on(rect, self.cloud.half).scale();
                state.view.pan(response.drag_delta() / scale);
            }
            Gesture::Lasso(corners) => {
                if let (Some(pointer), Some(last)) = (response.interact_pointer_pos(), corners.last())
                    && pointer.distance(*last) >= LASSO_STEP
                {
                    corners.push(pointer);
                }
            }
            Gesture::None | Gesture::Cancelled => {}
        }
        if !response.drag_stopped() {
            return None;
        }
        match std::mem::take(&mut state.gesture) {
            Gesture::Lasso(corners) => {
                let screen = state.view.on(rect, self.cloud.half);
                let corners: Vec<[f32; 2]> =
                    corners.into_iter().map(|corner| screen.place_of(corner)).collect();
                Some(Polygon::new(&corners).holds(&self.cloud))
            }
            _ => None,
        }
    }
}

/// By the wheel or a pinch, about the pointer.
fn zoom(ui: &Ui, response: &Response, rect: Rect, half: Vec2, view: &mut View) {
    if !response.contains_pointer() {
        return;
    }
    let (scrolled, pinched) = ui.input(|input| (input.smooth_scroll_delta().y, input.zoom_delta()));
    let factor = (scrolled / 240.0).exp() * pinched;
    if let Some(pointer) = response.hover_pos().filter(|_| factor != 1.0) {
        view.zoom(factor, pointer, rect, half);
    }
}

/// Plus, minus and the arrows, while the canvas has the focus.
fn keys(ui: &Ui, response: &Response, view: &mut View) {
    if !response.has_focus() {
        return;
    }
    let filter = EventFilter { horizontal_arrows: true, vertical_arrows: true, ..EventFilter::default() };
    ui.memory_mut(|memory| memory.set_focus_lock_filter(response.id, filter));
    let pressed = |key| ui.input_mut(|input| input.consume_key(Modifiers::NONE, key));
    for (key, way) in [
        (Key::ArrowLeft, vec2(1.0, 0.0)),
        (Key::ArrowRight, vec2(-1.0, 0.0)),
        (Key::ArrowUp, vec2(0.0, 1.0)),
        (Key::ArrowDown, vec2(0.0, -1.0)),
    ] {
        if pressed(key) {
            view.step(way);
        }
    }
    for (key, factor) in [(Key::Plus, 1.25), (Key::Equals, 1.25), (Key::Minus, 0.8)] {
        if pressed(key) {
            view.zoom_about_middle(factor);
        }
    }
}

#[cfg(test)]
mod tests;
