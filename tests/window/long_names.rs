//! Long names and many labels in small windows: no name pushes anything out of sight.

use egui::{Key, Modifiers, Pos2, Theme, Vec2, vec2};
use egui_kittest::SnapshotResults;
use egui_kittest::kittest::Queryable as _;
use tasklens::app::Start;
use tasklens::app::command::{AppCommand, UiCommand};
use tasklens::app::place::Place;
use tasklens::app::services::project::ImageSource;

use crate::clear::cut_off;
use crate::desk::Desk;
use crate::garments::picture;
use crate::named_project::{self, Names};
use crate::pictures::picture_of;

/// Windows with their zoom: a small one, and one of a usual size whose user needs large letters.
const SIZES: [(&str, Vec2, f32); 3] =
    [("800", vec2(800.0, 600.0), 1.0), ("150", vec2(1280.0, 800.0), 1.5), ("200", vec2(1280.0, 800.0), 2.0)];
const IMAGES: usize = 60;
/// Labels of the first task.
const LABELS: usize = 40;

/// 60 characters that begin with `what`.
fn long(what: &str) -> String {
    let text = format!("{what} of the garment as the photographer saw it in the light of the shop");
    let text: String = text.chars().take(60).collect();
    assert_eq!(text.len(), 60);
    text
}

fn print(label: usize) -> String {
    if label.is_multiple_of(2) { long(&format!("print {label}")) } else { format!("print {label}") }
}

/// Two tasks with names of 60 characters, one of them with 40 labels, and two runs.
fn names() -> Names {
    Names {
        tasks: [
            (long("cloth"), (0..LABELS).map(print).collect()),
            (long("sleeves"), vec![long("long"), long("short")]),
        ],
        image: |image| format!("{}.png", long(&format!("{image:02}"))),
        runs: vec![long("run"), long("a run before")],
    }
}

/// The window with a project of [`names`] open, in a size of [`SIZES`].
fn desk(size: Vec2, zoom: f32) -> Desk {
    let mut desk =
        Desk::with(size, |folder| Start { open: Some(named_project::write(folder, &names(), IMAGES)) });
    set_zoom(&mut desk, size, zoom);
    desk.wait_for("60 rows");
    desk.settle();
    desk
}

/// Makes the window so large, in pixels, at this zoom.
pub fn set_zoom(desk: &mut Desk, size: Vec2, zoom: f32) {
    desk.window.ctx.set_theme(Theme::Light);
    desk.window.ctx.set_zoom_factor(zoom);
    desk.window.run_steps(2);
    desk.window.set_size(size / zoom);
    desk.window.run_steps(3);
    let is = desk.window.ctx.content_rect().size();
    assert!((is - size / zoom).length() < 1.0, "{is} points at {zoom}");
}

fn press_at(desk: &mut Desk, at: Pos2) {
    desk.window.drag_at(at);
    desk.window.drop_at(at);
    desk.window.run_steps(3);
}

/// What is wrong with the screens that were looked at.
#[derive(Default)]
struct Findings {
    cut_off: Vec<String>,
    pictures: SnapshotResults,
}

impl Findings {
    /// Looks at what is on the desk, and keeps a picture of it.
    fn look(&mut self, desk: &mut Desk, screen: &str, size: &str) {
        desk.settle();
        picture_of(desk, &format!("clear_{screen}_{size}"));
        self.pictures.extend(desk.window.take_snapshot_results());
        self.check(desk, screen, size);
    }

    /// As [`Self::look`], without a picture.
    fn check(&mut self, desk: &mut Desk, screen: &str, size: &str) {
        self.cut_off.extend(cut_off(desk).into_iter().map(|what| format!("{screen} {size}: {what}")));
    }

    /// Opens a menu, looks whether all of it can be reached, and closes it.
    fn check_menu(&mut self, desk: &mut Desk, menu: &str, size: &str) {
        desk.press(menu);
        desk.settle();
        self.check(desk, menu, size);
        desk.keys(Modifiers::NONE, Key::Escape);
    }

    fn finish(self) {
        assert!(self.cut_off.is_empty(), "cut off without a way to it:\n{}", self.cut_off.join("\n"));
    }
}

