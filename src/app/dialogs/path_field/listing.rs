//! What a typed path is, and what is in the folder that it leads to. Reads the disk: for a job.

use std::path::{MAIN_SEPARATOR, Path, PathBuf};

/// More entries of a folder are not listed.
const MOST: usize = 500;

/// What the path is at the moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TypedPath {
    Nothing,
    /// Nothing yet, in a folder that is there.
    New,
    File,
    Folder,
}

/// A file or folder that the path may become.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub name: String,
    pub path: PathBuf,
    pub is_folder: bool,
}

/// See the module's documentation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Listing {
    pub typed: TypedPath,
    /// The folder that is listed; `None` where it cannot be read.
    pub folder: Option<PathBuf>,
    /// Folders first, each part by name.
    pub entries: Vec<Entry>,
    /// How many more there are.
    pub left_out: usize,
}

/// The text as a path: `~` is the home folder, and quotes around it, as file managers copy it, are left out.
pub(super) fn path_of(text: &str) -> PathBuf {
    let text = text.trim();
    let unquoted = ['"', '\''].iter().find_map(|quote| text.strip_prefix(*quote)?.strip_suffix(*quote));
    let text = unquoted.unwrap_or(text);
    match (text.strip_prefix('~'), std::env::home_dir()) {
        (Some(rest), Some(home)) if rest.is_empty() || rest.starts_with(std::path::is_separator) => {
            home.join(rest.trim_start_matches(std::path::is_separator))
        }
        _ => PathBuf::from(text),
    }
}

impl Listing {
    /// Looks at a typed text. Offers folders, and files with one of `endings` (all of them if there are none); none where
    /// only folders are wanted.
    pub fn of(text: &str, endings: Option<&[&str]>, folders_only: bool) -> Self {
        let path = path_of(text);
        let ends_open = text.trim().is_empty() || text.trim_end().ends_with(std::path::is_separator);
        let is_folder = path.is_dir();
        let (folder, beginning) = if ends_open || is_folder {
            (path.clone(), String::new())
        } else {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            (path.parent().map(Path::to_path_buf).unwrap_or_default(), name)
        };
        let typed = match path.metadata() {
            _ if path.as_os_str().is_empty() => TypedPath::Nothing,
            Ok(found) if found.is_dir() => TypedPath::Folder,
            Ok(_) => TypedPath::File,
            Err(_) if !ends_open && folder.is_dir() => TypedPath::New,
            Err(_) => TypedPath::Nothing,
        };
        let beginning = if typed == TypedPath::File { String::new() } else { beginning.to_lowercase() };
        let Ok(found) = folder.read_dir() else {
            return Self { typed, folder: None, entries: Vec::new(), left_out: 0 };
        };
        let is_wanted = |entry: &Entry| {
            let is_hidden = entry.name.starts_with('.') && !beginning.starts_with('.');
            let has_ending = |endings: &[&str]| {
                let ending = entry.path.extension().unwrap_or_default();
                endings.iter().any(|known| ending.eq_ignore_ascii_case(known))
            };
            let is_of_kind =
                if entry.is_folder { true } else { !folders_only && endings.is_none_or(has_ending) };
            is_of_kind && !is_hidden && entry.name.to_lowercase().starts_with(&beginning)
        };
        let entry = |found: std::fs::DirEntry| Entry {
            name: found.file_name().to_string_lossy().into_owned(),
            // Links count as what they lead to.
            is_folder: found.path().is_dir(),
            path: found.path(),
        };
        let mut entries: Vec<Entry> =
            found.filter_map(|found| Some(entry(found.ok()?))).filter(is_wanted).collect();
        entries.sort_by(|a, b| b.is_folder.cmp(&a.is_folder).then_with(|| a.name.cmp(&b.name)));
        let left_out = entries.len().saturating_sub(MOST);
        entries.truncate(MOST);
        Self { typed, folder: Some(folder), entries, left_out }
    }
}

/// A folder as text that is typed on.
pub(super) fn as_folder(path: &Path) -> String {
    let text = path.display().to_string();
    if text.is_empty() || text.ends_with(std::path::is_separator) {
        text
    } else {
        format!("{text}{MAIN_SEPARATOR}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_typed_narrows_the_folder_it_leads_to() {
        let dir = tempfile::tempdir().unwrap();
        for folder in ["photos", "Paris", ".cache"] {
            std::fs::create_dir(dir.path().join(folder)).unwrap();
        }
        for file in ["plan.yml", "pets.CSV", "notes.txt"] {
            std::fs::write(dir.path().join(file), "x").unwrap();
        }
        let at = |text: &str| format!("{}/{text}", dir.path().display());
        let names = |text: &str, endings: Option<&[&str]>, folders_only| {
            let listing = Listing::of(&at(text), endings, folders_only);
            (listing.typed, listing.entries.into_iter().map(|entry| entry.name).collect::<Vec<_>>())
        };
        let endings: Option<&[&str]> = Some(&["yml", "csv"]);
        assert_eq!(
            names("", endings, false),
            (TypedPath::Folder, ["Paris", "photos", "pets.CSV", "plan.yml"].map(str::to_owned).to_vec())
        );
        assert_eq!(
            names("P", endings, false),
            (TypedPath::New, ["Paris", "photos", "pets.CSV", "plan.yml"].map(str::to_owned).to_vec())
        );
        assert_eq!(names("ph", endings, false).1, ["photos"]);
        assert_eq!(names("", endings, true).1, ["Paris", "photos"]);
        assert_eq!(names(".c", None, true).1, [".cache"], "hidden ones only if they are asked for");
        assert_eq!(names("notes", None, false).1, ["notes.txt"]);
        let whole = names("plan.yml", endings, false);
        assert_eq!((whole.0, whole.1.len()), (TypedPath::File, 4), "its neighbours stay in sight");
        assert_eq!(names("photos", endings, false).0, TypedPath::Folder);
        assert_eq!(Listing::of(&at("none/x"), None, false).typed, TypedPath::Nothing);
        assert_eq!(Listing::of("", None, false).typed, TypedPath::Nothing);
    }

    #[test]
    fn quotes_and_the_home_folder_are_understood() {
        assert_eq!(path_of(" '/a b/c.csv' "), Path::new("/a b/c.csv"));
        let home = std::env::home_dir().unwrap();
        assert_eq!((path_of("~"), path_of("~/x")), (home.join(""), home.join("x")));
        assert_eq!(path_of("~x"), Path::new("~x"));
    }
}
