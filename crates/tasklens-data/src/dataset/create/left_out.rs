//! What is left out of a folder, counted, and why.

use std::fs::FileType;
use std::path::Path;

use crate::images::decode::has_image_ending;
use crate::text::{is, plural};

/// Endings of images that we do not read: what phones and browsers save, and what cameras call raw.
const UNREAD: &[&str] = &[
    "heic", "heif", "hif", "avif", "jxl", "jp2", "svg", "psd", "dng", "cr2", "cr3", "nef", "arw", "orf",
    "rw2", "raf",
];

/// Whether a name ends as that of an image which we do not read.
pub fn is_unread(path: &Path) -> bool {
    path.extension().is_some_and(|ending| UNREAD.iter().any(|known| ending.eq_ignore_ascii_case(known)))
}

/// What a user may miss.
#[derive(Debug, Default)]
pub(super) struct LeftOut {
    /// Folders of trained networks.
    pub runs: Several,
    /// Files and folders that a link leads to a second time.
    pub links: Several,
    /// Folders that cannot be read.
    pub unreadable: Several,
    /// What a CSV cannot name.
    pub unnameable: Several,
    unread: Several,
    hidden: Several,
    of_mac: Several,
}

/// How many there are, and the first.
#[derive(Debug, Default)]
pub(super) struct Several {
    count: usize,
    first: String,
}

impl Several {
    /// Counts one.
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
    /// Whether an entry of a folder is left out for its name; if so it is counted.
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
            // Whatever else is hidden nobody looks for here, such as `.DS_Store`.
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

    /// Each kind in a sentence.
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
