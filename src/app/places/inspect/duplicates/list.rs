//! The list of pairs: only those in sight exist.

use egui::{Layout, Rect, Response, Role, ScrollArea, Sense, Ui, UiBuilder, Vec2, WidgetInfo, pos2, vec2};
use tasklens_net::evaluation::duplicates::contradicts;
use tasklens_net::evaluation::inspection::TaskItems;
use tasklens_net::inference::duplicates::Pair;

use super::super::inspected_run::Loaded;
use crate::app::context::ViewContext;
use crate::app::theme::icons;
use crate::app::theme::{self, GRID, RADIUS, Tokens};
use crate::app::widgets::name::Name;
use crate::app::widgets::{focus_ring, picture_ui};

const PICTURE: f32 = 35.0 * GRID;
const ROW: f32 = PICTURE + 4.0 * GRID;
const PIXELS: u32 = 256;

/// Shows it; returns the item that was clicked.
pub fn ui(
    ui: &mut Ui,
    loaded: &Loaded,
    pairs: &[Pair],
    in_focus: usize,
    context: &mut ViewContext<'_>,
) -> Option<usize> {
    let mut clicked = None;
    ui.spacing_mut().item_spacing.y = 2.0 * GRID;
    ScrollArea::vertical().id_salt("pairs").auto_shrink(false).show_rows(
        ui,
        ROW,
        pairs.len(),
        |ui, range| {
            for pair in &pairs[range] {
                clicked = pair_ui(ui, loaded, pair, in_focus, context).or(clicked);
            }
        },
    );
    clicked
}

fn pair_ui(
    ui: &mut Ui,
    loaded: &Loaded,
    pair: &Pair,
    in_focus: usize,
    context: &mut ViewContext<'_>,
) -> Option<usize> {
    let tokens = context.tokens;
    let (rect, _) = ui.allocate_exact_size(vec2(ui.available_width(), ROW), Sense::hover());
    ui.painter().rect_filled(rect, RADIUS, tokens.panel);
    let mut clicked = None;
    let mut left = rect.left() + 2.0 * GRID;
    for item in [pair.a, pair.b] {
        let space = Rect::from_min_size(pos2(left, rect.top() + 2.0 * GRID), Vec2::splat(PICTURE));
        let id = ui.scope_id().with(("image", pair.a, pair.b, item));
        let response = ui.interact(space, id, Sense::click());
        if image_ui(ui, &response, loaded, item, context) {
            clicked = Some(item);
        }
        left = space.right() + 2.0 * GRID;
    }
    let text =
        Rect::from_min_max(pos2(left + 2.0 * GRID, rect.top() + 3.0 * GRID), rect.max - Vec2::splat(8.0));
    let builder = UiBuilder::new().max_rect(text).layout(Layout::top_down(egui::Align::Min));
    let mut ui = ui.new_child(builder.id_salt((pair.a, pair.b)));
    ui.set_clip_rect(ui.clip_rect().intersect(text));
    facts_ui(&mut ui, loaded, pair, in_focus, context);
    clicked
}

/// One of both; returns whether it was clicked.
fn image_ui(
    ui: &Ui,
    response: &Response,
    loaded: &Loaded,
    item: usize,
    context: &mut ViewContext<'_>,
) -> bool {
    let Some(path) = loaded.image_of(item) else { return false };
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let part = loaded.inspection.parts[item].adjective();
    response.widget_info(|| WidgetInfo::labeled(Role::Button, true, format!("{name}, {part}")));
    let fill = if response.hovered() { context.tokens.card_hovered } else { context.tokens.card };
    ui.painter().rect_filled(response.rect, RADIUS, fill);
    picture_ui(ui, response.rect.shrink(GRID), path, PIXELS, context);
    focus_ring(ui, response);
    response.clone().on_hover_text("Show it large").clicked()
}

fn facts_ui(ui: &mut Ui, loaded: &Loaded, pair: &Pair, in_focus: usize, context: &ViewContext<'_>) {
    let tokens = context.tokens;
    ui.spacing_mut().item_spacing = vec2(GRID, GRID);
    ui.spacing_mut().interact_size.y = 5.0 * GRID;
    ui.label(theme::strong(format!("Similarity {:.3}", pair.similarity)));
    for item in [pair.a, pair.b] {
        let path = loaded.image_of(item);
        let name = path.and_then(std::path::Path::file_name).unwrap_or_default().to_string_lossy();
        let part = loaded.inspection.parts[item].adjective();
        ui.horizontal(|ui| {
            let width = vec2(17.0 * GRID, 5.0 * GRID);
            ui.allocate_ui_with_layout(width, Layout::left_to_right(egui::Align::Center), |ui| {
                ui.set_min_width(width.x);
                ui.label(theme::caption(tokens, part));
            });
            Name::new(&name)
                .path()
                .hint(path.map(|path| path.display().to_string()).unwrap_or_default())
                .ui(ui);
        });
    }
    ui.add_space(GRID);
    // What contradicts is seen first, then the task in focus.
    let mut order: Vec<usize> = (0..loaded.inspection.tasks.len()).collect();
    let tasks = &loaded.inspection.tasks;
    order.sort_by_key(|index| (!contradicts(&tasks[*index], pair), *index != in_focus));
    ScrollArea::vertical().id_salt(("labels of pair", pair.a, pair.b)).show(ui, |ui| {
        ui.horizontal_wrapped(|ui| {
            for index in order {
                labels_ui(ui, index, &tasks[index], pair, tokens);
                ui.add_space(2.0 * GRID);
            }
        });
    });
}

/// What both are labelled as.
fn labels_ui(ui: &mut Ui, index: usize, task: &TaskItems, pair: &Pair, tokens: &Tokens) {
    let label = |item: usize| {
        let class = task.labels[item]?;
        task.task.labels.get(class as usize).map(String::as_str)
    };
    let color = tokens.task(task.in_dataset.unwrap_or(index));
    let (text, text_color) = match (label(pair.a), label(pair.b)) {
        (Some(a), Some(b)) if a == b => (a.to_owned(), tokens.text),
        (Some(a), Some(b)) => (format!("{} {a} or {b}?", icons::WARNING), tokens.warning),
        (Some(one), None) | (None, Some(one)) => (format!("{one} (only one is labelled)"), tokens.text),
        (None, None) => ("\u{2013}".to_owned(), tokens.text_weak),
    };
    let width = ui.max_rect().width();
    Name::new(&format!("{}:", task.task.name)).color(color).at_most(0.4 * width).ui(ui);
    let is_wrong = contradicts(task, pair);
    let hint = if is_wrong { "Both images show the same, so one of the labels is wrong" } else { "" };
    let shown = if is_wrong { Name::medium(&text) } else { Name::new(&text) };
    shown.color(text_color).hint(hint).at_most(0.5 * width).ui(ui);
}
