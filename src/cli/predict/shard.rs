//! One of several equal parts of the work, for array jobs on many machines: each takes its part of the same inputs.

use std::fmt;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use anyhow::{Context as _, ensure};
use serde_json::{Value, json};
use tasklens_data::{files, parquet_file};
use tasklens_net::inference::Predictor;

use super::inputs::Inputs;

/// The note in a Parquet file that says what it was predicted from.
const NOTE: &str = "tasklens.predict";

/// Part `index` (from 0) of `of`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    index: usize,
    of: usize,
}

impl Shard {
    /// All of it.
    pub const WHOLE: Self = Self { index: 0, of: 1 };

    /// Its part of so many inputs: parts follow on each other and differ by one at most.
    pub fn range(self, inputs: usize) -> std::ops::Range<usize> {
        let begin = |index: usize| (inputs as u128 * index as u128 / self.of as u128) as usize;
        begin(self.index)..begin(self.index + 1)
    }
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let expected = || "expected I/N, such as 0/4, 1/4, 2/4 and 3/4 for four parts".to_owned();
        let (index, of) = text.split_once('/').ok_or_else(expected)?;
        let number =
            |text: &str| text.trim().parse::<u32>().map(|number| number as usize).map_err(|_| expected());
        let (index, of) = (number(index)?, number(of)?);
        if of == 0 || index >= of {
            return Err(format!(
                "there is no part {index} of {of}: parts are counted from 0; {}",
                expected()
            ));
        }
        Ok(Self { index, of })
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index, self.of)
    }
}

/// What a file of answers depends on: the weights, the inputs and the part.
pub fn origin(
    predictor: &Predictor,
    inputs: &Inputs,
    shard: Shard,
) -> anyhow::Result<(&'static str, String)> {
    let weights = files::map(predictor.path())
        .with_context(|| format!("{} cannot be read", predictor.path().display()))?;
    let mut names = String::new();
    for item in &inputs.items {
        names.push_str(&item.name);
        names.push('\0');
    }
    for (table, images) in &inputs.tables {
        for header in &table.headers {
            names.push_str(header);
            names.push('\0');
        }
        for row in 0..images.paths.len() {
            for column in 0..table.headers.len() {
                names.push_str(&table.cell(row, column));
                names.push('\0');
            }
        }
    }
    let about = json!({
        "model": files::digest(&weights),
        "inputs": files::digest(names.as_bytes()),
        "part": shard.to_string(),
        "precision": predictor.precision(),
        "version": env!("CARGO_PKG_VERSION"),
    });
    Ok((NOTE, about.to_string()))
}

/// Whether a file has these answers already.
///
/// # Errors
/// There is something else, which is not replaced.
pub fn is_there(path: &Path, origin: &(&'static str, String)) -> anyhow::Result<bool> {
    ensure!(
        parquet_file::may_replace(path),
        "{} is there already and is no Parquet file: it is not replaced; move it away, or name another",
        path.display()
    );
    let Ok(file) = File::open(path) else { return Ok(false) };
    let notes = parquet_file::notes(file).unwrap_or_default();
    Ok(notes.iter().any(|(name, about)| (name.as_str(), about) == (origin.0, &origin.1)))
}

/// Files beside a part that are looked at, at most: each of many parts looks.
const BESIDE: usize = 256;

/// A file beside `path` with a part of as many, but of other inputs or by other weights: put together, images would be
/// missing or twice.
pub fn misfit(path: &Path, origin: &(&'static str, String)) -> Option<PathBuf> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let ours = about(&origin.1)?;
    let beside = fs::read_dir(folder).ok()?.filter_map(|entry| Some(entry.ok()?.path()));
    let mut parts = beside.filter(|file| file.extension() == path.extension()).take(BESIDE);
    parts.find(|file| {
        let notes = File::open(file).ok().and_then(parquet_file::notes).unwrap_or_default();
        let theirs = notes.iter().find(|(name, _)| name == origin.0).and_then(|(_, text)| about(text));
        theirs.is_some_and(|theirs| theirs.of == ours.of && theirs != ours)
    })
}

/// What all parts have in common.
#[derive(PartialEq, Eq)]
struct About {
    of: String,
    model: Value,
    inputs: Value,
}

fn about(note: &str) -> Option<About> {
    let note: Value = serde_json::from_str(note).ok()?;
    let (_, of) = note["part"].as_str()?.split_once('/')?;
    Some(About { of: of.to_owned(), model: note["model"].clone(), inputs: note["inputs"].clone() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_follow_on_each_other_and_are_all() {
        for (inputs, of) in [(0, 3), (1, 3), (10, 3), (12, 4), (1_000_001, 7)] {
            let parts: Vec<_> = (0..of).map(|index| Shard { index, of }.range(inputs)).collect();
            assert!(parts.windows(2).all(|two| two[0].end == two[1].start), "{parts:?}");
            assert_eq!((parts[0].start, parts[of - 1].end), (0, inputs));
            assert!(parts.iter().all(|part| part.len().abs_diff(inputs / of) <= 1), "{parts:?}");
        }
        assert_eq!(Shard::WHOLE.range(5), 0..5);
    }

    #[test]
    fn parts_are_counted_from_0() {
        assert_eq!("3/4".parse(), Ok(Shard { index: 3, of: 4 }));
        for wrong in ["4/4", "0/0", "1", "-1/4", "a/b", ""] {
            assert!(wrong.parse::<Shard>().is_err_and(|why| why.contains("0/4")), "{wrong}");
        }
    }
}
