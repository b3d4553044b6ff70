//! Folders `train`, `valid` and `test` around those of the classes, as downloaded data sets have them.

use crate::dataset::split::Part;

/// Where no folder validates, every so many-th image of `train` does.
const EVERY: usize = 5;

/// The first level of folders is a split.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FolderSplit {
    /// Images that are for training, for validation and for a test.
    counts: [usize; 3],
}

impl FolderSplit {
    /// `None` where any folder of the first level is called otherwise. Images beside the folders have no part.
    pub(super) fn of(images: &[String]) -> Option<Self> {
        let mut counts = [0; 3];
        for folder in images.iter().filter_map(|image| Some(levels(image)?.0)) {
            counts[place(part(folder)?)] += 1;
        }
        (counts != [0; 3]).then_some(Self { counts })
    }

    /// Whether there are images to train with and others: with those of one folder alone nothing is said.
    pub fn is_useful(&self) -> bool {
        let [train, validation, test] = self.counts;
        train > 0 && validation + test > 0
    }

    /// The cell of each image in a split column.
    pub(super) fn cells(&self, images: &[String]) -> Vec<&'static str> {
        let validates = self.counts[place(Part::Validation)] > 0;
        let mut trained = 0;
        let cell = |image: &String| {
            let Some(part) = levels(image).and_then(|(folder, _)| part(folder)) else { return "" };
            trained += usize::from(part == Part::Train);
            let is_drawn = part == Part::Train && !validates && trained % EVERY == 0;
            if is_drawn { Part::Validation.name() } else { part.name() }
        };
        images.iter().map(cell).collect()
    }

    /// What becomes of the folders, in words.
    pub fn notice(&self) -> String {
        let parts = [Part::Train, Part::Validation, Part::Test].into_iter().zip(self.counts);
        let counts =
            parts.filter(|(_, count)| *count > 0).map(|(part, count)| format!("{} {count}", part.name()));
        let counts: Vec<String> = counts.collect();
        let drawn = match self.counts[place(Part::Validation)] {
            0 => format!(" No folder is for validation, so every {EVERY}th image of train is."),
            _ => String::new(),
        };
        format!("The folders are a split, which the column `split` takes over: {}.{drawn}", counts.join(", "))
    }
}

/// The folder whose name may be the label of an image: the first, or below a split the second.
pub(super) fn class_folder(image: &str, is_split: bool) -> Option<&str> {
    let (first, rest) = levels(image)?;
    if is_split { Some(rest.split_once('/')?.0.trim()) } else { Some(first) }
}

/// The folder of the first level, and the rest.
fn levels(image: &str) -> Option<(&str, &str)> {
    let (folder, rest) = image.strip_prefix("./").unwrap_or(image).split_once('/')?;
    Some((folder.trim(), rest))
}

/// What a folder of this name is for; `dev` is no folder of images.
fn part(folder: &str) -> Option<Part> {
    Part::from_cell(folder).filter(|_| !folder.eq_ignore_ascii_case("dev"))
}

fn place(part: Part) -> usize {
    match part {
        Part::Train => 0,
        Part::Validation => 1,
        Part::Test => 2,
    }
}
