//! What the tests work at: a window of 1280x800 and a small drawn data set.

use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::{Duration, Instant};

use egui_kittest::kittest::Queryable as _;
use egui_kittest::{Harness, Node};
use tasklens::app::App;
use tasklens::app::Start;
use tasklens::app::place::Place;
use tasklens::app::services::settings::Folders;

/// A window, and the folder with everything it reads and writes.
pub struct Desk {
    pub window: Harness<'static, App>,
    pub folder: Rc<tempfile::TempDir>,
}

impl Desk {
    /// A window with nothing open.
    pub fn empty() -> Self {
        Self::with(egui::vec2(1280.0, 800.0), |_| Start::default())
    }

    /// A window with [`write_garments`] open, once the rows are there.
    pub fn with_garments(rows: usize) -> Self {
        let mut desk = Self::with(egui::vec2(1280.0, 800.0), |folder| Start {
            open: Some(write_garments(folder, rows)),
        });
        desk.wait_for("garment_0.png");
        desk.settle();
        desk
    }

    /// A window that begins with what `start` makes of an empty folder.
    pub fn with(size: egui::Vec2, start: impl FnOnce(&Path) -> Start) -> Self {
        let folder = Rc::new(tempfile::tempdir().unwrap());
        let start = start(folder.path());
        Self { window: window(size, folder.path(), start), folder }
    }

    /// Closes the window and opens one anew, which begins with what was open last.
    pub fn restart(self) -> Self {
        let Self { window, folder } = self;
        drop(window);
        Self::again(folder)
    }

    /// Another window of the same user.
    pub fn beside(&self) -> Self {
        Self::again(Rc::clone(&self.folder))
    }

    fn again(folder: Rc<tempfile::TempDir>) -> Self {
        let window = window(egui::vec2(1280.0, 800.0), folder.path(), Start::default());
        let mut desk = Self { window, folder };
        desk.window.run_steps(3);
        desk.settle();
        desk
    }

