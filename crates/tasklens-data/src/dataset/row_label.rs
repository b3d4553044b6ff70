//! What a row says about a task.

use smallvec::SmallVec;

/// The answers of one image, by task.
pub type RowLabels = SmallVec<[RowLabel; 4]>;

/// The answer of one image to the question of one task.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum RowLabel {
    /// Not answered yet, or with a text that is not a label of the task.
    #[default]
    Missing,
    /// The question makes no sense for the image: a shoe has no sleeves. Answered, but nothing to learn from.
    DoesNotApply,
    /// Index of the label in the task.
    Class(u32),
}

impl RowLabel {
    /// The index of the label; `None` if there is none, for whichever reason.
    pub fn class(self) -> Option<u32> {
        match self {
            Self::Class(class) => Some(class),
            Self::Missing | Self::DoesNotApply => None,
        }
    }

    /// Whether the question is not answered yet.
    pub fn is_missing(self) -> bool {
        self == Self::Missing
    }
}

/// A label, or a missing one.
impl From<Option<u32>> for RowLabel {
    fn from(class: Option<u32>) -> Self {
        class.map_or(Self::Missing, Self::Class)
    }
}
