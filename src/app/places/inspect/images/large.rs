//! One image large, with its heat map, between the ones before and after it.

use egui::{
    Align, Key, Label, Layout, Modifiers, Panel, Rect, Role, ScrollArea, Sense, TextureHandle, Ui, Vec2,
    WidgetInfo, vec2,
};
use tasklens_data::images::input;
use tasklens_data::text::grouped;

use super::{ImagesTab, ItemBasis};
use crate::app::context::ViewContext;
use crate::app::places::inspect::inspected_run::{InspectedRun, Loaded};
use crate::app::services::thumbnails::{Thumbnail, side_for};
use crate::app::theme::icons;
use crate::app::theme::{self, GRID, Tokens};
use crate::app::widgets::heat_map::{Heat, HeatKey, HeatModel, LEGEND, legend_ui};
use crate::app::widgets::thumbnail_grid::keys_are_free;
use crate::app::widgets::zoom_image::message_ui;
use crate::app::widgets::{fit, glyph_button};

/// Below this width the details stand below the image.
const WIDE: f32 = 720.0;
const DETAILS_WIDTH: f32 = 340.0;
/// The image is at least so high where its neighbours stand below it.
const LEAST_HEIGHT: f32 = 64.0 * GRID;
/// Of the neighbours with their heading.
const NEIGHBOURS_HEIGHT: f32 = 42.0 * GRID;
/// So much may a small image grow.
const GROWS: f32 = 4.0;

impl ImagesTab {
    pub(super) fn large_ui(
        &mut self,
        ui: &mut Ui,
        basis: &ItemBasis,
        item: usize,
        (inspected, loaded): (&InspectedRun, &Loaded),
        context: &mut ViewContext<'_>,
    ) {
        if keys_are_free(ui, None) {
            self.large_keys(ui);
        }
        self.top_bar_ui(ui, basis, item, context.tokens);
        ui.add_space(2.0 * GRID);
        if ui.available_width() < WIDE {
            ScrollArea::vertical().id_salt("large image").auto_shrink(false).show(ui, |ui| {
                ui.set_max_width(ui.available_width() - 3.0 * GRID);
                let space = vec2(ui.available_width(), (ui.clip_rect().height() * 0.8).max(40.0 * GRID));
                self.picture_ui(ui, basis, item, inspected, context, space);
                ui.add_space(3.0 * GRID);
                self.details_ui(ui, basis, item, context);
                ui.add_space(3.0 * GRID);
                self.neighbours_ui(ui, loaded, item, context);
            });
            return;
        }
        let panel = Panel::right("image details").exact_size(DETAILS_WIDTH).resizable(false);
        panel.show_separator_line(false).frame(context.tokens.card_frame()).show(ui, |ui| {
            ScrollArea::vertical().id_salt("image details").auto_shrink(false).show(ui, |ui| {
                ui.set_max_width(ui.available_width() - 2.0 * GRID);
                self.details_ui(ui, basis, item, context);
            });
        });
        let frame = egui::Frame::new().inner_margin(egui::Margin { left: 0, right: 16, top: 0, bottom: 0 });
        egui::CentralPanel::no_frame().frame(frame).show(ui, |ui| {
            let mut space = ui.available_size();
            // The image comes first: a low window has no room for more.
            let has_room = space.y > LEAST_HEIGHT + NEIGHBOURS_HEIGHT;
            if has_room {
                space.y -= NEIGHBOURS_HEIGHT;
            }
            self.picture_ui(ui, basis, item, inspected, context, space);
            if has_room {
                ui.add_space(2.0 * GRID);
                self.neighbours_ui(ui, loaded, item, context);
            }
        });
    }

    /// The training images most like this one; a press on one shows it.
    fn neighbours_ui(&mut self, ui: &mut Ui, loaded: &Loaded, item: usize, context: &mut ViewContext<'_>) {
        if let Some(neighbour) = self.neighbours.ui(ui, loaded, item, self.query.task, context) {
            self.show_large(Some(neighbour));
        }
    }

    fn large_keys(&mut self, ui: &Ui) {
        let pressed = |key| ui.input_mut(|input| input.consume_key(Modifiers::NONE, key));
        if pressed(Key::ArrowRight) {
            self.step(1);
        }
        if pressed(Key::ArrowLeft) {
            self.step(-1);
        }
        if pressed(Key::H) {
            self.heat.is_on = !self.heat.is_on;
        }
        if pressed(Key::Escape) {
            self.large = None;
        }
    }

