//! Line charts over epochs.
