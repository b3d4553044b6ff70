//! Labels that are not saved in the CSV yet: used for training if a run uses that CSV, and only then.

use std::path::{Path, PathBuf};

use tasklens_data::dataset::edits::{Edit, Values};

/// Edits, with the CSV that they belong to. The default is none.
#[derive(Clone, Debug, Default)]
pub struct Unsaved {
    csv: PathBuf,
    values: Values,
}

impl Unsaved {
    /// Edits that belong to a CSV.
    pub fn new(csv: &Path, values: Values) -> Self {
        Self { csv: csv.to_path_buf(), values }
    }

    /// The edits for the rows of `csv`: all if it is the same file, under whatever name. An edit identifies its image
    /// by the text of a path cell, which another project may use for another image. Reads the disk and lists all
    /// edits: not for the UI thread.
    pub fn of(&self, csv: &Path) -> Vec<Edit> {
        let is_same = match (self.csv.canonicalize(), csv.canonicalize()) {
            (Ok(own), Ok(other)) => own == other,
            _ => self.csv == csv,
        };
        if is_same { self.values.overlay() } else { Vec::new() }
    }
}

#[cfg(test)]
mod tests {
    use tasklens_data::dataset::edits::{AnnotationChange, AnnotationSource, Field, State, Step};

    use super::*;

    #[test]
    fn edits_go_with_their_csv_under_any_name_and_with_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let [shop, archive] = ["shop", "archive"].map(|name| folder.path().join(name));
        for folder in [&shop, &archive] {
            std::fs::create_dir(folder).unwrap();
            std::fs::write(folder.join("labels.csv"), "path,print\na.jpg,plain\n").unwrap();
        }
        let change = AnnotationChange {
            image: "a.jpg".into(),
            field: Field::Label("print".into()),
            before: Some("plain".into()),
            after: None,
        };
        let mut state = State::default();
        state.edit(Step::now(AnnotationSource::Hand, vec![change])).unwrap();
        let unsaved = Unsaved::new(&shop.join("labels.csv"), state.values());
        assert_eq!(unsaved.of(&shop.join("labels.csv")).len(), 1);
        assert_eq!(unsaved.of(&archive.join("../shop/./labels.csv")).len(), 1);
        assert!(unsaved.of(&archive.join("labels.csv")).is_empty());
        assert!(unsaved.of(&folder.path().join("gone.csv")).is_empty());
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink(shop.join("labels.csv"), archive.join("link.csv")).unwrap();
            assert_eq!(unsaved.of(&archive.join("link.csv")).len(), 1);
        }
        assert!(Unsaved::default().of(&shop.join("labels.csv")).is_empty());
    }
}
