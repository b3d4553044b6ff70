//! Inspect, Map and Duplicates, and the strip of neighbours.

use std::sync::Arc;

use egui::accesskit::{Role, Toggled};
use egui::{Event, Key, Modifiers, PointerButton, Pos2, Rect, Theme, vec2};
use egui_kittest::kittest::{By, NodeT as _, Queryable as _};
use egui_kittest::{Harness, SnapshotResults};
use tasklens::app::context::ViewContext;
use tasklens::app::places::inspect::inspected_run::InspectedRun;
use tasklens::app::places::inspect::neighbours::NeighboursStrip;
use tasklens_net::inference::outputs::OutputStore;

use super::garments::{IMAGES, PRINTS, inspected, prediction};
use super::inspect_desk::{Inspect, stage, stage_with, wait_until};
use super::stage::{Stage, THEMES, harness, snapshot};

type Desk = Harness<'static, Option<Inspect>>;

const WINDOW: [f32; 2] = [1208.0, 772.0];
const CANVAS: &str = "Map of images";

fn validates(image: usize) -> bool {
    image % 3 == image / 3 % 3
}

/// The map by principal components, which is the same each time.
fn map(theme: Theme, size: [f32; 2], zoom: f32) -> Desk {
    let mut desk = stage(theme, size, zoom);
    press(&mut desk, Role::Tab, "Map");
    wait_until(&mut desk, |desk| desk.query_by_label(CANVAS).is_some());
    press(&mut desk, Role::RadioButton, "Layout: PCA");
    desk.run_steps(8);
    desk
}

fn press(desk: &mut Desk, role: Role, name: &str) {
    desk.get(By::new().role(role).label(name)).click();
    desk.run_steps(3);
}

fn any(desk: &Desk, part_of_name: &str) -> bool {
    desk.query_all_by_label_contains(part_of_name).next().is_some()
}

fn value(desk: &Desk, name: &str) -> String {
    desk.get_by_label(name).value().unwrap()
}

fn is_on(desk: &Desk, role: Role, name: &str) -> bool {
    desk.get(By::new().role(role).label(name)).accesskit_node().toggled() == Some(Toggled::True)
}

fn button(desk: &Desk, pos: Pos2, pressed: bool) {
    let (button, modifiers) = (PointerButton::Primary, Modifiers::NONE);
    desk.event(Event::PointerButton { pos, button, pressed, modifiers });
}

/// Draws along corners with the button held.
fn draw(desk: &mut Desk, corners: &[Pos2]) {
    desk.hover_at(corners[0]);
    desk.run_steps(1);
    button(desk, corners[0], true);
    desk.run_steps(1);
    for corner in corners {
        desk.hover_at(*corner);
        desk.run_steps(1);
    }
}

fn let_go(desk: &mut Desk, at: Pos2) {
    button(desk, at, false);
    desk.run_steps(3);
}

fn corners(rect: Rect) -> [Pos2; 4] {
    [rect.left_top(), rect.right_top(), rect.right_bottom(), rect.left_bottom()]
}

#[test]
fn the_map_says_what_it_shows_and_its_legend_counts() {
    let mut desk = map(Theme::Dark, WINDOW, 1.0);
    let shown: Vec<usize> = (0..IMAGES).filter(|image| validates(*image)).collect();
    assert_eq!(value(&desk, CANVAS), format!("{} images, coloured by print", shown.len()));
    for (label, print) in PRINTS.iter().enumerate() {
        let expected = shown.iter().filter(|image| *image % 3 == label).count();
        assert_eq!(value(&desk, print), expected.to_string());
    }
    press(&mut desk, Role::RadioButton, "Colour: Correctness");
    assert_eq!(value(&desk, CANVAS), format!("{} images, coloured by correctness of print", shown.len()));
    let wrong = shown.iter().filter(|image| prediction(**image)[0].0 != *image % 3).count();
    assert!(wrong > 0);
    assert_eq!(value(&desk, "Wrong"), wrong.to_string());
    assert_eq!(value(&desk, "Right"), (shown.len() - wrong).to_string());
    // One sleeve has no label, and it is one that validates.
    press(&mut desk, Role::Tab, "sleeves");
    assert_eq!(value(&desk, "No label"), "1");
    press(&mut desk, Role::RadioButton, "Colour: Confidence");
    assert_eq!(value(&desk, CANVAS), format!("{} images, coloured by confidence in sleeves", shown.len()));
}

