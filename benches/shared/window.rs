//! The window on a project, and how much of our own processor time its frames take: layout, and shapes into
//! triangles; drawing by the graphics driver is not counted.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use cpu_time::ThreadTime;
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable as _;
use tasklens::app::App;
use tasklens::app::Start;
use tasklens::app::services::settings::Folders;

const FRAMES: usize = 240;

/// The window, once the rows are there.
pub fn window(folder: &Path, config: PathBuf) -> Harness<'static, App> {
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

/// One frame; the processor time it takes.
pub fn frame(window: &mut Harness<'static, App>) -> Duration {
    let begin = ThreadTime::now();
    window.step();
    let output = window.output();
    let triangles = window.ctx.tessellate(output.shapes.clone(), output.pixels_per_point);
    let time = begin.elapsed();
    assert!(!triangles.is_empty());
    time
}

/// Frames while the wheel turns.
pub fn scroll(window: &mut Harness<'static, App>) -> Times {
    let middle = egui::pos2(500.0, 500.0);
    let mut times = Times::default();
    for _ in 0..FRAMES {
        window.event(egui::Event::PointerMoved(middle));
        window.step();
        window.event(egui::Event::MouseWheel {
            unit: egui::MouseWheelUnit::Point,
            delta: egui::vec2(0.0, -240.0),
            phase: egui::TouchPhase::Move,
            source: egui::MouseWheelSource::Unknown,
            modifiers: egui::Modifiers::NONE,
        });
        times.0.push(frame(window));
    }
    times
}

/// Until no job is left that a person would see.
pub fn settle(window: &mut Harness<'static, App>) {
    for _ in 0..10 {
        wait(window, "jobs", |window| window.query_all_by_label_contains("Cancel: ").next().is_none());
        for _ in 0..20 {
            window.step();
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

/// Frames until `done`.
pub fn wait(window: &mut Harness<'static, App>, what: &str, done: impl Fn(&Harness<'static, App>) -> bool) {
    let begin = Instant::now();
    while !done(window) {
        assert!(begin.elapsed() < Duration::from_secs(120), "waited in vain for {what}");
        std::thread::sleep(Duration::from_millis(2));
        window.step();
    }
}

/// Times of one thing that was done again and again.
#[derive(Clone, Debug, Default)]
pub struct Times(pub Vec<Duration>);

impl std::fmt::Display for Times {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut times = self.0.clone();
        times.sort_unstable();
        let at = |share: f64| {
            times.get((times.len().saturating_sub(1) as f64 * share) as usize).copied().unwrap_or_default()
        };
        let (median, most, worst) = (ms(at(0.5)), ms(at(0.99)), ms(at(1.0)));
        write!(f, "{median:.2} ms (median), {most:.2} ms (99 %), {worst:.2} ms (worst)")
    }
}

/// What `work` comes to, and the median of five times that it takes.
pub fn timed<T>(work: impl Fn() -> T) -> (T, Duration) {
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

/// In milliseconds.
pub fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}
