//! A fast path for the most frequent lines of a journal: one step per line, in the exact form in which we write it.
//!
//! Any other form is left to [`Entry`](crate::dataset::edits::Entry), which is authoritative.

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Serialize};
use time::OffsetDateTime;

use crate::dataset::edits::history::Packed;
use crate::dataset::edits::{AnnotationSource, Field, State};

/// Applies a step to the state; returns whether the line was one. If not, there is no visible change.
pub(super) fn take(line: &[u8], state: &mut State) -> bool {
    let mut json = serde_json::Deserializer::from_slice(line);
    let Ok(step) = (StepLine { state }).deserialize(&mut json) else { return false };
    if json.end().is_err() {
        return false;
    }
    state.take_packed(step.number, step.time.unix_timestamp(), step.source, &step.changes);
    true
}

struct PackedStep {
    number: u64,
    time: OffsetDateTime,
    source: AnnotationSource,
    changes: Vec<Packed>,
}

/// Borrowed if nothing in it is escaped.
#[derive(Serialize, Deserialize)]
pub(super) struct Text<'a>(#[serde(borrow)] pub Cow<'a, str>);

#[derive(Deserialize)]
struct Time(#[serde(with = "time::serde::rfc3339")] OffsetDateTime);

#[derive(Deserialize)]
struct ChangeLine<'a> {
    #[serde(borrow)]
    image: Text<'a>,
    #[serde(borrow)]
    field: Of<'a>,
    #[serde(borrow)]
    before: Option<Text<'a>>,
    #[serde(borrow)]
    after: Option<Text<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Of<'a> {
    #[serde(borrow)]
    Label(Text<'a>),
    #[serde(borrow)]
    Kept(Text<'a>),
    Flag,
}

/// The line `{"step": ..}`.
struct StepLine<'s> {
    state: &'s mut State,
}

struct Body<'s> {
    state: &'s mut State,
}

struct Changes<'s> {
    state: &'s mut State,
}

impl<'de> DeserializeSeed<'de> for StepLine<'_> {
    type Value = PackedStep;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<PackedStep, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for StepLine<'_> {
    type Value = PackedStep;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a step")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<PackedStep, A::Error> {
        if map.next_key::<Text<'de>>()?.is_none_or(|key| key.0 != "step") {
            return Err(Error::custom("no step"));
        }
        let step = map.next_value_seed(Body { state: self.state })?;
        match map.next_key::<IgnoredAny>()? {
            None => Ok(step),
            Some(_) => Err(Error::custom("more than a step")),
        }
    }
}

impl<'de> DeserializeSeed<'de> for Body<'_> {
    type Value = PackedStep;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<PackedStep, D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Body<'_> {
    type Value = PackedStep;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a step")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<PackedStep, A::Error> {
        let is_next = |map: &mut A, name| match map.next_key::<Text<'de>>()? {
            Some(key) if key.0 == name => Ok(()),
            _ => Err(Error::custom("not in the order in which we write")),
        };
        is_next(&mut map, "number")?;
        let number = map.next_value()?;
        is_next(&mut map, "time")?;
        let Time(time) = map.next_value()?;
        is_next(&mut map, "source")?;
        let source = map.next_value()?;
        is_next(&mut map, "changes")?;
        let changes = map.next_value_seed(Changes { state: self.state })?;
        match map.next_key::<IgnoredAny>()? {
            None => Ok(PackedStep { number, time, source, changes }),
            Some(_) => Err(Error::custom("more than we write")),
        }
    }
}

impl<'de> DeserializeSeed<'de> for Changes<'_> {
    type Value = Vec<Packed>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Vec<Packed>, D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Changes<'_> {
    type Value = Vec<Packed>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("changes")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Vec<Packed>, A::Error> {
        let (state, mut changes) = (self.state, Vec::new());
        while let Some(ChangeLine { image, field, before, after }) = seq.next_element()? {
            let number = state.fields.iter().position(|known| field.is(known)).map(|at| at as u32);
            changes.push(Packed {
                image: state.images.add(&image.0),
                field: number.unwrap_or_else(|| state.add_field(|_| false, || field.into_field())),
                before: state.add_word(before.as_ref().map(|text| &*text.0)),
                after: state.add_word(after.as_ref().map(|text| &*text.0)),
            });
        }
        Ok(changes)
    }
}

impl Of<'_> {
    fn is(&self, field: &Field) -> bool {
        match (self, field) {
            (Self::Label(Text(name)), Field::Label(known)) | (Self::Kept(Text(name)), Field::Kept(known)) => {
                *known == **name
            }
            (Self::Flag, Field::Flag) => true,
            _ => false,
        }
    }

    fn into_field(self) -> Field {
        match self {
            Self::Label(Text(name)) => Field::Label(name.into()),
            Self::Kept(Text(name)) => Field::Kept(name.into()),
            Self::Flag => Field::Flag,
        }
    }
}
