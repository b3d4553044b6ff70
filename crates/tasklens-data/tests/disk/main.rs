//! What is read from the network and written to the disk, whatever comes between.

#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "tests make files and threads of their own, and print"
)]

mod download;
#[cfg(unix)]
mod killed;
mod store;
