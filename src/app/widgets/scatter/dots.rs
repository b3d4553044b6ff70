//! All points as one mesh: a textured triangle each, built anew only when something changed.

use std::sync::Arc;

use egui::epaint::Vertex;
use egui::{ColorImage, Context, Mesh, Shape, TextureHandle, TextureOptions, Vec2, pos2, vec2};

use super::Cloud;
use super::view::Screen;

/// From so many points on they are drawn smaller.
const FEW: f32 = 100.0;
/// Diameters, in points of the screen.
const LARGEST: f32 = 11.0;
const SMALLEST: f32 = 2.5;

/// The mesh, and what it was built from.
#[derive(Default)]
pub struct Dots {
    built_from: Option<(u64, Screen)>,
    mesh: Arc<Mesh>,
    /// The picture of a point, and its diameter in pixels.
    disc: Option<(f32, TextureHandle)>,
    diameter: f32,
}

impl Dots {
    /// Half of the diameter of a point, in points of the screen.
    pub fn radius(&self) -> f32 {
        self.diameter / 2.0
    }

    /// The dots as one shape to paint.
    pub fn shape(&mut self, ctx: &Context, cloud: &Cloud<'_>, screen: &Screen) -> Shape {
        let pixels_per_point = ctx.pixels_per_point();
        // In half pixels, so that a smooth zoom does not draw a new disc in each frame.
        let pixels = (2.0 * diameter(cloud.dots.len(), screen.zoom) * pixels_per_point).round() / 2.0;
        if self.disc.as_ref().is_none_or(|(drawn, _)| *drawn != pixels) {
            let texture = ctx.load_texture("scatter dot", disc(pixels), TextureOptions::LINEAR);
            self.disc = Some((pixels, texture));
            self.built_from = None;
        }
        if self.built_from != Some((cloud.version, *screen))
            && let Some((_, texture)) = &self.disc
        {
            self.diameter = pixels / pixels_per_point;
            let side = texture.size()[0] as f32 / pixels_per_point;
            // The last frame's is in nobody's hands any more: its memory is used again.
            if Arc::get_mut(&mut self.mesh).is_none() {
                self.mesh = Arc::default();
            }
            let mesh = Arc::make_mut(&mut self.mesh);
            // `Mesh::clear` would give the memory back, and getting it anew takes most of the time.
            mesh.vertices.clear();
            mesh.indices.clear();
            mesh.texture_id = texture.id();
            fill(mesh, cloud, screen, side);
            self.built_from = Some((cloud.version, *screen));
        }
        Shape::Mesh(Arc::clone(&self.mesh))
    }
}

/// Many points are small; zooming in makes them larger again.
fn diameter(count: usize, zoom: f32) -> f32 {
    let of_count = LARGEST * (FEW / count.max(1) as f32).powf(0.25).min(1.0);
    (of_count.max(SMALLEST) * zoom.powf(0.3)).min(LARGEST)
}

/// The corners of a triangle about the unit circle: three vertices cover a disc as well as the four of a square,
/// and of a hundred thousand points that is felt. Beyond the edge of the picture all is empty.
const CORNERS: [Vec2; 3] = [vec2(0.0, -2.0), vec2(1.732_051, 1.0), vec2(-1.732_051, 1.0)];

fn fill(mesh: &mut Mesh, cloud: &Cloud<'_>, screen: &Screen, side: f32) {
    let in_sight = screen.rect.expand(side);
    mesh.vertices.reserve(3 * cloud.dots.len());
    mesh.indices.reserve(3 * cloud.dots.len());
    for dot in cloud.dots {
        let middle = screen.pos_of(cloud.places[dot.item as usize]);
        if !in_sight.contains(middle) {
            continue;
        }
        let first = mesh.vertices.len() as u32;
        mesh.vertices.extend(CORNERS.map(|corner| Vertex {
            pos: middle + corner * (side / 2.0),
            uv: pos2(0.5, 0.5) + corner / 2.0,
            color: dot.color,
        }));
        mesh.indices.extend([first, first + 1, first + 2]);
    }
}

/// A white disc with smooth edges and, where there is room, a darker rim that tells points in a crowd apart.
fn disc(diameter: f32) -> ColorImage {
    let side = diameter.ceil() as usize + 2;
    let middle = side as f32 / 2.0;
    let mut bytes = Vec::with_capacity(4 * side * side);
    for y in 0..side {
        for x in 0..side {
            let from_middle = (x as f32 + 0.5 - middle).hypot(y as f32 + 0.5 - middle);
            let inside = diameter / 2.0 - from_middle;
            let coverage = (inside + 0.5).clamp(0.0, 1.0);
            let rim = if diameter >= 6.0 { (1.6 - inside).clamp(0.0, 1.0) } else { 0.0 };
            let shade = 1.0 - 0.4 * rim;
            let value = (255.0 * coverage * shade).round() as u8;
            bytes.extend([value, value, value, (255.0 * coverage).round() as u8]);
        }
    }
    ColorImage::from_rgba_premultiplied([side, side], &bytes)
}
