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

/// What is pressed for a label: a key, or a prefix and then a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LabelKey {
    /// The key before, in tasks with more labels than keys.
    pub prefix: Option<Key>,
    /// The key, or the second one.
    pub key: Key,
}

impl LabelKey {
    /// A single key.
    pub fn single(key: Key) -> Self {
        Self { prefix: None, key }
    }

    /// As it is shown, such as `A` or `ZA`.
    pub fn text(self) -> String {
        let prefix = self.prefix.map_or("", Key::symbol_or_name);
        format!("{prefix}{}", self.key.symbol_or_name())
    }
}

/// The keys of all labels.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyMap {
    /// `[task][label]`.
    keys: Vec<Vec<Option<LabelKey>>>,
}

impl KeyMap {
    /// Assigned keys first; each of the other labels gets the first key that is free in its task. Where there are more
    /// labels than keys, the last free letters stand before another letter or digit, and for no label alone.
    pub fn new(tasks: &[Task], assignments: &LabelKeys) -> Self {
        let keys = tasks.iter().map(|task| keys_of(task, assignments.get(&task.name))).collect();
        Self { keys }
    }

    /// What is pressed for a label; `None` where all keys and pairs are taken.
    pub fn key(&self, task: usize, label: usize) -> Option<LabelKey> {
        *self.keys.get(task)?.get(label)?
    }

    /// The label that a key alone stands for.
    pub fn label(&self, task: usize, key: Key) -> Option<usize> {
        self.label_of(task, LabelKey::single(key))
    }

    /// The label that a key, or a pair of keys, stands for.
    pub fn label_of(&self, task: usize, key: LabelKey) -> Option<usize> {
        self.keys.get(task)?.iter().position(|of_label| *of_label == Some(key))
    }

    /// Whether a key waits for a second one in this task.
    pub fn is_prefix(&self, task: usize, key: Key) -> bool {
        let of_task = self.keys.get(task).map_or(&[][..], Vec::as_slice);
        of_task.iter().flatten().any(|of_label| of_label.prefix == Some(key))
    }
}

fn keys_of(task: &Task, assigned: Option<&BTreeMap<String, String>>) -> Vec<Option<LabelKey>> {
    let mut keys: Vec<Option<Key>> = vec![None; task.labels.len()];
    for (index, label) in task.labels.iter().enumerate() {
        let key = assigned.and_then(|keys| keys.get(label)).and_then(|name| Key::from_name(name));
        keys[index] = key.filter(|key| can_be_assigned(*key) && !keys.contains(&Some(*key)));
    }
    let prefixes = prefixes(&keys);
    let is_free = |keys: &[Option<Key>], key: &Key| !keys.contains(&Some(*key)) && !prefixes.contains(key);
    // A label keeps the key of its position where nobody has taken it.
    for index in 0..keys.len() {
        let own = KEYS.get(index).copied();
        if keys[index].is_none() {
            keys[index] = own.filter(|key| is_free(&keys, key));
        }
    }
    for index in 0..keys.len() {
        if keys[index].is_none() {
            keys[index] = KEYS.into_iter().find(|key| is_free(&keys, key));
        }
    }
    let mut pairs =
        prefixes.iter().flat_map(|prefix| seconds().map(|key| LabelKey { prefix: Some(*prefix), key }));
    keys.into_iter().map(|key| key.map(LabelKey::single).or_else(|| pairs.next())).collect()
}

/// The keys that wait for a second one: as few as are needed, from the end of the list. Those that the user gave to
/// labels stay theirs.
fn prefixes(assigned: &[Option<Key>]) -> Vec<Key> {
    let free = KEYS.into_iter().rev().filter(|key| !assigned.contains(&Some(*key)));
    let lacking = assigned.iter().filter(|key| key.is_none()).count();
    let single = free.clone().count();
    let holds = |prefixes: usize| single - prefixes + prefixes * KEYS.len() >= lacking;
    let wanted = (0..=single).find(|prefixes| holds(*prefixes)).unwrap_or(single);
    free.take(wanted).collect()
}

/// The second keys: letters first, as two letters are typed more easily than a letter and a digit.
fn seconds() -> impl Iterator<Item = Key> {
    let digits = KEYS.iter().position(|key| *key == Key::A).unwrap_or(0);
    KEYS[digits..].iter().chain(&KEYS[..digits]).copied()
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
        let map = KeyMap::new(&[task(32)], &LabelKeys::new());
        let names: String = (0..32).filter_map(|label| map.key(0, label)).map(LabelKey::text).collect();
        assert_eq!(names, "123456789ABCDEHIJKLMOPQRSTUVWXYZ");
        assert!(!map.is_prefix(0, Key::Z), "nothing waits where each label has a key");
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
            [Key::Num2, Key::S, Key::Num1].map(|key| Some(LabelKey::single(key)))
        );
        assign(&mut assignments, "print", "l0", Key::Num1);
        let map = KeyMap::new(&[task(3)], &assignments);
        assert_eq!(
            [0, 1, 2].map(|label| map.key(0, label)),
            [Key::Num1, Key::S, Key::Num3].map(|key| Some(LabelKey::single(key)))
        );
        // What a newer version wrote, or a label that is gone, harms nothing.
        assignments.entry("print".to_owned()).or_default().insert("l0".to_owned(), "Hyper".to_owned());
        assert_eq!(KeyMap::new(&[task(3)], &assignments).label(0, Key::Num1), Some(0));
    }

    #[test]
    fn labels_beyond_the_keys_get_pairs_and_no_key_means_two_things() {
        for count in [33, 40, 63, 64, 94, 200, 1024] {
            let map = KeyMap::new(&[task(count)], &LabelKeys::new());
            let keys: Vec<LabelKey> = (0..count).filter_map(|label| map.key(0, label)).collect();
            assert_eq!(keys.len(), count, "each has one");
            for (label, key) in keys.iter().enumerate() {
                assert_eq!(map.label_of(0, *key), Some(label), "{}", key.text());
                assert!(key.prefix.is_some() || !map.is_prefix(0, key.key), "{}", key.text());
            }
        }
        let map = KeyMap::new(&[task(40)], &LabelKeys::new());
        let names: Vec<String> = (29..33).filter_map(|label| map.key(0, label)).map(LabelKey::text).collect();
        assert_eq!(names, ["X", "Y", "ZA", "ZB"]);
    }

    #[test]
    fn what_the_user_assigned_is_never_the_first_of_two() {
        let mut assignments = LabelKeys::new();
        assign(&mut assignments, "print", "l0", Key::Z);
        let map = KeyMap::new(&[task(40)], &assignments);
        assert_eq!((map.label(0, Key::Z), map.is_prefix(0, Key::Z)), (Some(0), false));
        assert!(map.is_prefix(0, Key::Y) && map.label(0, Key::Y).is_none());
    }
}
