//! The images named by any CSV, without labels.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use super::image_paths::{ImageFinder, Located, images_of_project};
use super::path_cells;
use super::table::Table;
use crate::config::Config;

/// The images of a column of a CSV.
#[derive(Debug)]
pub struct TableImages {
    /// Column of the image path.
    pub column: usize,
    /// Path of each row's image, which may not exist; empty for an empty cell.
    pub paths: Vec<PathBuf>,
    /// Notes about images that were found by a guess, prefixed with the name of the CSV.
    pub notes: Vec<String>,
    csv: PathBuf,
    cells: Vec<String>,
    lines: Vec<u64>,
    finder: ImageFinder,
}

impl TableImages {
    /// Looks up the images of a table: relative to its folder, and in the image folder of its own project. `known` is
    /// a config that may belong to its project.
    pub fn of(table: &Table, column: usize, known: Option<&Config>) -> Self {
        let cells = path_cells(table, column);
        let finder = ImageFinder::new(&table.path, images_of_project(&table.path, known).as_deref());
        let Located { paths, guesses } = finder.locate(&cells);
        let notes = guesses.notes(&|row| table.line_of_row(row));
        let notes = notes.into_iter().map(|note| format!("{}: {note}", table.path.display())).collect();
        let lines = (0..table.row_count()).map(|row| table.line_of_row(row)).collect();
        Self {
            column,
            paths,
            notes,
            csv: table.path.clone(),
            cells: cells.into_iter().map(Cow::into_owned).collect(),
            lines,
            finder,
        }
    }

    /// The message for a row's image that cannot be read, with its line in the CSV and, if it is missing, the reason.
    pub fn explain(&self, row: usize, message: &str) -> String {
        let place = format!("{}, line {}", self.csv.display(), self.lines[row]);
        if is_missing(&self.paths[row]) {
            return format!("{place}: {}", self.finder.why_missing(&self.cells[row]));
        }
        format!("{place}: {message}")
    }
}

/// Whether the file certainly does not exist.
pub(super) fn is_missing(image: &Path) -> bool {
    matches!(image.try_exists(), Ok(false))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn images_are_looked_for_beside_the_csv_and_where_its_own_project_says() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        for file in ["train/photos/1.png", "train/photos/2.png", "test/photos/1.png", "pool/3.png"] {
            std::fs::create_dir_all(at(file).parent().unwrap()).unwrap();
            std::fs::write(at(file), "").unwrap();
        }
        let csv = "path,kind\nphotos/1.png,a\nphotos/2.png,b\n,b\n3.png,a\n";
        std::fs::write(at("train/labels.csv"), csv).unwrap();
        std::fs::write(at("test/test.csv"), csv).unwrap();
        let text = |images: &str| {
            format!(
                "paths: {{model_dataframe: labels.csv, images: {images}}}\nmodel: {{target_encoder: {{kind: [a, b]}}}}\n"
            )
        };
        let config = Config::parse(&text("../pool"), &at("train/config.yml")).unwrap();
        let images = |csv: &Path| TableImages::of(&Table::open(csv).unwrap(), 0, Some(&config));

        let own = images(&at("train/labels.csv"));
        assert!([0, 1, 3].iter().all(|row| own.paths[*row].is_file()), "{:?}", own.paths);
        assert_eq!(own.paths[2], Path::new(""));
        let other = images(&at("test/test.csv"));
        assert_eq!(
            other.paths,
            [at("test/photos/1.png"), at("test/photos/2.png"), "".into(), at("test/3.png")],
            "nothing of the other project"
        );
        let told = other.explain(1, "no file");
        assert!(told.starts_with(&format!("{}, line 3: ", at("test/test.csv").display())), "{told}");
        assert!(told.contains("2.png is missing"), "{told}");
        assert!(other.explain(0, "is odd").ends_with("line 2: is odd"));

        std::fs::write(at("test/config.yml"), text("../pool")).unwrap();
        assert_eq!(images(&at("test/test.csv")).paths[3], at("pool/3.png"));
    }
}
