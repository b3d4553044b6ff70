//! The images as points: what the network sees alike lies together.
//!
//! Layouts are computed for all items; the part in focus only says which of them are drawn.

mod coloring;
mod layouts;
mod legend;
mod tooltip;

use std::sync::Arc;

use egui::{Align, Key, Layout, Modifiers, RichText, Role, Sense, Theme, Ui, WidgetInfo};
use tasklens_net::evaluation::browse::{BrowseOrder, Query, Verdict};

use super::inspected_run::{InspectedRun, Loaded};
use super::wording::images;
use super::{Action, Focus};
use crate::app::context::ViewContext;
use crate::app::theme::icons;
use crate::app::theme::{self, GRID};
use crate::app::widgets::choice::{Choice, Segments};
use crate::app::widgets::glossary::{Word, lead};
use crate::app::widgets::scatter::{Cloud, Scatter, ScatterState};
use crate::app::widgets::{empty_place, glyph_button, toggle_glyph};
use coloring::{Coloring, Scene};
use layouts::{Layouts, MapLayout};

/// From this width on, there is room for everything side by side.
const WIDE: f32 = 190.0 * GRID;
/// Below this one the legend stands above the map.
const NARROW: f32 = 100.0 * GRID;

const LAYOUTS: [Choice<'static, MapLayout>; 2] = [
    Choice::new(MapLayout::Components, "PCA", "The two directions in which the images differ most"),
    Choice::new(
        MapLayout::Neighbours,
        "Neighbours",
        "Images that look alike to the network are placed side by side",
    ),
];

const EXPLANATION: &str = "Each point is an image. It is placed by the network's features, the values from \
                           which the heads decide: images that look alike to the network lie close together, \
                           whatever their labels are.\n\nPCA shows the two directions in which the features \
                           differ most. Large distances mean something, but images that differ in other \
                           directions only fall together.\n\nNeighbours (t-SNE) keeps each image beside those \
                           that it resembles. The size of a cluster and its distance from the others mean \
                           nothing.\n\nThe axes have no unit. A point with one label among points with another \
                           is worth a look: it may be mislabelled.";

/// What a scene was made for.
#[derive(Clone, Debug, PartialEq)]
struct SceneKey {
    loaded: u64,
    focus: Focus,
    coloring: Coloring,
    lit: Option<String>,
    theme: Theme,
}

/// The Map tab. It keeps the layouts and what is shown of them.
#[derive(Default)]
pub struct MapTab {
    layouts: Layouts,
    coloring: Coloring,
    /// The entry of the legend that is looked at alone.
    lit: Option<String>,
    is_lasso: bool,
    scene: Option<(SceneKey, Scene)>,
    scenes: u64,
    scatter: ScatterState,
}

