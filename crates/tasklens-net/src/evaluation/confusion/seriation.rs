//! Seriation, an order in which similar things are neighbours: hierarchical clustering with average linkage, then the
//! order of its leaves that makes neighbours most similar (Bar-Joseph, Gifford, Jaakkola 2001, "Fast optimal leaf
//! ordering for hierarchical clustering"). Independent of labels.

/// A cluster: a leaf, or two merged clusters.
struct Cluster {
    leaves: Vec<usize>,
    parts: Option<(usize, usize)>,
}

/// The order for a symmetric `[n][n]` of finite similarities; the diagonal is ignored. Of an order and its reverse,
/// returns the one that starts with the smaller index.
pub fn order(similarity: &[Vec<f64>]) -> Vec<usize> {
    let n = similarity.len();
    if n < 2 {
        return (0..n).collect();
    }
    let mut ordering =
        Ordering { similarity, clusters: average_linkage(similarity), best: vec![vec![0.0; n]; n] };
    for cluster in n..ordering.clusters.len() {
        ordering.join(cluster);
    }
    ordering.order()
}

/// Merges the two most similar clusters until one is left. The first n are the leaves, each later one consists of two
/// earlier ones, the last one contains all.
fn average_linkage(similarity: &[Vec<f64>]) -> Vec<Cluster> {
    let n = similarity.len();
    let mut clusters: Vec<Cluster> = (0..n).map(|i| Cluster { leaves: vec![i], parts: None }).collect();
    let mut between = similarity.to_vec();
    // The cluster that each row of `between` now represents.
    let mut open: Vec<(usize, usize)> = (0..n).map(|i| (i, i)).collect();
    while open.len() > 1 {
        let (a, b) = most_similar(&open, &between);
        let ((row_a, a), (row_b, b)) = (open[a], open.remove(b));
        let sizes = (clusters[a].leaves.len() as f64, clusters[b].leaves.len() as f64);
        for &(row, _) in &open {
            let mean = (sizes.0 * between[row_a][row] + sizes.1 * between[row_b][row]) / (sizes.0 + sizes.1);
            between[row_a][row] = mean;
            between[row][row_a] = mean;
        }
        let leaves = [clusters[a].leaves.as_slice(), &clusters[b].leaves].concat();
        clusters.push(Cluster { leaves, parts: Some((a, b)) });
        let last = clusters.len() - 1;
        open.iter_mut().filter(|(row, _)| *row == row_a).for_each(|(_, cluster)| *cluster = last);
    }
    clusters
}

/// The positions in `open` of the most similar pair, the first on ties.
fn most_similar(open: &[(usize, usize)], between: &[Vec<f64>]) -> (usize, usize) {
    let mut best = (0, 1);
    let mut most = f64::NEG_INFINITY;
    for (a, &(row, _)) in open.iter().enumerate() {
        let row = &between[row];
        for (b, &(column, _)) in open.iter().enumerate().skip(a + 1) {
            if row[column] > most {
                most = row[column];
                best = (a, b);
            }
        }
    }
    best
}

struct Ordering<'a> {
    similarity: &'a [Vec<f64>],
    clusters: Vec<Cluster>,
    /// `[u][w]`: the summed similarity of neighbours in the best order of the smallest cluster that contains both,
    /// starting with u and ending with w. Each pair has exactly one such cluster.
    best: Vec<Vec<f64>>,
}

