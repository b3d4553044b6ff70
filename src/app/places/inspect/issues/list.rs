//! The list of suspects: only the rows in sight exist.

use egui::{Align2, FontId, Rect, RichText, Role, ScrollArea, Sense, Ui, Vec2, WidgetInfo, pos2, vec2};
use tasklens_data::text::whole_percent;
use tasklens_net::evaluation::inspection::TaskItems;
use tasklens_net::evaluation::suspects::Suspect;
use tasklens_net::evaluation::track_record::TrackRecord;

use super::decisions::{Decision, decision};
use crate::app::context::ViewContext;
use crate::app::theme::icons;
use crate::app::theme::{self, GRID, RADIUS, TEXT_BODY, TEXT_SMALL, Tokens};
use crate::app::widgets::name::shortened;
use crate::app::widgets::{focus_ring, picture_ui};

const ROW: f32 = 16.0 * GRID;
const PICTURE: f32 = 14.0 * GRID;
const PIXELS: u32 = 112;

/// Shows it; returns the position that was clicked.
pub fn ui(
    ui: &mut Ui,
    items: &TaskItems,
    suspects: &[Suspect],
    selected: usize,
    scroll_to_selected: bool,
    context: &mut ViewContext<'_>,
) -> Option<usize> {
    let mut clicked = None;
    ui.spacing_mut().item_spacing.y = 0.0;
    let mut area = ScrollArea::vertical().id_salt("suspects").auto_shrink(false);
    if scroll_to_selected {
        // In the middle, so that what comes next is seen.
        let middle = selected as f32 * ROW - (ui.available_height() - ROW) / 2.0;
        area = area.vertical_scroll_offset(middle.max(0.0));
    }
    area.show_rows(ui, ROW, suspects.len(), |ui, range| {
        for index in range {
            if row_ui(ui, items, &suspects[index], index == selected, context) {
                clicked = Some(index);
            }
        }
    });
    clicked
}

fn row_ui(
    ui: &mut Ui,
    items: &TaskItems,
    suspect: &Suspect,
    is_selected: bool,
    context: &mut ViewContext<'_>,
) -> bool {
    let tokens = context.tokens;
    let (rect, response) = ui.allocate_exact_size(vec2(ui.available_width(), ROW), Sense::click());
    let label = |class: u32| items.task.labels.get(class as usize).map_or("", String::as_str);
    let decision = decision(items, suspect, context);
    let row = context.project.and_then(|project| project.dataset.rows.get(suspect.of.row));
    let image = row.map(|row| row.image.to_path_buf());
    let name = image.as_deref().and_then(std::path::Path::file_name).unwrap_or_default().to_string_lossy();
    response.widget_info(|| {
        let text = format!("{name}: {}, probably {}", label(suspect.given), label(suspect.proposed));
        let mut info = WidgetInfo::selected(Role::ListItem, true, is_selected, text);
        info.current_text_value = Some(said(decision).1.to_owned());
        info
    });
    let fill = if is_selected {
        tokens.selected
    } else if response.hovered() {
        tokens.card
    } else {
        tokens.canvas
    };
    ui.painter().rect_filled(rect.shrink2(vec2(0.0, 1.0)), RADIUS, fill);
    focus_ring(ui, &response);
    let picture = Rect::from_center_size(
        pos2(rect.left() + GRID + PICTURE / 2.0, rect.center().y),
        Vec2::splat(PICTURE),
    );
    if let Some(image) = &image {
        picture_ui(ui, picture, image, PIXELS, context);
    }
    let (icon, text) = said(decision);
    let right = rect.right() - 2.0 * GRID;
    let color = color_of(decision, tokens);
    let mark = ui.painter().text(
        pos2(right, rect.center().y),
        Align2::RIGHT_CENTER,
        if icon.is_empty() { how_sure(suspect.record.as_ref()) } else { format!("{icon} {text}") },
        FontId::proportional(TEXT_SMALL),
        color,
    );
    let left = picture.right() + 3.0 * GRID;
    let width = mark.left() - left - 2.0 * GRID;
    let given = shortened(ui, label(suspect.given), FontId::proportional(TEXT_BODY), tokens.text, width);
    let proposed = format!("{} {}", icons::ARROW_RIGHT, label(suspect.proposed));
    let proposed = shortened(ui, &proposed, FontId::new(TEXT_BODY, theme::semibold()), tokens.text, width);
    ui.painter().galley(pos2(left, rect.center().y - given.size().y - 1.0), given, tokens.text);
    ui.painter().galley(pos2(left, rect.center().y + 1.0), proposed, tokens.text);
    let hint = match suspect.record {
        Some(record) => format!("{name}\n{}", record.sentence()),
        None => format!("{name}\nHow often the network is right when it is this sure is not known"),
    };
    response.on_hover_text(RichText::new(hint)).clicked()
}

/// How often the network is right when it is as sure as here; nothing where that cannot be counted.
fn how_sure(record: Option<&TrackRecord>) -> String {
    let share = record.map(|record| whole_percent(record.right as f64 / record.of.max(1) as f64));
    share.map(|share| format!("right {share}")).unwrap_or_default()
}

/// Icon and word of a decision.
pub fn said(decision: Decision) -> (&'static str, &'static str) {
    match decision {
        Decision::Open => ("", "to review"),
        Decision::Accepted => (icons::CHECK, "accepted"),
        Decision::Kept => (icons::X, "kept"),
        Decision::Changed => (icons::PENCIL_SIMPLE, "changed"),
    }
}

fn color_of(decision: Decision, tokens: &Tokens) -> egui::Color32 {
    match decision {
        Decision::Open => tokens.text_weak,
        Decision::Accepted => tokens.success,
        Decision::Kept | Decision::Changed => tokens.accent_text,
    }
}
