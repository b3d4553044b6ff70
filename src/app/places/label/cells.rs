//! A cell of the grid: the image with its label in one task, or with the suggested label.

use std::path::Path;

use egui::{FontId, Rect, Ui, vec2};
use tasklens_data::dataset::{Dataset, RowLabel};
use tasklens_data::text::whole_percent;
use tasklens_net::labelling::suggestions::Suggestions;

use crate::app::services::label_edits::LabelEdits;
use crate::app::theme::icons;
use crate::app::theme::{GRID, TEXT_SMALL, Tokens};
use crate::app::widgets::DOES_NOT_APPLY;
use crate::app::widgets::thumbnail_grid::{CaptionLine, GridItems};

/// The cells of the grid.
pub(super) struct Cells<'a> {
    /// The row of each cell.
    pub rows: &'a [usize],
    /// What the rows are ordered by, per cell.
    pub values: Option<&'a [f32]>,
    pub dataset: &'a Dataset,
    pub edits: &'a LabelEdits,
    pub suggestions: Option<&'a Suggestions>,
    /// The task whose labels are shown.
    pub task: usize,
    /// Whether the caption shows the value in place of a probability.
    pub shows_value: bool,
}

impl Cells<'_> {
    fn label(&self, row: usize) -> Option<String> {
        if row >= self.dataset.rows.len() {
            return None;
        }
        match self.dataset.label(row, self.task) {
            RowLabel::DoesNotApply => Some(DOES_NOT_APPLY.to_owned()),
            RowLabel::Class(_) | RowLabel::Missing => {
                self.dataset.label_text(row, self.task).map(|text| text.into_owned())
            }
        }
    }

    fn is_flagged(&self, row: usize) -> bool {
        row < self.dataset.rows.len() && self.edits.state().flag(&self.dataset.image_key(row)).is_some()
    }

    fn suggestion(&self, row: usize) -> Option<(&str, f32)> {
        let (label, probability) = self.suggestions?.top(self.task, row)?;
        Some((self.dataset.tasks.get(self.task)?.labels.get(label as usize)?, probability))
    }
}

impl GridItems for Cells<'_> {
    fn count(&self) -> usize {
        self.rows.len()
    }

    fn image(&self, position: usize) -> Option<&Path> {
        Some(&self.dataset.rows.get(*self.rows.get(position)?)?.image)
    }

    fn name(&self, position: usize) -> String {
        let image = self.image(position).and_then(Path::file_name).unwrap_or_default().to_string_lossy();
        let Some(row) = self.rows.get(position).copied() else { return image.into_owned() };
        let flag = if self.is_flagged(row) { ", flagged" } else { "" };
        match (self.label(row), self.suggestion(row)) {
            (Some(label), _) => format!("{image}: {label}{flag}"),
            (None, Some((label, probability))) => {
                format!("{image}: no label, suggested {label}, {}{flag}", whole_percent(probability))
            }
            (None, None) => format!("{image}: no label{flag}"),
        }
    }

    fn caption_ui(&self, ui: &Ui, tokens: &Tokens, area: Rect, position: usize) {
        let Some(row) = self.rows.get(position).copied() else { return };
        let label = self.label(row);
        let suggestion = self.suggestion(row);
        let value = match (self.values.and_then(|values| values.get(position)), suggestion) {
            (Some(value), _) if self.shows_value => format!("{value:.2}"),
            (_, Some((_, probability))) if label.is_none() => whole_percent(probability),
            _ => String::new(),
        };
        let (icon, text) = match (&label, suggestion) {
            (Some(label), _) => ((icons::TAG, tokens.task(self.task)), (label.as_str(), tokens.text)),
            (None, Some((label, _))) => ((icons::LIGHTNING, tokens.text_weak), (label, tokens.text_weak)),
            (None, None) => ((icons::TAG, tokens.line), ("no label", tokens.text_weak)),
        };
        let value = if self.is_flagged(row) { format!("{}  {value}", icons::FLAG) } else { value };
        let font = FontId::proportional(TEXT_SMALL);
        CaptionLine { icon, text, font, value: &value }.ui(ui, tokens, area.shrink2(vec2(GRID, 0.0)));
    }
}
