//! Views of stored steps, without copying.

use time::OffsetDateTime;

use super::values::word_of;
use super::{AnnotationChange, AnnotationSource, Field, SmolStr, State, Step};

/// A step that was made.
#[derive(Clone, Copy, Debug)]
pub struct StepView<'a> {
    pub(super) state: &'a State,
    /// Index of the step.
    pub(super) at: usize,
}

/// A [`AnnotationChange`], borrowed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChangeView<'a> {
    /// The text of the path cell, without spaces around it.
    pub image: &'a str,
    pub field: &'a Field,
    /// The value that the user saw.
    pub before: Option<&'a str>,
    /// The value that the user chose.
    pub after: Option<&'a str>,
}

impl<'a> StepView<'a> {
    /// Time of the step, to the second.
    pub fn time(&self) -> OffsetDateTime {
        let time = OffsetDateTime::from_unix_timestamp(self.state.history.heads[self.at].time);
        time.unwrap_or(OffsetDateTime::UNIX_EPOCH)
    }

    /// Origin of the step.
    pub fn source(&self) -> AnnotationSource {
        self.state.history.heads[self.at].source
    }

    /// The changes in order.
    pub fn changes(&self) -> impl Iterator<Item = ChangeView<'a>> + use<'a> {
        let State { images, words, fields, history, .. } = self.state;
        history.changes[history.range(self.at)].iter().map(|change| ChangeView {
            image: images.list().get(change.image),
            field: &fields[change.field as usize],
            before: word_of(words.list(), change.before),
            after: word_of(words.list(), change.after),
        })
    }

    /// The step with texts of its own.
    pub fn to_step(&self) -> Step {
        let changes = self.changes().map(|change| change.to_change()).collect();
        Step { time: self.time(), source: self.source(), changes }
    }
}

impl ChangeView<'_> {
    /// The change with texts of its own.
    fn to_change(self) -> AnnotationChange {
        AnnotationChange {
            image: self.image.into(),
            field: self.field.clone(),
            before: self.before.map(SmolStr::from),
            after: self.after.map(SmolStr::from),
        }
    }
}

impl<'a> From<&'a AnnotationChange> for ChangeView<'a> {
    fn from(change: &'a AnnotationChange) -> Self {
        let AnnotationChange { image, field, before, after } = change;
        Self { image, field, before: before.as_deref(), after: after.as_deref() }
    }
}
