//! A reference to an image that survives a reload: row numbers change when the CSV is sorted or extended, the text of
//! the path cell does not.

use std::collections::HashMap;

use super::Dataset;

/// A row, identified by its image. Whatever may outlive a reload of the CSV must refer to images by this, never by
/// row number alone.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ImageRow {
    /// The text of its path cell, as [`Dataset::image_key`] gives it.
    pub image: String,
    /// Its row at the time.
    pub row: usize,
}

impl ImageRow {
    /// Row `row` of a dataset, by number and image.
    pub fn of(dataset: &Dataset, row: usize) -> Self {
        Self { image: dataset.image_key(row).into_owned(), row }
    }

    /// The row of the image in a dataset that may have been reloaded; `None` if there is none.
    pub fn find(&self, dataset: &Dataset) -> Option<usize> {
        Self::find_all([self], dataset).pop().flatten()
    }

    /// [`Self::find`] for many at once: scans all rows once, and only if one has moved.
    pub fn find_all<'a>(
        these: impl IntoIterator<Item = &'a Self> + Clone,
        dataset: &Dataset,
    ) -> Vec<Option<usize>> {
        let has_stayed =
            |this: &Self| this.row < dataset.rows.len() && dataset.image_key(this.row) == this.image;
        if these.clone().into_iter().all(has_stayed) {
            return these.into_iter().map(|this| Some(this.row)).collect();
        }
        let named = these.clone().into_iter().filter(|this| !this.image.is_empty());
        let mut rows: HashMap<&str, Option<usize>> = named.map(|this| (this.image.as_str(), None)).collect();
        for (row, data) in dataset.rows.iter().enumerate() {
            if let Some(found) = rows.get_mut(&*dataset.image_key(row)) {
                // Of several rows with one image, the one whose labels count.
                let is_better = found.is_none_or(|other| data.usable && !dataset.rows[other].usable);
                *found = if is_better { Some(row) } else { *found };
            }
        }
        these.into_iter().map(|this| rows.get(this.image.as_str()).copied().flatten()).collect()
    }
}

impl Dataset {
    /// Whether each row has the same image file and path text as in `other`, so that row numbers stay valid.
    pub fn has_images_of(&self, other: &Self) -> bool {
        let is_same_file = |(a, b): (&super::Row, &super::Row)| a.image.as_os_str() == b.image.as_os_str();
        self.has_rows_of(other) && self.rows.iter().zip(&other.rows).all(is_same_file)
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::Config;
    use crate::dataset::table::Table;

    fn dataset(csv: &str, folder: &str) -> Dataset {
        let config = "{paths: {model_dataframe: x.csv}, model: {target_encoder: {print: [plain, dotted]}}}";
        let folder = Path::new(folder);
        let config = Config::parse(config, &folder.join("config.yml")).unwrap();
        let table = Table::from_bytes(csv.into(), &folder.join("x.csv")).unwrap();
        Dataset::from_table(table, &config).unwrap()
    }

    const CSV: &str = "path,print\na.jpg,plain\nb.jpg,dotted\n,plain\nc.jpg,plain\n";

    #[test]
    fn an_image_is_found_wherever_its_row_went_and_a_lost_one_is_not() {
        let before = dataset(CSV, "/shop");
        let noted: Vec<ImageRow> = (0..4).map(|row| ImageRow::of(&before, row)).collect();
        let find = |csv: &str| ImageRow::find_all(&noted, &dataset(csv, "/shop"));
        assert_eq!(find(CSV), [Some(0), Some(1), Some(2), Some(3)]);
        // Sorted the other way round, without b and with a new one; a row without a path is nobody's.
        assert_eq!(
            find("path,print\nnew.jpg,plain\n c.jpg ,plain\n,dotted\na.jpg,plain\n"),
            [Some(3), None, None, Some(1)]
        );
        assert_eq!(noted[3].find(&dataset("path,print\nc.jpg,plain\n", "/shop")), Some(0));
        assert_eq!(noted[3].find(&dataset("path,print\nd.jpg,plain\n", "/shop")), None);
    }

    #[test]
    fn of_two_rows_about_an_image_the_one_that_counts_is_found() {
        let noted = ImageRow::of(&dataset(CSV, "/shop"), 1);
        let twice = dataset("path,print\nb.jpg,\na.jpg,plain\nb.jpg,dotted\n", "/shop");
        assert_eq!(noted.find(&twice), Some(2));
    }

    #[test]
    fn the_same_names_in_another_folder_are_other_images() {
        let (here, there) = (dataset(CSV, "/shop"), dataset(CSV, "/archive"));
        assert!(here.has_images_of(&dataset(CSV, "/shop")));
        assert!(here.has_rows_of(&there) && !here.has_images_of(&there));
    }
}
