//! The networks: what they compute, how they learn, and what they need.

mod golden;
mod keras;
#[cfg(target_os = "linux")]
mod memory;
#[path = "../../../../tests/support/skip.rs"]
mod skip;
mod training;
