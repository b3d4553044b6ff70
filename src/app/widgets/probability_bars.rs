//! The labels of a task as bars, sorted by probability.
