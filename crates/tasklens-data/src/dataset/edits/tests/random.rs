//! Random editing against a model that keeps every state it was in.

use std::collections::HashMap;

use rand::{RngExt as _, SeedableRng as _};
use rand_pcg::Pcg64Mcg;

use super::*;

type Values = HashMap<(usize, Field), Option<String>>;

/// Every state so far, those that can be redone included, and the one that holds.
struct Model {
    states: Vec<Values>,
    at: usize,
}

impl Model {
    fn values(&self) -> &Values {
        &self.states[self.at]
    }

    fn edit(&mut self, new: Values) {
        if new != *self.values() {
            self.states.truncate(self.at + 1);
            self.states.push(new);
            self.at += 1;
        }
    }
}

const ROWS: usize = 4;

fn fields() -> [Field; 5] {
    let name = |task: &str| task.into();
    [
        Field::Label(name("print")),
        Field::Label(name("sleeves")),
        Field::Kept(name("print")),
        Field::Kept(name("sleeves")),
        Field::Flag,
    ]
}

fn change(window: &Window, row: usize, field: &Field, value: Option<&str>) -> AnnotationChange {
    let image = window.dataset.image_key(row).into();
    match field {
        Field::Label(name) => {
            let task = usize::from(*name == "sleeves");
            window.state.label_change(&window.dataset, row, task, value)
        }
        _ => AnnotationChange { image, field: field.clone(), before: None, after: value.map(Into::into) },
    }
}

fn check(window: &Window, model: &Model, csv: &Values) {
    let mut pending = 0;
    for ((row, field), value) in model.values() {
        let image = window.dataset.image_key(*row);
        let value = value.as_deref();
        match field {
            Field::Label(task) => {
                let index = usize::from(*task == "sleeves");
                assert_eq!(window.text(*row, index), value.unwrap_or_default());
                pending += usize::from(csv[&(*row, field.clone())].as_deref() != value);
            }
            Field::Kept(task) => {
                assert_eq!(window.state.is_kept(&image, task, value), value.is_some());
            }
            Field::Flag => assert_eq!(window.state.flag(&image), value),
        }
    }
    assert_eq!((window.state.pending_count(), window.state.pending().len()), (pending, pending));
}

#[test]
fn any_editing_is_what_a_naive_model_says() {
    let mut snapshots = 0;
    for seed in 0..12 {
        let mut random = Pcg64Mcg::seed_from_u64(seed);
        let shop =
            Shop::new("image,print,sleeves\n0.jpg,solid,\n1.jpg,floral,long\n2.jpg,,\n3.jpg,striped,short\n");
        let mut window = shop.open();
        let mut start = Values::new();
        for row in 0..ROWS {
            for field in fields() {
                let given = match &field {
                    Field::Label(task) => window.text(row, usize::from(*task == "sleeves")),
                    _ => String::new(),
                };
                start.insert((row, field), Some(given).filter(|given| !given.is_empty()));
            }
        }
        let mut csv = start.clone();
        let mut model = Model { states: vec![start], at: 0 };
        for _ in 0..60 {
            match random.random_range(0..14) {
                0..5 => {
                    let mut new = model.values().clone();
                    let mut changes = Vec::new();
                    for _ in 0..random.random_range(1..5) {
                        let field = fields()[random.random_range(0..5)].clone();
                        let value = ["", "solid", "floral", "?"][random.random_range(0..4)];
                        let value = Some(value).filter(|value| !value.is_empty());
                        let row = random.random_range(0..ROWS);
                        changes.push(change(&window, row, &field, value));
                        new.insert((row, field), value.map(str::to_owned));
                    }
                    // A batch that ends where it began may still be a step; the model has no such ones.
                    if new != *model.values() {
                        window.edit(changes);
                        model.edit(new);
                    }
                }
                5 | 6 => {
                    assert_eq!(window.undo(), model.at > 0);
                    model.at = model.at.saturating_sub(1);
                }
                7 | 8 => {
                    assert_eq!(window.redo(), model.at + 1 < model.states.len());
                    model.at = (model.at + 1).min(model.states.len() - 1);
                }
                9 => {
                    let outcome = window.save(OnConflict::Ask);
                    assert_eq!((outcome.conflicts.len(), outcome.missing.len()), (0, 0));
                    csv.clone_from(model.values());
                }
                10 => {
                    // The rows are read anew while the window stays open.
                    window.dataset = shop.dataset();
                    window.state.forget_saved();
                }
                11 => {
                    drop(window);
                    window = shop.open();
                }
                _ => {
                    // A snapshot is only taken while rows in memory and the CSV say the same.
                    window.dataset = shop.dataset();
                    window.state.forget_saved();
                    snapshots += usize::from(window.journal.take_snapshot(&window.state).unwrap());
                }
            }
            check(&window, &model, &csv);
        }
        window.save(OnConflict::Ask);
        window.dataset = shop.dataset();
        window.state.forget_saved();
        check(&window, &model, model.values());
        while window.undo() {}
        check(&window, &Model { at: 0, ..model }, &csv_of(&window));
    }
    assert!(snapshots > 60, "{snapshots}");
}

fn csv_of(window: &Window) -> Values {
    let mut values = Values::new();
    for row in 0..ROWS {
        for (task, name) in ["print", "sleeves"].into_iter().enumerate() {
            let cell = window.dataset.table.cell(row, window.dataset.columns.tasks[task]).into_owned();
            values.insert((row, Field::Label(name.into())), Some(cell).filter(|cell| !cell.is_empty()));
        }
    }
    values
}
