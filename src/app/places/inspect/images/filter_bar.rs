//! Above the grid: which images, in which order, how many, how large.

use egui::{Button, Role, Slider, Ui, WidgetInfo};
use tasklens_data::text::{counted_grouped, grouped};
use tasklens_net::evaluation::browse::{BrowseOrder, Verdict};

use super::{ImagesTab, SIDES};
use crate::app::command::AppCommand;
use crate::app::context::ViewContext;
use crate::app::theme::icons;
use crate::app::theme::{self, GRID, RADIUS, Tokens};
use crate::app::widgets::choice::{choice_ui, combo};
use crate::app::widgets::glyph_button;
use crate::app::widgets::name::{self, Name};

const VERDICTS: [(Verdict, &str); 6] = [
    (Verdict::Wrong, "Wrong"),
    (Verdict::Right, "Right"),
    (Verdict::Any, "Right or wrong"),
    (Verdict::Unlabelled, "Without a label"),
    (Verdict::WrongInAny, "Wrong in any task"),
    (Verdict::WrongInAll, "Wrong in all tasks"),
];

/// So wide are the menus and the order together.
const WIDE: f32 = 180.0 * GRID;
/// The order, the count and the size of the images together.
const NARROW: f32 = 120.0 * GRID;
/// The size of the images alone.
const SIZE: f32 = 40.0 * GRID;
const ORDERS: [(BrowseOrder, &str); 4] = [
    (BrowseOrder::Confidence, "Confidence"),
    (BrowseOrder::Loss, "Loss"),
    (BrowseOrder::Margin, "Margin"),
    (BrowseOrder::Row, "Row"),
];

impl ImagesTab {
    pub(super) fn filter_bar_ui(&mut self, ui: &mut Ui, context: &ViewContext<'_>) {
        // Where the menus fill the row, the order stands in the next, beside the count.
        let is_wide = ui.available_width() >= WIDE;
        let is_narrow = ui.available_width() < NARROW;
        ui.horizontal_wrapped(|ui| {
            choice_ui(ui, "Filter by verdict", 38.0 * GRID, &VERDICTS, &mut self.query.verdict);
            self.labels_ui(ui);
            if is_wide {
                ui.add_space(2.0 * GRID);
                self.order_ui(ui, context.tokens);
            }
            if is_narrow {
                // A slider would not wrap by itself.
                if ui.available_size_before_wrap().x < SIZE {
                    ui.end_row();
                }
                size_icon_ui(ui, context.tokens);
                size_ui(ui, &mut self.side);
            }
        });
        if is_narrow {
            ui.horizontal_wrapped(|ui| {
                self.order_ui(ui, context.tokens);
                self.count_ui(ui, context.tokens);
                self.label_these_ui(ui, is_wide, context);
            });
            self.chip_ui(ui, context.tokens);
            return;
        }
        ui.horizontal(|ui| {
            if !is_wide {
                self.order_ui(ui, context.tokens);
            }
            self.count_ui(ui, context.tokens);
            self.label_these_ui(ui, is_wide, context);
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                size_ui(ui, &mut self.side);
                size_icon_ui(ui, context.tokens);
                ui.with_layout(egui::Layout::left_to_right(egui::Align::Center), |ui| {
                    self.chip_ui(ui, context.tokens);
                });
            });
        });
    }

    fn order_ui(&mut self, ui: &mut Ui, tokens: &Tokens) {
        ui.label(theme::caption(tokens, "Order"));
        choice_ui(ui, "Order of the images", 30.0 * GRID, &ORDERS, &mut self.query.order);
        direction_ui(ui, &mut self.query.descending);
    }

    fn labels_ui(&mut self, ui: &mut Ui) {
        let Some(task) = self.basis.as_ref().and_then(|basis| basis.inspection.tasks.get(self.query.task))
        else {
            return;
        };
        let labels = &task.task.labels;
        let found = self.found.get().filter(|found| found.query.task == self.query.task);
        let actual = found.map_or(&[][..], |found| &found.actual);
        let predicted = found.map_or(&[][..], |found| &found.predicted);
        label_ui(ui, "Label", "Filter by true label", labels, actual, &mut self.query.actual);
        label_ui(ui, "Predicted", "Filter by predicted label", labels, predicted, &mut self.query.predicted);
    }

    fn count_ui(&self, ui: &mut Ui, tokens: &Tokens) {
        let text = self.found.get().map_or_else(String::new, |found| {
            format!("{} of {}", grouped(found.items.len() as u64), counted_grouped(found.of, "image"))
        });
        ui.add(egui::Label::new(theme::caption(tokens, text)).extend());
        // Its place is always there: what stands behind it keeps its place and identity.
        let (place, _) = ui.allocate_exact_size(egui::Vec2::splat(3.0 * GRID), egui::Sense::hover());
        if self.found.is_busy() {
            egui::Spinner::new().paint_at(ui, place);
        }
    }

    /// The images that were found become what is labelled.
    fn label_these_ui(&self, ui: &mut Ui, is_wide: bool, context: &ViewContext<'_>) {
        let Some(found) = self.found.get().filter(|found| !found.items.is_empty()) else { return };
        let button = if is_wide {
            let button = ui.button(format!("{}  Label these", icons::TAG));
            button.widget_info(|| WidgetInfo::labeled(Role::Button, true, "Label these"));
            button
        } else {
            glyph_button(ui, icons::TAG, "Label these", true)
        };
        if button.on_hover_text("Correct their labels in the Label place").clicked() {
            let (rows, dataset) = (&found.basis.inspection.rows, &found.basis.dataset);
            let rows = found.items.iter().filter_map(|item| rows.get(*item));
            let images: Vec<String> = rows.map(|row| dataset.image_key(*row).into_owned()).collect();
            let title = || format!("{} from Inspect", counted_grouped(images.len(), "image"));
            let title = self.title.clone().unwrap_or_else(title);
            context.commands.send(AppCommand::LabelImages { images, title });
        }
    }

    /// The images that another tab asked for, until the user takes the narrowing away.
    fn chip_ui(&mut self, ui: &mut Ui, tokens: &Tokens) {
        let title = match (&self.title, &self.query.among) {
            (Some(title), _) => title.clone(),
            (None, Some(among)) => format!("{} selected images", grouped(among.len() as u64)),
            (None, None) => return,
        };
        let frame = egui::Frame::new()
            .fill(tokens.selected)
            .corner_radius(RADIUS)
            .inner_margin(egui::Margin { left: 8, right: 2, top: 0, bottom: 0 });
        let is_removed = frame.show(ui, |ui| {
            ui.spacing_mut().item_spacing.x = GRID;
            ui.set_max_width((ui.available_width() - 3.0 * GRID).min(100.0 * GRID));
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                let close = egui::RichText::new(icons::X).size(theme::TEXT_SMALL);
                let close = ui.add(
                    Button::new(close).frame_when_inactive(false).min_size(egui::Vec2::splat(6.0 * GRID)),
                );
                close.widget_info(|| WidgetInfo::labeled(Role::Button, true, format!("Remove: {title}")));
                Name::caption(tokens, &title).color(tokens.accent_text).ui(ui);
                close.on_hover_text("Show other images again").clicked()
            })
            .inner
        });
        if is_removed.inner {
            (self.title, self.query.among) = (None, None);
        }
    }
}

