//! The compact form of a journal: the result of its entries, including every step that can be undone or redone.
//!
//! A snapshot is a block of lines after the header; entries follow it as they follow the header of a new journal.
//! Images, labels and notes are listed once and referred to by number. Each line states which numbers it defines, so
//! that a damaged line does not change the meaning of others.

use std::borrow::Cow;
use std::io::{self, Write};

use serde::{Deserialize, Serialize};

use super::step_line::Text;
use crate::dataset::edits::history::Packed;
use crate::dataset::edits::slots::{Slot, Word};
use crate::dataset::edits::texts::TextList;
use crate::dataset::edits::{AnnotationSource, Field, State};

/// Maximum number of texts, changes or values per line.
const PART: usize = 4096;

/// The beginning of each line of a snapshot.
pub(super) const START: &[u8] = b"{\"snapshot\":";

#[derive(Serialize, Deserialize)]
struct SnapshotLine<'a> {
    #[serde(borrow)]
    snapshot: SnapshotPart<'a>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum SnapshotPart<'a> {
    /// Comes first: the totals.
    Begin(Begin),
    #[serde(borrow)]
    Images(TextsPart<'a>),
    /// Labels and notes.
    #[serde(borrow)]
    Words(TextsPart<'a>),
    Steps(StepsPart),
    Values(ValuesPart),
}

#[derive(Serialize, Deserialize)]
struct Begin {
    /// Number of the latest step.
    last: u64,
    /// Number of the last step that is not undone; 0 if there is none.
    done: u64,
    fields: Vec<Field>,
}

#[derive(Serialize, Deserialize)]
struct TextsPart<'a> {
    /// Number of the first text of the line.
    first: usize,
    #[serde(borrow)]
    texts: Vec<Text<'a>>,
}

/// Changes in the order in which they were made, and the steps that they belong to. A step with many changes
/// continues in the next line.
#[derive(Default, Serialize, Deserialize)]
struct StepsPart {
    /// Step numbers, each as the difference from the previous one in this line.
    number: Vec<u64>,
    /// Step times in seconds since 1970, each as the difference from the previous one in this line.
    time: Vec<i64>,
    source: Vec<AnnotationSource>,
    /// Number of changes of each step in this line.
    count: Vec<usize>,
    image: Vec<u32>,
    field: Vec<u32>,
    /// Words are numbered from 1; 0 is none.
    before: Vec<u32>,
    after: Vec<u32>,
}

#[derive(Default, Serialize, Deserialize)]
struct ValuesPart {
    image: Vec<u32>,
    field: Vec<u32>,
    base: Vec<u32>,
    current: Vec<u32>,
}

/// Whether a snapshot can represent a state: not while the outcome of a save is unknown, or while rows in memory are
/// older than the CSV.
pub(super) fn can_hold(state: &State) -> bool {
    state.saving.is_none() && state.slots.iter().all(|slot| !slot.saved)
}

/// Writes the lines of a snapshot, which follow the first line of a journal.
///
/// # Errors
/// I/O errors.
pub(super) fn write(state: &State, file: &mut impl Write) -> io::Result<()> {
    let history = &state.history;
    let done = history.last_done().map_or(0, |at| history.heads[at].number);
    let begin = Begin { last: state.last_number, done, fields: state.fields.to_vec() };
    write_part(file, SnapshotPart::Begin(begin))?;
    write_texts(file, state.images.list(), SnapshotPart::Images)?;
    write_texts(file, state.words.list(), SnapshotPart::Words)?;
    write_steps(file, state)?;
    let slots: Vec<&Slot> = state.slots.iter().collect();
    for slots in slots.chunks(PART) {
        let mut values = ValuesPart::default();
        for slot in slots {
            values.image.push(slot.image);
            values.field.push(slot.field);
            values.base.push(number_of(slot.base));
            values.current.push(number_of(slot.current));
        }
        write_part(file, SnapshotPart::Values(values))?;
    }
    Ok(())
}

fn write_part(file: &mut impl Write, part: SnapshotPart<'_>) -> io::Result<()> {
    serde_json::to_writer(&mut *file, &SnapshotLine { snapshot: part })?;
    file.write_all(b"\n")
}

fn write_texts<'a>(
    file: &mut impl Write,
    list: &'a TextList,
    part: impl Fn(TextsPart<'a>) -> SnapshotPart<'a>,
) -> io::Result<()> {
    for first in (0..list.len()).step_by(PART) {
        let numbers = first..list.len().min(first + PART);
        let texts = numbers.map(|number| Text(Cow::Borrowed(list.get(number as u32)))).collect();
        write_part(file, part(TextsPart { first, texts }))?;
    }
    Ok(())
}

fn write_steps(file: &mut impl Write, state: &State) -> io::Result<()> {
    let history = &state.history;
    let (mut steps, mut before) = (StepsPart::default(), (0, 0));
    for (at, head) in history.heads.iter().enumerate() {
        let mut changes = &history.changes[history.range(at)];
        while !changes.is_empty() {
            let (here, rest) = changes.split_at(changes.len().min(PART - steps.image.len()));
            changes = rest;
            steps.number.push(head.number.wrapping_sub(before.0));
            steps.time.push(head.time.wrapping_sub(before.1));
            steps.source.push(head.source);
            steps.count.push(here.len());
            before = (head.number, head.time);
            for change in here {
                steps.image.push(change.image);
                steps.field.push(change.field);
                steps.before.push(number_of(change.before));
                steps.after.push(number_of(change.after));
            }
            if steps.image.len() == PART {
                write_part(file, SnapshotPart::Steps(std::mem::take(&mut steps)))?;
                before = (0, 0);
            }
        }
    }
    match steps.image.is_empty() {
        true => Ok(()),
        false => write_part(file, SnapshotPart::Steps(steps)),
    }
}

/// Reads the lines of a snapshot in order.
#[derive(Debug, Default)]
pub(super) struct SnapshotReader {
    /// Maps numbers of the snapshot to numbers of the state, if their line could be read.
    images: Vec<Option<u32>>,
    words: Vec<Option<u32>>,
    fields: Vec<u32>,
    /// If that line is damaged, no step counts as undone.
    done: Option<u64>,
    /// Number of changes and values whose image, task or label was in a damaged line.
    pub lost: usize,
}

impl SnapshotReader {
    /// Applies a line to the state.
    ///
    /// # Errors
    /// It is damaged; nothing of it is applied.
    pub fn take(&mut self, line: &[u8], state: &mut State) -> Result<(), String> {
        let SnapshotLine { snapshot } = serde_json::from_slice(line).map_err(|error| error.to_string())?;
        match snapshot {
            SnapshotPart::Begin(Begin { last, done, fields }) => {
                self.done = Some(done);
                state.last_number = state.last_number.max(last);
                self.fields = fields.iter().map(|field| state.take_field(field)).collect();
                Ok(())
            }
            SnapshotPart::Images(texts) => texts.add(&mut self.images, |text| state.images.add(text)),
            SnapshotPart::Words(texts) => texts.add(&mut self.words, |text| state.words.add(text)),
            SnapshotPart::Steps(steps) => self.take_steps(&steps, state),
            SnapshotPart::Values(values) => self.take_values(&values, state),
        }
    }

    fn take_steps(&mut self, steps: &StepsPart, state: &mut State) -> Result<(), String> {
        let StepsPart { number, time, source, count, image, field, before, after } = steps;
        let is_whole = [time.len(), source.len(), count.len()].iter().all(|len| *len == number.len())
            && [field.len(), before.len(), after.len()].iter().all(|len| *len == image.len())
            && count.iter().try_fold(0_usize, |sum, count| sum.checked_add(*count)) == Some(image.len());
        if !is_whole {
            return Err("its columns do not fit together".to_owned());
        }
        let (mut last, mut start) = ((0_u64, 0_i64), 0);
        for at in 0..number.len() {
            last = (last.0.wrapping_add(number[at]), last.1.wrapping_add(time[at]));
            let range = start..start + count[at];
            start = range.end;
            let changes: Vec<Packed> = range
                .filter_map(|at| {
                    let (image, field) = self.place(image[at], field[at])?;
                    Some(Packed {
                        image,
                        field,
                        before: self.word(before[at])?,
                        after: self.word(after[at])?,
                    })
                })
                .collect();
            self.lost += count[at] - changes.len();
            if !changes.is_empty() {
                let is_done = self.done.is_none_or(|done| last.0 <= done);
                state.history.take_back(last.0, last.1, source[at], &changes, is_done);
                state.last_number = state.last_number.max(last.0);
            }
        }
        Ok(())
    }

    fn take_values(&mut self, values: &ValuesPart, state: &mut State) -> Result<(), String> {
        let ValuesPart { image, field, base, current } = values;
        if [field.len(), base.len(), current.len()].iter().any(|len| *len != image.len()) {
            return Err("its columns do not fit together".to_owned());
        }
        for at in 0..image.len() {
            let slot = self.place(image[at], field[at]).and_then(|(image, field)| {
                let (base, current) = (self.word(base[at])?, self.word(current[at])?);
                Some(Slot { base, current, ..Slot::new(image, field) })
            });
            match slot {
                Some(slot) => state.put(slot),
                None => self.lost += 1,
            }
        }
        Ok(())
    }

    fn place(&self, image: u32, field: u32) -> Option<(u32, u32)> {
        Some(((*self.images.get(image as usize)?)?, *self.fields.get(field as usize)?))
    }

    /// The outer `None` if it is unknown.
    fn word(&self, number: u32) -> Option<Option<Word>> {
        let Some(at) = number.checked_sub(1) else { return Some(None) };
        Word::new((*self.words.get(at as usize)?)? + 1).map(Some)
    }
}

impl TextsPart<'_> {
    fn add(self, known: &mut Vec<Option<u32>>, mut add: impl FnMut(&str) -> u32) -> Result<(), String> {
        // There cannot be more numbers than bytes.
        if self.first > known.len() + (1 << 24) {
            return Err(format!("it begins at {}", self.first));
        }
        let end = self.first + self.texts.len();
        if known.len() < end {
            known.resize(end, None);
        }
        for (at, text) in self.texts.iter().enumerate() {
            known[self.first + at] = Some(add(&text.0));
        }
        Ok(())
    }
}

fn number_of(word: Option<Word>) -> u32 {
    word.map_or(0, Word::get)
}
