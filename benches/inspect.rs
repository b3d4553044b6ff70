//! Inspect with 100,000 rows: how long until it is open, until a filter has changed the list, and how much of
//! our own processor time a frame takes while the grid scrolls (drawing by the graphics driver not counted).
//!
//! `cargo bench -p tasklens --bench inspect [-- ROWS]`

#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    reason = "a bench prints, and makes files of its own"
)]
#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a bench that cannot run should say where")]

#[path = "shared/project.rs"]
mod project;
#[path = "shared/window.rs"]
mod window;

use std::time::Instant;

use egui_kittest::kittest::Queryable as _;
use tasklens::app::command::{AppCommand, UiCommand};
use tasklens_data::config::Config;
use tasklens_data::dataset::Dataset;
use tasklens_net::evaluation::browse::{BrowseOrder, Query, Verdict};
use tasklens_net::evaluation::inspection::Inspection;
use tasklens_net::inference::outputs::Store;

use project::{PICTURES, project};
use window::{ms, scroll, settle, timed, wait, window};

fn main() {
    let rows = std::env::args().find_map(|argument| argument.parse().ok()).unwrap_or(100_000_usize);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (config, run) = project(folder.path(), rows, rows);
    println!("{rows} rows, {PICTURES} pictures");

    let dataset = Dataset::open(&Config::open(&config).unwrap()).unwrap();
    let outputs = Store::of(&run).unwrap().load().unwrap();
    let inspection = Inspection::new(&dataset, &dataset.parts(), &outputs);
    for (name, order) in
        [("row", BrowseOrder::Row), ("confidence", BrowseOrder::Confidence), ("loss", BrowseOrder::Loss)]
    {
        let query = Query { verdict: Verdict::Wrong, order, descending: true, ..Query::default() };
        let (found, time) = timed(|| inspection.select(&query));
        println!("select the wrong ones by {name}: {} items in {:.1} ms", found.len(), ms(time));
    }
    let everything = Query { order: BrowseOrder::Loss, descending: true, ..Query::default() };
    let (found, time) = timed(|| inspection.select(&everything));
    println!("sort all {} items by loss: {:.1} ms", found.len(), ms(time));
    drop((dataset, outputs, inspection));

    let mut window = window(folder.path(), config);
    window.state().commands().send(AppCommand::Ui(UiCommand::ShowInspect));
    let begin = Instant::now();
    wait(&mut window, "the tabs", |window| window.query_by_label("Overview").is_some());
    println!("Inspect is open after {:.2} s", begin.elapsed().as_secs_f64());

    window.get_by_role_and_label(egui::accesskit::Role::Tab, "Images").click();
    let begin = Instant::now();
    wait(&mut window, "the grid", |window| {
        window.query_all_by_label_contains(", predicted ").next().is_some()
    });
    println!("the grid of wrong images is there after {:.0} ms", ms(begin.elapsed()));
    settle(&mut window);
    println!("a frame while scrolling takes {}; 60 a second leave 16.7 ms", scroll(&mut window));
}
