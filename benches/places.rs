//! How much of our own processor time a frame of each place takes with 100,000 rows, while the pointer moves over it (drawing by
//! the graphics driver not counted).
//!
//! `cargo bench -p tasklens --bench places [-- ROWS]`

#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a bench prints, and makes files of its own"
)]
#![expect(clippy::unwrap_used, reason = "a bench that cannot run should say where")]

#[path = "shared/project.rs"]
mod project;
#[path = "shared/window.rs"]
#[expect(dead_code, reason = "other benches use more of it")]
mod window;

use tasklens::app::command::UiCommand;

use project::project;
use window::{Times, frame, settle, window};

const FRAMES: usize = 120;

fn main() {
    let rows = std::env::args().find_map(|argument| argument.parse().ok()).unwrap_or(100_000_usize);
    let folder = tempfile::tempdir().unwrap();
    let (config, _) = project(folder.path(), rows, rows / 2);
    let mut window = window(folder.path(), config);
    println!("{rows} rows; 60 frames a second leave 16.7 ms");
    for (name, command) in [
        ("Data", UiCommand::ShowData),
        ("Label", UiCommand::ShowLabel),
        ("Train", UiCommand::ShowTrain),
        ("Predict", UiCommand::ShowPredict),
        ("Inspect", UiCommand::ShowInspect),
    ] {
        window.state().commands().ui(command);
        settle(&mut window);
        let mut times = Times::default();
        for at in 0..FRAMES {
            let at = at as f32 / FRAMES as f32;
            window.event(egui::Event::PointerMoved(egui::pos2(1280.0 * at, 800.0 * at)));
            times.0.push(frame(&mut window));
        }
        println!("a frame of {name} takes {times}");
    }
}