    /// Goes so many images on among those found; the first where the one shown is not among them.
    fn step(&mut self, step: isize) {
        let at = self.large_at.map_or(Some(0), |at| at.checked_add_signed(step));
        if let Some((at, item)) = at.and_then(|at| Some((at, self.item_at(at)?))) {
            (self.large, self.large_at) = (Some(item), Some(at));
            self.grid.set_cursor(at);
        }
    }

    fn top_bar_ui(&mut self, ui: &mut Ui, basis: &ItemBasis, item: usize, tokens: &Tokens) {
        ui.horizontal_wrapped(|ui| {
            if ui
                .button(format!("{}  Back", icons::ARROW_LEFT))
                .on_hover_text("Back to the grid (Escape)")
                .clicked()
            {
                self.large = None;
            }
            ui.add_space(GRID);
            let count = self.found.get().map_or(0, |found| found.items.len());
            let at = self.large_at;
            let has =
                |step: isize| at.and_then(|at| at.checked_add_signed(step)).is_some_and(|at| at < count);
            if glyph_button(ui, icons::CARET_LEFT, "Previous image", has(-1)).clicked() {
                self.step(-1);
            }
            let place = at.map_or_else(String::new, |at| {
                format!("{} of {}", grouped(at as u64 + 1), grouped(count as u64))
            });
            ui.add(Label::new(theme::caption(tokens, place)).extend());
            if glyph_button(ui, icons::CARET_RIGHT, "Next image", has(1) || at.is_none() && count > 0)
                .clicked()
            {
                self.step(1);
            }
            if ui.available_width() > 110.0 * GRID {
                ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                    self.heat.bar_ui(ui, &basis.heat_subject(item, self.query.task), tokens, true);
                });
            } else {
                self.heat.bar_ui(ui, &basis.heat_subject(item, self.query.task), tokens, false);
            }
        });
    }

    fn picture_ui(
        &mut self,
        ui: &mut Ui,
        basis: &ItemBasis,
        item: usize,
        inspected: &InspectedRun,
        context: &mut ViewContext<'_>,
        space: Vec2,
    ) {
        let Some(row) = basis.dataset.rows.get(basis.inspection.rows[item]) else { return };
        let (area, response) = ui.allocate_exact_size(space, Sense::hover());
        let name = row.image.file_name().unwrap_or_default().to_string_lossy().into_owned();
        response.widget_info(|| WidgetInfo::labeled(Role::Image, true, format!("Picture of {name}")));
        let scale = ui.ctx().pixels_per_point();
        let texture = match context.thumbnails.get(&row.image, side_for(space.max_elem() * scale)) {
            Thumbnail::Ready(texture) => Some(texture),
            Thumbnail::Loading => context.thumbnails.at_hand(&row.image),
            Thumbnail::Failed(message) => {
                message_ui(ui, area, &message, context.tokens.error);
                return;
            }
        };
        let Some(texture) = texture else { return };
        let room = if self.heat.is_on { area.with_max_y(area.bottom() - LEGEND.y) } else { area };
        let place = place(&texture, room, scale);
        egui::Image::new((texture.id(), place.size())).corner_radius(4).paint_at(ui, place);
        if self.heat.is_on {
            self.heat_ui(ui, basis, item, inspected, (place, area), context);
        }
    }

    fn heat_ui(
        &mut self,
        ui: &mut Ui,
        basis: &ItemBasis,
        item: usize,
        inspected: &InspectedRun,
        (place, area): (Rect, Rect),
        context: &ViewContext<'_>,
    ) {
        let subject = basis.heat_subject(item, self.query.task);
        let image = basis.dataset.rows.get(basis.inspection.rows[item]).map(|row| row.image.to_path_buf());
        let (Some((task, label)), Some(image), Some(project)) =
            (self.heat.target(&subject), image, context.project)
        else {
            return;
        };
        let model = HeatModel { model_or_run: inspected.run.clone(), device: project.config.model.device };
        let key = HeatKey { image: image.clone(), task, label };
        let heat =
            self.heat.get(&key, model, context, move |_, size| Ok(input::of_file(&image, size)?.pixels));
        let waiting = match inspected.progress() {
            Some(_) => "The heat map follows when the prediction in progress is done",
            None => "Heat map\u{2026}",
        };
        self.heat.over_ui(ui, &heat, &subject.name(task, label), (place, area), waiting, context.tokens);
        if matches!(heat, Heat::Ready(_)) && place.bottom() + LEGEND.y <= area.bottom() {
            legend_ui(ui, place, context.tokens);
        }
    }
}

/// Where the picture goes: as large as there is room, a small one at most so many times its size.
fn place(texture: &TextureHandle, area: Rect, pixels_per_point: f32) -> Rect {
    let size = fit(texture.size_vec2() / pixels_per_point, area.size(), GROWS);
    Rect::from_center_size(area.center(), size)
}
