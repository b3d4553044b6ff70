//! How good a model is, per task and label.
