//! The process may end while OpenVINO is at work.
//!
//! Each case starts this test program anew, as a process in which threads that nobody waits for compile and predict, and
//! looks at how it ends. Without the gate (`device/gate.rs`), nearly all died by a signal.

use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::Command;
use std::sync::Barrier;
use std::time::Duration;

use tasklens_data::config::{Backbone, DeviceChoice};
use tasklens_net::device;
use tasklens_net::inference::Predictor;
use tasklens_net::inference::engine::Demand;

use crate::engine::{checkpoint_of, is_at_hand, pixels};

/// The folder of a network, for a process of its own.
const MODEL: &str = "TASKLENS_TEST_MODEL";
/// How that process ends.
const END: &str = "TASKLENS_TEST_END";
/// After how many milliseconds.
const DELAY: &str = "TASKLENS_TEST_DELAY";
/// Processes of each case; a measurement may set another number.
const REPEATS: &str = "TASKLENS_TEST_REPEATS";

/// Not a test of its own: the process that the next starts.
#[test]
fn a_process_that_ends() {
    let Ok(model) = std::env::var(MODEL) else { return };
    let end = std::env::var(END).unwrap();
    let delay: u64 = std::env::var(DELAY).unwrap().parse().unwrap();
    let began: &Barrier = Box::leak(Box::new(Barrier::new(4)));
    let open = move || Predictor::open(Path::new(&model), DeviceChoice::Cpu).unwrap();
    let (compiled, eager) = (open(), open());
    compiled.speed_up(Demand::SingleImages);
    assert!(compiled.is_sped_up(Demand::SingleImages));
    std::thread::spawn(move || {
        began.wait();
        loop {
            open().speed_up(Demand::Batches);
        }
    });
    for predictor in [compiled, eager] {
        std::thread::spawn(move || {
            began.wait();
            loop {
                predictor.look_at(&pixels(1), 1).unwrap();
            }
        });
    }
    began.wait();
    std::thread::sleep(Duration::from_millis(delay));
    match end.as_str() {
        "panic" => panic!("as was wanted"),
        "exit" => {
            device::close_gate();
            std::process::exit(7);
        }
        _ => {}
    }
}

#[test]
fn a_process_ends_in_good_order_whatever_openvino_is_doing() {
    if !is_at_hand() {
        return;
    }
    let repeats = std::env::var(REPEATS).ok().and_then(|repeats| repeats.parse().ok()).unwrap_or(8);
    let folder = checkpoint_of(Backbone::XceptionSmall, "fp32");
    let mut failures = Vec::new();
    for (end, code) in [("return", 0), ("panic", 101), ("exit", 7)] {
        for repeat in 0..repeats {
            let delay = (repeat * 37 % 200).to_string();
            let output = Command::new(std::env::current_exe().unwrap())
                .args(["engine_end::a_process_that_ends", "--exact", "--nocapture"])
                .env(MODEL, folder.path())
                .env(END, end)
                .env(DELAY, &delay)
                .output()
                .unwrap();
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(code != 0 || !said.contains("panicked"), "{said}");
            if output.status.code() != Some(code) {
                failures.push(format!("{end} after {delay} ms: {:?} {said}", output.status.signal()));
            }
        }
    }
    assert!(failures.is_empty(), "{} of {}: {failures:#?}", failures.len(), 3 * repeats);
}
