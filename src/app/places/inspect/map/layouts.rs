//! Where the points are: both layouts as they become known, and the way from one to the other.

use egui::{Context, Id, Vec2, vec2};
use tasklens_net::inference::projection::{self, Positions};

use super::super::inspected_run::{InspectedRun, Loaded, Origin};
use crate::app::command::Level;
use crate::app::context::ViewContext;
use crate::app::services::jobs::{Job, Outcome};

/// How long the points glide, in seconds.
const GLIDE: f32 = 0.7;
/// The same map each time.
const SEED: u64 = 1;

/// How the points are laid out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum MapLayout {
    /// The two directions in which the features differ most.
    Components,
    /// So that neighbours stay together.
    #[default]
    Neighbours,
}

/// Places about (0, 0), at most 1 away in either direction.
struct Placed {
    places: Positions,
    half: Vec2,
}

impl Placed {
    fn new(mut places: Positions) -> Self {
        let (mut low, mut high) = ([f32::INFINITY; 2], [f32::NEG_INFINITY; 2]);
        for place in &places {
            for axis in 0..2 {
                low[axis] = low[axis].min(place[axis]);
                high[axis] = high[axis].max(place[axis]);
            }
        }
        let extent = [high[0] - low[0], high[1] - low[1]];
        let scale = 2.0 / extent[0].max(extent[1]).max(f32::MIN_POSITIVE);
        for place in &mut places {
            for axis in 0..2 {
                place[axis] = (place[axis] - (low[axis] + high[axis]) / 2.0) * scale;
            }
        }
        // Points on a line still get some height.
        let half = (vec2(extent[0], extent[1]) * scale / 2.0).max(Vec2::splat(0.05));
        Self { places, half }
    }
}

/// The layouts of the items.
#[derive(Default)]
pub struct Layouts {
    /// What the user wants to see.
    pub wanted: MapLayout,
    origin: Origin,
    components_job: Option<Job<Option<Positions>>>,
    neighbours_job: Option<Job<Option<Positions>>>,
    was_started: bool,
    components: Option<Placed>,
    neighbours: Option<Placed>,
    failure: Option<String>,
    /// What is shown between the two, and how far it is from the first to the second.
    between: Option<Placed>,
    blend: f32,
    version: u64,
}

/// Where the items are in a frame.
pub struct ShownLayout<'a> {
    /// One per item.
    pub places: &'a [[f32; 2]],
    /// Half of the extent of all.
    pub half: Vec2,
    /// Changes when the places do.
    pub version: u64,
}

impl Layouts {
    /// Takes in what was computed, and starts what is missing.
    pub fn update(&mut self, inspected: &InspectedRun, loaded: &Loaded, context: &ViewContext<'_>) {
        if self.origin.renew(loaded) {
            // Jobs about other images are cancelled, too.
            let origin = std::mem::take(&mut self.origin);
            *self = Self { wanted: self.wanted, version: self.version + 1, origin, ..Self::default() };
            let features = self.origin.features().clone();
            self.components_job = Some(context.jobs.start_quietly("Laying out the map", move |progress| {
                projection::pca(&features, SEED, &mut |_, _| progress.keep_going())
            }));
        }
        if let Some(outcome) = self.components_job.as_mut().and_then(Job::poll) {
            self.components_job = None;
            match outcome {
                Outcome::Done(layout) => self.components = layout.map(Placed::new),
                Outcome::Failed(message) => self.failure = Some(message),
                Outcome::Cancelled => {}
            }
            self.version += 1;
        }
        if let Some(outcome) = self.neighbours_job.as_mut().and_then(Job::poll) {
            self.neighbours_job = None;
            match outcome {
                Outcome::Done(layout) => self.neighbours = layout.map(Placed::new),
                Outcome::Failed(message) => {
                    self.wanted = MapLayout::Components;
                    context.commands.toast(Level::Error, message);
                }
                Outcome::Cancelled => self.wanted = MapLayout::Components,
            }
            self.version += 1;
        }
        // A map of half of the images would be out of date soon.
        if self.components.is_some() && !self.was_started && inspected.progress().is_none() {
            self.start(loaded, context);
        }
    }

    /// Begins with the second layout.
    fn start(&mut self, loaded: &Loaded, context: &ViewContext<'_>) {
        self.was_started = true;
        let (features, folder) = (self.origin.features().clone(), loaded.store.folder().to_path_buf());
        self.neighbours_job = Some(context.jobs.start("Arranging the map by neighbours", move |progress| {
            projection::neighbour_preserving_kept(&folder, &features, SEED, &mut |done, of| {
                progress.set(done as u64, of as u64);
                progress.keep_going()
            })
        }));
    }

    /// The user chose a layout: one that was cancelled begins again.
    pub fn choose(&mut self, wanted: MapLayout, loaded: &Loaded, context: &ViewContext<'_>) {
        self.wanted = wanted;
        let is_missing = self.neighbours.is_none() && self.neighbours_job.is_none();
        if wanted == MapLayout::Neighbours && is_missing && self.components.is_some() {
            self.start(loaded, context);
        }
    }

    /// Why there is no map.
    pub fn failure(&self) -> Option<&str> {
        self.failure.as_deref()
    }

    /// How far the layout by neighbours is, 0 to 1, while it is waited for.
    pub fn awaited(&self) -> Option<f32> {
        let job = self.neighbours_job.as_ref().filter(|_| self.wanted == MapLayout::Neighbours)?;
        Some(job.progress().fraction().unwrap_or(0.0))
    }

    /// Moves the points on by a frame.
    pub fn glide(&mut self, ctx: &Context) {
        let to_neighbours = self.wanted == MapLayout::Neighbours && self.neighbours.is_some();
        let easing = egui::emath::easing::cubic_in_out;
        let id = Id::unique("glide of the map");
        let blend = ctx.animate_bool_with_time_and_easing(id, to_neighbours, GLIDE, easing);
        if blend == self.blend {
            return;
        }
        self.blend = blend;
        self.version += 1;
        self.between = match (&self.components, &self.neighbours) {
            (Some(a), Some(b)) if blend > 0.0 && blend < 1.0 => Some(Placed {
                places: a.places.iter().zip(&b.places).map(|(a, b)| mix(*a, *b, blend)).collect(),
                half: a.half + (b.half - a.half) * blend,
            }),
            _ => None,
        };
    }

    /// Where the items are now. `None` before the first layout is there.
    pub fn shown(&self) -> Option<ShownLayout<'_>> {
        let end = if self.blend >= 1.0 { &self.neighbours } else { &None };
        let placed = self.between.as_ref().or(end.as_ref()).or(self.components.as_ref())?;
        Some(ShownLayout { places: &placed.places, half: placed.half, version: self.version })
    }
}

fn mix(a: [f32; 2], b: [f32; 2], blend: f32) -> [f32; 2] {
    [a[0] + (b[0] - a[0]) * blend, a[1] + (b[1] - a[1]) * blend]
}
