//! Label with 100,000 rows: how much of our own processor time a key takes until the next image is shown
//! (drawing by the graphics driver not counted), and how long what goes on behind it.
//!
//! `cargo bench -p tasklens --bench label [-- ROWS]`

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

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use cpu_time::{ProcessTime, ThreadTime};
use egui::{Event, Key, Modifiers, Shape, TextureId};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable as _;
use tasklens::app::App;
use tasklens::app::command::{AppCommand, UiCommand};
use tasklens::app::services::project::Summary;
use tasklens_data::config::Config;
use tasklens_data::dataset::Dataset;
use tasklens_data::dataset::edits::{AnnotationSource, Edit, State, Step};
use tasklens_net::inference::outputs::OutputStore;
use tasklens_net::labelling::candidates;
use tasklens_net::labelling::order::{LabellingOrder, Question, Uncertainty, arrange};
use tasklens_net::labelling::suggestions::Suggestions;

use project::{FEATURES, PICTURES, project};
use window::{Times, frame, ms, scroll, settle, timed, wait, window};

/// Rows that have labels.
const LABELLED: usize = 2000;
/// Images that are labelled one by one.
const IMAGES: usize = 200;
/// Numbers of images that are labelled with one key, besides half of the rows.
const CHOSEN: [usize; 2] = [1000, 50_000];
/// A quick labeller's time from image to image.
const PACE: Duration = Duration::from_millis(400);

fn main() {
    let rows = std::env::args().find_map(|argument| argument.parse().ok()).unwrap_or(100_000_usize);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (config, run) = project(folder.path(), rows, LABELLED);
    println!("{rows} rows, {LABELLED} with labels, {PICTURES} pictures, {FEATURES} features");
    behind(&config, &run);

    let mut window = window(folder.path(), config);
    window.state().commands().ui(UiCommand::ShowLabel);
    let begin = Instant::now();
    wait(&mut window, "the first image", |window| shown(window).is_some());
    println!("the first image is shown {:.0} ms after the place was opened", ms(begin.elapsed()));
    settle(&mut window);
    one_by_one(&mut window, "");
    many(&mut window, rows);
    one_by_one(&mut window, ", with as many edits as that");
}

/// What jobs do.
fn behind(config: &Path, run: &Path) {
    let dataset = Dataset::open(&Config::open(config).unwrap()).unwrap();
    let (outputs, time) = timed(|| OutputStore::of(run).unwrap().load().unwrap());
    println!("reading the outputs: {:.0} ms", ms(time));
    let (suggestions, time) = timed(|| Suggestions::of_outputs(&dataset, &outputs));
    println!("joining them with the rows: {:.0} ms", ms(time));
    let (rows, time) = timed(|| candidates::rows(&dataset));
    println!("finding the rows to label: {:.0} ms", ms(time));
    let (labels, row_labels) = (candidates::classes(&dataset), candidates::labels(&dataset));
    let tasks: Vec<usize> = (0..dataset.tasks.len()).collect();
    let orders = [
        ("as in the file", LabellingOrder::File, Uncertainty::Margin),
        ("unlabelled first", LabellingOrder::Unlabelled, Uncertainty::Margin),
        ("most uncertain (margin)", LabellingOrder::Uncertain, Uncertainty::Margin),
        ("most uncertain (entropy)", LabellingOrder::Uncertain, Uncertainty::Entropy),
        ("label and model disagree", LabellingOrder::Disagreement, Uncertainty::Margin),
        ("most diverse", LabellingOrder::Diverse, Uncertainty::Margin),
    ];
    for (name, order, uncertainty) in orders {
        let suggestions = Some(&suggestions);
        let question =
            Question { order, uncertainty, tasks: &tasks, labels: &row_labels, rows: &rows, suggestions };
        let begin = Instant::now();
        let arranged = arrange(&question, &mut |_, _| true).unwrap();
        let time = begin.elapsed();
        println!("order \"{name}\": {:.0} ms ({} rows in question)", ms(time), arranged.leading);
    }
    let begin = Instant::now();
    let updated = suggestions.updated(&dataset.tasks, &labels, 7, &mut |_, _| true).unwrap();
    assert!(updated.is_some());
    println!("updating the model: {:.1} s", begin.elapsed().as_secs_f64());

    for count in [1, 10_000] {
        let mut state = State::default();
        let rows = dataset.rows.len() - count.min(dataset.rows.len())..dataset.rows.len();
        let label = &dataset.tasks[0].labels[0];
        let changes = rows.map(|row| state.label_change(&dataset, row, 0, Some(label))).collect();
        state.edit(Step::now(AnnotationSource::Hand, changes));
        dataset.index_images();
        let (edits, listing) = timed(|| state.overlay());
        let (_, rows) = timed(|| dataset.with_edits(&edits));
        let edited = dataset.with_edits(&edits);
        let (_, counting) = timed(|| Summary::of(&edited));
        let begin = Instant::now();
        drop(edited);
        println!(
            "{count} edits into the rows: {:.1} ms to list them, {:.0} ms, counting {:.0} ms, letting old rows go {:.1} ms",
            ms(listing),
            ms(rows),
            ms(counting),
            ms(begin.elapsed())
        );
        at_once(&dataset, &edits);
    }
}

