//! The parts of the status bar give way to each other in narrow windows.

use std::time::Duration;

use egui::{Key, Modifiers, Rect, Vec2, vec2};
use egui_kittest::kittest::Queryable as _;
use tasklens::app::place::Place;
use tasklens::app::services::jobs::Job;

use crate::clear::crowded;
use crate::desk::Desk;
use crate::long_names::set_zoom;
use crate::models::write_run;

/// Windows in pixels with their zoom; the last is the smallest that there is.
const SIZES: [(Vec2, f32); 6] = [
    (vec2(1280.0, 800.0), 1.0),
    (vec2(1200.0, 700.0), 1.5),
    (vec2(800.0, 600.0), 1.5),
    (vec2(1200.0, 700.0), 2.0),
    (vec2(800.0, 600.0), 2.0),
    (vec2(640.0, 400.0), 2.0),
];

/// A project with a model and two label edits.
fn desk() -> Desk {
    let mut desk = Desk::with_garments(12);
    write_run(&desk, "2026-11-01_10-00-00", Some([0.8, 0.9]), 19);
    desk.go_to(Place::Train);
    desk.wait_for("Current model: 2026");
    desk.go_to(Place::Label);
    desk.wait_for("1 of ");
    desk.keys(Modifiers::NONE, Key::Num1);
    desk.keys(Modifiers::NONE, Key::Num1);
    desk.wait_for("label edit");
    desk.settle();
    desk
}

/// A job that goes on until it is dropped, which says how long it takes.
fn job(desk: &mut Desk) -> Job<()> {
    let jobs = desk.window.state().jobs();
    let job = jobs.start("Computing the features of all images", |progress| {
        for done in 12_345.. {
            if !progress.keep_going() {
                break;
            }
            progress.set(done, 98_765);
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    });
    desk.wait_for(" left");
    job
}

fn bar(desk: &Desk) -> Rect {
    let window = desk.window.ctx.content_rect();
    window.with_min_y(window.max.y - 36.0)
}

#[test]
fn nothing_in_the_bar_lies_over_anything_else() {
    let mut found = Vec::new();
    for (size, zoom) in SIZES {
        let mut desk = desk();
        set_zoom(&mut desk, size, zoom);
        found.extend(crowded(&desk, bar(&desk)).into_iter().map(|what| format!("{size} {zoom}: {what}")));
        let job = job(&mut desk);
        desk.window.run_steps(2);
        found
            .extend(crowded(&desk, bar(&desk)).into_iter().map(|what| format!("{size} {zoom}, job: {what}")));
        // What it takes to end it is never left out.
        assert!(desk.shows("Cancel: Computing the features"), "{size} {zoom}");
        assert!(desk.shows(" left"), "{size} {zoom}");
        drop(job);
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn what_is_left_out_is_what_matters_least() {
    let mut desk = desk();
    let size = vec2(1280.0, 800.0);
    set_zoom(&mut desk, size, 1.0);
    let _job = job(&mut desk);
    let shown = |desk: &Desk| {
        let bar = bar(desk);
        let is_in_bar = |part: &str| {
            let nodes = desk.window.query_all_by_label_contains(part);
            nodes.map(|node| node.rect().center()).any(|at| bar.contains(at))
        };
        let mut parts = vec!["CPU", "Current model", "garments", "Cancel"];
        parts.retain(|part| is_in_bar(part));
        parts
    };
    assert_eq!(shown(&desk), ["CPU", "Current model", "garments", "Cancel"]);
    set_zoom(&mut desk, vec2(800.0, 600.0), 1.5);
    assert_eq!(shown(&desk), ["Current model", "garments", "Cancel"]);
    set_zoom(&mut desk, vec2(640.0, 400.0), 2.0);
    assert_eq!(shown(&desk), ["Cancel"]);
}
