//! Finds images that look similar to the network: exact cosine nearest neighbours over stored features.
//!
//! There is no index to build or update: all features are read once, by all cores, at memory speed. Limit candidates
//! with [`Features::pick`].

pub(super) mod kernel;

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};

use tasklens_data::work::{KeepGoing, cores};

use super::outputs::Features;
use kernel::dot_and_square;

/// Images per chunk: a few milliseconds, so that a search can be cancelled quickly.
const CHUNK: usize = 4096;

/// A neighbour of the query.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Neighbour {
    /// Index into the features searched.
    pub item: usize,
    /// Cosine of the angle between the features, -1 to 1; 0 if either has zero length.
    pub similarity: f32,
}

/// The `k` items whose features are most similar to `query`, most similar first; on ties, the lower number.
/// `keep_going` gets (done, of) between chunks; `None` if it cancelled.
///
/// # Panics
/// The query's length is not [`Features::dimensions`] (without images, any length will do).
pub fn nearest(
    features: &Features,
    query: &[f32],
    k: usize,
    keep_going: &mut KeepGoing<'_>,
) -> Option<Vec<Neighbour>> {
    search(features, query, None, k, keep_going)
}

/// As [`nearest`], for an item of the features, excluding itself.
///
/// # Panics
/// `item` is not below [`Features::len`].
pub fn nearest_to_item(
    features: &Features,
    item: usize,
    k: usize,
    keep_going: &mut KeepGoing<'_>,
) -> Option<Vec<Neighbour>> {
    search(features, &features.gather(&[item]), Some(item), k, keep_going)
}

fn search(
    features: &Features,
    query: &[f32],
    except: Option<usize>,
    k: usize,
    keep_going: &mut KeepGoing<'_>,
) -> Option<Vec<Neighbour>> {
    let of = features.len();
    assert!(of == 0 || query.len() == features.dimensions(), "a query of another length");
    let length = query.iter().map(|value| value * value).sum::<f32>().sqrt();
    let next = AtomicUsize::new(0);
    let stop = AtomicBool::new(false);
    let found = Mutex::new(Vec::new());
    let work = |keep_going: &mut dyn FnMut(usize) -> bool| {
        let mut best = Best { k, heap: BinaryHeap::with_capacity(k.min(of) + 1) };
        while !stop.load(Relaxed) {
            let from = next.fetch_add(CHUNK, Relaxed);
            if from >= of {
                break;
            }
            if !keep_going(from) {
                stop.store(true, Relaxed);
            }
            for item in (from..of.min(from + CHUNK)).filter(|item| Some(*item) != except) {
                let (dot, square) = dot_and_square(features.half(item), query);
                let cosine = dot / (square.sqrt() * length);
                best.offer(Neighbour { item, similarity: if cosine.is_finite() { cosine } else { 0.0 } });
            }
        }
        found.lock().unwrap_or_else(PoisonError::into_inner).extend(best.heap);
    };
    let threads = cores().min(of.div_ceil(CHUNK));
    std::thread::scope(|scope| {
        for _ in 1..threads {
            scope.spawn(|| work(&mut |_| true));
        }
        // The calling thread works, too, and calls `keep_going` between its chunks.
        work(&mut |done| keep_going(done, of));
    });
    if stop.into_inner() {
        return None;
    }
    let mut all = found.into_inner().unwrap_or_else(PoisonError::into_inner);
    all.sort_unstable();
    all.truncate(k);
    Some(all.into_iter().map(|Worst(neighbour)| neighbour).collect())
}

/// The `k` most similar so far.
struct Best {
    k: usize,
    heap: BinaryHeap<Worst>,
}

impl Best {
    fn offer(&mut self, neighbour: Neighbour) {
        let neighbour = Worst(neighbour);
        if self.heap.len() < self.k {
            self.heap.push(neighbour);
        } else if let Some(mut worst) = self.heap.peek_mut()
            && neighbour < *worst
        {
            *worst = neighbour;
        }
    }
}

/// Greater is worse: less similar, or equally similar with a higher number.
#[derive(Debug)]
struct Worst(Neighbour);

impl Ord for Worst {
    fn cmp(&self, other: &Self) -> Ordering {
        other.0.similarity.total_cmp(&self.0.similarity).then(self.0.item.cmp(&other.0.item))
    }
}

impl PartialOrd for Worst {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Worst {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Worst {}

#[cfg(test)]
mod tests;
