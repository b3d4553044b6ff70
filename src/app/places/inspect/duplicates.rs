//! The same photograph on both sides of the split: what was learnt by heart is scored as if it were known.

mod list;

use std::sync::Arc;

use egui::{Align, Label, Layout, Slider, Ui};
use tasklens_data::dataset::split::Part;
use tasklens_data::text::{counted_grouped, grouped, plural};
use tasklens_net::evaluation::browse::Query;
use tasklens_net::evaluation::duplicates::{self, FoundDuplicates, Leak, Shown};
use tasklens_net::inference::duplicates::SAME_PHOTOGRAPH;

use super::inspected_run::{InspectedRun, Loaded, Origin};
use super::search::{Search, Words};
use super::wording::image_of;
use super::{Action, Focus};
use crate::app::context::ViewContext;
use crate::app::theme::icons;
use crate::app::theme::{self, GRID};
use crate::app::widgets::glossary::{Word, term_ui};
use crate::app::widgets::{empty_place, width_of};

const WORDS: Words = Words {
    icon: icons::COPY,
    searching: (
        "Looking for duplicates",
        "Each validation or test image is compared with each training image, as tiny pictures.",
    ),
    waiting: "The images are compared when all of them have been predicted.",
    again: "Look for duplicates",
};

/// What the list was chosen by.
#[derive(Clone, Copy, PartialEq)]
struct PairFilter {
    /// Of what is loaded.
    version: u64,
    threshold: f32,
    only_contradicting: bool,
}

/// The Duplicates tab. It keeps what was found, and how the list is filtered.
pub struct DuplicatesTab {
    origin: Origin,
    search: Search<FoundDuplicates>,
    /// From this correlation on a pair is shown.
    threshold: f32,
    only_contradicting: bool,
    shown: Option<(PairFilter, Shown)>,
}

impl Default for DuplicatesTab {
    fn default() -> Self {
        Self {
            origin: Origin::default(),
            search: Search::default(),
            threshold: SAME_PHOTOGRAPH,
            only_contradicting: false,
            shown: None,
        }
    }
}

impl DuplicatesTab {
    /// Shows the tab; starts the search when all images are predicted.
    pub fn ui(
        &mut self,
        ui: &mut Ui,
        inspected: &InspectedRun,
        loaded: &Loaded,
        focus: &Focus,
        context: &mut ViewContext<'_>,
    ) -> Option<Action> {
        let inspection = &loaded.inspection;
        if inspection.features.len() != inspection.len() {
            let text = "The predictions of this run lack the tiny pictures that are compared. Predict its \
                        images again.";
            empty_place(ui, icons::COPY, "Nothing to compare", text, |_| {});
            return None;
        }
        if self.origin.renew(loaded) {
            self.search = Search::default();
        }
        if self.search.poll() {
            self.shown = None;
        }
        if self.search.is_due(inspected) {
            self.start(loaded, context);
        }
        if self.search.found.is_none() {
            if self.search.waiting_ui(ui, inspected, &WORDS) {
                self.start(loaded, context);
            }
            return None;
        }
        if !inspection.parts.iter().any(|part| *part != Part::Train) {
            let text = "All images are training images, so there is nothing to compare them with.";
            empty_place(ui, icons::COPY, "No validation images", text, |_| {});
            return None;
        }
        self.choose(loaded);
        self.found_ui(ui, loaded, focus, context)
    }

    fn start(&mut self, loaded: &Loaded, context: &ViewContext<'_>) {
        let inspection = Arc::clone(&loaded.inspection);
        self.search.start(context.jobs.start("Looking for duplicates", move |progress| {
            duplicates::find(&inspection, &mut |done, of| {
                progress.set(done as u64, of as u64);
                progress.keep_going()
            })
        }));
    }

    /// The pairs to show, chosen anew when something changed.
    fn choose(&mut self, loaded: &Loaded) {
        let (threshold, only_contradicting) = (self.threshold, self.only_contradicting);
        let filter = PairFilter { version: loaded.version, threshold, only_contradicting };
        let Some(found) = self.search.found.as_ref() else { return };
        if self.shown.as_ref().is_none_or(|(of, _)| *of != filter) {
            let shown = Shown::new(&loaded.inspection, found, threshold, only_contradicting);
            self.shown = Some((filter, shown));
        }
    }

