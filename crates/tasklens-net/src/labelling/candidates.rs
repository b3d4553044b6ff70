//! The rows that can be labelled, and their labels.

use tasklens_data::dataset::{Dataset, RowLabel};

/// The rows with an image path, ascending. Of several rows with one path, only the one whose labels count
/// ([`edits::merge`](tasklens_data::dataset::edits::merge)).
pub fn rows(dataset: &Dataset) -> Vec<usize> {
    dataset.counting_rows()
}

/// The current labels of the rows: `[task][row]`.
pub fn labels(dataset: &Dataset) -> Vec<Vec<RowLabel>> {
    (0..dataset.tasks.len()).map(|task| dataset.rows.iter().map(|row| row.labels[task]).collect()).collect()
}

/// Those to learn from: `[task][row]`.
pub fn classes(dataset: &Dataset) -> Vec<Vec<Option<u32>>> {
    let of_task = |task: usize| dataset.rows.iter().map(|row| row.labels[task].class()).collect();
    (0..dataset.tasks.len()).map(of_task).collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use tasklens_data::config::Config;
    use tasklens_data::dataset::table::Table;

    use super::*;

    #[test]
    fn an_image_with_two_rows_is_labelled_in_the_row_that_counts() {
        let config = "{paths: {model_dataframe: x.csv}, model: {target_encoder: {print: [plain, dotted]}}}";
        let config = Config::parse(config, Path::new("/config.yml")).unwrap();
        let csv = "path,print\na.jpg,\n,plain\nb.jpg,dotted\n a.jpg ,plain\nb.jpg,plain\nc.jpg,\n";
        let table = Table::from_bytes(csv.into(), Path::new("/x.csv")).unwrap();
        let dataset = Dataset::from_table(table, &config).unwrap();
        assert_eq!(rows(&dataset), [2, 3, 5]);
        assert_eq!(classes(&dataset)[0], [None, Some(0), Some(1), Some(0), Some(0), None]);
    }
}
