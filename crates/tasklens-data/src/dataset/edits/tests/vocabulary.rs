//! Edits go on across a change of tasks and labels, against a model that keeps every state it was in.

use std::collections::BTreeMap;

use rand::{RngExt as _, SeedableRng as _};
use rand_pcg::Pcg64Mcg;

use super::*;
use crate::config::VocabularyChange as Vocabulary;
use crate::files::fault;

/// What holds, by image and field: only what is there.
type Values = BTreeMap<(String, Field), String>;

fn follow(values: &Values, change: &Vocabulary) -> Values {
    let mut new = Values::new();
    for ((image, field), value) in values {
        let (task, make): (_, fn(SmolStr) -> Field) = match field {
            Field::Label(task) => (task.to_string(), Field::Label),
            Field::Kept(task) => (task.to_string(), Field::Kept),
            Field::Flag => {
                new.insert((image.clone(), Field::Flag), value.clone());
                continue;
            }
        };
        let is_it = task == change.task();
        let value = match change {
            Vocabulary::RemoveTask { .. } if is_it => continue,
            Vocabulary::RenameLabel { from, to: other, .. }
            | Vocabulary::MergeLabels { from, into: other, .. }
                if is_it && value == from =>
            {
                other.clone()
            }
            Vocabulary::RemoveLabel { label, .. } if is_it && value == label => continue,
            _ => value.clone(),
        };
        let task = match change {
            Vocabulary::RenameTask { to, .. } if is_it => to.clone(),
            _ => task,
        };
        new.insert((image.clone(), make(task.into())), value);
    }
    new
}

/// Equal neighbours become one, and `at` stays where it was.
fn without_repeats(states: Vec<Values>, at: usize) -> (Vec<Values>, usize) {
    let (mut kept, mut new_at): (Vec<Values>, usize) = (Vec::new(), 0);
    for (index, state) in states.into_iter().enumerate() {
        if kept.last() != Some(&state) {
            kept.push(state);
        }
        if index == at {
            new_at = kept.len() - 1;
        }
    }
    (kept, new_at)
}

fn random_change(random: &mut Pcg64Mcg, tasks: &[String]) -> Vocabulary {
    let label = |random: &mut Pcg64Mcg| ["a", "b", "c"][random.random_range(0..3)].to_owned();
    let task = tasks[random.random_range(0..tasks.len())].clone();
    match random.random_range(0..6) {
        0 => {
            let to = format!("{task}+");
            Vocabulary::RenameTask { task, to }
        }
        1 if tasks.len() > 1 => Vocabulary::RemoveTask { task },
        2 => Vocabulary::RemoveLabel { task, label: label(random) },
        3 => Vocabulary::AddLabel { task, label: label(random) },
        4 => Vocabulary::RenameLabel { task, from: label(random), to: label(random) },
        _ => Vocabulary::MergeLabels { task, from: label(random), into: label(random) },
    }
}

fn check(state: &State, csv: &Values, model: &Values, tasks: &[String]) {
    let mut pending = 0;
    for image in ["1", "2", "3"] {
        for task in tasks {
            let key = (image.to_owned(), Field::Label(task.as_str().into()));
            let (base, now) = (csv.get(&key), model.get(&key));
            let edited = state.label(image, task).unwrap_or(base.map(String::as_str));
            assert_eq!(edited, now.map(String::as_str), "{image} {task}");
            pending += usize::from(base != now);
            let kept = model.get(&(image.to_owned(), Field::Kept(task.as_str().into())));
            for label in ["a", "b", "c"] {
                assert_eq!(state.is_kept(image, task, Some(label)), kept.is_some_and(|kept| kept == label));
            }
        }
        let flag = model.get(&(image.to_owned(), Field::Flag));
        assert_eq!(state.flag(image), flag.map(String::as_str));
    }
    assert_eq!(state.pending_count(), pending);
    assert_eq!(state.pending().len(), pending);
}

#[test]
fn any_editing_across_changes_is_what_a_naive_model_says() {
    fault::skip_syncs();
    let mut snapshots = 0;
    for seed in 0..60 {
        let mut random = Pcg64Mcg::seed_from_u64(seed);
        let mut tasks = vec!["print".to_owned(), "neck".to_owned()];
        let mut csv = Values::new();
        csv.insert(("1".to_owned(), Field::Label("print".into())), "a".to_owned());
        csv.insert(("2".to_owned(), Field::Label("neck".into())), "b".to_owned());
        let (mut states, mut at) = (vec![csv.clone()], 0);
        let shop = Shop::new("");
        let mut journal = Journal::open(&shop.csv()).unwrap().journal;
        let mut state = State::default();
        for _ in 0..50 {
            match random.random_range(0..11) {
                0..5 => {
                    let mut new = states[at].clone();
                    let mut changes = Vec::new();
                    for _ in 0..random.random_range(1..4) {
                        let image = ["1", "2", "3"][random.random_range(0..3)].to_owned();
                        let task = tasks[random.random_range(0..tasks.len())].as_str().into();
                        let field = match random.random_range(0..4) {
                            0 => Field::Kept(task),
                            1 => Field::Flag,
                            _ => Field::Label(task),
                        };
                        let after = ["", "a", "b", "c"][random.random_range(0..4)].to_owned();
                        let after = Some(after).filter(|after| !after.is_empty());
                        let key = (image.clone(), field.clone());
                        let before = states[at].get(&key).map(SmolStr::from);
                        let image = image.into();
                        changes.push(AnnotationChange {
                            image,
                            field,
                            before,
                            after: after.as_ref().map(SmolStr::from),
                        });
                        match after {
                            Some(after) => drop(new.insert(key, after)),
                            None => drop(new.remove(&key)),
                        }
                    }
                    if new != states[at] {
                        let entry = state.edit(Step::now(AnnotationSource::Hand, changes));
                        journal.append(entry.as_slice()).unwrap();
                        states.truncate(at + 1);
                        states.push(new);
                        at += 1;
                    }
                }
                5 | 6 => {
                    journal.append(state.undo().as_slice()).unwrap();
                    at = at.saturating_sub(1);
                }
                7 => {
                    journal.append(state.redo().as_slice()).unwrap();
                    at = (at + 1).min(states.len() - 1);
                }
                8 => snapshots += usize::from(journal.take_snapshot(&state).unwrap()),
                _ => {
                    let change = random_change(&mut random, &tasks);
                    csv = follow(&csv, &change);
                    let new = states.iter().map(|values| follow(values, &change)).collect();
                    (states, at) = without_repeats(new, at);
                    match &change {
                        Vocabulary::RemoveTask { task } => tasks.retain(|other| other != task),
                        Vocabulary::RenameTask { task, to } => {
                            tasks
                                .iter_mut()
                                .filter(|other| *other == task)
                                .for_each(|task| task.clone_from(to));
                        }
                        _ => {}
                    }
                    journal.append(&[state.change_vocabulary(change)]).unwrap();
                }
            }
            check(&state, &csv, &states[at], &tasks);
        }
        // What is read from the journal is what was lived.
        drop(journal);
        let mut read = Journal::look(&shop.csv()).unwrap();
        check(&read, &csv, &states[at], &tasks);
        while read.undo().is_some() {}
        check(&read, &csv, &states[0], &tasks);
        while read.redo().is_some() {}
        check(&read, &csv, &states[states.len() - 1], &tasks);
    }
    assert!(snapshots > 100, "{snapshots}");
}