impl Ordering<'_> {
    /// Finds the best orders of a cluster, for all ends, from those of its two parts.
    fn join(&mut self, cluster: usize) {
        let Some((left, right)) = self.clusters[cluster].parts else { return };
        let mut upto = vec![0.0; self.similarity.len()];
        let mut best = std::mem::take(&mut self.best);
        for (starts, inner_left) in self.ends(left) {
            for (stops, inner_right) in self.ends(right) {
                for &u in starts {
                    for &k in inner_right {
                        let joined = inner_left.iter().map(|&m| best[u][m] + self.similarity[k][m]);
                        upto[k] = joined.fold(f64::NEG_INFINITY, f64::max);
                    }
                    for &w in stops {
                        let whole = inner_right.iter().map(|&k| upto[k] + best[w][k]);
                        let whole = whole.fold(f64::NEG_INFINITY, f64::max);
                        best[u][w] = whole;
                        best[w][u] = whole;
                    }
                }
            }
        }
        self.best = best;
    }

    /// The leaves of a cluster that can be at one end, with those that can then be at the other.
    fn ends(&self, cluster: usize) -> Vec<(&[usize], &[usize])> {
        match self.clusters[cluster].parts {
            None => vec![(&self.clusters[cluster].leaves, &self.clusters[cluster].leaves)],
            Some((left, right)) => {
                let (left, right) = (&self.clusters[left].leaves, &self.clusters[right].leaves);
                vec![(left, right), (right, left)]
            }
        }
    }

    fn order(&self) -> Vec<usize> {
        let all = self.clusters.len() - 1;
        let Some((left, right)) = self.clusters[all].parts else { return vec![0] };
        let (left, right) = (&self.clusters[left].leaves, &self.clusters[right].leaves);
        let (first, last) = self.best_pair(left, right, |u, w| self.best[u][w]);
        let mut order = Vec::with_capacity(self.similarity.len());
        self.lay_out(all, first.min(last), first.max(last), &mut order);
        order
    }

    /// Appends the leaves of a cluster in its best order from `first` to `last`.
    fn lay_out(&self, cluster: usize, first: usize, last: usize, order: &mut Vec<usize>) {
        let Some((left, right)) = self.clusters[cluster].parts else {
            order.push(first);
            return;
        };
        let swap = !self.clusters[left].leaves.contains(&first);
        let (before, after) = if swap { (right, left) } else { (left, right) };
        let (inner_before, inner_after) = (self.other_end(before, first), self.other_end(after, last));
        let (m, k) = self.best_pair(inner_before, inner_after, |m, k| {
            self.best[first][m] + self.similarity[m][k] + self.best[k][last]
        });
        self.lay_out(before, first, m, order);
        self.lay_out(after, k, last, order);
    }

    fn other_end(&self, cluster: usize, end: usize) -> &[usize] {
        let mut ends = self.ends(cluster).into_iter();
        ends.find(|(these, _)| these.contains(&end)).map_or(&[], |(_, others)| others)
    }

    /// The pair with the largest `value`, the first on ties.
    fn best_pair(&self, a: &[usize], b: &[usize], value: impl Fn(usize, usize) -> f64) -> (usize, usize) {
        let pairs = a.iter().flat_map(|u| b.iter().map(move |w| (*u, *w)));
        let first = (a[0], b[0]);
        pairs
            .fold((first, value(first.0, first.1)), |(best, most), (u, w)| {
                let this = value(u, w);
                if this > most { ((u, w), this) } else { (best, most) }
            })
            .0
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Deserialize)]
    struct Case {
        similarity: Vec<Vec<f64>>,
        order: Vec<usize>,
    }

    /// The best of all orders of SciPy's clusters (1.17.1): `python
    /// tests/fixtures/evaluation/make.py`.
    #[test]
    fn the_order_is_the_best_of_all_that_keep_the_clusters_together() {
        let cases: Vec<Case> =
            serde_json::from_str(include_str!("../../../tests/fixtures/evaluation/orders.json")).unwrap();
        for case in cases {
            assert_eq!(order(&case.similarity), case.order);
        }
    }

    #[test]
    fn a_line_of_three_hundred_is_found_again() {
        // A ring of neighbours, dealt out of order (7 and 300 have no common factor).
        let place = |i: usize| i * 7 % 300;
        let similarity: Vec<Vec<f64>> = (0..300)
            .map(|i| (0..300).map(|j| 1.0 / (1.0 + place(i).abs_diff(place(j)) as f64)).collect())
            .collect();
        let order = order(&similarity);
        let places: Vec<usize> = order.iter().map(|i| place(*i)).collect();
        assert!(places.is_sorted() || places.iter().rev().is_sorted(), "{places:?}");
    }
}
