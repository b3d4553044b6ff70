//! The list of files of an unpacked folder, with which a later set-up sees whether all is there.
//!
//! One line per file: size in bytes, SHA-256 (as checked when unpacked), path relative to the folder.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, bail};

/// Name of the file in the folder that it describes.
pub const FILE: &str = "manifest.txt";

/// One file as it was unpacked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Bytes.
    pub size: u64,
    /// Lower-case hex.
    pub sha256: String,
    /// Relative to the folder, with forward slashes.
    pub path: String,
}

/// Text -> entries.
pub fn parse(text: &str) -> Result<Vec<Entry>> {
    text.lines()
        .map(|line| {
            let mut parts = line.splitn(3, ' ');
            let entry = (|| {
                let size = parts.next()?.parse().ok()?;
                let sha256 = parts.next().filter(|digest| digest.len() == 64)?.to_owned();
                let path = parts.next().filter(|path| !path.is_empty())?.to_owned();
                Some(Entry { size, sha256, path })
            })();
            entry.with_context(|| format!("`{line}` is not `SIZE SHA256 PATH`"))
        })
        .collect()
}

/// Writes the manifest of `folder`.
pub fn write(folder: &Path, entries: &[Entry]) -> Result<()> {
    use std::fmt::Write as _;
    let mut text = String::new();
    for entry in entries {
        writeln!(text, "{} {} {}", entry.size, entry.sha256, entry.path)?;
    }
    let path = folder.join(FILE);
    fs::write(&path, text).with_context(|| format!("cannot write {}", path.display()))
}

/// Whether every file that the manifest of `folder` lists is there at its size. Reads no content, so
/// that it takes milliseconds.
pub fn verify(folder: &Path) -> Result<()> {
    let path = folder.join(FILE);
    let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let entries = parse(&text).with_context(|| format!("{} is damaged", path.display()))?;
    if entries.is_empty() {
        bail!("{} is empty", path.display());
    }
    for Entry { size, path, .. } in entries {
        let file = folder.join(&path);
        let found = fs::metadata(&file).with_context(|| format!("{} is missing", file.display()))?.len();
        if found != size {
            bail!("{} has {found} bytes instead of {size}", file.display());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scratch(name: &str) -> std::path::PathBuf {
        let folder = std::env::temp_dir().join(format!("tasklens-xtask-{name}-{}", std::process::id()));
        drop(fs::remove_dir_all(&folder));
        fs::create_dir_all(&folder).unwrap();
        folder
    }

    fn entry(size: u64, path: &str) -> Entry {
        Entry { size, sha256: "0".repeat(64), path: path.to_owned() }
    }

    #[test]
    fn a_missing_or_cut_off_file_is_noticed() {
        let folder = scratch("manifest");
        fs::write(folder.join("with space.so"), b"12345").unwrap();
        assert!(verify(&folder).unwrap_err().to_string().contains("manifest.txt"));

        write(&folder, &[entry(5, "with space.so")]).unwrap();
        verify(&folder).unwrap();

        fs::write(folder.join("with space.so"), b"123").unwrap();
        assert!(verify(&folder).unwrap_err().to_string().contains("3 bytes instead of 5"));

        fs::remove_file(folder.join("with space.so")).unwrap();
        assert!(verify(&folder).unwrap_err().to_string().contains("is missing"));
        fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn a_cut_off_manifest_is_an_error() {
        assert!(parse("5 00ff lib/a.so").is_err());
        assert!(parse(&format!("five {} lib/a.so", "0".repeat(64))).is_err());
        assert_eq!(parse(&format!("5 {} lib/a b", "0".repeat(64))).unwrap(), [entry(5, "lib/a b")]);
    }
}
