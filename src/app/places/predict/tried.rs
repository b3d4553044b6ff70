//! The validation images that are tried: drawn from the split of the network that answers, and what is known of each
//! image beside it. A network may have been trained on another split than the project has today, and its answers on its
//! own training images say nothing.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tasklens_data::dataset::Dataset;
use tasklens_data::dataset::split::Part;
use tasklens_data::text::{counted_grouped, plural};
use tasklens_net::training::seen::{self, Seen};

use super::check::{self, Truth};
use crate::app::context::ViewContext;
use crate::app::services::derived::Derived;
use crate::app::services::jobs::{Job, Outcome, take};
use crate::app::services::project::ImageSource;

/// What is said where a network does not tell which images it was trained on.
pub const UNKNOWN_SPLIT: &str =
    "This network's own split is not known; some of these images may have been used in its training";
const ONE_UNKNOWN: &str =
    "This network's own split is not known; the image may have been used in its training";
const ONE_TRAINED: &str = "This network was trained on this image, so its answer says little";

/// How a tried image stands to the network that answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// The network was not trained on it.
    Fresh,
    /// The network was trained on it.
    Trained,
    /// Nobody knows.
    Unknown,
}

impl Standing {
    /// What is said beside the answer to one image.
    pub fn said(self) -> Option<&'static str> {
        match self {
            Self::Fresh => None,
            Self::Trained => Some(ONE_TRAINED),
            Self::Unknown => Some(ONE_UNKNOWN),
        }
    }
}

/// How tried images stand to a network, by the number of their entry.
pub type Standings = HashMap<u64, Standing>;

/// The network, the images tried, and the version of the project that they are compared in.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Wanted {
    model: PathBuf,
    images: Vec<u64>,
    generation: Option<u64>,
}

/// Images to try, each with its labels.
pub type DrawnImages = Vec<(ImageSource, Option<Truth>)>;

/// See the module's docs.
#[derive(Default)]
pub struct Tried {
    drawing: Option<Job<DrawnImages>>,
    standings: Derived<Wanted, Standings>,
}

impl Tried {
    /// Draws images for the network of this checkpoint, where there is one already.
    pub fn draw(&mut self, context: &ViewContext<'_>, model: Option<PathBuf>, seed: u64) {
        let Some(project) = context.project else { return };
        let (dataset, summary) = (Arc::clone(&project.dataset), Arc::clone(&project.summary));
        self.drawing = Some(context.jobs.start_quietly("Drawing validation images", move |_| {
            let seen = match model {
                Some(model) => seen::of_run(&model, &dataset)?,
                None => None,
            };
            let rows = check::draw(&to_draw_from(seen.as_ref(), &summary.parts), seed);
            let image = |row: usize| {
                let image = dataset.rows.get(row)?.image.to_path_buf();
                Some((ImageSource::Path(image), Some(Truth::of_row(&dataset, row))))
            };
            Ok(rows.into_iter().filter_map(image).collect())
        }));
    }

    /// The images that were drawn since the last frame; the error is a message for the user.
    pub fn drawn(&mut self) -> Option<Result<DrawnImages, String>> {
        match take(&mut self.drawing)? {
            Outcome::Done(images) if images.is_empty() => Some(Err(check::NONE_KEPT.to_owned())),
            Outcome::Done(images) => Some(Ok(images)),
            Outcome::Failed(message) => Some(Err(message)),
            Outcome::Cancelled => None,
        }
    }

    /// Once a frame: looks up in the background how `images`, the entries that are tried, stand to the network.
    pub fn follow<'a>(
        &mut self,
        context: &ViewContext<'_>,
        model: Option<&Path>,
        images: impl Iterator<Item = (u64, &'a Path)> + Clone,
    ) {
        let Some(model) = model.filter(|_| images.clone().next().is_some()) else {
            self.standings.take_in();
            return;
        };
        let wanted = Wanted {
            model: model.to_path_buf(),
            images: images.clone().map(|(id, _)| id).collect(),
            generation: context.project.map(|project| project.generation),
        };
        let dataset = context.project.map(|project| Arc::clone(&project.dataset));
        self.standings.want(&wanted, || {
            let model = model.to_path_buf();
            let images: Vec<(u64, PathBuf)> = images.map(|(id, image)| (id, image.to_path_buf())).collect();
            context.jobs.start_quietly("Looking up the split of the run", move |_| {
                Ok(standings(&model, dataset.as_deref(), &images))
            })
        });
    }

