//! The images of Predict as a list: picture, name, and the answer to each task.

use egui::{Align2, Color32, FontId, Rect, Response, Role, Sense, Ui, WidgetInfo, pos2, vec2};
use tasklens_data::config::Task;

use tasklens_data::text::capitalised;

use super::{EntryState, ImageEntry};
use crate::app::command::ImageAction;
use crate::app::services::project::ImageSource;
use crate::app::theme::icons;
use crate::app::theme::{self, GRID, TEXT_BODY, TEXT_SMALL, Tokens};
use crate::app::widgets::fit;
use crate::app::widgets::image_menu::image_menu;
use crate::app::widgets::name::{shortened, shortened_path};
use crate::app::widgets::probability_bars::sorted;

const ROW: f32 = 16.0 * GRID;
const PICTURE: f32 = 12.0 * GRID;

/// What the user did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ListAction {
    /// Select the entry at this position.
    Select(usize),
    /// Remove the entry at this position.
    Remove(usize),
    /// Do this with the file of the entry at this position.
    File(usize, ImageAction),
}

/// Shows the entries; scrolls to the selected one where `follow` says so.
pub fn list_ui(
    ui: &mut Ui,
    tokens: &Tokens,
    entries: &[ImageEntry],
    tasks: &TaskColors<'_>,
    selected: usize,
    follow: bool,
) -> Option<ListAction> {
    let mut action = None;
    ui.spacing_mut().item_spacing.y = 0.0;
    egui::ScrollArea::vertical().id_salt("images").auto_shrink(false).show_rows(
        ui,
        ROW,
        entries.len(),
        |ui, shown| {
            if follow {
                let top = ui.max_rect().top() + (selected as f32 - shown.start as f32) * ROW;
                let row = Rect::from_min_size(pos2(ui.max_rect().left(), top), vec2(1.0, ROW));
                ui.scroll_to_rect(row, None);
            }
            for index in shown {
                if let Some(entry) = entries.get(index) {
                    action = row_ui(ui, tokens, entry, tasks, index, index == selected).or(action);
                }
            }
        },
    );
    action
}

fn row_ui(
    ui: &mut Ui,
    tokens: &Tokens,
    entry: &ImageEntry,
    tasks: &TaskColors<'_>,
    index: usize,
    is_selected: bool,
) -> Option<ListAction> {
    let (row, response) = ui.allocate_exact_size(vec2(ui.available_width(), ROW), Sense::click());
    let answers = tasks.of(entry);
    response.widget_info(|| {
        let mut info = WidgetInfo::selected(Role::ListItem, true, is_selected, &entry.name);
        info.current_text_value = Some(match &entry.state {
            EntryState::Failed(message) => message.clone(),
            EntryState::Waiting => "waiting".to_owned(),
            EntryState::Predicted(_) => answers.iter().map(ListedAnswer::text).collect::<Vec<_>>().join(", "),
        });
        info
    });
    if ui.is_rect_visible(row) {
        paint(ui, tokens, entry, &answers, row, &response, is_selected);
    }
    let mut action = response.clicked().then_some(ListAction::Select(index));
    if response.contains_pointer() || is_selected {
        action = remove_ui(ui, tokens, entry, row).then_some(ListAction::Remove(index)).or(action);
    }
    if matches!(entry.source, ImageSource::Path(_)) {
        let offers = [ImageAction::ShowInFolder, ImageAction::CopyPath];
        action = image_menu(&response, 1, &offers).map(|wanted| ListAction::File(index, wanted)).or(action);
    }
    response.on_hover_text(theme::in_visual_order(&entry.name));
    action
}

/// The tasks of the model with their colours.
pub struct TaskColors<'a> {
    pub tasks: &'a [Task],
    /// One colour per task.
    pub colors: &'a [Color32],
}

impl TaskColors<'_> {
    /// The most probable label of each task, with the task's colour.
    fn of(&self, entry: &ImageEntry) -> Vec<ListedAnswer> {
        let EntryState::Predicted(prediction) = &entry.state else { return Vec::new() };
        let tasks = self.tasks.iter().zip(self.colors).zip(&prediction.probabilities);
        let answer = |((task, color), probabilities): ((&Task, &Color32), &Vec<f32>)| {
            let best = *sorted(probabilities).first()?;
            let truth = entry.truth.as_ref().and_then(|truth| truth.of(task)).flatten();
            let is_right = truth.map(|truth| truth == best);
            Some(ListedAnswer { color: *color, label: task.labels.get(best)?.clone(), is_right })
        };
        tasks.filter_map(answer).collect()
    }
}

/// The answer to a task.
struct ListedAnswer {
    color: Color32,
    label: String,
    /// `None` where nobody knows.
    is_right: Option<bool>,
}

impl ListedAnswer {
    fn text(&self) -> String {
        let verdict = self.is_right.map_or("", |is_right| if is_right { " (right)" } else { " (wrong)" });
        format!("{}{verdict}", self.label)
    }
}

