//! Selects the rows that make up the counts of the confident joint. As in cleanlab's `filter.py`; on ties the earlier
//! rows are taken. All lists are (row, given label), ascending.

use super::Labelled;

/// Those whose given label is not (nearly) the most probable one.
pub(super) fn doubtful(rows: &Labelled, mut found: Vec<(usize, usize)>) -> Vec<(usize, usize)> {
    found.retain(|(item, given)| rows.doubtful(*item, *given));
    found
}

/// Per given label, as many rows as are estimated to be wrong, those with the least probable given label.
pub(super) fn by_class(rows: &Labelled, joint: &[Vec<usize>]) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    for (given, items) in rows.by_label.iter().enumerate() {
        let right = prune_counts(&joint[given], given)[given];
        let wrong = items.len().saturating_sub(right);
        let worst = lowest(items, wrong, |item| rows.probability(item, given));
        found.extend(worst.into_iter().map(|item| (item, given)));
    }
    found.sort_unstable();
    found
}

/// Per given and true label, as many rows as the joint counts, those with the largest margin of the true label.
pub(super) fn by_noise_rate(rows: &Labelled, joint: &[Vec<usize>]) -> Vec<(usize, usize)> {
    let mut found = Vec::new();
    for (given, items) in rows.by_label.iter().enumerate() {
        let counts = prune_counts(&joint[given], given);
        for (truth, count) in counts.into_iter().enumerate().filter(|(truth, _)| *truth != given) {
            let worst =
                lowest(items, count, |item| rows.probability(item, given) - rows.probability(item, truth));
            found.extend(worst.into_iter().map(|item| (item, given)));
        }
    }
    found.sort_unstable();
    found.dedup();
    found
}

/// The counts of one given label, adjusted so that it keeps at least one row: if the joint says that none is right,
/// each other label gets one less. cleanlab takes equal fractions and then only whole rows, which is equivalent.
fn prune_counts(joint: &[usize], given: usize) -> Vec<usize> {
    let raised = 1_usize.saturating_sub(joint[given]);
    let mut counts: Vec<usize> = joint.iter().map(|count| count.saturating_sub(raised)).collect();
    counts[given] = joint[given].max(1);
    counts
}

/// The `count` items with the lowest `value`, the first on ties; all of them if there are fewer.
fn lowest(items: &[usize], count: usize, value: impl Fn(usize) -> f64) -> Vec<usize> {
    if count == 0 {
        return Vec::new();
    }
    let mut ranked: Vec<(f64, usize)> = items.iter().map(|item| (value(*item), *item)).collect();
    if count < ranked.len() {
        ranked.select_nth_unstable_by(count, |a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
        ranked.truncate(count);
    }
    ranked.into_iter().map(|(_, item)| item).collect()
}