#[test]
fn the_layout_by_neighbours_comes_by_itself_and_is_kept() {
    let mut desk = stage(Theme::Dark, WINDOW, 1.0);
    press(&mut desk, Role::Tab, "Map");
    wait_until(&mut desk, |desk| desk.query_by_label(CANVAS).is_some());
    let runs = desk.state().as_ref().unwrap().project.as_ref().unwrap().config.paths.runs.clone();
    let store = OutputStore::of(&runs.join("2026-11-23_14-02-11")).unwrap();
    wait_until(&mut desk, |_| store.folder().join("map.safetensors").is_file());
    assert!(is_on(&desk, Role::RadioButton, "Layout: Neighbours"));
    // The file is there a moment before the job hands the layout over.
    wait_until(&mut desk, |desk| !any(desk, "Arranging by neighbours"));
}

#[test]
fn a_lasso_around_points_leads_to_their_images() {
    let mut desk = map(Theme::Dark, WINDOW, 1.0);
    let canvas = desk.get_by_label(CANVAS).rect();
    // Around an empty corner: nothing to show.
    desk.key_press(Key::L);
    desk.run_steps(2);
    assert!(is_on(&desk, Role::Button, "Lasso"));
    let corner = Rect::from_min_size(canvas.min + vec2(4.0, 4.0), vec2(30.0, 20.0));
    draw(&mut desk, &corners(corner));
    let_go(&mut desk, corner.left_bottom());
    assert!(desk.query_by_label(CANVAS).is_some());
    // Given up in the middle: nothing either, and the lasso is still at hand.
    let all = corners(canvas.shrink(3.0));
    draw(&mut desk, &all);
    desk.key_press(Key::Escape);
    desk.run_steps(2);
    let_go(&mut desk, all[3]);
    assert!(desk.query_by_label(CANVAS).is_some() && is_on(&desk, Role::Button, "Lasso"));
    desk.key_press(Key::Escape);
    desk.run_steps(2);
    assert!(!is_on(&desk, Role::Button, "Lasso"));
    // Without it, dragging moves the map.
    draw(&mut desk, &all);
    let_go(&mut desk, all[3]);
    assert!(desk.query_by_label(CANVAS).is_some());
    desk.get_by_label("Show all points").click();
    desk.key_press(Key::L);
    desk.run_steps(2);
    draw(&mut desk, &all);
    let_go(&mut desk, all[3]);
    assert!(desk.query_by_label(CANVAS).is_none());
    assert!(is_selected(&desk, "Images"));
    assert!(any(&desk, "20 images within the lasso"));
    // Only what is not dim is caught.
    press(&mut desk, Role::Tab, "Map");
    press(&mut desk, Role::RadioButton, "Colour: Prediction");
    press(&mut desk, Role::Button, "striped");
    desk.key_press(Key::L);
    desk.run_steps(2);
    draw(&mut desk, &all);
    let_go(&mut desk, all[3]);
    wait_until(&mut desk, |desk| any(desk, " images within the lasso"));
    let striped: Vec<usize> =
        (0..IMAGES).filter(|image| validates(*image) && prediction(*image)[0].0 == 1).collect();
    assert!(any(&desk, &format!("{} images within the lasso", striped.len())));
    for image in 0..IMAGES {
        let is_shown = any(&desk, &format!("{image:02}.png"));
        assert_eq!(is_shown, striped.contains(&image), "{image}");
    }
}

fn is_selected(desk: &Desk, tab: &str) -> bool {
    is_on(desk, Role::Tab, tab)
}

