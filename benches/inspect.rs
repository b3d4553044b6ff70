//! Inspect with 100,000 rows: how long until it is open, until a filter has changed the list, and how much of
//! our own processor time a frame takes while the grid scrolls (drawing by the graphics driver not counted).
//!
//! `cargo bench --bench inspect [-- ROWS]`

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "a bench that cannot run should say where")]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use egui_kittest::Harness;
use egui_kittest::kittest::Queryable as _;
use half::f16;
use rand::{RngExt as _, SeedableRng as _};
use rand_pcg::Pcg64;
use tasklens::app::command::{AppCommand, Place};
use tasklens::app::settings::Folders;
use tasklens::app::{App, Start};
use tasklens::config::{Backbone, Config};
use tasklens::dataset::{Dataset, sample};
use tasklens::evaluation::browse::{Order, Query, Verdict};
use tasklens::evaluation::inspection::Inspection;
use tasklens::inference::outputs::{Buffer, MINIATURE_BYTES, Store, stamp};
use tasklens::model::checkpoint::{self, Description};
use tasklens::model::network::Network;

/// Drawn pictures; every folder of rows is a link to them.
const PICTURES: usize = 400;
const FEATURES: usize = 512;
const FRAMES: usize = 240;

fn main() {
    let rows = std::env::args().find_map(|argument| argument.parse().ok()).unwrap_or(100_000_usize);
    let folder = tempfile::tempdir().expect("a temporary folder");
    let (config, run) = project(folder.path(), rows);
    println!("{rows} rows, {PICTURES} pictures");

    let dataset = Dataset::open(&Config::open(&config).unwrap()).unwrap();
    let outputs = Store::of(&run).unwrap().load().unwrap();
    let inspection = Inspection::new(&dataset, &dataset.parts(), &outputs);
    for (name, order) in [("row", Order::Row), ("confidence", Order::Confidence), ("loss", Order::Loss)] {
        let query = Query { verdict: Verdict::Wrong, order, descending: true, ..Query::default() };
        let (found, time) = timed(|| inspection.select(&query));
        println!("select the wrong ones by {name}: {} items in {:.1} ms", found.len(), ms(time));
    }
    let everything = Query { order: Order::Loss, descending: true, ..Query::default() };
    let (found, time) = timed(|| inspection.select(&everything));
    println!("sort all {} items by loss: {:.1} ms", found.len(), ms(time));
    drop((dataset, outputs, inspection));

    let mut window = window(folder.path(), config);
    window.state().commands().send(AppCommand::SelectPlace(Place::Inspect));
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
    scroll(&mut window);
}

/// Our own time per frame while the wheel turns: layout, and shapes into triangles.
fn scroll(window: &mut Harness<'static, App>) {
    let mut times = Vec::with_capacity(FRAMES);
    let middle = egui::pos2(500.0, 500.0);
    for _ in 0..FRAMES {
        window.event(egui::Event::PointerMoved(middle));
        window.event(egui::Event::MouseWheel {
            unit: egui::MouseWheelUnit::Point,
            delta: egui::vec2(0.0, -240.0),
            phase: egui::TouchPhase::Move,
            source: egui::MouseWheelSource::Unknown,
            modifiers: egui::Modifiers::NONE,
        });
        let begin = Instant::now();
        window.step();
        let output = window.output();
        let triangles = window.ctx.tessellate(output.shapes.clone(), output.pixels_per_point);
        times.push(begin.elapsed());
        assert!(!triangles.is_empty());
    }
    times.sort_unstable();
    let at = |share: f64| ms(times[((times.len() - 1) as f64 * share) as usize]);
    println!(
        "a frame while scrolling takes {:.2} ms (median), {:.2} ms (99 %), {:.2} ms (worst); 60 a second leave 16.7 ms",
        at(0.5),
        at(0.99),
        at(1.0)
    );
}

fn window(folder: &Path, config: PathBuf) -> Harness<'static, App> {
    let folders = Folders { config: folder.join("settings"), data: folder.join("data") };
    let mut window =
        Harness::builder().with_size([1280.0, 800.0]).with_max_steps(64).build_eframe(move |cc| {
            cc.egui_ctx.set_theme(egui::Theme::Dark);
            App::for_test(&cc.egui_ctx, folders, Start { open: Some(config) })
        });
    wait(&mut window, "the project", |window| window.query_all_by_label_contains(" rows").next().is_some());
    settle(&mut window);
    window
}

