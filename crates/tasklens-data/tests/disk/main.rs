//! What is read from the network and written to the disk, whatever comes between.

mod download;
#[cfg(unix)]
mod killed;
mod store;
