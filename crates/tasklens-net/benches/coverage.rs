//! How often the intervals of balanced accuracy and macro-F1 hold the truth, of 10,000 samples each; they say 95 %:
//! `cargo bench -p tasklens-net --bench coverage`.

#![allow(clippy::print_stdout, reason = "a bench prints, and makes files of its own")]
#![expect(clippy::expect_used, reason = "a bench that cannot run should say where")]

#[path = "coverage/setting.rs"]
mod setting;

use tasklens_net::evaluation::confusion::Confusion;
use tasklens_net::evaluation::intervals::Estimate;
use tasklens_net::evaluation::scores::score;

const SAMPLES: usize = 10_000;

fn main() {
    for (name, setting) in setting::settings() {
        let [balanced, f1] = setting.coverage(SAMPLES, intervals);
        println!("{name}: balanced accuracy {balanced:.3}, macro-F1 {f1:.3}");
    }
}

/// Scores of rows that fall into these cells.
fn intervals(confusion: &Confusion) -> [Estimate; 2] {
    let classes = confusion.labels();
    let (mut labels, mut probabilities) = (Vec::new(), Vec::new());
    for (actual, predicted, count) in confusion.cells() {
        for _ in 0..count {
            labels.push(Some(actual as u32));
            probabilities.extend((0..classes).map(|class| f32::from(u8::from(class == predicted))));
        }
    }
    let scores = score(&labels, &probabilities, classes);
    [scores.balanced_accuracy, scores.macro_f1].map(|estimate| estimate.expect("there are rows"))
}