/// What the key itself does to rows that a job shares.
fn at_once(dataset: &Dataset, edits: &[Edit]) {
    let mut rows = Arc::new(dataset.clone());
    let held = Arc::clone(&rows);
    let mut set = || {
        let begin = Instant::now();
        let labels = edits.iter().map(|edit| (&*edit.image, &*edit.task, edit.after.as_deref()));
        assert_eq!(Arc::make_mut(&mut rows).set_labels(labels).len(), edits.len());
        begin.elapsed()
    };
    let (first, again) = (set(), set());
    let (_, settling) = timed(|| rows.settled());
    println!(
        "{} edits into shared rows at once: {:.3} ms, {:.3} ms where no job shares them; what follows: {:.0} ms",
        edits.len(),
        ms(first),
        ms(again),
        ms(settling)
    );
    drop(held);
}

/// A label for each task, image by image, at the pace of a person.
fn one_by_one(window: &mut Harness<'static, App>, how: &str) {
    let tasks = window.state().project().unwrap().dataset.tasks.len();
    let (mut keys, mut moving_on, mut others) = (Times::default(), Times::default(), Times::default());
    let mut late = 0;
    let (begin, window_thread, all_threads) = (Instant::now(), ThreadTime::now(), ProcessTime::now());
    for _ in 0..IMAGES {
        let before = wait_for_image(window, None);
        let next = Instant::now() + PACE;
        for task in 0..tasks {
            press(window, Key::Num1, Modifiers::NONE);
            let mut time = frame(window);
            keys.0.push(time);
            if task + 1 == tasks {
                while shown(window).is_none_or(|image| image == before) {
                    late += 1;
                    assert!(late < 100 * IMAGES, "the next image does not come");
                    std::thread::sleep(Duration::from_millis(2));
                    time += frame(window);
                }
                moving_on.0.push(time);
            }
            others.0.push(frame(window));
        }
        while Instant::now() < next {
            std::thread::sleep(Duration::from_millis(10));
            others.0.push(frame(window));
        }
    }
    let behind = all_threads.elapsed().saturating_sub(window_thread.elapsed());
    let share = 100.0 * behind.as_secs_f64() / begin.elapsed().as_secs_f64();
    println!("a frame with a label key{how}: {keys}");
    println!("moving on to the next image{how}: {moving_on}; {late} frames more than one each");
    println!("any other frame meanwhile{how}: {others}");
    println!("work behind the frames{how}: {share:.0} % of a core");
}

/// The grid: scrolling, and one key for many images.
fn many(window: &mut Harness<'static, App>, rows: usize) {
    press(window, Key::G, Modifiers::NONE);
    wait(window, "the grid", |window| window.query_all_by_label_contains("label").count() > 10);
    settle(window);
    println!("a frame while the grid scrolls: {}; 60 a second leave 16.7 ms", scroll(window));
    let mut chosen: Vec<usize> =
        CHOSEN.into_iter().chain([rows / 2]).filter(|count| *count <= rows).collect();
    chosen.dedup();
    for chosen in chosen {
        label_images(window, rows - chosen..rows, "Chosen");
        settle(window);
        // The grid has the keys once the pointer has been there.
        press(window, Key::Home, Modifiers::NONE);
        window.step();
        press(window, Key::A, Modifiers::COMMAND);
        window.step();
        press(window, Key::Num1, Modifiers::NONE);
        let mut times = vec![frame(window)];
        // The edit itself is made at the beginning of the next frame.
        times.extend((0..20).map(|_| frame(window)));
        let edits = window.query_all_by_label_contains("label edits").next();
        assert!(edits.is_some(), "one key labels {chosen} images");
        let worst = times.iter().max().copied().unwrap_or_default();
        println!(
            "one key for {chosen} images: {:.1} ms for the frame with the key, {:.1} ms for that with the edit, {:.1} ms for the worst of the next 20",
            ms(times[0]),
            ms(times[1]),
            ms(worst)
        );
        settle(window);
    }
    label_images(window, 0..rows, "All");
    settle(window);
    press(window, Key::G, Modifiers::NONE);
    settle(window);
}

/// Makes these rows what is labelled.
fn label_images(window: &Harness<'static, App>, rows: std::ops::Range<usize>, title: &str) {
    let app = window.state();
    let Some(dataset) = app.project().map(|project| &project.dataset) else { return };
    let images = rows.map(|row| dataset.image_key(row).into_owned()).collect();
    app.commands().send(AppCommand::LabelImages { images, title: title.to_owned() });
}

fn press(window: &mut Harness<'static, App>, key: Key, modifiers: Modifiers) {
    // Let go first, or it would count as held.
    for pressed in [false, true] {
        let event = Event::Key { key, physical_key: None, pressed, repeat: false, modifiers };
        window.input_mut().events.push(event);
    }
}

fn wait_for_image(window: &mut Harness<'static, App>, not: Option<TextureId>) -> TextureId {
    wait(window, "an image", |window| shown(window).is_some_and(|image| Some(image) != not));
    shown(window).unwrap()
}

/// The large picture that was painted in the last frame.
fn shown(window: &Harness<'static, App>) -> Option<TextureId> {
    fn find(shape: &Shape) -> Option<TextureId> {
        match shape {
            Shape::Vec(shapes) => shapes.iter().find_map(find),
            Shape::Rect(rect) if rect.rect.height() > 300.0 => {
                let texture = rect.brush.as_ref()?.fill_texture_id;
                (texture != TextureId::default()).then_some(texture)
            }
            Shape::Mesh(mesh) if mesh.calc_bounds().height() > 300.0 => {
                (mesh.texture_id != TextureId::default()).then_some(mesh.texture_id)
            }
            _ => None,
        }
    }
    window.output().shapes.iter().find_map(|clipped| find(&clipped.shape))
}