#[test]
fn a_point_tells_what_it_is_and_opens_its_image() {
    let mut desk = map(Theme::Light, WINDOW, 1.0);
    let canvas = desk.get_by_label(CANVAS).rect();
    let is_told = |desk: &Desk| any(desk, ".png");
    let step = 12.0;
    let found = (0..(canvas.area() / step / step) as usize).find_map(|n| {
        let columns = (canvas.width() / step) as usize;
        let pos = canvas.min + vec2((n % columns) as f32 + 0.5, (n / columns) as f32 + 0.5) * step;
        desk.hover_at(pos);
        desk.run_steps(1);
        is_told(&desk).then_some(pos)
    });
    let found = found.unwrap();
    assert!(desk.query_by_label("validation image").is_some());
    button(&desk, found, true);
    desk.run_steps(1);
    let_go(&mut desk, found);
    assert!(is_selected(&desk, "Images"));
}

#[test]
fn the_map_has_pictures_in_both_themes() {
    let mut results = SnapshotResults::new();
    for theme in THEMES {
        let mut desk = map(theme, WINDOW, 1.0);
        desk.remove_cursor();
        desk.run_steps(4);
        snapshot(&mut desk, "inspect_map");
        results.extend_harness(&mut desk);
    }
    let mut desk = map(Theme::Light, [568.0, 372.0], 2.0);
    press(&mut desk, Role::ComboBox, "Colour");
    press(&mut desk, Role::Button, "Confidence");
    desk.remove_cursor();
    desk.run_steps(4);
    snapshot(&mut desk, "inspect_map_zoomed");
    results.extend_harness(&mut desk);
}

/// The list of pairs, with one print changed so that two labels contradict each other.
fn duplicates(theme: Theme, size: [f32; 2], zoom: f32) -> Desk {
    let mut desk = stage_with(theme, size, zoom, |_, project| {
        Arc::make_mut(&mut project.dataset).rows[25].labels[0] = Some(2).into();
    });
    press(&mut desk, Role::Tab, "Duplicates");
    wait_until(&mut desk, |desk| any(desk, "look like a training image"));
    desk
}

#[test]
fn pairs_across_the_border_are_listed_with_what_they_mean() {
    let mut desk = duplicates(Theme::Dark, WINDOW, 1.0);
    let sentence = "2 of 20 validation images look like a training image: this inflates the validation scores by at \
                    most 10.0 percentage points";
    assert!(desk.query_by_label(sentence).is_some(), "{:?}", desk.root());
    let name = |image: usize| {
        format!("{image:02}.png, {}", if validates(image) { "validation" } else { "training" })
    };
    for image in [12, 0, 25, 13] {
        assert!(desk.query_by_label(&name(image)).is_some(), "{image}");
    }
    assert!(desk.query_by_label(&name(16)).is_none(), "less alike than the same photograph");
    assert!(any(&desk, "dotted or striped?"));
    desk.get_by_label("Conflicting labels only (1)").click();
    desk.run_steps(3);
    assert!(desk.query_by_label(&name(25)).is_some() && desk.query_by_label(&name(12)).is_none());
    desk.get_by_label(&name(25)).click();
    desk.run_steps(3);
    assert!(is_selected(&desk, "Images"));
}

#[test]
fn duplicates_can_be_browsed() {
    let mut desk = duplicates(Theme::Light, WINDOW, 1.0);
    desk.get_by_label("Browse them").click();
    wait_until(&mut desk, |desk| any(desk, "2 validation images that look"));
    assert!(is_selected(&desk, "Images"));
    for image in [0, 13] {
        assert!(any(&desk, &format!("{image:02}.png")), "{image}");
    }
}

#[test]
fn the_duplicates_have_pictures_in_both_themes() {
    let mut results = SnapshotResults::new();
    for theme in THEMES {
        let mut desk = duplicates(theme, WINDOW, 1.0);
        // Pictures are decoded in the background.
        wait_until(&mut desk, |desk| desk.state().as_ref().is_some_and(|stage| stage.is_idle()));
        for _ in 0..20 {
            std::thread::sleep(std::time::Duration::from_millis(20));
            desk.run_steps(1);
        }
        desk.remove_cursor();
        desk.run_steps(4);
        snapshot(&mut desk, "inspect_duplicates");
        results.extend_harness(&mut desk);
    }
}

