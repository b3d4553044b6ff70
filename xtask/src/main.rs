//! `cargo xtask setup | run | test | bench | shots`: set-up and everyday tasks.

fn main() {}
