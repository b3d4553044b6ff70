//! What a test does that cannot be run here.

use std::io::Write as _;

/// Says that a check was skipped, and why. `cargo xtask test` names a file for it, and lists at its end what is
/// in there: a test that passes by skipping is else not told from one that was run.
pub fn skipped(why: &str) {
    eprintln!("skipped: {why}");
    let Some(list) = std::env::var_os("TASKLENS_SKIPPED") else { return };
    let line = format!("{why}\n");
    let opened = std::fs::OpenOptions::new().create(true).append(true).open(&list);
    // One write, as other tests write, too.
    let written = opened.and_then(|mut list| list.write_all(line.as_bytes()));
    assert!(written.is_ok(), "{}: {written:?}", list.display());
}
