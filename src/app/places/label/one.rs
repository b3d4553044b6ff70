//! One image large, its tasks beside it.

use egui::{Align, Frame, Label, Layout, Margin, Panel, Sense, Ui, vec2};
use tasklens_data::dataset::edits::AnnotationSource;
use tasklens_data::text::grouped;

use super::LabelView;
use super::actions::GivenLabel;
use super::panel::{PressedLabel, hints_ui};
use crate::app::context::ViewContext;
use crate::app::services::thumbnails::side_for;
use crate::app::theme::icons;
use crate::app::theme::{self, GRID};
use crate::app::widgets::glyph_button;
use crate::app::widgets::name::Name;
use crate::app::widgets::zoom_image::zoom_image_ui;

/// Images decoded ahead, and behind.
const AHEAD: isize = 4;
const BEHIND: isize = 1;
/// Below this width the tasks stand below the image.
const WIDE: f32 = 400.0;
const PANEL_WIDTH: f32 = 340.0;
/// A window less high has no room for the progress below the tasks, or for the keys below that.
const LOW: f32 = 500.0;
const HIGH: f32 = 640.0;
const HINTS: [(&str, &str); 8] = [
    ("1\u{2013}9, A\u{2013}Z", "label"),
    ("Space", "accept suggestion"),
    ("Enter", "accept all, next image"),
    ("Tab", "next task"),
    ("\u{2190} \u{2192}", "images"),
    ("Backspace", "clear"),
    ("F", "flag"),
    ("G", "grid"),
];

/// The image that takes the keys.
pub(super) fn image_id(ui: &Ui) -> egui::Id {
    ui.make_persistent_id("image to label")
}

impl LabelView {
    pub(super) fn one_ui(&mut self, ui: &mut Ui, context: &mut ViewContext<'_>) {
        let Some(row) = self.arrangement.queue.current() else { return };
        if self.shown != Some(row) {
            self.on_image(context);
        }
        let id = image_id(ui);
        self.one_keys(ui, id, context);
        let Some(row) = self.arrangement.queue.current() else { return };
        let is_wide = ui.available_width() >= WIDE;
        let panel_width = (ui.available_width() * 0.45).min(PANEL_WIDTH);
        let panel = if is_wide {
            Panel::right("tasks to label").exact_size(panel_width)
        } else {
            Panel::bottom("tasks to label").exact_size(ui.available_height() * 0.55)
        };
        let mut pressed = None;
        panel.resizable(false).show_separator_line(false).frame(Frame::new()).show(ui, |ui| {
            pressed = self.side_ui(ui, &[row], is_wide.then_some(&HINTS[..]), context);
        });
        let margin = Margin { left: 0, right: if is_wide { 16 } else { 0 }, top: 0, bottom: 0 };
        egui::CentralPanel::no_frame().frame(Frame::new().inner_margin(margin)).show(ui, |ui| {
            self.images = Some(ui.max_rect());
            self.image_bar_ui(ui, row, context);
            ui.add_space(GRID);
            self.image_ui(ui, id, row, context);
        });
        if let Some(PressedLabel { task, label }) = pressed {
            self.task = task;
            if self.give(&[row], task, label, AnnotationSource::Hand, context) && label != GivenLabel::Nothing
            {
                self.go_on(context);
            }
        }
    }

    /// The tasks, and below them how far it is.
    pub(super) fn side_ui(
        &mut self,
        ui: &mut Ui,
        rows: &[usize],
        hints: Option<&[(&str, &str)]>,
        context: &ViewContext<'_>,
    ) -> Option<PressedLabel> {
        let mut pressed = None;
        Panel::bottom("labelling progress")
            .resizable(false)
            .show_separator_line(false)
            .frame(Frame::new())
            .show(ui, |ui| {
                let height = ui.ctx().content_rect().height();
                if height < LOW {
                    return;
                }
                ui.add_space(2.0 * GRID);
                self.progress_ui(ui, context);
                if let Some(hints) = hints.filter(|_| height >= HIGH) {
                    ui.add_space(2.0 * GRID);
                    hints_ui(ui, context.tokens, hints);
                }
            });
        egui::CentralPanel::no_frame().frame(Frame::new()).show(ui, |ui| {
            pressed = self.panel_ui(ui, rows, context);
        });
        pressed
    }

    /// Where one is, the file's name, the flag.
    fn image_bar_ui(&mut self, ui: &mut Ui, row: usize, context: &ViewContext<'_>) {
        let Some(project) = context.project else { return };
        ui.horizontal(|ui| {
            let queue = &self.arrangement.queue;
            let (at, count) = (queue.at(), queue.rows().len());
            if glyph_button(ui, icons::CARET_LEFT, "Previous image", at > 0).clicked() {
                self.step(-1, context);
            }
            let place = format!("{} of {}", grouped(at as u64 + 1), grouped(count as u64));
            ui.add(Label::new(theme::caption(context.tokens, place)).extend());
            if glyph_button(ui, icons::CARET_RIGHT, "Next image", at + 1 < count).clicked() {
                self.step(1, context);
            }
            ui.add_space(GRID);
            self.flag_ui(ui, row, context);
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                if self.zoom.is_zoomed() {
                    let text = format!("{:.0} %", self.zoom.factor() * 100.0);
                    if ui.button(text).on_hover_text("Show all of the image (0)").clicked() {
                        self.zoom.reset();
                    }
                }
                let name = project.dataset.image_key(row).into_owned();
                Name::caption(context.tokens, &name).path().ui(ui);
            });
        });
    }

    fn image_ui(&mut self, ui: &mut Ui, id: egui::Id, row: usize, context: &mut ViewContext<'_>) {
        let Some(project) = context.project else { return };
        let (area, _) = ui.allocate_exact_size(ui.available_size().max(vec2(GRID, GRID)), Sense::hover());
        let side = side_for(area.size().max_elem() * ui.ctx().pixels_per_point());
        let image = |row: usize| project.dataset.rows.get(row).map(|row| &*row.image);
        // What was asked for last is decoded first: the one shown, then those to come, the nearest first.
        for step in std::iter::once(-BEHIND).chain((1..=AHEAD).rev()) {
            if let Some(path) = self.arrangement.queue.peek(step).and_then(image) {
                context.thumbnails.get(path, side);
            }
        }
        if let Some(path) = image(row) {
            zoom_image_ui(ui, id, area, path, &mut self.zoom, context);
        }
        self.keep_focus(ui, id);
    }
}