/// Until no job is left that a person would see.
fn settle(window: &mut Harness<'static, App>) {
    for _ in 0..10 {
        wait(window, "jobs", |window| window.query_all_by_label_contains("Cancel: ").next().is_none());
        for _ in 0..20 {
            window.step();
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

fn wait(window: &mut Harness<'static, App>, what: &str, done: impl Fn(&Harness<'static, App>) -> bool) {
    let begin = Instant::now();
    while !done(window) {
        assert!(begin.elapsed() < Duration::from_secs(120), "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(2));
        window.step();
    }
}

fn timed<T>(work: impl Fn() -> T) -> (T, Duration) {
    let result = work();
    let mut times: Vec<Duration> = (0..5)
        .map(|_| {
            let begin = Instant::now();
            drop(work());
            begin.elapsed()
        })
        .collect();
    times.sort_unstable();
    (result, times[2])
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}

/// A project of so many rows, and a run with outputs that are wrong in one row of eight.
fn project(folder: &Path, rows: usize) -> (PathBuf, PathBuf) {
    let drawn = folder.join("drawn");
    let sample = sample::write_sample(&drawn, PICTURES, 7, &mut |_, _| true).unwrap();
    let sample = Dataset::open(&Config::open(&sample).unwrap()).unwrap();
    let tasks = sample.tasks.clone();
    let mut csv = String::from("image_path");
    tasks.iter().for_each(|task| write!(csv, ",{}", task.name).unwrap());
    csv.push('\n');
    for copy in 0..rows.div_ceil(PICTURES) {
        let link = folder.join(format!("part{copy}"));
        #[cfg(unix)]
        std::os::unix::fs::symlink(&drawn, link).unwrap();
        #[cfg(windows)]
        std::os::windows::fs::symlink_dir(&drawn, link).unwrap();
    }
    for row in 0..rows {
        let (copy, picture) = (row / PICTURES, row % PICTURES);
        let path = sample.table.cell(picture, sample.columns.path);
        write!(csv, "part{copy}/{path}").unwrap();
        for (task, label) in tasks.iter().zip(&sample.rows[picture].labels) {
            write!(csv, ",{}", label.map_or("", |label| &task.labels[label as usize])).unwrap();
        }
        csv.push('\n');
    }
    std::fs::write(folder.join("garments.csv"), csv).unwrap();
    let mut text = String::from(
        "paths:\n  model_dataframe: garments.csv\nmodel:\n  backbone: xception_small\n  input_shape: [64, 64]\n  \
         device: cpu\n  paths: image_path\n  target_encoder:\n",
    );
    tasks.iter().for_each(|task| writeln!(text, "    {}: [{}]", task.name, task.labels.join(", ")).unwrap());
    let file = folder.join("config.yml");
    std::fs::write(&file, text).unwrap();
    let dataset = Dataset::open(&Config::open(&file).unwrap()).unwrap();
    let run = folder.join("runs/2026-11-23_14-02-11");
    write_run(&run, &dataset);
    (file, run)
}

fn write_run(run: &Path, dataset: &Dataset) {
    std::fs::create_dir_all(run).unwrap();
    let tasks = &dataset.tasks;
    let description = Description {
        backbone: "xception_small".to_owned(),
        tasks: tasks.clone(),
        height: 64,
        width: 64,
        mean: [0.5; 3],
        std: [0.5; 3],
        precision: "fp32".to_owned(),
        epoch: 1,
        config: String::new(),
        extra: serde_json::Value::Null,
    };
    let network = Network::new(Backbone::XceptionSmall, tasks, 1, tch::Device::Cpu).unwrap();
    checkpoint::write(&run.join("best.safetensors"), &network, &description, &[]).unwrap();
    let store = Store::of(run).unwrap();
    let mut random = Pcg64::seed_from_u64(3);
    for rows in (0..dataset.rows.len()).collect::<Vec<_>>().chunks(2048) {
        let mut buffer = Buffer::new(tasks.len());
        for row in rows.iter().map(|row| &dataset.rows[*row]) {
            buffer.images.push(row.image.clone());
            buffer.stamps.push(stamp(&row.image));
            for (task, (spec, label)) in tasks.iter().zip(&row.labels).enumerate() {
                let labels = spec.labels.len();
                let is_wrong = random.random_range(0..8) == 0;
                let answer = (label.unwrap_or(0) as usize + usize::from(is_wrong)) % labels;
                let sure = random.random_range(0.4..1.0_f32).max(1.5 / labels as f32);
                let rest = (1.0 - sure) / (labels - 1) as f32;
                let of = |label| if label == answer { sure } else { rest };
                buffer.probabilities[task].extend((0..labels).map(of));
            }
            let feature = |_| f16::from_f32(random.random_range(0.0..1.0)).to_le_bytes();
            buffer.features.extend((0..FEATURES).flat_map(feature));
            buffer.miniatures.extend((0..MINIATURE_BYTES).map(|_| 128_u8));
        }
        store.append(&buffer).unwrap();
    }
}
