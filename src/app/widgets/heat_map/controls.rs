//! The switch of the heat map, whose it is, how much of it is seen, and the map itself over the image.

use egui::{
    Align, Align2, Button, ComboBox, FontId, Label, Layout, Rect, RichText, Role, Sense, Slider, Spinner, Ui,
    Vec2, WidgetInfo, vec2,
};

use super::{Heat, HeatMaps, HeatSubject};
use crate::app::theme::icons;
use crate::app::theme::{self, GRID, Tokens};
use crate::app::widgets::name::Name;

/// Room for what the colours mean.
pub const LEGEND: Vec2 = vec2(96.0 * GRID, 8.0 * GRID);

impl<I: Clone + PartialEq> HeatMaps<I> {
    /// The switch, and where the map is on, whose and how much of it. Laid out from the right or from the left, it
    /// reads in the same order.
    pub fn bar_ui(&mut self, ui: &mut Ui, subject: &HeatSubject<'_>, tokens: &Tokens, from_right: bool) {
        if !self.is_on {
            self.switch_ui(ui);
        } else if from_right {
            self.opacity_ui(ui);
            self.label_ui(ui, subject, tokens);
            self.switch_ui(ui);
        } else {
            self.switch_ui(ui);
            self.label_ui(ui, subject, tokens);
            self.opacity_ui(ui);
        }
    }

    fn switch_ui(&mut self, ui: &mut Ui) {
        let on = self.is_on;
        let switch = Button::selectable(on, format!("{}  Heat map", icons::FIRE)).frame_when_inactive(true);
        let switch = ui.add(switch.wrap_mode(egui::TextWrapMode::Extend));
        switch.widget_info(|| WidgetInfo::selected(Role::Switch, true, on, "Heat map"));
        if switch.on_hover_text("Show which parts of the image speak for a label (H)").clicked() {
            self.is_on = !on;
        }
    }

    fn label_ui(&mut self, ui: &mut Ui, subject: &HeatSubject<'_>, tokens: &Tokens) {
        let Some((task, label)) = self.target(subject) else { return };
        let text = subject.name(task, label);
        let menu = ComboBox::from_id_salt("heat map of").selected_text(&text).width(44.0 * GRID);
        let mut chosen = None;
        let menu = menu.height(100.0 * GRID).truncate().show_ui(ui, |ui| {
            for (index, other) in subject.tasks.iter().enumerate() {
                if index > 0 {
                    ui.separator();
                }
                Name::caption(tokens, &other.name).ui(ui);
                let follows = self.follows(index, subject.focus);
                if ui.selectable_label(follows, "The predicted label").clicked() {
                    chosen = Some((index, None));
                }
                for (class, text) in other.labels.iter().enumerate() {
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
            self.choose(task, label);
        }
    }

    fn opacity_ui(&mut self, ui: &mut Ui) {
        ui.spacing_mut().slider_width = 24.0 * GRID;
        let slider = ui.add(Slider::new(&mut self.opacity, 0.0..=1.0).show_value(false));
        let opacity = f64::from(self.opacity);
        slider.widget_info(|| WidgetInfo::slider(true, opacity, "Opacity of the heat map"));
        slider.on_hover_text("Opacity of the heat map");
    }

    /// The map over an image that was painted at `place`, of which `area` is in sight; `of` is what it speaks for, and
    /// `waiting` is said until it is there.
    pub fn over_ui(
        &self,
        ui: &mut Ui,
        heat: &Heat,
        of: &str,
        (place, area): (Rect, Rect),
        waiting: &str,
        tokens: &Tokens,
    ) {
        let seen = place.intersect(area);
        match heat {
            Heat::Ready(texture) => {
                let overlay = ui.interact(seen, ui.scope_id().with("heat map"), Sense::hover());
                overlay.widget_info(|| WidgetInfo::labeled(Role::Image, true, format!("Heat map of {of}")));
                let mut painted = ui.new_child(egui::UiBuilder::new().max_rect(area));
                painted.set_clip_rect(area.intersect(ui.clip_rect()));
                egui::Image::new((texture.id(), place.size()))
                    .tint(theme::opacity(self.opacity))
                    .corner_radius(4)
                    .paint_at(&painted, place);
            }
            Heat::Loading => note_ui(ui, seen, tokens, waiting, true),
            Heat::Nothing => note_ui(ui, seen, tokens, &format!("Nothing here speaks for {of}"), false),
            Heat::Failed(message) => note_ui(ui, seen, tokens, message, false),
        }
    }
}

/// What the colours mean, below an image that was painted at `place`.
pub fn legend_ui(ui: &Ui, place: Rect, tokens: &Tokens) {
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
