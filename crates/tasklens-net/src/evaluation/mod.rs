//! How good a network is, and where it is wrong: scores, confusion, lists of items, likely label errors,
//! comparisons of runs, and a report of all of them. Arithmetic on outputs that
//! [`inference::outputs`](crate::inference::outputs) has kept; no pixels but those of a report.

pub mod agreement;
pub mod browse;
pub mod compare;
pub mod confusion;
pub mod duplicates;
pub mod inspection;
pub mod intervals;
pub mod label_issues;
pub mod neighbours;
pub mod page;
pub mod report;
pub mod scores;
pub mod suspects;
pub mod track_record;
pub mod verdict;
pub mod wrong_labels;
