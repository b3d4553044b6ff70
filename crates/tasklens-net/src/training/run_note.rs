//! What the user says of a run: a name and a note, in a small file in its folder.

use std::io::ErrorKind;
use std::path::Path;

use anyhow::Context as _;
use serde::{Deserialize, Serialize};
use tasklens_data::files::{self, disk};

/// The file in the run's folder.
pub const NOTE: &str = "note.json";

/// Characters of a name, and of a note, that are kept.
const LONGEST_NAME: usize = 80;
const LONGEST_NOTE: usize = 4000;
/// No note that Tasklens wrote has more bytes.
const LARGEST_FILE: u64 = 64 << 10;

/// See the module's docs. Both are empty until the user says something.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RunNote {
    /// What the run is called, in one line; empty: by the name of its folder.
    pub name: String,
    /// Anything else.
    pub note: String,
}

impl RunNote {
    /// Reads that of a run; nothing is said of a run without the file.
    ///
    /// # Errors
    /// The file cannot be read, or is not one of Tasklens.
    pub fn read(run: &Path) -> anyhow::Result<Self> {
        let file = run.join(NOTE);
        let told = || format!("the name and note in {} cannot be read", file.display());
        match files::regular::read(&file, LARGEST_FILE) {
            Ok(bytes) => {
                let read: Self = serde_json::from_slice(&bytes).with_context(told)?;
                Ok(read.tidied())
            }
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(error).with_context(told),
        }
    }

    /// Writes it into the folder of a run; without a name and a note, no file stays.
    ///
    /// # Errors
    /// The disk is full or not writable; what was said before stays.
    pub fn write(&self, run: &Path) -> anyhow::Result<()> {
        let (file, tidied) = (run.join(NOTE), self.tidied());
        let told = || format!("the name and note cannot be written to {}", file.display());
        if tidied == Self::default() {
            return match disk::remove(&file) {
                Err(error) if error.kind() != ErrorKind::NotFound => Err(error).with_context(told),
                Ok(()) | Err(_) => Ok(()),
            };
        }
        let text = serde_json::to_vec_pretty(&tidied)?;
        files::replace(&file, &text).with_context(told)
    }

    /// The name in one line, nothing longer than a window can show.
    fn tidied(&self) -> Self {
        let name = self.name.split_whitespace().collect::<Vec<_>>().join(" ");
        Self {
            name: name.chars().take(LONGEST_NAME).collect(),
            note: self.note.trim().chars().take(LONGEST_NOTE).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_and_a_note_come_back_and_go_without_a_trace() {
        let run = tempfile::tempdir().unwrap();
        assert_eq!(RunNote::read(run.path()).unwrap(), RunNote::default());
        let said = RunNote { name: " with\nflips ".to_owned(), note: "lower rate\nsame data".to_owned() };
        said.write(run.path()).unwrap();
        let read = RunNote::read(run.path()).unwrap();
        assert_eq!((read.name.as_str(), read.note.as_str()), ("with flips", "lower rate\nsame data"));
        RunNote::default().write(run.path()).unwrap();
        assert!(!run.path().join(NOTE).exists());
        RunNote::default().write(run.path()).unwrap();
    }

    #[test]
    fn a_damaged_file_is_named() {
        let run = tempfile::tempdir().unwrap();
        std::fs::write(run.path().join(NOTE), "{\"name\": 7").unwrap();
        let error = format!("{:#}", RunNote::read(run.path()).unwrap_err());
        assert!(error.contains("note.json cannot be read"), "{error}");
    }
}
