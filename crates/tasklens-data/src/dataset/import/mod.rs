//! Data sets as others publish them -> projects of Tasklens.

pub mod deepfashion;
