//! A config for a bare CSV: which column holds the image path, which are tasks with which labels.