    /// How the images stand to this network; `None` while it is looked up.
    pub fn standings(&self, model: &Path) -> Option<&Standings> {
        let is_of = self.standings.key().is_some_and(|key| key.model == model);
        self.standings.get().filter(|_| is_of && !self.standings.is_busy())
    }
}

/// The parts to draw from: those of the run itself. Images that it never saw have the part that they have today.
fn to_draw_from(seen: Option<&Seen>, today: &[Option<Part>]) -> Vec<Option<Part>> {
    let Some(seen) = seen else { return today.to_vec() };
    let is_kept = |part: &Option<Part>| *part == Some(Part::Validation);
    if seen.parts.iter().any(is_kept) {
        return seen.parts.clone();
    }
    let unseen = |(part, today): (&Option<Part>, &Option<Part>)| part.or(*today);
    seen.parts.iter().zip(today).map(unseen).collect()
}

/// How images stand to a network; what cannot be looked up is not known.
fn standings(model: &Path, dataset: Option<&Dataset>, images: &[(u64, PathBuf)]) -> Standings {
    let seen = dataset.and_then(|dataset| {
        let seen = seen::of_run(model, dataset).unwrap_or_else(|error| {
            log::warn!("what {} was trained on is not known: {error:#}", model.display());
            None
        });
        Some((dataset, seen?))
    });
    let Some((dataset, seen)) = seen else {
        return images.iter().map(|(id, _)| (*id, Standing::Unknown)).collect();
    };
    // A CSV may have an image twice: then one of its rows may have been for training.
    let mut parts: HashMap<&Path, Option<Part>> = HashMap::new();
    for (row, part) in dataset.rows.iter().zip(&seen.parts) {
        let known = parts.entry(&*row.image).or_insert(*part);
        if *part == Some(Part::Train) {
            *known = *part;
        }
    }
    let standing = |image: &Path| match parts.get(image) {
        Some(Some(Part::Train)) => Standing::Trained,
        Some(Some(Part::Validation | Part::Test)) => Standing::Fresh,
        // It may be one of those that the run cannot find any more.
        Some(None) if seen.lost == 0 => Standing::Fresh,
        Some(None) | None => Standing::Unknown,
    };
    images.iter().map(|(id, image)| (*id, standing(image))).collect()
}

/// What has to be known about a count of right answers to the images in `standings`.
pub fn caveats(standings: impl Iterator<Item = Standing>) -> Vec<String> {
    let (mut trained, mut is_unknown) = (0, false);
    for standing in standings {
        trained += usize::from(standing == Standing::Trained);
        is_unknown |= standing == Standing::Unknown;
    }
    let mut caveats = Vec::new();
    if is_unknown {
        caveats.push(UNKNOWN_SPLIT.to_owned());
    }
    if trained > 0 {
        let images = counted_grouped(trained, "image");
        let verb = plural(trained, "is", "are");
        caveats.push(format!("{images} that this network was trained on {verb} not counted"));
    }
    caveats
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRAIN: Option<Part> = Some(Part::Train);
    const KEPT: Option<Part> = Some(Part::Validation);

    #[test]
    fn the_runs_own_split_is_drawn_from_and_todays_only_for_images_that_it_never_saw() {
        let today = [KEPT, TRAIN, KEPT, TRAIN];
        assert_eq!(to_draw_from(None, &today), today, "a run that does not tell");
        let seen = |parts: [Option<Part>; 4]| Seen { parts: parts.to_vec(), lost: 0 };
        let own = [TRAIN, KEPT, None, TRAIN];
        assert_eq!(to_draw_from(Some(&seen(own)), &today), own);
        let no_more = [TRAIN, TRAIN, None, None];
        assert_eq!(to_draw_from(Some(&seen(no_more)), &today), [TRAIN, TRAIN, KEPT, TRAIN]);
    }

    #[test]
    fn what_the_network_was_trained_on_is_counted_apart_and_doubt_is_said() {
        use Standing::{Fresh, Trained, Unknown};
        let said = |standings: &[Standing]| caveats(standings.iter().copied());
        assert_eq!(said(&[Fresh, Fresh]), [] as [String; 0]);
        assert_eq!(said(&[Fresh, Unknown]), [UNKNOWN_SPLIT]);
        assert_eq!(said(&[Fresh, Trained]), ["1 image that this network was trained on is not counted"]);
        assert_eq!(said(&[Trained, Trained]), ["2 images that this network was trained on are not counted"]);
    }
}
