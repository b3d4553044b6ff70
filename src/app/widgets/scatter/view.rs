//! What of the plane is in sight, and the way from places to the screen and back.

use egui::{Pos2, Rect, Vec2, pos2, vec2};

/// Between the outermost points and the edge of the canvas, without zoom.
const MARGIN: f32 = 16.0;
/// The greatest zoom.
const NEAREST: f32 = 400.0;

/// The middle of what is in sight, and how large everything is; the default shows all.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct View {
    middle: Vec2,
    zoom: f32,
}

impl Default for View {
    fn default() -> Self {
        Self { middle: Vec2::ZERO, zoom: 1.0 }
    }
}

impl View {
    /// The way from places to `rect`. `half` is half of the extent of all places.
    pub fn on(&self, rect: Rect, half: Vec2) -> Screen {
        let half = half.max(Vec2::splat(1e-6));
        let room = (rect.size() / 2.0 - Vec2::splat(MARGIN)).max(Vec2::splat(1.0));
        let fitted = (room.x / half.x).min(room.y / half.y);
        Screen { rect, middle: self.middle, scale: fitted * self.zoom, zoom: self.zoom }
    }

    /// Moves what is in sight by a distance on the screen, divided by [`Screen::scale`].
    pub fn pan(&mut self, by: Vec2) {
        self.middle += vec2(-by.x, by.y);
    }

    /// Moves by a tenth of what is in sight.
    pub fn step(&mut self, way: Vec2) {
        self.pan(way * 0.2 / self.zoom);
    }

    /// Zooms so that what is under the pointer stays there.
    pub fn zoom(&mut self, factor: f32, pointer: Pos2, rect: Rect, half: Vec2) {
        let before = self.on(rect, half).place_of(pointer);
        self.zoom_about_middle(factor);
        let after = self.on(rect, half).place_of(pointer);
        self.middle += vec2(before[0] - after[0], before[1] - after[1]);
    }

    /// Zooms so that the middle stays.
    pub fn zoom_about_middle(&mut self, factor: f32) {
        self.zoom = (self.zoom * factor).clamp(1.0, NEAREST);
        if self.zoom == 1.0 {
            self.middle = Vec2::ZERO;
        }
    }

    /// The middle stays among the points.
    pub fn keep_in_sight(&mut self, half: Vec2) {
        self.middle = self.middle.clamp(-half, half);
    }
}

/// From places to the screen and back.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Screen {
    pub rect: Rect,
    middle: Vec2,
    scale: f32,
    /// How much larger than without zoom.
    pub zoom: f32,
}

impl Screen {
    /// Points of the screen per unit of the places.
    pub fn scale(&self) -> f32 {
        self.scale
    }

    /// Where on the screen a place is.
    pub fn pos_of(&self, [x, y]: [f32; 2]) -> Pos2 {
        let middle = self.rect.center();
        pos2(middle.x + (x - self.middle.x) * self.scale, middle.y - (y - self.middle.y) * self.scale)
    }

    /// What place is there on the screen.
    pub fn place_of(&self, pos: Pos2) -> [f32; 2] {
        let from_middle = (pos - self.rect.center()) / self.scale;
        [self.middle.x + from_middle.x, self.middle.y - from_middle.y]
    }
}
