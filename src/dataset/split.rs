//! Train/validation: seeded and stratified, or from a column.

/// Indices into [`Dataset::rows`](super::Dataset::rows).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Split {
    /// Rows that train, ascending.
    pub train: Vec<usize>,
    /// Rows that validate, ascending.
    pub validation: Vec<usize>,
}
