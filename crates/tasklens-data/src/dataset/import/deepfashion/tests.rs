//! A download in the form that it has, with drawn garments, and everything that can be odd about one.

mod again;

mod dataset_config;
mod odd_lines;
mod project;
mod size;
mod survey;

use std::fs;
use std::path::PathBuf;

use super::*;
use crate::config::presets::{PresetFacts, Recipe};
use crate::dataset::table::Table;

/// A download below a temporary folder: 12 images train, 3 validate, 3 test.
struct World(tempfile::TempDir);

impl World {
    fn new() -> Self {
        let world = Self(tempfile::tempdir().unwrap());
        drawn::write(&world.data(), [12, 3, 3], 5).unwrap();
        world
    }

    fn root(&self) -> PathBuf {
        self.0.path().join("project")
    }

    fn data(&self) -> PathBuf {
        self.root().join("data")
    }

    fn annotation(&self, file: &str) -> PathBuf {
        self.data().join("Anno_fine").join(file)
    }

    fn edit(&self, file: &str, change: impl Fn(String) -> String) {
        let text = fs::read_to_string(self.annotation(file)).unwrap();
        fs::write(self.annotation(file), change(text)).unwrap();
    }

    fn edit_line(&self, file: &str, line: usize, new: &str) {
        self.edit(file, |text| {
            let lines = text.lines().enumerate();
            lines.map(|(at, old)| format!("{}\n", if at + 1 == line { new } else { old })).collect()
        });
    }

    fn import(&self) -> anyhow::Result<Imported> {
        import(&DeepFashionLayout::of(Some(&self.data()), None, None)?, &propose, &mut |_, _, _| true)
    }

    fn problems(&self) -> Vec<String> {
        let annotation = format!("{}/", self.data().join("Anno_fine").display());
        let problems = self.import().unwrap().problems;
        problems.iter().map(|problem| problem.to_string().replace(&annotation, "")).collect()
    }

    fn table(&self) -> Table {
        Table::open(&self.data().join("processed_subset.csv")).unwrap()
    }
}

fn propose(images: usize, aspect: Option<f32>) -> Proposed {
    Recipe::proposed(&PresetFacts { images, labelled: images, aspect, ..PresetFacts::default() })
}

fn cell<'a>(table: &'a Table, row: usize, column: &str) -> std::borrow::Cow<'a, str> {
    table.cell(row, table.column(column).unwrap())
}
