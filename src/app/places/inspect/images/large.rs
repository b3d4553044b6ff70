//! One image large, with its heat map, between the ones before and after it.

use egui::{
    Align, Align2, Button, ComboBox, FontId, Key, Label, Layout, Modifiers, Panel, Rect, RichText, Role,
    ScrollArea, Sense, Slider, Spinner, TextureHandle, Ui, Vec2, WidgetInfo, vec2,
};
use tasklens_data::text::grouped;

use super::heat::{Heat, HeatKey};
use super::{ImagesTab, ItemBasis};
use crate::app::context::ViewContext;
use crate::app::places::inspect::inspected_run::{InspectedRun, Loaded};
use crate::app::services::thumbnails::{Thumbnail, side_for};
use crate::app::theme::icons;
use crate::app::theme::{self, GRID, Tokens};
use crate::app::widgets::name::Name;
use crate::app::widgets::thumbnail_grid::keys_are_free;
use crate::app::widgets::zoom_image::message_ui;
use crate::app::widgets::{fit, glyph_button};

/// Below this width the details stand below the image.
const WIDE: f32 = 720.0;
const DETAILS_WIDTH: f32 = 340.0;
/// Room for what the colours of a heat map mean.
const LEGEND: Vec2 = vec2(96.0 * GRID, 8.0 * GRID);
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
                    self.heat_bar_ui(ui, basis, item, tokens, true);
                });
            } else {
                self.heat_bar_ui(ui, basis, item, tokens, false);
            }
        });
    }

    /// The switch of the heat map, and where it is on, whose and how much of it. Laid out from the right or
    /// from the left, it reads in the same order.
    fn heat_bar_ui(
        &mut self,
        ui: &mut Ui,
        basis: &ItemBasis,
        item: usize,
        tokens: &Tokens,
        from_right: bool,
    ) {
        if !self.heat.is_on {
            self.heat_switch_ui(ui);
        } else if from_right {
            self.heat_opacity_ui(ui);
            self.heat_label_ui(ui, basis, item, tokens);
            self.heat_switch_ui(ui);
        } else {
            self.heat_switch_ui(ui);
            self.heat_label_ui(ui, basis, item, tokens);
            self.heat_opacity_ui(ui);
        }
    }

    fn heat_switch_ui(&mut self, ui: &mut Ui) {
        let on = self.heat.is_on;
        let switch =
            ui.add(Button::selectable(on, format!("{}  Heat map", icons::FIRE)).frame_when_inactive(true));
        switch.widget_info(|| WidgetInfo::selected(Role::Switch, true, on, "Heat map"));
        if switch.on_hover_text("Show which parts of the image speak for a label (H)").clicked() {
            self.heat.is_on = !on;
        }
    }

    fn heat_label_ui(&mut self, ui: &mut Ui, basis: &ItemBasis, item: usize, tokens: &Tokens) {
        let focus = self.query.task;
        let Some((task, label)) = self.heat.target(&basis.inspection, item, focus) else { return };
        let name = |task: usize, label: u32| {
            let task = &basis.inspection.tasks[task].task;
            (task.name.clone(), task.labels.get(label as usize).cloned().unwrap_or_default())
        };
        let (task_name, label_name) = name(task, label);
        let text = format!("{task_name}: {label_name}");
        let menu = ComboBox::from_id_salt("heat map of").selected_text(&text).width(44.0 * GRID);
        let mut chosen = None;
        let menu = menu.height(100.0 * GRID).truncate().show_ui(ui, |ui| {
            for (index, other) in basis.inspection.tasks.iter().enumerate() {
                if index > 0 {
                    ui.separator();
                }
                Name::caption(tokens, &other.task.name).ui(ui);
                let follows = self.heat.follows(index, focus);
                if ui.selectable_label(follows, "The predicted label").clicked() {
                    chosen = Some((index, None));
                }
                for (class, text) in other.task.labels.iter().enumerate() {
                    let here = !follows && (task, label as usize) == (index, class);
                    if ui.selectable_label(here, text).clicked() {
                        chosen = Some((index, u32::try_from(class).ok()));
                    }
                }
            }
        });
        menu.response.widget_info(|| {
            let mut info = WidgetInfo::labeled(Role::ComboBox, true, "Label of the heat map");
            info.current_text_value = Some(text.clone());
            info
        });
        if let Some((task, label)) = chosen {
            self.heat.choose(task, label);
        }
    }

    fn heat_opacity_ui(&mut self, ui: &mut Ui) {
        ui.spacing_mut().slider_width = 24.0 * GRID;
        let slider = ui.add(Slider::new(&mut self.heat.opacity, 0.0..=1.0).show_value(false));
        let opacity = f64::from(self.heat.opacity);
        slider.widget_info(|| WidgetInfo::slider(true, opacity, "Opacity of the heat map"));
        slider.on_hover_text("Opacity of the heat map");
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
        if self.heat.is_on
            && let Some((task, label)) = self.heat.target(&basis.inspection, item, self.query.task)
        {
            let key = HeatKey { image: row.image.clone(), task, label };
            let task = &basis.inspection.tasks[task].task;
            let label = task.labels.get(label as usize).map_or("", String::as_str);
            let heat = self.heat.get(&key, inspected, context);
            self.heat_ui(ui, &heat, &format!("{}: {label}", task.name), place, inspected, context.tokens);
            if matches!(heat, Heat::Ready(_)) && place.bottom() + LEGEND.y <= area.bottom() {
                legend_ui(ui, place, context.tokens);
            }
        }
    }

    fn heat_ui(
        &self,
        ui: &mut Ui,
        heat: &Heat,
        of: &str,
        place: Rect,
        inspected: &InspectedRun,
        tokens: &Tokens,
    ) {
        match heat {
            Heat::Ready(texture) => {
                let overlay = ui.interact(place, ui.scope_id().with("heat map"), Sense::hover());
                overlay.widget_info(|| WidgetInfo::labeled(Role::Image, true, format!("Heat map of {of}")));
                egui::Image::new((texture.id(), place.size()))
                    .tint(theme::opacity(self.heat.opacity))
                    .corner_radius(4)
                    .paint_at(ui, place);
            }
            Heat::Loading => {
                let text = match inspected.progress() {
                    Some(_) => "The heat map follows when the prediction in progress is done",
                    None => "Heat map\u{2026}",
                };
                note_ui(ui, place, tokens, text, true);
            }
            Heat::Nothing => note_ui(ui, place, tokens, &format!("Nothing here speaks for {of}"), false),
            Heat::Failed(message) => note_ui(ui, place, tokens, message, false),
        }
    }
}

