//! Near-duplicates across the parts of the split, and their effect on the scores.

use tasklens_data::dataset::split::Part;
use tasklens_data::work::KeepGoing;

use super::inspection::{Inspection, TaskItems};
use crate::inference::duplicates::{self, Pair};

/// Minimum correlation of the search; the slider then only filters.
pub const LEAST: f32 = 0.95;

/// All pairs across two parts, as items, most similar first; `a` is a training item, or a validation item if `b` is a
/// test item.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// All pairs, most similar first.
    pub pairs: Vec<Pair>,
}

/// Compares the parts with each other; `None` if cancelled by `keep_going`.
pub fn find(inspection: &Inspection, keep_going: &mut KeepGoing<'_>) -> anyhow::Result<Option<Found>> {
    let [train, validation, test] =
        [Part::Train, Part::Validation, Part::Test].map(|part| inspection.items_of(Some(part)));
    let searches = [(&train, &validation), (&train, &test), (&validation, &test)];
    let work = |(first, second): &(&Vec<usize>, &Vec<usize>)| first.len() as u64 * second.len() as u64;
    let all = searches.iter().map(work).sum::<u64>().max(1);
    let mut pairs = Vec::new();
    let mut before = 0;
    for search in searches {
        let (first, second) = search;
        if work(&search) == 0 {
            continue;
        }
        // In thousandths of all comparisons.
        let mut part_of_all = |done: usize, of: usize| {
            let done = before + work(&search) * done as u64 / of.max(1) as u64;
            keep_going((1000 * done / all) as usize, 1000)
        };
        let found = duplicates::across(&inspection.features, first, second, LEAST, &mut part_of_all)?;
        let Some(found) = found else { return Ok(None) };
        pairs.extend(found);
        before += work(&search);
    }
    pairs.sort_by(|x, y| y.similarity.total_cmp(&x.similarity));
    Ok(Some(Found { pairs }))
}

/// The effect of the pairs on the scores of a part.
#[derive(Clone, Debug, PartialEq)]
pub struct Leak {
    /// A part that is scored.
    pub part: Part,
    /// Number of its items.
    pub of: usize,
    /// Its items that look like a training item, ascending.
    pub alike: Vec<usize>,
}

/// The pairs to show.
#[derive(Clone, Debug, PartialEq)]
pub struct Shown {
    /// In the order of [`Found::pairs`].
    pub pairs: Vec<Pair>,
    /// Those similar enough, with contradictory labels.
    pub contradicting: usize,
    /// Validation and test, if there are such items.
    pub leaks: Vec<Leak>,
}

impl Shown {
    /// Number of pairs that are similar enough.
    pub fn new(inspection: &Inspection, found: &Found, threshold: f32, only_contradicting: bool) -> Self {
        let part_of = |item: usize| inspection.parts[item];
        let enough = found.pairs.partition_point(|pair| pair.similarity >= threshold);
        let mut pairs = found.pairs[..enough].to_vec();
        let leak = |part: Part| {
            let of = inspection.parts.iter().filter(|other| **other == part).count();
            let leaks = |pair: &&Pair| part_of(pair.a) == Part::Train && part_of(pair.b) == part;
            let mut alike: Vec<usize> = pairs.iter().filter(leaks).map(|pair| pair.b).collect();
            alike.sort_unstable();
            alike.dedup();
            (of > 0).then_some(Leak { part, of, alike })
        };
        let leaks = [Part::Validation, Part::Test].into_iter().filter_map(leak).collect();
        let contradicts = |pair: &Pair| inspection.tasks.iter().any(|task| contradicts(task, pair));
        let contradicting = pairs.iter().filter(|pair| contradicts(pair)).count();
        if only_contradicting {
            pairs.retain(contradicts);
        }
        Self { pairs, contradicting, leaks }
    }
}

/// Whether both have a label, and these differ.
pub fn contradicts(task: &TaskItems, pair: &Pair) -> bool {
    task.labels[pair.a].zip(task.labels[pair.b]).is_some_and(|(a, b)| a != b)
}

