//! The five places of the window, in the order of the work, and the page before a project is open. Each reads the
//! project through a [`ViewContext`](super::context::ViewContext) and sends commands.

pub(in crate::app) mod data;
pub mod inspect;
pub mod label;
pub mod predict;
pub mod train;
pub(in crate::app) mod welcome;
