//! The selected image, large: it can be zoomed, and shows which of its parts speak for a label.

use egui::{Align2, FontId, Sense, TextureHandle, Ui, Vec2, vec2};

use super::picker::ModelState;
use super::read;
use super::worker::ModelInfo;
use super::{EntryState, ImageEntry, PredictView};
use crate::app::context::ViewContext;
use crate::app::services::project::ImageSource;
use crate::app::theme::GRID;
use crate::app::theme::icons;
use crate::app::widgets::fit;
use crate::app::widgets::heat_map::{Heat, HeatKey, HeatMaps, HeatModel, HeatSubject, LEGEND, legend_ui};
use crate::app::widgets::probability_bars::sorted;
use crate::app::widgets::zoom_image::{Zoom, paint_zoomed, zoom_area_ui};

/// So much may a small image grow before anybody zooms.
const GROWS: f32 = 2.0;

/// How the selected image is looked at.
#[derive(Default)]
pub struct Look {
    /// The entry that is zoomed, and how far.
    zoom: (u64, Zoom),
    /// By the entry's number.
    pub heat: HeatMaps<u64>,
}

impl Look {
    /// The zoom of an entry; each image begins as large as it fits.
    fn zoom_of(&mut self, entry: u64) -> &mut Zoom {
        if self.zoom.0 != entry {
            self.zoom = (entry, Zoom::default());
        }
        &mut self.zoom.1
    }
}

impl PredictView {
    /// Shows the selected image in the space, with the switch of its heat map above it.
    pub(super) fn selected_ui(&mut self, ui: &mut Ui, context: &ViewContext<'_>, mut space: Vec2) {
        let Some(entry) = self.entries.get(self.selected) else { return };
        let look = &mut self.look;
        let info = match &self.model {
            ModelState::Ready(info) => Some(info),
            ModelState::None | ModelState::Loading(_) | ModelState::Failed(_) => None,
        };
        let subject = info.and_then(|info| Some((&**info, subject(entry, info)?)));
        if let Some((_, subject)) = &subject {
            let bar = ui.horizontal_wrapped(|ui| look.heat.bar_ui(ui, subject, context.tokens, false));
            space.y = (space.y - bar.response.rect.height() - ui.spacing().item_spacing.y).max(8.0 * GRID);
        }
        let picture = self.shown.as_ref().filter(|(id, _)| *id == entry.id).and_then(|(_, p)| p.as_ref());
        picture_ui(ui, context, (entry, picture), subject.as_ref(), look, space);
    }
}

/// What the network says of an entry; `None` until it does.
fn subject<'a>(entry: &ImageEntry, info: &'a ModelInfo) -> Option<HeatSubject<'a>> {
    // An address that was not fetched yet has no pixels.
    let (EntryState::Predicted(prediction), false) =
        (&entry.state, matches!(entry.source, ImageSource::Url(_)))
    else {
        return None;
    };
    let best = |probabilities: &Vec<f32>| u32::try_from(*sorted(probabilities).first()?).ok();
    Some(HeatSubject {
        tasks: info.tasks.iter().collect(),
        predicted: prediction.probabilities.iter().filter_map(best).collect(),
        focus: 0,
    })
}

/// Shows the picture as large as it fits into `space`, at most twice its size, and zoomed from there.
fn picture_ui(
    ui: &mut Ui,
    context: &ViewContext<'_>,
    (entry, picture): (&ImageEntry, Option<&TextureHandle>),
    subject: Option<&(&ModelInfo, HeatSubject<'_>)>,
    look: &mut Look,
    space: Vec2,
) {
    let (area, _) = ui.allocate_exact_size(space, Sense::hover());
    let id = ui.scope_id().with("picture");
    zoom_area_ui(ui, id, area, &entry.name, look.zoom_of(entry.id));
    let Some(texture) = picture.or(entry.thumbnail.as_ref()) else {
        let (icon, color) = match &entry.state {
            EntryState::Failed(_) => (icons::WARNING_CIRCLE, context.tokens.error),
            _ => (icons::IMAGE, context.tokens.text_weak),
        };
        ui.painter().text(area.center(), Align2::CENTER_CENTER, icon, FontId::proportional(44.0), color);
        return;
    };
    let has_heat = look.heat.is_on && subject.is_some();
    let room = if has_heat { area.with_max_y(area.bottom() - LEGEND.y) } else { area };
    // The small picture stands in until the large one is there, at the size that one will have.
    let own = entry.size.map_or(texture.size_vec2(), |[width, height]| vec2(width as f32, height as f32));
    let size = fit(own / ui.ctx().pixels_per_point(), room.size(), GROWS);
    let place = paint_zoomed(ui, room, texture, size, look.zoom_of(entry.id));
    let Some((info, subject)) = subject.filter(|_| has_heat) else { return };
    let Some((task, label)) = look.heat.target(subject) else { return };
    let key = HeatKey { image: entry.id, task, label };
    let device = context.project.map_or_else(Default::default, |project| project.config.model.device);
    let model = HeatModel { model_or_run: info.path.clone(), device };
    let source = entry.source.clone();
    let heat =
        look.heat.get(&key, model, context, move |progress, size| read::input(&source, size, progress));
    let name = subject.name(task, label);
    look.heat.over_ui(ui, &heat, &name, (place, room), "Heat map\u{2026}", context.tokens);
    if matches!(heat, Heat::Ready(_)) {
        legend_ui(ui, place.intersect(room), context.tokens);
    }
}
