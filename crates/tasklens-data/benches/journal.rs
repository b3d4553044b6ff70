//! A journal of a million label edits: how long it takes to open as entries and as a snapshot, and how much memory
//! the edits need.
//!
//! `cargo bench -p tasklens-data --bench journal [-- EDITS]`. Memory is that of Linux; each case has a process of its own.

#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a bench prints, and makes files of its own"
)]
#![expect(clippy::expect_used, reason = "a bench that cannot run should say where")]

use std::path::Path;
use std::process::Command;
use std::time::Instant;

use tasklens_data::dataset::edits::{
    AnnotationChange, AnnotationSource, Field, Journal, State, Step, folder_of,
};

const LABELS: [&str; 4] = ["solid", "striped", "dotted", "floral"];
/// Set in the process of a case: the CSV whose journal it opens.
const CSV: &str = "TASKLENS_BENCH_CSV";
/// Set where the case ends with a snapshot of the journal.
const SNAPSHOT: &str = "TASKLENS_BENCH_SNAPSHOT";

fn main() {
    if let Some(csv) = std::env::var_os(CSV) {
        return open(Path::new(&csv));
    }
    let edits = std::env::args().find_map(|argument| argument.parse().ok()).unwrap_or(1_000_000_usize);
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (name, per_step, images) in [
        ("one edit a step, each of another image", 1, edits),
        ("one edit a step, of a hundredth as many images", 1, edits / 100),
        ("all in one step", edits, edits),
    ] {
        let csv = folder.path().join("garments.csv");
        std::fs::write(&csv, "image,print\n").expect("written");
        write(&csv, edits, per_step, images.max(1));
        let file = folder_of(&csv).join("journal.jsonl");
        let on_disk = || std::fs::metadata(&file).map_or(0, |found| found.len()) >> 20;
        let case = || {
            let mut case = Command::new(std::env::current_exe().expect("this program"));
            case.env(CSV, &csv);
            case
        };
        println!("{edits} edits, {name}: {} MB on disk", on_disk());
        assert!(case().env(SNAPSHOT, "1").status().is_ok_and(|status| status.success()));
        println!("    the snapshot of it: {} MB on disk", on_disk());
        assert!(case().status().is_ok_and(|status| status.success()));
        std::fs::remove_dir_all(folder_of(&csv)).expect("removed");
    }
}

fn write(csv: &Path, edits: usize, per_step: usize, images: usize) {
    let (mut state, mut journal) = (State::default(), Journal::open(csv).expect("no journal yet").journal);
    let change = |at: usize| AnnotationChange {
        image: format!("images/photo_{:07}.jpg", at % images).into(),
        field: Field::Label("print".into()),
        before: at.checked_sub(images).map(|before| LABELS[before / images % 4].into()),
        after: Some(LABELS[at / images % 4].into()),
    };
    let mut at = 0;
    while at < edits {
        let mut entries = Vec::new();
        while at < edits && entries.len() < 10_000 {
            let changes = (at..(at + per_step).min(edits)).map(change).collect();
            entries.extend(state.edit(Step::now(AnnotationSource::Hand, changes)));
            at += per_step;
        }
        journal.append(&entries).expect("kept");
    }
}

fn open(csv: &Path) {
    let before = resident();
    let begin = Instant::now();
    let opened = Journal::open(csv).expect("it opens");
    let took = begin.elapsed();
    let after = resident();
    println!(
        "    opened in {:.2} s; {} MB of memory, {} MB at most",
        took.as_secs_f64(),
        after.0.saturating_sub(before.0) >> 10,
        after.1 >> 10
    );
    if std::env::var_os(SNAPSHOT).is_some() {
        let (mut journal, begin) = (opened.journal, Instant::now());
        assert_eq!(journal.take_snapshot(&opened.state), Ok(true));
        let took = begin.elapsed().as_secs_f64();
        println!("    a snapshot taken in {took:.2} s; {} MB of memory at most", resident().1 >> 10);
        return;
    }
    let begin = Instant::now();
    plain(&folder_of(csv).join("journal.jsonl"));
    println!(
        "    {:.1} times as long as parsing its lines and dropping them",
        took.as_secs_f64() / begin.elapsed().as_secs_f64()
    );
    let mut state = opened.state;
    let mut undone = 0;
    while state.undo().is_some() {
        undone += 1;
    }
    assert!(state.is_empty() && undone > 0, "undo reaches back to the first edit");
}

/// Parses every line, as JSON that is not looked at.
fn plain(file: &Path) {
    let text = std::fs::read(file).expect("it can be read");
    for line in text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        serde_json::from_slice::<serde::de::IgnoredAny>(line).expect("JSON");
    }
}

/// Resident memory now and at most, in KiB.
fn resident() -> (u64, u64) {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let of = |key: &str| {
        let line = status.lines().find(|line| line.starts_with(key))?;
        line.split_whitespace().nth(1)?.parse().ok()
    };
    (of("VmRSS:").unwrap_or(0), of("VmHWM:").unwrap_or(0))
}
