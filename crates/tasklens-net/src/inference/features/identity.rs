//! Identifies the image and view that a vector belongs to.

use std::path::Path;

use sha2::{Digest as _, Sha256};
use tasklens_data::config::Augmentation;
use tasklens_data::download::hex;

/// The state of a file when it was read: size in bytes and modification time (ns since 1970).
pub type Stamp = [i64; 2];

/// The stamp of a file; zeros if it does not exist.
pub fn stamp(path: &Path) -> Stamp {
    let Ok(metadata) = std::fs::metadata(path) else { return [0; 2] };
    let changed = metadata.modified().ok().and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok());
    [metadata.len() as i64, changed.unwrap_or_default().as_nanos() as i64]
}

/// A version of an image: a digest of its path and its stamp.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Identity(pub(super) [u8; Identity::BYTES]);

impl Identity {
    pub(super) const BYTES: usize = 16;

    /// For a file with this stamp.
    pub fn new(path: &Path, stamp: Stamp) -> Self {
        let mut hash = Sha256::new();
        hash.update(path.as_os_str().as_encoded_bytes());
        hash.update(stamp[0].to_le_bytes());
        hash.update(stamp[1].to_le_bytes());
        let mut bytes = [0; Self::BYTES];
        bytes.copy_from_slice(&hash.finalize()[..Self::BYTES]);
        Self(bytes)
    }
}

/// An image as it is, or an augmented version.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum View {
    /// Unchanged, scaled to the input size.
    Plain,
    /// Augmented at random, depending only on path and view.
    Augmented {
        /// Digest of the augmentation settings.
        setting: String,
        /// Number of the version, from 1.
        number: usize,
    },
}

/// Digits of the digest of settings.
const DIGITS_OF_SETTING: usize = 16;
const PLAIN: &str = "plain";

impl View {
    /// This many augmented views; none if augmentation is off.
    ///
    /// # Errors
    /// The settings cannot be serialised.
    pub fn augmented(how: &Augmentation, count: usize) -> anyhow::Result<Vec<Self>> {
        if *how == Augmentation::none() {
            return Ok(Vec::new());
        }
        let digest = hex(&Sha256::digest(serde_json::to_vec(how)?));
        let view = |number| Self::Augmented { setting: digest[..DIGITS_OF_SETTING].to_owned(), number };
        Ok((1..=count).map(view).collect())
    }

    /// Its number; `None` for the plain view.
    pub fn number(&self) -> Option<usize> {
        match self {
            Self::Plain => None,
            Self::Augmented { number, .. } => Some(*number),
        }
    }

    /// Its name in files.
    pub(super) fn name(&self) -> String {
        match self {
            Self::Plain => PLAIN.to_owned(),
            Self::Augmented { setting, number } => format!("{setting}.{number}"),
        }
    }

    pub(super) fn of_name(name: &str) -> Option<Self> {
        if name == PLAIN {
            return Some(Self::Plain);
        }
        let (setting, number) = name.split_once('.')?;
        Some(Self::Augmented { setting: setting.to_owned(), number: number.parse().ok()? })
    }
}
