//! The Train and Predict places as a user meets them: driven by accessible names, and as pictures in
//! both themes.

mod predict;
mod stage;
mod train;
mod widgets;