#[test]
fn nothing_is_cut_off_in_data() {
    let mut found = Findings::default();
    for (name, size, zoom) in SIZES {
        let mut desk = desk(size, zoom);
        found.look(&mut desk, "data", name);
        found.check_menu(&mut desk, "Filter by label", name);
        desk.press("Show the panel");
        found.look(&mut desk, "data_panel", name);
        desk.press("Problems  37");
        found.check(&mut desk, "problems", name);
        desk.keys(Modifiers::NONE, Key::Escape);
        assert!(!desk.shows("Problems  37"), "Escape closes the panel");
        let names = desk.window.query_all_by_label_contains(".png").map(|name| name.rect().center());
        let in_sight = names.into_iter().find(|name| (100.0..250.0).contains(&name.y)).unwrap();
        press_at(&mut desk, in_sight);
        found.look(&mut desk, "data_row", name);
        desk.press("Close the panel");
        assert!(!desk.shows("Predict this image"), "its button closes the panel");
    }
    found.finish();
}

#[test]
fn nothing_is_cut_off_in_label() {
    let mut found = Findings::default();
    for (name, size, zoom) in SIZES {
        let mut desk = desk(size, zoom);
        desk.go_to(Place::Label);
        desk.wait_for("1 of 60");
        desk.wait_until("suggestions", |window| {
            window.query_all_by_label_contains("print 1").next().is_some()
        });
        found.look(&mut desk, "label_one", name);
        found.check_menu(&mut desk, "Suggestions from", name);
        found.check_menu(&mut desk, "Tasks to label", name);
        desk.keys(Modifiers::NONE, Key::G);
        found.look(&mut desk, "label_grid", name);
        if name == "200" {
            desk.press("Show the tasks");
            found.look(&mut desk, "label_tasks", name);
            desk.press("Close the tasks");
        }
    }
    found.finish();
}

#[test]
fn nothing_is_cut_off_in_train_and_predict() {
    let mut found = Findings::default();
    for (name, size, zoom) in SIZES {
        let mut desk = desk(size, zoom);
        desk.go_to(Place::Train);
        desk.wait_for("about ");
        found.look(&mut desk, "train", name);
        let image = desk.folder.path().join("shop").join(format!("{}.png", long("07")));
        let run = desk.folder.path().join("shop/runs").join(long("run"));
        let commands = desk.window.state().commands().clone();
        commands.send(AppCommand::UseModel(run));
        commands.send(AppCommand::OpenImages(vec![ImageSource::Path(image)]));
        desk.go_to(Place::Predict);
        desk.wait_until("the answer", |window| {
            window.query_all_by_label_contains(": print 1").next().is_some()
        });
        found.look(&mut desk, "predict", name);
        found.check_menu(&mut desk, "Change model", name);
    }
    found.finish();
}

#[test]
fn nothing_is_cut_off_in_inspect() {
    let mut found = Findings::default();
    for (name, size, zoom) in SIZES {
        let mut desk = desk(size, zoom);
        desk.go_to(Place::Inspect);
        for (tab, screen) in [
            ("Overview", "overview"),
            ("Confusion", "confusion"),
            ("Images", "images"),
            ("Label errors", "label_errors"),
            ("Duplicates", "duplicates"),
            ("Map", "map"),
            ("Compare", "compare"),
        ] {
            desk.wait_for(tab);
            desk.window.get_by_role_and_label(egui::accesskit::Role::Tab, tab).click();
            desk.window.run_steps(3);
            let screen = format!("inspect_{screen}");
            if tab == "Map" {
                // Its points are laid out anew each time.
                desk.settle();
                found.check(&mut desk, &screen, name);
            } else {
                found.look(&mut desk, &screen, name);
            }
        }
    }
    found.finish();
}

#[test]
fn nothing_is_cut_off_in_dialogs_and_on_the_start_page() {
    let mut found = Findings::default();
    for (name, size, zoom) in SIZES {
        let mut start = Desk::with(size, |_| Start::default());
        set_zoom(&mut start, size, zoom);
        found.look(&mut start, "start", name);

        let mut new = Desk::with(size, |folder| {
            let folder = folder.join(long("photographs"));
            for sub_folder in [long("long"), long("short")] {
                std::fs::create_dir_all(folder.join(&sub_folder)).unwrap();
                for image in 0..3 {
                    picture(image).save(folder.join(&sub_folder).join(format!("{image}.png"))).unwrap();
                }
            }
            Start { open: Some(folder) }
        });
        set_zoom(&mut new, size, zoom);
        new.wait_for("Label the images of");
        found.look(&mut new, "new_project", name);

        let mut desk = desk(size, zoom);
        desk.window.state().commands().ui(UiCommand::EditTasks);
        desk.wait_for("Tasks and labels");
        found.look(&mut desk, "vocabulary", name);
    }
    found.finish();
}
