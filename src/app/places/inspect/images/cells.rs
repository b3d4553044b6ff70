//! What a cell of the grid says: what the image is, what it is taken for, and how sure the network is.

use std::cell::Cell;
use std::path::Path;

use egui::{FontFamily, FontId, Rect, Ui, vec2};
use tasklens_data::text::whole_percent;
use tasklens_net::evaluation::browse::BrowseOrder;
use tasklens_net::evaluation::inspection::TaskItems;

use super::FoundItems;
use crate::app::command::ImageAction;
use crate::app::theme::icons;
use crate::app::theme::{self, GRID, TEXT_SMALL, Tokens};
use crate::app::widgets::image_menu::image_menu;
use crate::app::widgets::thumbnail_grid::{CaptionLine, GridItems};

/// Height of the two lines below a picture.
pub const CAPTION: f32 = 10.0 * GRID;

/// The items that were found, as the grid asks for them, and what a right click chose for which of them.
pub struct ItemCells<'a>(pub &'a FoundItems, pub Cell<Option<(usize, ImageAction)>>);

const OFFERS: [ImageAction; 6] = [
    ImageAction::Open,
    ImageAction::Label,
    ImageAction::Predict,
    ImageAction::ShowInData,
    ImageAction::ShowInFolder,
    ImageAction::CopyPath,
];

impl ItemCells<'_> {
    fn task(&self) -> Option<&TaskItems> {
        self.0.basis.inspection.tasks.get(self.0.query.task)
    }

    fn item(&self, position: usize) -> Option<usize> {
        self.0.items.get(position).copied()
    }
}

/// The texts of a label and of a prediction.
fn labels(task: &TaskItems, item: usize) -> (Option<&str>, &str) {
    let name = |label: u32| task.task.labels.get(label as usize).map_or("", String::as_str);
    (task.labels[item].map(name), name(task.predicted[item]))
}

impl GridItems for ItemCells<'_> {
    fn count(&self) -> usize {
        self.0.items.len()
    }

    fn image(&self, position: usize) -> Option<&Path> {
        let row = *self.0.basis.inspection.rows.get(self.item(position)?)?;
        Some(&self.0.basis.dataset.rows.get(row)?.image)
    }

    fn name(&self, position: usize) -> String {
        let image = self.image(position).and_then(Path::file_name).unwrap_or_default().to_string_lossy();
        let (Some(task), Some(item)) = (self.task(), self.item(position)) else { return image.into_owned() };
        let (actual, predicted) = labels(task, item);
        let actual = actual.unwrap_or("no label");
        format!("{image}: {actual}, predicted {predicted}, {}", whole_percent(task.confidence(item)))
    }

    fn menu_ui(&self, cell: &egui::Response, position: usize) {
        if let Some(action) = image_menu(cell, 1, &OFFERS) {
            self.1.set(Some((position, action)));
        }
    }

    /// What it is, and below what it is taken for: both always in the same place.
    fn caption_ui(&self, ui: &Ui, tokens: &Tokens, area: Rect, position: usize) {
        let (Some(task), Some(item)) = (self.task(), self.item(position)) else { return };
        let (actual, predicted) = labels(task, item);
        let (icon, color, weight) = match task.is_right(item) {
            Some(true) => (icons::CHECK, tokens.success, FontFamily::Proportional),
            Some(false) => (icons::X, tokens.error, theme::medium()),
            None => (icons::TAG, tokens.text_weak, FontFamily::Proportional),
        };
        let answer = match task.is_right(item) {
            Some(true) => tokens.text_weak,
            Some(false) => tokens.error,
            None => tokens.text,
        };
        let first = CaptionLine {
            icon: (icon, color),
            text: (
                actual.unwrap_or("no label"),
                if actual.is_some() { tokens.text } else { tokens.text_weak },
            ),
            font: FontId::new(TEXT_SMALL, FontFamily::Proportional),
            value: &self.order_value(task, item),
        };
        let second = CaptionLine {
            icon: (icons::ARROW_RIGHT, tokens.text_weak),
            text: (predicted, answer),
            font: FontId::new(TEXT_SMALL, weight),
            value: &whole_percent(task.confidence(item)),
        };
        let area = area.shrink2(vec2(GRID, 0.0));
        first.ui(ui, tokens, area.with_max_y(area.top() + 7.0 * GRID));
        second.ui(ui, tokens, area.with_min_y(area.bottom() - 4.5 * GRID));
    }
}

impl ItemCells<'_> {
    /// What the order goes by, where it is not the confidence, which is always there.
    fn order_value(&self, task: &TaskItems, item: usize) -> String {
        match (self.0.query.order, task.loss(item)) {
            (BrowseOrder::Loss, Some(loss)) => format!("loss {loss:.2}"),
            (BrowseOrder::Margin, _) => format!("margin {}", whole_percent(task.margin(item))),
            _ => String::new(),
        }
    }
}