    fn found_ui(
        &mut self,
        ui: &mut Ui,
        loaded: &Loaded,
        focus: &Focus,
        context: &mut ViewContext<'_>,
    ) -> Option<Action> {
        let (_, shown) = self.shown.as_ref()?;
        if self.search.found.as_ref().is_some_and(|found| found.pairs.is_empty()) {
            let all: Vec<String> =
                shown.leaks.iter().map(|leak| images_counted(leak.of, leak.part)).collect();
            let text = format!(
                "None of {} looks like a training image: no score is inflated by duplicates.",
                all.join(" and ")
            );
            empty_place(ui, icons::CHECK_CIRCLE, "No duplicates across splits", &text, |_| {});
            return None;
        }
        let mut action = None;
        for leak in &shown.leaks {
            ui.horizontal_wrapped(|ui| {
                ui.add(Label::new(theme::strong(sentence(leak))).wrap()).on_hover_text(
                    "The correlation of two images scaled down to 12 by 12 pixels: it finds copies that were \
                     resized, recompressed or brightened, and hardly any other pairs.",
                );
                let name = if shown.leaks.len() == 1 {
                    "them".to_owned()
                } else {
                    format!("{}s", image_of(Some(leak.part)))
                };
                if !leak.alike.is_empty() && ui.button(format!("Browse {name}")).clicked() {
                    action = Some(browse(leak, focus));
                }
            });
        }
        ui.add_space(GRID);
        let (pairs, contradicting) = (shown.pairs.len(), shown.contradicting);
        self.filters_ui(ui, pairs, contradicting, context);
        ui.add_space(GRID);
        let (_, shown) = self.shown.as_ref()?;
        if shown.pairs.is_empty() {
            let text = "Lower the similarity, or show all pairs, to see more.";
            empty_place(ui, icons::CHECK_CIRCLE, "No such pair", text, |_| {});
            return action;
        }
        list::ui(ui, loaded, &shown.pairs, focus.task, context).map(Action::Open).or(action)
    }

    fn filters_ui(&mut self, ui: &mut Ui, pairs: usize, contradicting: usize, context: &ViewContext<'_>) {
        ui.horizontal_wrapped(|ui| {
            let label = term_ui(ui, theme::caption(context.tokens, "Similarity from"), Word::Similarity);
            ui.spacing_mut().slider_width = 30.0 * GRID;
            let slider = Slider::new(&mut self.threshold, duplicates::LEAST..=1.0).fixed_decimals(3);
            ui.add(slider).labelled_by(label.id).on_hover_text(
                "From 0.995 up, it is nearly always the same photograph; lower values also show photographs \
                 that merely look alike",
            );
            let text = format!("Conflicting labels only ({})", grouped(contradicting as u64));
            // An empty box must be seen.
            let line = context.tokens.text_weak.gamma_multiply(0.6);
            ui.visuals_mut().widgets.inactive.bg_stroke = egui::Stroke::new(1.0, line);
            ui.add_space(2.0 * GRID);
            ui.checkbox(&mut self.only_contradicting, text)
                .on_hover_text("If the same photograph has two different labels, one of them is wrong");
            let pairs = counted_grouped(pairs, "pair");
            let wide = width_of(ui, &pairs, egui::FontId::proportional(theme::TEXT_SMALL));
            let pairs = theme::caption(context.tokens, pairs);
            if ui.available_size_before_wrap().x >= wide {
                ui.with_layout(Layout::right_to_left(Align::Center), |ui| ui.label(pairs));
            } else {
                ui.end_row();
                ui.label(pairs);
            }
        });
    }
}

/// The images of a part that look like a training image.
fn browse(leak: &Leak, focus: &Focus) -> Action {
    let looks = plural(leak.alike.len(), "looks", "look");
    let title = format!("{} that {looks} like a training image", images_counted(leak.alike.len(), leak.part));
    let query = Query {
        task: focus.task,
        part: Some(leak.part),
        among: Some(Arc::new(leak.alike.clone())),
        ..Query::default()
    };
    Action::Browse { query, title: Some(title) }
}

/// Such as `12 validation images`.
fn images_counted(count: usize, part: Part) -> String {
    counted_grouped(count, &image_of(Some(part)))
}

fn sentence(leak: &Leak) -> String {
    let (alike, of, name) = (leak.alike.len(), leak.of, leak.part.adjective());
    if alike == 0 {
        return format!("None of {} looks like a training image", images_counted(of, leak.part));
    }
    let looks = plural(alike, "looks", "look");
    let points = 100.0 * alike as f64 / of as f64;
    format!(
        "{} of {} {looks} like a training image: this inflates the {name} scores by at most {points:.1} \
         percentage points",
        grouped(alike as u64),
        images_counted(of, leak.part),
    )
}
