//! The undo and redo history: all steps in order, as numbers only.

use std::ops::Range;

use super::AnnotationSource;
use super::slots::Word;

/// One change of a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Packed {
    /// The number of the image.
    pub image: u32,
    /// The number of the field.
    pub field: u32,
    /// What the user saw.
    pub before: Option<Word>,
    /// What the user chose.
    pub after: Option<Word>,
}

impl Packed {
    /// The change that takes this one back.
    pub fn reversed(self) -> Self {
        Self { before: self.after, after: self.before, ..self }
    }
}

/// A step without its changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct StepHead {
    /// Number of the step, which undo and redo refer to.
    pub number: u64,
    /// When, in seconds since 1970.
    pub time: i64,
    /// End of its changes in the list of all changes.
    pub end: u32,
    pub source: AnnotationSource,
}

/// All steps, and how many of them are done; the rest are undone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct History {
    pub heads: Vec<StepHead>,
    pub changes: Vec<Packed>,
    pub done: usize,
}

impl History {
    /// Adds a step that was made; undone steps can then no longer be redone.
    pub fn push(&mut self, number: u64, time: i64, source: AnnotationSource, changes: &[Packed]) {
        self.heads.truncate(self.done);
        self.changes.truncate(self.start_of(self.done));
        self.changes.extend_from_slice(changes);
        self.heads.push(StepHead { number, time, end: self.changes.len() as u32, source });
        self.done += 1;
    }

    /// Adds changes while reading a snapshot, in order: to the last step if it has this number.
    pub fn take_back(
        &mut self,
        number: u64,
        time: i64,
        source: AnnotationSource,
        changes: &[Packed],
        is_done: bool,
    ) {
        self.changes.extend_from_slice(changes);
        let end = self.changes.len() as u32;
        match self.heads.last_mut() {
            Some(last) if last.number == number => last.end = end,
            _ => self.heads.push(StepHead { number, time, end, source }),
        }
        if is_done {
            self.done = self.heads.len();
        }
    }

    /// The step that undo applies to next.
    pub fn last_done(&self) -> Option<usize> {
        self.done.checked_sub(1)
    }

    /// The step that redo applies to next.
    pub fn next_undone(&self) -> Option<usize> {
        (self.done < self.heads.len()).then_some(self.done)
    }

    /// The done step with this number that undo would reach first.
    pub fn find_done(&self, number: u64) -> Option<usize> {
        self.heads[..self.done].iter().rposition(|head| head.number == number)
    }

    /// The undone step with this number that redo would reach first.
    pub fn find_undone(&self, number: u64) -> Option<usize> {
        let at = self.heads[self.done..].iter().position(|head| head.number == number)?;
        Some(self.done + at)
    }

    /// The range of a step's changes.
    pub fn range(&self, step: usize) -> Range<usize> {
        self.start_of(step)..self.heads[step].end as usize
    }

    /// Keeps only some changes, which may be modified first; changes without effect are dropped, and steps that have
    /// none.
    pub fn retain(&mut self, mut keeps: impl FnMut(&mut Packed) -> bool) {
        let (mut kept_changes, mut kept_heads, mut start, mut done) = (0, 0, 0, 0);
        for step in 0..self.heads.len() {
            let first = kept_changes;
            for at in start..self.heads[step].end as usize {
                let mut change = self.changes[at];
                if keeps(&mut change) && change.before != change.after {
                    self.changes[kept_changes] = change;
                    kept_changes += 1;
                }
            }
            start = self.heads[step].end as usize;
            if kept_changes > first {
                self.heads[kept_heads] = StepHead { end: kept_changes as u32, ..self.heads[step] };
                kept_heads += 1;
            }
            if step + 1 == self.done {
                done = kept_heads;
            }
        }
        self.changes.truncate(kept_changes);
        self.heads.truncate(kept_heads);
        self.done = done;
    }

    fn start_of(&self, step: usize) -> usize {
        step.checked_sub(1).map_or(0, |before| self.heads[before].end as usize)
    }
}
