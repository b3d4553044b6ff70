//! Several proposed labels at once: a grid of exactly the images whose labels would change, before any of them does.

use std::path::Path;

use egui::{FontId, Id, Key, Modifiers, Rect, Ui, vec2};
use tasklens_data::config::Task;
use tasklens_data::dataset::Dataset;
use tasklens_data::text::{counted_grouped, whole_percent};
use tasklens_net::evaluation::inspection::TaskItems;
use tasklens_net::evaluation::suspects::{Suspect, TaskSuspects};

use crate::app::context::ViewContext;
use crate::app::theme::icons;
use crate::app::theme::{self, GRID, TEXT_SMALL, Tokens};
use crate::app::widgets::accent_button;
use crate::app::widgets::name::Name;
use crate::app::widgets::thumbnail_grid::{
    CaptionLine, GridItems, GridState, Selection, ThumbnailGrid, keys_are_free,
};

const SIDE: f32 = 30.0 * GRID;
/// Two lines: the given label, and the proposed one.
const CAPTION: f32 = 11.0 * GRID;

/// What becomes of the grid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SeveralAnswer {
    /// It stays open.
    Stay,
    /// Nothing is changed.
    Leave,
    /// Accept these, by their positions in the list of suspects.
    Accept(Vec<usize>),
}

/// The grid while it is open. The list of suspects must stay as it is meanwhile.
pub struct Several {
    /// Positions in the list of suspects: those that were open.
    shown: Vec<usize>,
    grid: GridState,
    /// How many were ticked from the beginning.
    earned: usize,
    is_new: bool,
}

impl Several {
    /// Shows these suspects; those that have earned it are ticked.
    pub fn new(found: &TaskSuspects, shown: Vec<usize>) -> Self {
        let mut ticked = Selection::default();
        for (at, suspect) in shown.iter().enumerate() {
            if found.suspects.get(*suspect).is_some_and(|suspect| found.is_trusted(suspect)) {
                ticked.toggle(at);
            }
        }
        let mut grid = GridState::default();
        let earned = ticked.len();
        grid.set_selection(ticked);
        Self { shown, grid, earned, is_new: true }
    }

    /// Shows it in all the space there is.
    pub fn ui(
        &mut self,
        ui: &mut Ui,
        items: &TaskItems,
        found: &TaskSuspects,
        context: &mut ViewContext<'_>,
    ) -> SeveralAnswer {
        let id = Id::unique("labels to change");
        if std::mem::take(&mut self.is_new) {
            ui.memory_mut(|memory| memory.request_focus(id));
        }
        let mut answer = SeveralAnswer::Stay;
        if keys_are_free(ui, Some(id)) {
            let pressed = |key| ui.input_mut(|input| input.consume_key(Modifiers::NONE, key));
            if pressed(Key::Escape) {
                answer = SeveralAnswer::Leave;
            } else if pressed(Key::Enter) && !self.grid.selection().is_empty() {
                answer = self.accepted();
            }
        }
        answer = match self.bar_ui(ui, items, context.tokens) {
            SeveralAnswer::Stay => answer,
            pressed => pressed,
        };
        ui.add_space(GRID);
        let Some((dataset, _)) = context.labels() else { return answer };
        let cells =
            SuspectCells { shown: &self.shown, suspects: &found.suspects, task: &items.task, dataset };
        let grid = ThumbnailGrid::new("Labels to change").side(SIDE).caption(CAPTION);
        grid.many().toggling(true).id(id).ui(ui, context.thumbnails, &mut self.grid, &cells);
        answer
    }

    fn accepted(&self) -> SeveralAnswer {
        let at = |position: usize| self.shown.get(position).copied();
        SeveralAnswer::Accept(self.grid.selection().iter().filter_map(at).collect())
    }

    fn bar_ui(&mut self, ui: &mut Ui, items: &TaskItems, tokens: &Tokens) -> SeveralAnswer {
        let mut answer = SeveralAnswer::Stay;
        let ticked = self.grid.selection().len();
        ui.horizontal_wrapped(|ui| {
            Name::strong(&format!("Proposed labels of {}", items.task.name)).ui(ui);
            let text = format!("Change {}", counted_grouped(ticked, "label"));
            let change = accent_button(ui, icons::CHECK, &text, ticked > 0);
            if change.on_hover_text("Labels that are not ticked stay as they are (Enter)").clicked() {
                answer = self.accepted();
            }
            if ui.button("Cancel").on_hover_text("Changes nothing (Escape)").clicked() {
                answer = SeveralAnswer::Leave;
            }
            if ui.button("Tick all").clicked() {
                self.grid.set_selection(Selection::range(0..self.shown.len()));
            }
            if ui.button("Tick none").clicked() {
                self.grid.set_selection(Selection::default());
            }
        });
        let which = match self.earned {
            0 => "None is ticked to begin with: at no such confidence is the network right often enough.",
            _ => "Ticked to begin with: where the network, when it is this sure, is right 9 times in 10.",
        };
        let text = format!("{which} A click or Space ticks an image or takes it out.");
        ui.add(egui::Label::new(theme::caption(tokens, text)).wrap());
        answer
    }
}

/// The cells: an image with its label and the proposed one.
struct SuspectCells<'a> {
    shown: &'a [usize],
    suspects: &'a [Suspect],
    task: &'a Task,
    dataset: &'a Dataset,
}

impl SuspectCells<'_> {
    fn suspect(&self, position: usize) -> Option<&Suspect> {
        self.suspects.get(*self.shown.get(position)?)
    }

    fn label(&self, class: u32) -> &str {
        self.task.labels.get(class as usize).map_or("", String::as_str)
    }
}

/// How probable the network finds what it proposes.
fn confidence(suspect: &Suspect) -> String {
    let probability = suspect.probabilities.get(suspect.proposed as usize).copied();
    probability.map(whole_percent).unwrap_or_default()
}

impl GridItems for SuspectCells<'_> {
    fn count(&self) -> usize {
        self.shown.len()
    }

    fn image(&self, position: usize) -> Option<&Path> {
        Some(&self.dataset.rows.get(self.suspect(position)?.of.row)?.image)
    }

    fn name(&self, position: usize) -> String {
        let image = self.image(position).and_then(Path::file_name).unwrap_or_default().to_string_lossy();
        let Some(suspect) = self.suspect(position) else { return image.into_owned() };
        let (given, proposed) = (self.label(suspect.given), self.label(suspect.proposed));
        let record = suspect.record.map_or(String::new(), |record| format!(". {}", record.sentence()));
        format!("{image}: {given} becomes {proposed}, {} sure{record}", confidence(suspect))
    }

    fn caption_ui(&self, ui: &Ui, tokens: &Tokens, area: Rect, position: usize) {
        let Some(suspect) = self.suspect(position) else { return };
        let (above, below) = area.shrink2(vec2(GRID, 0.0)).split_top_bottom_at_fraction(0.5);
        let given = CaptionLine {
            icon: (icons::TAG, tokens.text_weak),
            text: (self.label(suspect.given), tokens.text_weak),
            font: FontId::proportional(TEXT_SMALL),
            value: "",
        };
        given.ui(ui, tokens, above);
        let proposed = CaptionLine {
            icon: (icons::ARROW_RIGHT, tokens.accent_text),
            text: (self.label(suspect.proposed), tokens.text),
            font: FontId::new(TEXT_SMALL, theme::semibold()),
            value: &confidence(suspect),
        };
        proposed.ui(ui, tokens, below);
    }
}
