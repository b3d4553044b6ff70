//! Evaluation of a network: scores, confusion, lists of items, likely label errors, comparison of runs, and a report
//! of them all. Arithmetic on the stored [`inference::outputs`](crate::inference::outputs); only the report reads
//! images.

pub mod agreement;
pub mod browse;
pub mod compare;
pub mod confusion;
pub mod duplicates;
pub mod findings;
pub mod inspection;
pub mod intervals;
pub mod label_errors;
pub mod label_issues;
pub mod memorised;
pub mod neighbours;
pub mod page;
pub mod report;
pub mod run_comparison;
pub mod scores;
pub mod starved;
pub mod suspects;
pub mod track_record;
pub mod verdict;
pub mod wrong_labels;
