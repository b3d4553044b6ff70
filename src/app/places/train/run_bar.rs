//! The parts of the bar over the charts: start, pause, stop, and how far a run is.

use egui::{Button, Rect, Response, RichText, Role, Ui, WidgetInfo, vec2};
use tasklens_data::text::{clock, grouped};
use tasklens_net::training::events::{BatchProgress, Phase, Started};

use super::live::{LiveRun, Preparing};
use crate::app::command::UiCommand;
use crate::app::context::{TrainingState, ViewContext};
use crate::app::theme::icons;
use crate::app::theme::{GRID, Tokens};
use crate::app::widgets::width_of;

/// Shows the buttons of a run, to go into a row; `is_study`: what goes on is a study, which cannot be paused.
pub fn buttons_ui(ui: &mut Ui, context: &ViewContext<'_>, can_start: bool, is_study: bool) {
    start_ui(ui, context, can_start);
    pause_and_stop_ui(ui, context, is_study);
}

/// The progress of a run that goes on; `of_what` says of what the time left is, where that is not plain.
pub fn progress_ui(ui: &mut Ui, context: &ViewContext<'_>, run: &LiveRun, of_what: &str) {
    ui.add_space(GRID);
    let (text, right) = match &run.progress {
        _ if run.record.started.is_none() => (preparing_text(run.preparing.as_ref()), String::new()),
        Some(progress) => {
            (progress_text(run, context.training), format!("{}{of_what}", speed_text(progress)))
        }
        None => ("Waiting for the first batch".to_owned(), String::new()),
    };
    if is_one_line(ui, &text, &right) {
        ui.horizontal(|ui| {
            ui.label(text.as_str());
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| ui.label(right));
        });
    } else {
        for line in [text.as_str(), right.as_str()].into_iter().filter(|line| !line.is_empty()) {
            ui.add(egui::Label::new(line).wrap());
        }
    }
    progress_bar(ui, context.tokens, fraction(run), &text);
}

/// Whether there is room for both side by side. Where there once was none it stays so until the width changes: what is
/// below would jump as numbers get shorter.
fn is_one_line(ui: &mut Ui, left: &str, right: &str) -> bool {
    let wide = |text: &str| width_of(ui, text, egui::TextStyle::Body.resolve(ui.style()));
    let room = ui.available_width();
    let fits = wide(left) + 4.0 * GRID + wide(right) <= room;
    let id = ui.make_persistent_id("lines of the progress");
    let was_too_narrow: Option<f32> = ui.data(|data| data.get_temp(id));
    let is_too_narrow = !fits || was_too_narrow == Some(room);
    if is_too_narrow {
        ui.data_mut(|data| data.insert_temp(id, room));
    }
    !is_too_narrow
}

fn start_ui(ui: &mut Ui, context: &ViewContext<'_>, can_start: bool) {
    let tokens = context.tokens;
    let is_idle = context.training == TrainingState::Idle;
    ui.add_enabled_ui(is_idle && can_start, |ui| {
        let text = if context.training == TrainingState::Starting { "Starting\u{2026}" } else { "Start" };
        let text = RichText::new(format!("{}  {text}", icons::PLAY));
        let button = match is_idle && can_start {
            true => Button::new(text.color(tokens.on_accent)).fill(tokens.accent),
            false => Button::new(text),
        };
        bar_button(ui, context, button, "Start training", UiCommand::StartTraining);
    });
}

fn pause_and_stop_ui(ui: &mut Ui, context: &ViewContext<'_>, is_study: bool) {
    let state = context.training;
    let is_pausing = state == TrainingState::Pausing;
    let goes_on = is_pausing || matches!(state, TrainingState::Running | TrainingState::Paused);
    let (icon, text, name) = match state {
        TrainingState::Paused => (icons::PLAY, "Resume", "Resume training"),
        TrainingState::Pausing => (icons::PAUSE, "Pausing\u{2026}", "Pause training"),
        _ => (icons::PAUSE, "Pause", "Pause training"),
    };
    ui.add_enabled_ui(goes_on && !is_pausing && !is_study, |ui| {
        bar_button(ui, context, Button::new(format!("{icon}  {text}")), name, UiCommand::PauseTraining);
    });
    ui.add_enabled_ui(goes_on, |ui| {
        let text = if state == TrainingState::Stopping { "Stopping\u{2026}" } else { "Stop" };
        let button = Button::new(format!("{}  {text}", icons::STOP));
        bar_button(ui, context, button, "Stop training", UiCommand::StopTraining);
    });
}

fn bar_button(
    ui: &mut Ui,
    context: &ViewContext<'_>,
    button: Button<'_>,
    name: &str,
    command: UiCommand,
) -> Response {
    let enabled = ui.is_enabled();
    let response = ui.add(button);
    response.widget_info(|| WidgetInfo::labeled(Role::Button, enabled, name));
    let hint = format!("{} ({})", command.tooltip(), command.shortcut_text(ui.ctx()));
    let response = response.on_hover_text(hint);
    if response.clicked() {
        context.commands.ui(command);
    }
    response
}

/// The batch size that a run found by itself.
fn batches(started: &Started) -> String {
    started.found_batch_size.map_or(String::new(), |size| format!("  batches of {size}"))
}

/// What the run trains on, or the next one would.
pub fn device_ui(ui: &mut Ui, context: &ViewContext<'_>, run: Option<&LiveRun>) {
    let tokens = context.tokens;
    let started = run.and_then(|run| run.record.started.as_ref());
    let (text, why) = match (started, context.device) {
        (Some(started), device) => (
            format!("{}  {}  {}{}", icons::CPU, started.device, started.precision, batches(started)),
            device.map(|device| device.reason.clone()).unwrap_or_default(),
        ),
        (None, Some(device)) => (format!("{}  {}", icons::CPU, device.name), device.reason.clone()),
        (None, None) => return,
    };
    let label = ui.add(egui::Label::new(RichText::new(text).color(tokens.text_weak)).truncate());
    if !why.is_empty() {
        label.on_hover_text(why);
    }
}