impl MapTab {
    /// Shows the map and its legend; clicks and the lasso lead to images.
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
            let text =
                "The predictions of this run lack the features. Predict its images again to see the map.";
            empty_place(ui, icons::CHART_SCATTER, "No features", text, |_| {});
            return None;
        }
        self.layouts.update(inspected, loaded, context);
        self.layouts.glide(ui.ctx());
        self.keys(ui);
        self.toolbar_ui(ui, loaded, context);
        ui.add_space(2.0 * GRID);
        if let Some(message) = self.layouts.failure() {
            empty_place(ui, icons::WARNING, "There is no map", message, |_| {});
            return None;
        }
        if self.layouts.shown().is_none() {
            empty_place(ui, icons::CHART_SCATTER, "Arranging the images", "", |_| {});
            return None;
        }
        self.renew_scene(loaded, focus, context);
        if ui.available_width() >= NARROW {
            let width = if ui.available_width() >= WIDE { 46.0 * GRID } else { 34.0 * GRID };
            let panel = egui::Panel::right("map legend").exact_size(width).resizable(false);
            panel
                .show_separator_line(false)
                .frame(egui::Frame::new())
                .show(ui, |ui| self.legend_ui(ui, true));
            let margin = egui::Margin { right: 12, ..egui::Margin::ZERO };
            let frame = egui::Frame::new().inner_margin(margin);
            let canvas = egui::CentralPanel::no_frame().frame(frame);
            canvas.show(ui, |ui| self.canvas_ui(ui, loaded, focus, context)).inner
        } else {
            self.legend_ui(ui, false);
            ui.add_space(GRID);
            self.canvas_ui(ui, loaded, focus, context)
        }
    }

    /// L takes the lasso, Escape puts it away.
    fn keys(&mut self, ui: &Ui) {
        if ui.ctx().text_edit_focused() {
            return;
        }
        let pressed = |key| ui.input_mut(|input| input.consume_key(Modifiers::NONE, key));
        if pressed(Key::L) {
            self.is_lasso = !self.is_lasso;
        }
    }

    fn toolbar_ui(&mut self, ui: &mut Ui, loaded: &Loaded, context: &ViewContext<'_>) {
        let is_wide = ui.available_width() >= WIDE;
        let toolbar = |ui: &mut Ui| {
            let mut wanted = self.layouts.wanted;
            if Segments::new("Layout", &LAYOUTS).ui(ui, &mut wanted) {
                self.layouts.choose(wanted, loaded, context);
            }
            let before = self.coloring;
            if is_wide {
                Segments::new("Colour", &Coloring::ALL).ui(ui, &mut self.coloring);
            } else {
                coloring_menu_ui(ui, &mut self.coloring);
            }
            if self.coloring != before {
                self.lit = None;
            }
            self.buttons_ui(ui, context);
        };
        match is_wide {
            true => ui.horizontal(toolbar),
            false => ui.horizontal_wrapped(toolbar),
        };
    }

    fn buttons_ui(&mut self, ui: &mut Ui, context: &ViewContext<'_>) {
        ui.spacing_mut().item_spacing.x = GRID;
        ui.add_space(GRID);
        let lasso = toggle_glyph(ui, icons::LASSO, "Lasso", self.is_lasso);
        let hint = "Draw around points to browse their images (L, or drag with Shift; Escape cancels)";
        if lasso.on_hover_text(hint).clicked() {
            self.is_lasso = !self.is_lasso;
        }
        let all = glyph_button(ui, icons::SCAN, "Show all points", self.scatter.is_zoomed());
        if all.clicked() {
            self.scatter.reset_view();
        }
        ui.add_space(GRID);
        let info = RichText::new(icons::INFO).size(16.0).color(context.tokens.text_weak);
        let info = ui.add(egui::Label::new(info).selectable(false).sense(Sense::click()));
        lead(ui, info, "What the map means", (Word::Features, EXPLANATION));
        if let Some(fraction) = self.layouts.awaited() {
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                let text = format!("Arranging by neighbours: {:.0} %", 100.0 * fraction);
                ui.add(egui::Label::new(theme::caption(context.tokens, text)).truncate());
            });
        }
    }

    fn renew_scene(&mut self, loaded: &Loaded, focus: &Focus, context: &ViewContext<'_>) {
        let Some(task) = loaded.inspection.tasks.get(focus.task) else { return };
        if self.scene.as_ref().is_some_and(|(key, _)| key.focus.task != focus.task) {
            self.lit = None;
        }
        let key = SceneKey {
            loaded: loaded.version,
            focus: *focus,
            coloring: self.coloring,
            lit: self.lit.clone(),
            theme: context.tokens.theme,
        };
        if self.scene.as_ref().is_none_or(|(of, _)| *of != key) {
            let items = loaded.inspection.items_of(focus.part);
            let scene = Scene::new(task, &items, self.coloring, self.lit.as_deref(), context.tokens);
            self.scene = Some((key, scene));
            self.scenes += 1;
        }
    }

    fn legend_ui(&mut self, ui: &mut Ui, is_column: bool) {
        let Some((_, scene)) = &self.scene else { return };
        if let Some(clicked) = legend::ui(ui, &scene.entries, self.lit.as_deref(), is_column) {
            self.lit = (self.lit.as_ref() != Some(&clicked)).then_some(clicked);
        }
    }

    fn canvas_ui(
        &mut self,
        ui: &mut Ui,
        loaded: &Loaded,
        focus: &Focus,
        context: &mut ViewContext<'_>,
    ) -> Option<Action> {
        let task = loaded.inspection.tasks.get(focus.task)?;
        let shown = self.layouts.shown()?;
        let (_, scene) = self.scene.as_ref()?;
        let version = shown.version << 32 | self.scenes;
        let cloud = Cloud { places: shown.places, half: shown.half, dots: &scene.dots, version };
        let value =
            format!("{}, coloured by {}", images(scene.dots.len()), self.coloring.of(&task.task.name));
        let scatter = Scatter::new("Map of images", value, cloud).lasso(self.is_lasso);
        let output = scatter.ui(ui, &mut self.scatter);
        // Only now, as Escape first gives up a lasso that is being drawn.
        if self.is_lasso && ui.input_mut(|input| input.consume_key(Modifiers::NONE, Key::Escape)) {
            self.is_lasso = false;
        }
        if let Some((item, at)) = output.hovered {
            tooltip::ui(ui, &output.response, at, loaded, item, focus.task, context);
        }
        if let Some(items) = output.lassoed.filter(|items| !items.is_empty()) {
            self.is_lasso = false;
            let title = format!("{} within the lasso", images(items.len()));
            let query = Query {
                task: focus.task,
                part: focus.part,
                among: Some(Arc::new(items)),
                verdict: Verdict::Any,
                order: BrowseOrder::Row,
                ..Query::default()
            };
            return Some(Action::Browse { query, title: Some(title) });
        }
        output.clicked.map(Action::Open)
    }
}

/// The choices of the segments where there is no room for them.
fn coloring_menu_ui(ui: &mut Ui, chosen: &mut Coloring) {
    let name = Coloring::ALL.iter().find(|choice| choice.value == *chosen).map_or("", |choice| choice.name);
    let menu = egui::ComboBox::from_id_salt("colour").selected_text(name).width(28.0 * GRID);
    let menu = menu.show_ui(ui, |ui| {
        for Choice { value, name, meaning } in Coloring::ALL {
            ui.selectable_value(chosen, value, name).on_hover_text(meaning);
        }
    });
    menu.response.widget_info(|| WidgetInfo::labeled(Role::ComboBox, true, "Colour"));
}
