//! The networks: what they compute, how they learn, and what they need.

#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "tests make files and threads of their own, and print"
)]

mod engine;
#[cfg(target_os = "linux")]
mod engine_end;
mod fused;
mod golden;
mod keras;
mod onnx;
#[path = "../../../../tests/support/skip.rs"]
mod skip;
mod training;