/// Where the picture goes: as large as there is room, a small one at most so many times its size.
fn place(texture: &TextureHandle, area: Rect, pixels_per_point: f32) -> Rect {
    let size = fit(texture.size_vec2() / pixels_per_point, area.size(), GROWS);
    Rect::from_center_size(area.center(), size)
}

/// What the colours mean, below the image.
fn legend_ui(ui: &Ui, place: Rect, tokens: &Tokens) {
    let painter = ui.painter();
    let legend = Rect::from_center_size(place.center_bottom() + vec2(0.0, LEGEND.y / 2.0), LEGEND);
    let scale = Rect::from_center_size(legend.center(), vec2(24.0 * GRID, 2.0 * GRID));
    let steps = 48;
    for step in 0..steps {
        let share = |step: usize| scale.left() + scale.width() * step as f32 / steps as f32;
        let slice = Rect::from_x_y_ranges(share(step)..=share(step + 1), scale.y_range());
        painter.rect_filled(slice, 0.0, theme::heat((step as f32 + 0.5) / steps as f32));
    }
    let font = FontId::proportional(theme::TEXT_SMALL);
    let (left, right) =
        (scale.left_center() - vec2(2.0 * GRID, 0.0), scale.right_center() + vec2(2.0 * GRID, 0.0));
    painter.text(left, Align2::RIGHT_CENTER, "speaks least for it", font.clone(), tokens.text_weak);
    painter.text(right, Align2::LEFT_CENTER, "speaks most for it", font, tokens.text_weak);
}

/// A line on a quiet ground at the foot of the image.
fn note_ui(ui: &mut Ui, place: Rect, tokens: &Tokens, text: &str, is_busy: bool) {
    let foot = Rect::from_min_max(place.left_bottom() - vec2(0.0, 12.0 * GRID), place.right_bottom());
    let layout = Layout::bottom_up(Align::Center);
    let mut child = ui.new_child(egui::UiBuilder::new().max_rect(foot.shrink(2.0 * GRID)).layout(layout));
    let frame = egui::Frame::new().fill(tokens.panel).corner_radius(theme::RADIUS).inner_margin(6);
    frame.show(&mut child, |ui| {
        ui.horizontal(|ui| {
            if is_busy {
                ui.add(Spinner::new().size(3.5 * GRID));
            }
            ui.add(Label::new(RichText::new(text).size(theme::TEXT_SMALL)).wrap());
        });
    });
}
