//! A stage with the Inspect place, for all tests of its tabs.

use std::path::Path;

use egui::Theme;
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable as _;
use tasklens::app::places::inspect::InspectView;
use tasklens::app::services::project::Project;

use super::garments::inspected;
use super::stage::{Stage, harness};

/// The state behind the harness.
pub type Inspect = Stage<InspectView>;

/// The Inspect place with the run of [`inspected`], once its outputs are there.
pub fn stage(theme: Theme, size: [f32; 2], zoom: f32) -> Harness<'static, Option<Inspect>> {
    stage_with(theme, size, zoom, |_, _| {})
}

/// The same, after `more` was made of the folder and the project.
pub fn stage_with(
    theme: Theme,
    size: [f32; 2],
    zoom: f32,
    more: impl FnOnce(&Path, &mut Project) + 'static,
) -> Harness<'static, Option<Inspect>> {
    let folder = tempfile::tempdir().unwrap().keep();
    let mut harness = harness(
        theme,
        size,
        zoom,
        move |ctx| {
            let (mut project, _) = inspected(&folder);
            more(&folder, &mut project);
            Stage::new(ctx, InspectView::default(), Some(project))
        },
        |ui, stage: &mut Inspect| {
            stage.begin_frame();
            let (view, mut context) = stage.split();
            view.ui(ui, &mut context);
        },
    );
    wait_until(&mut harness, |harness| harness.query_by_label("Overview").is_some());
    harness
}

/// Draws frames until `is_done`.
pub fn wait_until(
    harness: &mut Harness<'static, Option<Inspect>>,
    is_done: impl Fn(&Harness<'static, Option<Inspect>>) -> bool,
) {
    for _ in 0..1000 {
        harness.run_steps(1);
        if is_done(harness) {
            harness.run_steps(2);
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    panic!("it did not come in ten seconds: {:?}", harness.root());
}
