//! What the network learnt an image from: the training images that it finds most alike, in a row.
//!
//! A prediction that is wrong although its neighbours are right, or a neighbour with another label than all the
//! others, often tells at a glance what is the matter.

use std::collections::VecDeque;
use std::sync::Arc;

use egui::{Align2, FontId, Label, Rect, Role, ScrollArea, Sense, Ui, Vec2, WidgetInfo, pos2, vec2};
use tasklens_net::evaluation::neighbours::training_neighbours;
use tasklens_net::inference::neighbours::Neighbour;

use super::inspected_run::{Loaded, Origin};
use crate::app::context::ViewContext;
use crate::app::services::jobs::{Job, Outcome};
use crate::app::theme::icons;
use crate::app::theme::{self, GRID, RADIUS, TEXT_SMALL};
use crate::app::widgets::name::shortened;
use crate::app::widgets::{focus_ring, picture_ui};

/// So many are shown.
const COUNT: usize = 12;
/// Items whose neighbours are kept: going back and forth needs no second search.
const KEPT: usize = 16;
const PICTURE: f32 = 20.0 * GRID;
const CELL: Vec2 = vec2(22.0 * GRID, 31.0 * GRID);
const PIXELS: u32 = 256;

type FoundNeighbours = Arc<Vec<Neighbour>>;

/// The strip. See the module's docs.
#[derive(Default)]
pub struct NeighboursStrip {
    origin: Origin,
    /// For the item that was asked for last.
    job: Option<(usize, Job<Vec<Neighbour>>)>,
    kept: VecDeque<(usize, FoundNeighbours)>,
    failure: Option<(usize, String)>,
}

impl NeighboursStrip {
    /// Shows the neighbours of an item with their labels of a task; returns the one that was clicked.
    pub fn ui(
        &mut self,
        ui: &mut Ui,
        loaded: &Loaded,
        item: usize,
        task: usize,
        context: &mut ViewContext<'_>,
    ) -> Option<usize> {
        if loaded.inspection.features.len() != loaded.inspection.len() {
            return None;
        }
        self.update(loaded, item, context);
        let tokens = context.tokens;
        let text = "The training images with the most similar features (cosine similarity; 1 is the highest). \
                    Labels that differ from that of this image are marked.";
        ui.add(Label::new(theme::caption(tokens, "Most similar training images")).truncate())
            .on_hover_text(text);
        let found = self.kept.iter().find(|(of, _)| *of == item).map(|(_, found)| Arc::clone(found));
        let mut clicked = None;
        ScrollArea::horizontal().id_salt("neighbours").auto_shrink([false, true]).show(ui, |ui| {
            ui.spacing_mut().item_spacing.x = GRID;
            ui.horizontal(|ui| match found {
                Some(found) if found.is_empty() => {
                    ui.label(theme::caption(tokens, "There are no training images."));
                }
                Some(found) => {
                    for neighbour in found.iter() {
                        if cell_ui(ui, loaded, item, neighbour, task, context) {
                            clicked = Some(neighbour.item);
                        }
                    }
                }
                // As high as what will come.
                None => {
                    let (rect, _) =
                        ui.allocate_exact_size(vec2(ui.available_width(), CELL.y), Sense::hover());
                    if let Some((_, message)) = self.failure.as_ref().filter(|(of, _)| *of == item) {
                        let text = format!("{}  {message}", icons::WARNING);
                        let font = FontId::proportional(TEXT_SMALL);
                        ui.painter().text(
                            rect.left_center(),
                            Align2::LEFT_CENTER,
                            text,
                            font,
                            tokens.warning,
                        );
                    }
                }
            });
        });
        clicked
    }

    /// Takes in what was found, and looks for what is asked for now.
    fn update(&mut self, loaded: &Loaded, item: usize, context: &ViewContext<'_>) {
        if self.origin.renew(loaded) {
            (self.job, self.failure) = (None, None);
            self.kept.clear();
        }
        if let Some((of, job)) = &mut self.job
            && let Some(outcome) = job.poll()
        {
            let of = *of;
            self.job = None;
            match outcome {
                Outcome::Done(found) => {
                    self.kept.push_front((of, Arc::new(found)));
                    self.kept.truncate(KEPT);
                }
                Outcome::Failed(message) => self.failure = Some((of, message)),
                Outcome::Cancelled => {}
            }
        }
        let is_known = self.kept.iter().any(|(of, _)| *of == item)
            || self.failure.as_ref().is_some_and(|(of, _)| *of == item)
            || self.job.as_ref().is_some_and(|(of, _)| *of == item);
        if !is_known {
            let inspection = Arc::clone(&loaded.inspection);
            // A job about another item ends with its handle.
            let job = context.jobs.start_quietly("Looking for similar images", move |progress| {
                Ok(training_neighbours(&inspection, item, COUNT, &mut |_, _| progress.keep_going())
                    .unwrap_or_default())
            });
            self.job = Some((item, job));
        }
    }
}

/// One neighbour; returns whether it was clicked.
fn cell_ui(
    ui: &mut Ui,
    loaded: &Loaded,
    of: usize,
    neighbour: &Neighbour,
    task: usize,
    context: &mut ViewContext<'_>,
) -> bool {
    let tokens = context.tokens;
    let (rect, response) = ui.allocate_exact_size(CELL, Sense::click());
    let task = loaded.inspection.tasks.get(task);
    let class = |item: usize| task.and_then(|task| task.labels[item]);
    let label = class(neighbour.item).and_then(|class| task?.task.labels.get(class as usize));
    let label = label.map_or("\u{2013}", String::as_str);
    // Without labels there is no contradiction.
    let differs = class(of).zip(class(neighbour.item)).is_some_and(|(a, b)| a != b);
    let path = loaded.image_of(neighbour.item);
    let name = path.and_then(std::path::Path::file_name).unwrap_or_default().to_string_lossy();
    response.widget_info(|| {
        let mut info = WidgetInfo::labeled(Role::Button, true, format!("Neighbour {name}"));
        let other = if differs { ", different label" } else { "" };
        info.current_text_value = Some(format!("{label}{other}, similarity {:.2}", neighbour.similarity));
        info
    });
    if !ui.is_rect_visible(rect) {
        return response.clicked();
    }
    if response.hovered() {
        ui.painter().rect_filled(rect, RADIUS, tokens.card);
    }
    let middle = pos2(rect.center().x, rect.top() + GRID + PICTURE / 2.0);
    let picture = Rect::from_center_size(middle, Vec2::splat(PICTURE));
    if let Some(path) = path {
        picture_ui(ui, picture, path, PIXELS, context);
    }
    focus_ring(ui, &response);
    let font = FontId::proportional(TEXT_SMALL);
    let color = if differs { tokens.warning } else { tokens.text };
    let text = if differs { format!("{} {label}", icons::WARNING) } else { label.to_owned() };
    let text = shortened(ui, &text, font.clone(), color, CELL.x - 2.0 * GRID);
    let at = pos2(rect.center().x - text.size().x / 2.0, picture.bottom() + GRID);
    ui.painter().galley(at, text, color);
    let below = pos2(rect.center().x, rect.bottom() - 0.5 * GRID);
    let similarity = format!("{:.2}", neighbour.similarity);
    ui.painter().text(below, Align2::CENTER_BOTTOM, similarity, font, tokens.text_weak);
    response.on_hover_text(theme::in_visual_order(&name)).clicked()
}