/// What is done before the first epoch, and how far that is.
pub fn preparing_text(preparing: Option<&Preparing>) -> String {
    let Some(Preparing { what, done, of }) = preparing else { return "Preparing\u{2026}".to_owned() };
    let mut letters = what.chars();
    let what: String = letters.next().into_iter().flat_map(char::to_uppercase).chain(letters).collect();
    // Downloads count bytes, everything else counts things.
    let is_bytes = what.to_lowercase().contains("download");
    let amount = |n: u64| if is_bytes { format!("{:.1}", n as f64 / 1e6) } else { grouped(n) };
    let unit = if is_bytes { " MB" } else { "" };
    match (*done, *of) {
        (0, 0) => format!("{what}\u{2026}"),
        (done, 0) => format!("{what}: {}{unit}", amount(done)),
        (done, of) => format!("{what}: {} of {}{unit}", amount(done), amount(of)),
    }
}

fn progress_text(run: &LiveRun, state: TrainingState) -> String {
    let (Some(started), Some(progress)) = (&run.record.started, &run.progress) else { return String::new() };
    let doing = match (state, progress.phase) {
        (TrainingState::Paused, _) => "paused",
        (TrainingState::Pausing, _) => "pausing after this batch",
        (TrainingState::Stopping, _) => "stopping after this batch",
        (_, Phase::Train) => "training",
        (_, Phase::Validation) => "validating",
    };
    format!(
        "Epoch {} of {}, {doing}: {} of {} images, loss {:.4}",
        progress.epoch,
        started.epochs,
        grouped(progress.done as u64),
        grouped(progress.of as u64),
        progress.loss
    )
}

/// The rate, and what is left at it: of the images whose number stands beside it, and of the run.
fn speed_text(progress: &BatchProgress) -> String {
    let doing = match progress.phase {
        Phase::Train => "train",
        Phase::Validation => "validate",
    };
    if !progress.is_timed() {
        return "Measuring the speed\u{2026}".to_owned();
    }
    format!(
        "{:.1} images/s   {} left to {doing}, {} in all",
        progress.images_per_sec,
        clock(progress.phase_secs_left.round()),
        clock(progress.secs_left.round())
    )
}

/// How far the epoch is, or the work before it; `None` while unknown.
fn fraction(run: &LiveRun) -> Option<f32> {
    let share = |done: f64, of: f64| (of > 0.0).then(|| (done / of).clamp(0.0, 1.0) as f32);
    match (&run.record.started, &run.progress, &run.preparing) {
        (Some(started), Some(progress), _) => {
            let (train, all) = (started.n_train as f64, (started.n_train + started.n_validation) as f64);
            match progress.phase {
                Phase::Train => share(train * share(progress.done as f64, progress.of as f64)? as f64, all),
                Phase::Validation => {
                    let done = share(progress.done as f64, progress.of as f64)? as f64;
                    share(train + done * started.n_validation as f64, all)
                }
            }
        }
        (None, _, Some(preparing)) => share(preparing.done as f64, preparing.of as f64),
        _ => Some(0.0),
    }
}

/// A bar over the full width; `None` is unknown. `text` is what it says to screen readers.
pub fn progress_bar(ui: &mut Ui, tokens: &Tokens, fraction: Option<f32>, text: &str) {
    let (rect, response) =
        ui.allocate_exact_size(vec2(ui.available_width(), 1.5 * GRID), egui::Sense::hover());
    response.widget_info(|| {
        let mut info = WidgetInfo::labeled(Role::ProgressIndicator, true, "Progress of the run");
        info.current_text_value = Some(text.to_owned());
        info
    });
    ui.painter().rect_filled(rect, 3.0, tokens.track);
    let bar = match fraction {
        Some(fraction) => Rect::from_min_size(rect.min, vec2(rect.width() * fraction, rect.height())),
        // The amount is unknown: a short bar that stands for "busy" without motion.
        None => Rect::from_min_size(rect.min, vec2(rect.width() * 0.08, rect.height())),
    };
    ui.painter().rect_filled(bar, 3.0, tokens.accent);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_times_are_said_beside_the_rate() {
        let progress = BatchProgress {
            epoch: 1,
            phase: Phase::Train,
            done: 0,
            of: 5752,
            images_per_sec: 18.6,
            loss: 1.0,
            phase_secs_left: 5752.0 / 18.6,
            secs_left: 1263.0,
            latest: None,
        };
        assert_eq!(speed_text(&progress), "18.6 images/s   5:09 left to train, 21:03 in all");
        let first = BatchProgress { images_per_sec: 0.0, phase_secs_left: 0.0, secs_left: 0.0, ..progress };
        assert_eq!(speed_text(&first), "Measuring the speed\u{2026}");
    }

    #[test]
    fn a_download_is_told_in_megabytes_and_rows_in_rows() {
        let text = |what: &str, done, of| preparing_text(Some(&Preparing { what: what.into(), done, of }));
        assert_eq!(
            text("downloading weights", 12_300_000, 91_700_000),
            "Downloading weights: 12.3 of 91.7 MB"
        );
        assert_eq!(text("Reading images", 12, 100), "Reading images: 12 of 100");
        assert_eq!(text("Building the network", 0, 0), "Building the network\u{2026}");
    }
}