/// A strip alone, with what it needs.
#[derive(Default)]
struct Strip {
    strip: NeighboursStrip,
    session: Option<InspectedRun>,
    item: usize,
    clicked: Option<usize>,
}

impl Strip {
    fn ui(&mut self, ui: &mut egui::Ui, run: &std::path::Path, context: &mut ViewContext<'_>) {
        let session = self.session.get_or_insert_with(|| InspectedRun::new(run.to_path_buf(), context));
        session.poll(context);
        let Some(loaded) = &session.loaded else { return };
        self.clicked = self.strip.ui(ui, loaded, self.item, 0, context).or(self.clicked);
    }
}

fn strip(theme: Theme, size: [f32; 2], zoom: f32, item: usize) -> Harness<'static, Option<Stage<Strip>>> {
    let folder = tempfile::tempdir().unwrap().keep();
    let run = folder.join("runs/2026-11-23_14-02-11");
    let mut harness = harness(
        theme,
        size,
        zoom,
        move |ctx| Stage::new(ctx, Strip { item, ..Strip::default() }, Some(inspected(&folder).0)),
        move |ui, stage: &mut Stage<Strip>| {
            stage.begin_frame();
            let (view, mut context) = stage.split();
            view.ui(ui, &run, &mut context);
        },
    );
    wait_for_neighbours(&mut harness);
    harness
}

fn wait_for_neighbours(harness: &mut Harness<'static, Option<Stage<Strip>>>) {
    for _ in 0..500 {
        harness.run_steps(1);
        if harness.query_all_by_label_contains("Neighbour ").count() == 12 {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    panic!("no neighbours came: {:?}", harness.root());
}

#[test]
fn neighbours_train_and_show_which_label_differs() {
    // 24 is solid and taken for striped: most of its neighbours are striped.
    let item = 24;
    assert_eq!((item % 3, prediction(item)[0].0), (0, 1));
    let mut strip = strip(Theme::Dark, [1100.0, 220.0], 1.0, item);
    let all: Vec<(String, String)> = strip
        .query_all_by_label_contains("Neighbour ")
        .map(|node| (node.accesskit_node().label().unwrap_or_default(), node.value().unwrap_or_default()))
        .collect();
    assert_eq!(all.len(), 12);
    for (name, value) in &all {
        let image: usize = name.trim_start_matches("Neighbour ").trim_end_matches(".png").parse().unwrap();
        assert!(!validates(image) && image != item, "{name}");
        assert_eq!(value.contains("different label"), !image.is_multiple_of(3), "{name}: {value}");
        assert!(value.starts_with(PRINTS[image % 3]), "{name}: {value}");
    }
    assert!(all.iter().filter(|(_, value)| value.starts_with(PRINTS[1])).count() > 6, "{all:?}");
    let first: usize = all[0].0.trim_start_matches("Neighbour ").trim_end_matches(".png").parse().unwrap();
    strip.get_by_label(&all[0].0).click();
    strip.run_steps(3);
    assert_eq!(strip.state().as_ref().unwrap().view.clicked, Some(first));
    // Another item: others come, without a restart.
    strip.state_mut().as_mut().unwrap().view.item = 20;
    strip.run_steps(1);
    wait_for_neighbours(&mut strip);
    let others: Vec<String> = strip
        .query_all_by_label_contains("Neighbour ")
        .map(|node| node.accesskit_node().label().unwrap_or_default())
        .collect();
    assert_ne!(others, all.iter().map(|(name, _)| name.clone()).collect::<Vec<_>>());
}

#[test]
fn the_strip_has_pictures_in_both_themes() {
    let mut results = SnapshotResults::new();
    for theme in THEMES {
        let mut strip = strip(theme, [1100.0, 180.0], 1.0, 24);
        for _ in 0..20 {
            std::thread::sleep(std::time::Duration::from_millis(20));
            strip.run_steps(1);
        }
        snapshot(&mut strip, "neighbours_strip");
        results.extend_harness(&mut strip);
    }
}