    /// Draws frames until `done`; background work needs real time.
    pub fn wait_until(&mut self, what: &str, done: impl FnMut(&Harness<'static, App>) -> bool) {
        self.wait_up_to(60, what, done);
    }

    /// As [`Desk::wait_until`], for what may take so many seconds.
    pub fn wait_up_to(
        &mut self,
        secs: u64,
        what: &str,
        mut done: impl FnMut(&Harness<'static, App>) -> bool,
    ) {
        let begin = Instant::now();
        while !done(&self.window) {
            assert!(
                begin.elapsed() < Duration::from_secs(secs),
                "waited in vain for: {what}\n{:?}",
                self.window.root()
            );
            std::thread::sleep(Duration::from_millis(5));
            self.window.step();
        }
        self.window.step();
    }

    /// Draws frames until something with this name is shown.
    pub fn wait_for(&mut self, name: &str) {
        self.wait_until(name, |window| window.query_all_by_label_contains(name).next().is_some());
    }

    /// Draws frames until no job runs and all thumbnails are in; what one of them brings may ask for others.
    pub fn settle(&mut self) {
        for _ in 0..4 {
            self.wait_until("jobs and thumbnails", |window| window.state().is_at_rest());
            self.window.run_steps(3);
        }
    }

    /// Presses what has this name.
    pub fn press(&mut self, name: &str) {
        self.node(name).click();
        self.window.run_steps(3);
    }

    /// Presses the one thing whose name has this in it.
    pub fn press_containing(&mut self, part: &str) {
        self.window.get_by_label_contains(part).click();
        self.window.run_steps(3);
    }

    /// Goes to a place by its button in the rail.
    pub fn go_to(&mut self, place: Place) {
        self.window.get_by_role_and_label(egui::accesskit::Role::Button, place.name()).click();
        self.window.run_steps(3);
    }

    /// What has this name.
    pub fn node<'a>(&'a self, name: &'a str) -> Node<'a> {
        self.window.get_by_label(name)
    }

    /// Whether something with this name is shown.
    pub fn shows(&self, name: &str) -> bool {
        self.window.query_all_by_label_contains(name).next().is_some()
    }

    /// Presses a key combination.
    pub fn keys(&mut self, modifiers: egui::Modifiers, key: egui::Key) {
        self.window.key_press_modifiers(modifiers, key);
        self.window.run_steps(3);
    }

    /// Types into the focused field.
    pub fn type_text(&mut self, text: &str) {
        self.window.event(egui::Event::Text(text.to_owned()));
        self.window.run_steps(3);
    }

    /// Writes a picture of the window.
    pub fn shot(&mut self, file: &Path) {
        self.window.remove_cursor();
        self.settle();
        self.window.render().unwrap().save(file).unwrap();
    }
}

fn window(size: egui::Vec2, folder: &Path, start: Start) -> Harness<'static, App> {
    let folders = Folders { config: folder.join("settings"), data: folder.join("data") };
    Harness::builder()
        .with_size(size)
        .with_os(egui::os::OperatingSystem::Nix)
        .with_max_steps(64)
        .build_eframe(move |cc| {
            cc.egui_ctx.set_theme(egui::Theme::Dark);
            App::for_test(&cc.egui_ctx, folders, start)
        })
}

/// Labels of the two tasks of the drawn data set.
pub const PRINTS: [&str; 3] = ["solid", "striped", "dotted"];
/// See [`PRINTS`].
pub const SLEEVES: [&str; 2] = ["long_sleeve", "short_sleeve"];

/// Writes `rows` little drawn garments with a CSV and config; every fifth row lacks a label, and
/// row 3 has a label that the config does not know. Returns the config.
pub fn write_garments(folder: &Path, rows: usize) -> PathBuf {
    let folder = folder.join("garments");
    std::fs::create_dir_all(&folder).unwrap();
    let mut csv = String::from("image_path,print,sleeves\n");
    for row in 0..rows {
        let (print, sleeve) = (row % 3, row / 3 % 2);
        let name = format!("garment_{row}.png");
        // 40 pictures are enough: more rows share them.
        if row < 40 {
            garment(row, print, sleeve).save(folder.join(&name)).unwrap();
        }
        let print = if row == 3 { "plaid" } else { PRINTS[print] };
        let sleeves = if row % 5 == 4 { "" } else { SLEEVES[sleeve] };
        csv.push_str(&format!("{name},{print},{sleeves}\n"));
    }
    std::fs::write(folder.join("garments.csv"), csv).unwrap();
    let config = folder.join("config.yml");
    std::fs::write(
        &config,
        "paths:\n  model_dataframe: garments.csv\nmodel:\n  input_shape: [64, 64]\n  paths: image_path\n  \
         batch_size: 8\n  random_seed: 1\n  learning_rate: 0.001\n  early_stopping_patience: 10\n  \
         lr_reducer_factor: 0.5\n  lr_reducer_patience: 5\n  min_lr: 0.000001\n  target_encoder:\n    \
         print: [solid, striped, dotted]\n    sleeves: [long_sleeve, short_sleeve]\n",
    )
    .unwrap();
    config
}

/// A garment of 80x100 pixels: its body has the print, its arms are long or short.
fn garment(row: usize, print: usize, sleeve: usize) -> image::RgbImage {
    let hues = [[196, 84, 72], [72, 128, 190], [90, 160, 98], [214, 164, 66], [140, 100, 170]];
    let cloth = hues[row % hues.len()];
    let light: [u8; 3] = cloth.map(|c: u8| c.saturating_add(48));
    image::RgbImage::from_fn(80, 100, |x, y| {
        let (dx, dy) = (x.abs_diff(40), y);
        let body = dx < 18 && (20..88).contains(&dy);
        let arm = (18..30).contains(&dx) && (20..if sleeve == 0 { 76 } else { 40 }).contains(&dy);
        let marked = match print {
            0 => false,
            1 => (x + y) / 6 % 2 == 0,
            _ => x % 10 < 4 && y % 10 < 4,
        };
        image::Rgb(match (body || arm, marked && body) {
            (true, true) => light,
            (true, false) => cloth,
            _ => [226, 224, 220],
        })
    })
}