fn paint(
    ui: &Ui,
    tokens: &Tokens,
    entry: &ImageEntry,
    answers: &[ListedAnswer],
    row: Rect,
    response: &Response,
    is_selected: bool,
) {
    let painter = ui.painter();
    if is_selected || response.hovered() {
        let fill = if is_selected { tokens.selected } else { tokens.card };
        painter.rect_filled(row, 6.0, fill);
    }
    let place =
        Rect::from_min_size(row.min + vec2(2.0 * GRID, (ROW - PICTURE) / 2.0), vec2(PICTURE, PICTURE));
    match (&entry.thumbnail, &entry.state) {
        (Some(texture), _) => {
            let size = fit(texture.size_vec2(), place.size(), 1.0);
            let picture = Rect::from_center_size(place.center(), size);
            egui::Image::new(texture).corner_radius(3).paint_at(ui, picture);
        }
        (None, state) => {
            painter.rect_filled(place, 3.0, tokens.track);
            let (icon, color) = match state {
                EntryState::Failed(_) => (icons::WARNING_CIRCLE, tokens.error),
                _ => (icons::IMAGE, tokens.text_weak),
            };
            painter.text(place.center(), Align2::CENTER_CENTER, icon, FontId::proportional(20.0), color);
        }
    }
    let left = place.right() + 3.0 * GRID;
    let width = row.right() - left - 8.0 * GRID;
    let name = shortened_path(ui, &entry.name, FontId::proportional(TEXT_BODY), tokens.text, width);
    painter.galley(pos2(left, row.center().y - name.size().y - 1.0), name, tokens.text);
    let (text, color) = match &entry.state {
        EntryState::Predicted(_) => {
            answers_line(ui, tokens, answers, pos2(left, row.center().y + 2.0), width + 6.0 * GRID);
            return;
        }
        EntryState::Waiting => ("Waiting\u{2026}", tokens.text_weak),
        EntryState::Failed(message) => (&*cause(&entry.origin, message), tokens.error),
    };
    let line = shortened(ui, text, FontId::proportional(TEXT_SMALL), color, width);
    painter.galley(pos2(left, row.center().y + 2.0), line, color);
}

/// What is wrong with an image that is named beside it.
fn cause(origin: &str, message: &str) -> String {
    let quoted = format!("`{origin}`");
    let rest = message.strip_prefix(origin).or_else(|| message.strip_prefix(&quoted));
    let rest = rest.map(|rest| rest.trim_start_matches([' ', ':']));
    capitalised(rest.unwrap_or(message).to_owned())
}

fn answers_line(ui: &Ui, tokens: &Tokens, answers: &[ListedAnswer], at: egui::Pos2, width: f32) {
    let font = FontId::proportional(TEXT_SMALL);
    let mut job = egui::text::LayoutJob { break_on_newline: false, ..Default::default() };
    for ListedAnswer { color, label, is_right } in answers {
        let space = if job.text.is_empty() { 0.0 } else { 2.0 * GRID };
        job.append(&theme::in_visual_order(label), space, egui::TextFormat::simple(font.clone(), *color));
        let mark = is_right
            .map(|right| if right { (icons::CHECK, tokens.success) } else { (icons::X, tokens.error) });
        if let Some((mark, color)) = mark {
            job.append(mark, 0.5 * GRID, egui::TextFormat::simple(font.clone(), color));
        }
    }
    job.wrap = egui::text::TextWrapping::truncate_at_width(width);
    let galley = ui.painter().layout_job(job);
    ui.painter().galley(at, galley, tokens.text);
}

fn remove_ui(ui: &mut Ui, tokens: &Tokens, entry: &ImageEntry, row: Rect) -> bool {
    let place =
        Rect::from_center_size(pos2(row.right() - 4.0 * GRID, row.top() + 4.5 * GRID), vec2(24.0, 24.0));
    let text = egui::RichText::new(icons::X).size(13.0).color(tokens.text_weak);
    let mut child = ui.new_child(egui::UiBuilder::new().id_salt(entry.id).max_rect(place));
    child.spacing_mut().button_padding = egui::Vec2::ZERO;
    let button = child.add_sized(place.size(), egui::Button::new(text).frame_when_inactive(false));
    button.widget_info(|| WidgetInfo::labeled(Role::Button, true, format!("Remove {}", entry.name)));
    button.on_hover_text("Remove from the list (Delete)").clicked()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_few_words_there_is_room_for_are_of_the_cause_and_not_of_the_path() {
        let message = "/tmp/photos of me/a.jpg holds a web page: fetch the image itself again";
        let told = cause("/tmp/photos of me/a.jpg", message);
        assert_eq!(told, "Holds a web page: fetch the image itself again");
        assert_eq!(cause("https://a.b/c.jpg", "https://a.b/c.jpg: connection refused"), "Connection refused");
        assert_eq!(cause("a.b:8/c.jpg", "`a.b:8/c.jpg` is no address"), "Is no address");
        assert_eq!(cause("https://a.b/c.jpg", "cannot reach a.b"), "Cannot reach a.b");
    }
}