#[cfg(test)]
mod tests {
    use Part::{Test, Train, Validation};
    use tasklens_data::config::Task;

    use super::*;
    use crate::inference::outputs::{Features, MINIATURE_BYTES};

    /// Miniatures that differ by their number, where a number comes twice they are equal.
    fn inspection(numbers: &[usize], parts: &[Part], labels: &[Option<u32>]) -> Inspection {
        let pixel = |number: usize, i: usize| ((number + 3) * (i * i + 7) % 251) as u8;
        let miniatures: Vec<u8> =
            numbers.iter().flat_map(|n| (0..MINIATURE_BYTES).map(move |i| pixel(*n, i))).collect();
        let count = numbers.len();
        let task = TaskItems {
            task: Task { name: "print".into(), labels: vec!["solid".into(), "striped".into()] },
            in_dataset: Some(0),
            labels: labels.to_vec(),
            probabilities: vec![0.5; 2 * count],
            predicted: vec![0; count],
            unknown_labels: 0,
        };
        Inspection {
            rows: (0..count).collect(),
            parts: parts.to_vec(),
            tasks: vec![task],
            features: Features::of_miniatures(&miniatures, 2, |item, i| (item + i) as f32),
        }
    }

    #[test]
    fn pairs_across_all_borders_are_found_and_counted_per_part() {
        // 0 trains and comes twice in validation and once in test; 5 validates and tests.
        let inspection = inspection(
            &[0, 1, 0, 0, 5, 2, 0, 5, 2],
            &[Train, Train, Validation, Validation, Validation, Validation, Test, Test, Validation],
            &[Some(0), Some(0), Some(0), Some(1), Some(1), None, Some(0), None, None],
        );
        let mut seen = Vec::new();
        let found = find(&inspection, &mut |done, of| {
            seen.push((done, of));
            true
        });
        let found = found.unwrap().unwrap();
        let mut pairs: Vec<(usize, usize)> = found.pairs.iter().map(|pair| (pair.a, pair.b)).collect();
        pairs.sort_unstable();
        // 5 and 8 are alike, too, but both validate.
        assert_eq!(pairs, [(0, 2), (0, 3), (0, 6), (2, 6), (3, 6), (4, 7)]);
        assert!(seen.is_sorted() && seen.last() == Some(&(1000, 1000)), "{seen:?}");
        let shown = Shown::new(&inspection, &found, 0.99, false);
        let leak = |part, of, alike: &[usize]| Leak { part, of, alike: alike.to_vec() };
        assert_eq!(shown.leaks, [leak(Validation, 5, &[2, 3]), leak(Test, 2, &[6])]);
        assert_eq!((shown.pairs.len(), shown.contradicting), (6, 2));
        let shown = Shown::new(&inspection, &found, 0.99, true);
        assert_eq!(shown.pairs.iter().map(|pair| (pair.a, pair.b)).collect::<Vec<_>>(), [(0, 3), (3, 6)]);
        assert_eq!(shown.leaks[0].alike, [2, 3], "a filter of the list does not make the scores better");
        assert!(find(&inspection, &mut |_, _| false).unwrap().is_none());
    }

    #[test]
    fn the_threshold_hides_what_is_less_alike() {
        let inspection = inspection(&[0, 0, 1], &[Train, Validation, Validation], &[None; 3]);
        let pair = |b, similarity| Pair { a: 0, b, similarity };
        let found = Found { pairs: vec![pair(1, 1.0), pair(1, 0.99), pair(2, 0.97)] };
        let shown = |threshold| Shown::new(&inspection, &found, threshold, false);
        assert_eq!(shown(0.95).leaks[0].alike, [1, 2]);
        assert_eq!(shown(0.97).pairs.len(), 3);
        assert_eq!(shown(0.98).leaks[0].alike, [1]);
    }
}
