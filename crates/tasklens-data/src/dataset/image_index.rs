//! Which row the edits of an image go to.

use std::hash::BuildHasher as _;
use std::sync::{Arc, OnceLock};

use hashbrown::{DefaultHashBuilder, HashTable};

use super::{Dataset, Row};

/// The row of each image, by the text of its path cell.
#[derive(Debug, Default)]
pub(super) struct ImageIndex {
    rows: HashTable<u32>,
    hasher: DefaultHashBuilder,
    /// Rows that another row of the same image stands for, ascending, with that row.
    twins: Vec<(u32, u32)>,
}

impl ImageIndex {
    fn of(dataset: &Dataset) -> Self {
        let hasher = DefaultHashBuilder::default();
        let hash = |row: usize| hasher.hash_one(&*dataset.image_key(row));
        let is_labelled = |row: usize| dataset.rows.get(row).is_some_and(Row::is_labelled);
        let mut rows: HashTable<u32> = HashTable::with_capacity(dataset.rows.len());
        let mut others = Vec::new();
        for row in 0..dataset.rows.len() {
            let key = dataset.image_key(row);
            if key.is_empty() {
                continue;
            }
            let is_it = |other: &u32| dataset.image_key(*other as usize) == key;
            match rows.find_mut(hash(row), is_it) {
                Some(found) if !is_labelled(*found as usize) && is_labelled(row) => {
                    others.push(std::mem::replace(found, row as u32));
                }
                Some(_) => others.push(row as u32),
                None => {
                    rows.insert_unique(hash(row), row as u32, |row| hash(*row as usize));
                }
            }
        }
        let mut index = Self { rows, hasher, twins: Vec::new() };
        others.sort_unstable();
        let twin = |row: u32| Some((row, index.find(dataset, &dataset.image_key(row as usize))? as u32));
        index.twins = others.into_iter().filter_map(twin).collect();
        index
    }

    fn find(&self, dataset: &Dataset, image: &str) -> Option<usize> {
        let is_it = |row: &u32| dataset.image_key(*row as usize) == image;
        self.rows.find(self.hasher.hash_one(image), is_it).map(|row| *row as usize)
    }
}

/// One reading of a CSV: datasets of the same reading have the same images in the same rows.
#[derive(Clone, Debug, Default)]
pub struct Reading(Arc<OnceLock<ImageIndex>>);

impl PartialEq for Reading {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Dataset {
    /// The row that the edits of an image (the text of its path cell) go to. Of several rows with one path, the one
    /// whose labels count ([`edits::merge`](super::edits::merge)): the first with a valid label when the CSV was read,
    /// or else the first. The first call looks at all rows: not for the UI thread.
    pub fn row_of_image(&self, image: &str) -> Option<usize> {
        self.index().find(self, image)
    }

    /// Whether a row is that of [`Dataset::row_of_image`], without looking it up.
    pub(super) fn is_counting_row_of(&self, row: usize, image: &str) -> bool {
        row < self.rows.len()
            && !image.is_empty()
            && self.image_key(row) == image
            && self.counting_row(row) == row
    }

    /// The row whose labels count for the image of a row; mostly that row itself. As [`Dataset::row_of_image`].
    pub fn counting_row(&self, row: usize) -> usize {
        let twins = &self.index().twins;
        let place = twins.binary_search_by_key(&row, |(twin, _)| *twin as usize);
        place.map_or(row, |place| twins[place].1 as usize)
    }

    /// The rows whose labels count: one per image path, ascending. As [`Dataset::row_of_image`].
    pub fn counting_rows(&self) -> Vec<usize> {
        let twins = &self.index().twins;
        let mut left = twins.iter().map(|(row, _)| *row as usize).peekable();
        let counts = |row: &usize| left.next_if_eq(row).is_none() && !self.image_key(*row).is_empty();
        (0..self.rows.len()).filter(counts).collect()
    }

    /// Looks at all rows, so that [`Dataset::row_of_image`] is quick from now on. Must come before the first edit, and
    /// does in [`Dataset::set_labels`].
    pub fn index_images(&self) {
        self.index();
    }

    /// The reading of the CSV that this is of.
    pub fn reading(&self) -> &Reading {
        &self.reading
    }

    fn index(&self) -> &ImageIndex {
        self.reading.0.get_or_init(|| ImageIndex::of(self))
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::Config;
    use crate::dataset::table::Table;

    #[test]
    fn of_the_rows_of_an_image_the_one_counts_that_had_a_label_when_the_csv_was_read() {
        let config = "{paths: {model_dataframe: x.csv}, model: {target_encoder: {print: [plain, dotted]}}}";
        let config = Config::parse(config, Path::new("/config.yml")).unwrap();
        let csv =
            "path,print\na.jpg,\n,plain\nb.jpg,dotted\n a.jpg ,plain\nb.jpg,plain\nc.jpg,\na.jpg,dotted\n";
        let read = Dataset::from_table(Table::from_bytes(csv.into(), Path::new("/x.csv")).unwrap(), &config)
            .unwrap();
        let mut dataset = read.clone();
        dataset.set_labels([("a.jpg", "print", None)]);
        for dataset in [&read, &dataset] {
            assert_eq!(dataset.counting_rows(), [2, 3, 5]);
            let images = ["a.jpg", "b.jpg", "c.jpg", "", " a.jpg "];
            let found = images.map(|image| dataset.row_of_image(image));
            assert_eq!(found, [Some(3), Some(2), Some(5), None, None]);
            assert_eq!([0, 1, 2, 3, 4, 5, 6].map(|row| dataset.counting_row(row)), [3, 1, 2, 3, 2, 5, 3]);
        }
        assert_eq!((dataset.rows[3].labels[0].class(), read.rows[3].labels[0].class()), (None, Some(0)));
        assert!(dataset.reading() == read.reading());
    }
}
