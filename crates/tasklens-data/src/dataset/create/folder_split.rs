//! Folders `train`, `valid` and `test` around the class folders, as in many downloaded data sets.

use crate::dataset::split::Part;

/// Without a validation folder, every n-th image of `train` is used for validation.
const EVERY: usize = 5;

/// A split given by the first level of folders.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FolderSplit {
    /// Number of images for training, validation and test.
    counts: [usize; 3],
}

impl FolderSplit {
    /// `None` if any first-level folder has another name. Images beside the folders are in no part.
    pub(super) fn of(images: &[String]) -> Option<Self> {
        let mut counts = [0; 3];
        for folder in images.iter().filter_map(|image| Some(levels(image)?.0)) {
            counts[place(part(folder)?)] += 1;
        }
        (counts != [0; 3]).then_some(Self { counts })
    }

    /// Whether there are training images and others: a single folder is not a split.
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

    /// How the folders are used, for the user.
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

/// The folder whose name may be the label of an image: the first level, or the second below a split.
pub(super) fn class_folder(image: &str, is_split: bool) -> Option<&str> {
    let (first, rest) = levels(image)?;
    if is_split { Some(rest.split_once('/')?.0.trim()) } else { Some(first) }
}

/// The first-level folder, and the rest of the path.
fn levels(image: &str) -> Option<(&str, &str)> {
    let (folder, rest) = image.strip_prefix("./").unwrap_or(image).split_once('/')?;
    Some((folder.trim(), rest))
}

/// The part that a folder name stands for; `dev` is too ambiguous.
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
