//! Which key gives which label: 1 to 9, then letters, or what the user assigned. No drawing.

use std::collections::BTreeMap;

use egui::Key;
use tasklens_data::config::Task;

use crate::app::services::settings::LabelKeys;

/// Keys in the order in which labels get them. Letters that the place itself listens to are left out.
const KEYS: [Key; 32] = [
    Key::Num1,
    Key::Num2,
    Key::Num3,
    Key::Num4,
    Key::Num5,
    Key::Num6,
    Key::Num7,
    Key::Num8,
    Key::Num9,
    Key::A,
    Key::B,
    Key::C,
    Key::D,
    Key::E,
    Key::H,
    Key::I,
    Key::J,
    Key::K,
    Key::L,
    Key::M,
    Key::O,
    Key::P,
    Key::Q,
    Key::R,
    Key::S,
    Key::T,
    Key::U,
    Key::V,
    Key::W,
    Key::X,
    Key::Y,
    Key::Z,
];

/// Whether a key can be a label's: digits from 1 and letters, but for F (flag), G (grid) and N (does not apply).
pub fn can_be_assigned(key: Key) -> bool {
    KEYS.contains(&key)
}

/// The keys of all labels.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyMap {
    /// `[task][label]`.
    keys: Vec<Vec<Option<Key>>>,
}

impl KeyMap {
    /// Assigned keys first; each of the other labels gets the first key that is free in its task.
    pub fn new(tasks: &[Task], assignments: &LabelKeys) -> Self {
        let keys = tasks.iter().map(|task| keys_of(task, assignments.get(&task.name))).collect();
        Self { keys }
    }

    /// The key of a label; labels beyond the last key have none.
    pub fn key(&self, task: usize, label: usize) -> Option<Key> {
        *self.keys.get(task)?.get(label)?
    }

    /// The label that a key stands for.
    pub fn label(&self, task: usize, key: Key) -> Option<usize> {
        self.keys.get(task)?.iter().position(|of_label| *of_label == Some(key))
    }
}

fn keys_of(task: &Task, assigned: Option<&BTreeMap<String, String>>) -> Vec<Option<Key>> {
    let mut keys: Vec<Option<Key>> = vec![None; task.labels.len()];
    for (index, label) in task.labels.iter().enumerate() {
        let key = assigned.and_then(|keys| keys.get(label)).and_then(|name| Key::from_name(name));
        keys[index] = key.filter(|key| can_be_assigned(*key) && !keys.contains(&Some(*key)));
    }
    // A label keeps the key of its position where nobody has taken it.
    for index in 0..keys.len() {
        let own = KEYS.get(index).copied();
        if keys[index].is_none() {
            keys[index] = own.filter(|key| !keys.contains(&Some(*key)));
        }
    }
    for index in 0..keys.len() {
        if keys[index].is_none() {
            keys[index] = KEYS.into_iter().find(|key| !keys.contains(&Some(*key)));
        }
    }
    keys
}

/// Gives a label a key; the label of the task that had it gets one of its own again.
pub fn assign(assignments: &mut LabelKeys, task: &str, label: &str, key: Key) {
    let of_task = assignments.entry(task.to_owned()).or_default();
    of_task.retain(|_, name| name != key.name());
    of_task.insert(label.to_owned(), key.name().to_owned());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn task(labels: usize) -> Task {
        Task { name: "print".to_owned(), labels: (0..labels).map(|label| format!("l{label}")).collect() }
    }

    #[test]
    fn digits_come_first_then_letters_that_nothing_else_listens_to() {
        let map = KeyMap::new(&[task(40)], &LabelKeys::new());
        let names: String =
            (0..40).filter_map(|label| map.key(0, label)).map(|key| key.symbol_or_name()).collect();
        assert_eq!(names, "123456789ABCDEHIJKLMOPQRSTUVWXYZ");
        assert_eq!(map.label(0, Key::A), Some(9));
        assert_eq!([map.label(0, Key::F), map.label(0, Key::N), map.label(1, Key::Num1)], [None; 3]);
    }

    #[test]
    fn an_assigned_key_moves_and_the_label_that_had_it_gets_another() {
        let mut assignments = LabelKeys::new();
        assign(&mut assignments, "print", "l2", Key::Num1);
        assign(&mut assignments, "print", "l1", Key::S);
        let map = KeyMap::new(&[task(3)], &assignments);
        assert_eq!(
            [0, 1, 2].map(|label| map.key(0, label)),
            [Some(Key::Num2), Some(Key::S), Some(Key::Num1)]
        );
        assign(&mut assignments, "print", "l0", Key::Num1);
        let map = KeyMap::new(&[task(3)], &assignments);
        assert_eq!(
            [0, 1, 2].map(|label| map.key(0, label)),
            [Some(Key::Num1), Some(Key::S), Some(Key::Num3)]
        );
        // What a newer version wrote, or a label that is gone, harms nothing.
        assignments.entry("print".to_owned()).or_default().insert("l0".to_owned(), "Hyper".to_owned());
        assert_eq!(KeyMap::new(&[task(3)], &assignments).key(0, 0), Some(Key::Num1));
    }
}
