//! `target_encoder`: label <-> class index, and missing labels.
