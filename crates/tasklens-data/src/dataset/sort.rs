//! Rows in another order than the file's.

use super::Dataset;

/// What rows are sorted by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SortColumn {
    /// The path cell, as text.
    Path,
    /// Training, validation, test.
    Part,
    /// The name of the label in this task.
    Label(usize),
}

/// An order of rows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RowSort {
    /// By what.
    pub column: SortColumn,
    /// From the last to the first.
    pub descending: bool,
}

impl RowSort {
    /// Sorts the rows, which are in the file's order; those that have nothing in the column come last in either
    /// direction, and equals keep the file's order. A million rows take seconds where they are sorted by path.
    pub fn apply(self, dataset: &Dataset, rows: &mut [usize]) {
        match self.column {
            SortColumn::Path => self.by(rows, |row| {
                let path = dataset.image_key(row);
                (!path.is_empty()).then(|| path.into_owned())
            }),
            SortColumn::Part => {
                let parts = dataset.parts();
                self.by(rows, |row| parts.get(row).copied().flatten().map(|part| part as u8));
            }
            SortColumn::Label(task) => {
                let ranks = ranks(dataset.tasks.get(task).map_or(&[], |task| &task.labels));
                self.by(rows, |row| {
                    let class = dataset.rows.get(row)?.labels.get(task)?.class()?;
                    ranks.get(class as usize).copied()
                });
            }
        }
    }

    fn by<K: Ord>(self, rows: &mut [usize], key: impl Fn(usize) -> Option<K>) {
        let descending = self.descending;
        if descending {
            rows.sort_by_cached_key(|row| {
                let key = key(*row);
                (key.is_none(), key.map(std::cmp::Reverse))
            });
        } else {
            rows.sort_by_cached_key(|row| {
                let key = key(*row);
                (key.is_none(), key)
            });
        }
    }
}

/// The place of each label among all by name.
fn ranks(labels: &[String]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..labels.len()).collect();
    order.sort_by(|a, b| labels.get(*a).cmp(&labels.get(*b)));
    let mut ranks = vec![0; labels.len()];
    for (rank, label) in order.into_iter().enumerate() {
        ranks[label] = rank;
    }
    ranks
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    #[test]
    fn rows_without_a_label_are_last_in_either_direction_and_equals_keep_their_order() {
        let dir = tempfile::tempdir().unwrap();
        let csv = "path,print\nc.jpg,striped\na.jpg,\nb.jpg,solid\nd.jpg,striped\n";
        std::fs::write(dir.path().join("rows.csv"), csv).unwrap();
        let config = "paths:\n  model_dataframe: rows.csv\nmodel:\n  input_shape: [32, 32]\n  target_encoder:\n    \
                      print: [striped, solid]\n";
        let file = dir.path().join("config.yml");
        std::fs::write(&file, config).unwrap();
        let dataset = Dataset::open(&Config::open(&file).unwrap()).unwrap();
        let sorted = |column, descending| {
            let mut rows = vec![0, 1, 2, 3];
            RowSort { column, descending }.apply(&dataset, &mut rows);
            rows
        };
        assert_eq!(sorted(SortColumn::Path, false), [1, 2, 0, 3]);
        assert_eq!(sorted(SortColumn::Path, true), [3, 0, 2, 1]);
        assert_eq!(sorted(SortColumn::Label(0), false), [2, 0, 3, 1], "by name, not by the config's order");
        assert_eq!(sorted(SortColumn::Label(0), true), [0, 3, 2, 1]);
    }
}
