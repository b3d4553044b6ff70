//! Help with labelling: suggestions for each row, which row to label next, and the labelling rate. Arithmetic on the
//! stored [`inference::outputs`](crate::inference::outputs); the labels themselves are in
//! [`dataset::edits`](tasklens_data::dataset::edits).

pub mod candidates;
pub mod order;
pub mod rate;
pub mod suggestions;
