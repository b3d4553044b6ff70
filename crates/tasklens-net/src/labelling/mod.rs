//! Labelling with the network's help: what it suggests for each row, which row to label next, and how fast
//! it goes. Arithmetic on outputs that [`inference::outputs`](crate::inference::outputs) has kept; the labels
//! themselves are in [`dataset::edits`](tasklens_data::dataset::edits).

pub mod candidates;
pub mod order;
pub mod rate;
pub mod suggestions;
