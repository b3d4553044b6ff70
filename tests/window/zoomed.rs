//! The five places in small windows with large letters: nothing lies over anything else.

use egui::{Key, Modifiers, Vec2, vec2};
use egui_kittest::kittest::Queryable as _;
use tasklens::app::Start;
use tasklens::app::command::AppCommand;
use tasklens::app::place::Place;
use tasklens::app::services::project::ImageSource;

use crate::clear::{cut_off, partly_over, whole_rect};
use crate::desk::Desk;
use crate::long_names::set_zoom;
use crate::named_project::{self, Names};

/// Windows in pixels with their zoom.
const SIZES: [(Vec2, f32); 3] =
    [(vec2(800.0, 600.0), 1.5), (vec2(1200.0, 700.0), 2.0), (vec2(800.0, 600.0), 2.0)];

fn names() -> Names {
    let labels = |labels: &[&str]| labels.iter().map(|label| (*label).to_owned()).collect();
    Names {
        tasks: [
            ("print".to_owned(), labels(&["solid", "striped", "dotted", "floral", "plaid"])),
            ("sleeves".to_owned(), labels(&["long_sleeve", "short_sleeve"])),
        ],
        image: |image| format!("dress_{image:04}.png"),
        runs: vec!["2026-11-01_10-00-00".to_owned(), "2026-11-02_11-00-00".to_owned()],
    }
}

#[test]
fn nothing_lies_over_anything_else_in_small_windows() {
    let mut found = Vec::new();
    for (size, zoom) in SIZES {
        let mut desk =
            Desk::with(size, |folder| Start { open: Some(named_project::write(folder, &names(), 60)) });
        set_zoom(&mut desk, size, zoom);
        desk.wait_for("60 rows");
        let mut look = |desk: &mut Desk, screen: &str| {
            desk.settle();
            found.extend(
                partly_over(desk).into_iter().map(|what| format!("{screen}, {size} at {zoom}: {what}")),
            );
        };
        look(&mut desk, "Data");
        desk.go_to(Place::Label);
        desk.wait_for("1 of 60");
        look(&mut desk, "Label");
        desk.keys(Modifiers::NONE, Key::G);
        look(&mut desk, "Label, grid");
        desk.go_to(Place::Train);
        look(&mut desk, "Train");
        let image = desk.folder.path().join("shop/dress_0007.png");
        let commands = desk.window.state().commands().clone();
        commands.send(AppCommand::UseModel(desk.folder.path().join("shop/runs/2026-11-01_10-00-00")));
        commands.send(AppCommand::OpenImages(vec![ImageSource::Path(image)]));
        desk.go_to(Place::Predict);
        look(&mut desk, "Predict");
        desk.go_to(Place::Inspect);
        for tab in ["Overview", "Confusion", "Images", "Label errors", "Duplicates", "Map", "Compare"] {
            desk.wait_for(tab);
            desk.window.get_by_role_and_label(egui::accesskit::Role::Tab, tab).click();
            desk.window.run_steps(3);
            look(&mut desk, tab);
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// The least that is seen of an image once it is scrolled to, in points.
const LEAST: f32 = 60.0;

#[test]
fn in_the_lowest_windows_images_and_tasks_come_into_sight_by_scrolling() {
    for (size, zoom) in [(vec2(800.0, 600.0), 2.0), (vec2(640.0, 400.0), 2.0)] {
        let mut desk =
            Desk::with(size, |folder| Start { open: Some(named_project::write(folder, &names(), 60)) });
        set_zoom(&mut desk, size, zoom);
        desk.wait_for("60 rows");
        desk.go_to(Place::Label);
        desk.wait_for("1 of 60");
        desk.settle();
        let image = whole_rect(&desk, "Picture of dress_0000.png");
        assert!(image.width() >= LEAST && image.height() >= LEAST, "{size} at {zoom}: {image}");
        let label = whole_rect(&desk, "print: solid");
        assert!(!label.intersects(image), "{size} at {zoom}: {label} and {image}");
        let cut = cut_off(&mut desk);
        assert!(cut.is_empty(), "{size} at {zoom}:\n{}", cut.join("\n"));
    }
}