/// One label or any, with how many images each would show.
fn label_ui(
    ui: &mut Ui,
    title: &str,
    name: &str,
    labels: &[String],
    counts: &[usize],
    chosen: &mut Option<u32>,
) {
    let text = match chosen.and_then(|label| labels.get(label as usize)) {
        Some(label) => format!("{title}: {label}"),
        None => format!("{title}: any"),
    };
    let menu = name::combo(ui, name, &text, 42.0 * GRID).show_ui(ui, |ui| {
        ui.set_min_width(48.0 * GRID);
        ui.selectable_value(chosen, None, "Any");
        for (label, text) in labels.iter().enumerate() {
            let count = counts.get(label).map_or_else(String::new, |count| grouped(*count as u64));
            let weak =
                egui::RichText::new(count).size(theme::TEXT_SMALL).color(Tokens::of(ui.ctx()).text_weak);
            let value = u32::try_from(label).ok();
            if name::counted_entry_ui(ui, *chosen == value, text, weak).clicked() {
                *chosen = value;
            }
        }
    });
    menu.response.widget_info(|| combo(name, &text));
}

fn direction_ui(ui: &mut Ui, descending: &mut bool) {
    let (icon, name) = match descending {
        true => (icons::SORT_DESCENDING, "Highest first"),
        false => (icons::SORT_ASCENDING, "Lowest first"),
    };
    if glyph_button(ui, icon, name, true).clicked() {
        *descending = !*descending;
    }
}

fn size_ui(ui: &mut Ui, side: &mut f32) {
    ui.spacing_mut().slider_width = 30.0 * GRID;
    let slider = ui.add(Slider::new(side, SIDES).show_value(false));
    slider.widget_info(|| WidgetInfo::slider(true, f64::from(*side), "Size of the images"));
    slider.on_hover_text("Size of the images");
}

fn size_icon_ui(ui: &mut Ui, tokens: &Tokens) {
    ui.label(egui::RichText::new(icons::GRID_FOUR).color(tokens.text_weak));
}
