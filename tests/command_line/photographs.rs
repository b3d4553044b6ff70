//! An extra on real photographs, which are too large for the repository: it says when it was skipped.

use std::path::{Path, PathBuf};

use tasklens_data::dataset::{Dataset, propose};
use tasklens_data::images::decode::{decode_file, probe_file};

use crate::skip;

/// 3,409 photographs of clothing with their CSV, where they lie beside the checkout.
fn photographs() -> Option<PathBuf> {
    let csv = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data/clothing/clothing.csv");
    if csv.is_file() {
        return Some(csv);
    }
    skip::skipped("an extra on real photographs, which are not part of the project");
    None
}

#[test]
fn photographs_decode_and_probe_to_the_same_size() {
    let Some(csv) = photographs() else { return };
    for line in std::fs::read_to_string(&csv).unwrap().lines().skip(1).step_by(400) {
        let path = csv.with_file_name(line.split(',').next().unwrap());
        let image = decode_file(&path).unwrap();
        assert_eq!(image.dimensions(), probe_file(&path).unwrap(), "{}", path.display());
    }
}

#[test]
fn a_table_of_photographs_opens() {
    let Some(csv) = photographs() else { return };
    let folder = tempfile::tempdir().unwrap();
    let proposal = propose::propose_config(&csv).unwrap();
    let config = proposal
        .to_config(
            folder.path().join("config.yml"),
            &tasklens_net::training::propose(proposal.rows, proposal.rows, proposal.aspect),
        )
        .unwrap();
    let tasks: Vec<&str> = config.model.tasks.iter().map(|task| task.name.as_str()).collect();
    assert_eq!(tasks, ["item", "sleeves", "worn_on"]);
    assert_eq!(config.model.tasks[0].labels.len(), 10);
    assert_eq!(config.model.path_column, "image_path");
    assert_eq!(config.model.split_column.as_deref(), Some("split"));
    let dataset = Dataset::open(&config).unwrap();
    let found: Vec<String> = dataset.problems.iter().map(ToString::to_string).collect();
    assert_eq!(found, Vec::<String>::new());
    assert_eq!(dataset.rows.len(), 3409);
    assert_eq!(dataset.split.train.len() + dataset.split.validation.len(), 3409);
    assert!(dataset.missing_counts()[1] > 0);
    let skirt = config.model.tasks[0].labels.iter().position(|label| label == "skirt").unwrap();
    assert_eq!(dataset.label_counts()[0][skirt].train, 112);
    assert!(dataset.rows.iter().all(|row| row.image.is_file()));
}
