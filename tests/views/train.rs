//! The Train place.
