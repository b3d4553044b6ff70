//! Counts what is left out of a folder, and says why.

use std::fs::FileType;
use std::path::Path;

use crate::images::decode::has_image_ending;
use crate::text::{is, plural};

/// Extensions of unsupported image formats: those of phones and browsers, and raw formats of cameras.
const UNREAD: &[&str] = &[
    "heic", "heif", "hif", "avif", "jxl", "jp2", "svg", "psd", "dng", "cr2", "cr3", "nef", "arw", "orf",
    "rw2", "raf",
];

/// Whether a name has the extension of an unsupported image format.
pub fn is_unread(path: &Path) -> bool {
    path.extension().is_some_and(|ending| UNREAD.iter().any(|known| ending.eq_ignore_ascii_case(known)))
}

/// Things that a user may miss.
#[derive(Debug, Default)]
pub(super) struct LeftOut {
    /// Folders of trained networks.
    pub runs: Several,
    /// Links to files and folders that were found already.
    pub links: Several,
    /// Folders that cannot be read.
    pub unreadable: Several,
    /// Names that cannot be written in a CSV.
    pub unnameable: Several,
    unread: Several,
    hidden: Several,
    of_mac: Several,
}

/// Their number, and the first one.
#[derive(Debug, Default)]
pub(super) struct Several {
    count: usize,
    first: String,
}

impl Several {
    pub fn add(&mut self, name: impl FnOnce() -> String) {
        if self.count == 0 {
            self.first = name();
        }
        self.count += 1;
    }

    /// "1 file" or "12 files".
    fn counted(&self, one: &str, many: &str) -> String {
        format!("{} {} {}", self.count, plural(self.count, one, many), is(self.count))
    }
}

impl LeftOut {
    /// Whether a folder entry is left out because of its name; if so, it is counted.
    pub fn takes(&mut self, folder: &Path, name: &str, kind: FileType) -> bool {
        let path = || folder.join(name).display().to_string();
        let file = Path::new(name);
        let is_edits = !kind.is_file() && name.ends_with(".edits");
        if is_edits {
            return true;
        }
        if name == "__MACOSX" && !kind.is_file() {
            self.of_mac.add(path);
            return true;
        }
        if name.starts_with('.') {
            // Other hidden files, such as `.DS_Store`, are of no interest here.
            if kind.is_dir() || has_image_ending(file) {
                self.hidden.add(path);
            }
            return true;
        }
        if !kind.is_dir() && is_unread(file) {
            self.unread.add(path);
            return true;
        }
        false
    }

    /// One sentence per kind.
    pub fn notices(&self) -> Vec<String> {
        let Self { runs, links, unreadable, unnameable, unread, hidden, of_mac } = self;
        let told = |several: &Several, one: &str, many: &str, why: &str| {
            let (count, first) = (several.counted(one, many), &several.first);
            let such_as = plural(several.count, "", "such as ");
            (several.count > 0).then(|| format!("{count} left out ({such_as}{first}): {why}"))
        };
        let notices = [
            told(
                unread,
                "image",
                "images",
                "HEIC, AVIF, raw and other such formats are not read. Save them as JPEG or PNG.",
            ),
            told(unreadable, "folder", "folders", "they cannot be read."),
            told(unnameable, "name", "names", "a CSV cannot name them. Give them other names."),
            told(links, "link", "links", "what they lead to is there by another name."),
            told(
                hidden,
                "hidden file or folder",
                "hidden files or folders",
                "names that begin with a dot hide them.",
            ),
            told(of_mac, "folder `__MACOSX`", "folders `__MACOSX`", "a Mac puts no images there."),
            told(runs, "folder `runs`", "folders `runs`", "trained networks go there."),
        ];
        notices.into_iter().flatten().collect()
    }
}
