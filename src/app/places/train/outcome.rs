//! What is to be said of a run beside its curves: warnings, the summary at its end, or its error and
//! what to do about it.

use egui::{Color32, Frame, Margin, RichText, Stroke, Ui};
use tasklens_data::text::{clock, counted, percent};
use tasklens_net::evaluation::verdict::Finding;
use tasklens_net::training::events::{Concern, RunWarning, StopReason, Stopped};

use super::live::LiveRun;
use crate::app::command::{AppCommand, UiCommand};
use crate::app::context::ViewContext;
use crate::app::theme::icons;
use crate::app::theme::{self, GRID, RADIUS, Tokens};
use crate::app::widgets::command_button;
use crate::app::widgets::sentence::selectable_sentence_ui;

/// So many warnings are shown before "more".
const WARNINGS: usize = 3;

/// What the user wants after the end of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AfterRun {
    /// Continue from its last checkpoint.
    Resume,
    /// Open its folder in the file manager.
    OpenFolder,
}

/// Shows the warnings and the end of `run`.
pub fn outcome_ui(ui: &mut Ui, context: &ViewContext<'_>, run: &LiveRun) -> Option<AfterRun> {
    let mut wanted = None;
    if let Some(error) = &run.record.failed {
        boxed(ui, context.tokens, context.tokens.error, |ui| wanted = failed_ui(ui, context, run, error));
    } else if let Some(stopped) = &run.record.stopped {
        boxed(ui, context.tokens, context.tokens.line, |ui| wanted = stopped_ui(ui, context, run, stopped));
    }
    if !run.record.warnings.is_empty() {
        boxed(ui, context.tokens, context.tokens.warning, |ui| {
            warnings_ui(ui, context, &run.record.warnings);
        });
    }
    wanted
}

fn boxed(ui: &mut Ui, tokens: &Tokens, line: Color32, content: impl FnOnce(&mut Ui)) {
    Frame::new()
        .fill(tokens.panel)
        .stroke(Stroke::new(1.0, line))
        .corner_radius(RADIUS)
        .inner_margin(Margin::same(12))
        .show(ui, |ui| {
            ui.set_width(ui.available_width());
            content(ui);
        });
    ui.add_space(GRID);
}

fn failed_ui(ui: &mut Ui, context: &ViewContext<'_>, run: &LiveRun, error: &str) -> Option<AfterRun> {
    let tokens = context.tokens;
    let mut wanted = None;
    ui.horizontal(|ui| {
        ui.label(RichText::new(icons::X_CIRCLE).size(20.0).color(tokens.error));
        ui.label(theme::strong("Training failed"));
    });
    selectable_sentence_ui(ui, error);
    if let Some(folder) = run.folder() {
        let epochs = run.curves.epochs();
        let kept = match epochs {
            0 => format!("No epoch was completed. Its folder is {}", folder.display()),
            1 => format!("The weights after 1 epoch are kept in {}", folder.display()),
            epochs => format!("The weights after {epochs} epochs are kept in {}", folder.display()),
        };
        ui.add(egui::Label::new(theme::caption(tokens, kept)).wrap());
    }
    ui.horizontal_wrapped(|ui| {
        command_button(ui, context.commands, UiCommand::StartTraining);
        if run.folder().is_some() {
            if run.curves.epochs() > 0 && ui.button("Resume from the last checkpoint").clicked() {
                wanted = Some(AfterRun::Resume);
            }
            if ui.button("Open folder").clicked() {
                wanted = Some(AfterRun::OpenFolder);
            }
        }
    });
    wanted
}

fn stopped_ui(ui: &mut Ui, context: &ViewContext<'_>, run: &LiveRun, stopped: &Stopped) -> Option<AfterRun> {
    let tokens = context.tokens;
    let mut wanted = None;
    let findings = run.findings();
    let is_good = findings.iter().all(Finding::is_good);
    let (icon, color) = match is_good {
        true => (icons::CHECK_CIRCLE, tokens.success),
        false => (icons::WARNING, tokens.warning),
    };
    ui.horizontal_wrapped(|ui| {
        ui.label(RichText::new(icon).size(20.0).color(color));
        ui.label(theme::strong(match stopped.best_epoch {
            Some(epoch) => format!("Done: epoch {epoch} was best"),
            None if run.curves.epochs() > 0 => "Done, but no epoch has a validation loss".to_owned(),
            None => "Stopped before an epoch was complete".to_owned(),
        }));
        ui.label(RichText::new(why(run, stopped)).color(tokens.text_weak));
    });
    for finding in &findings {
        selectable_sentence_ui(ui, finding.sentence());
    }
    ui.add_space(GRID);
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = 6.0 * GRID;
        if let Some(best) = &stopped.best {
            for (index, task) in run.curves.tasks.iter().enumerate() {
                let accuracy = best.validation.task_accuracy.get(index).copied().unwrap_or(f64::NAN);
                let text = if accuracy.is_finite() { percent(accuracy) } else { "no labels".into() };
                fact_ui(ui, tokens, task, theme::strong(text).size(18.0).color(tokens.task(index)));
            }
            fact_ui(
                ui,
                tokens,
                "validation loss",
                theme::strong(format!("{:.4}", best.validation.loss)).size(18.0),
            );
        }
        fact_ui(ui, tokens, "time", theme::strong(clock(stopped.secs.round())).size(18.0));
    });
    ui.add_space(GRID);
    ui.horizontal_wrapped(|ui| {
        if let Some(model) = &stopped.model {
            let text = RichText::new(format!("{}  Predict with this model", icons::CROSSHAIR))
                .color(tokens.on_accent);
            let button = ui.add(egui::Button::new(text).fill(tokens.accent));
            button.widget_info(|| {
                egui::WidgetInfo::labeled(egui::Role::Button, true, "Predict with this model")
            });
            if button.clicked() {
                context.commands.send(AppCommand::UseModel(model.clone()));
            }
        }
        if let Some(folder) = run.folder().filter(|_| stopped.model.is_some()) {
            let text = "See where it is wrong";
            let button = ui.button(format!("{}  {text}", icons::MICROSCOPE));
            button.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, text));
            if button.clicked() {
                context.commands.send(AppCommand::InspectRun(folder.clone()));
            }
        }
        if stopped.why == StopReason::Asked
            && stopped.best_epoch.is_some()
            && ui.button("Resume this run").clicked()
        {
            wanted = Some(AfterRun::Resume);
        }
        if run.folder().is_some() && ui.button("Open folder").clicked() {
            wanted = Some(AfterRun::OpenFolder);
        }
    });
    wanted
}

fn why(run: &LiveRun, stopped: &Stopped) -> String {
    let epochs = run.curves.epochs();
    match stopped.why {
        StopReason::Finished if epochs == 1 => "Its only epoch is done.".to_owned(),
        StopReason::Finished => format!("All {epochs} epochs are done."),
        StopReason::EarlyStopping => {
            let since = stopped.best_epoch.map_or(0, |best| epochs.saturating_sub(best));
            format!("Stopped early: the validation loss did not improve for {}.", counted(since, "epoch"))
        }
        StopReason::Asked => "Stopped at your request; the best weights are kept.".to_owned(),
    }
}

/// A number with what it is above it.
fn fact_ui(ui: &mut Ui, tokens: &Tokens, name: &str, value: RichText) {
    ui.vertical(|ui| {
        ui.spacing_mut().item_spacing.y = 0.5 * GRID;
        ui.label(theme::caption(tokens, name));
        ui.label(value);
    });
}

fn warnings_ui(ui: &mut Ui, context: &ViewContext<'_>, warnings: &[RunWarning]) {
    let tokens = context.tokens;
    let id = ui.make_persistent_id("all warnings");
    let shows_all = ui.data(|data| data.get_temp(id).unwrap_or(false));
    let shown = if shows_all { warnings.len() } else { WARNINGS };
    for warning in warnings.iter().take(shown) {
        ui.horizontal_top(|ui| {
            ui.label(RichText::new(icons::WARNING).size(16.0).color(tokens.warning));
            selectable_sentence_ui(ui, warning.message.as_str());
        });
    }
    // Of the open project alone it is known which rows these are.
    let is_of_rows = warnings.iter().any(|warning| warning.about == Concern::Data);
    if is_of_rows && context.project.is_some() {
        let button = ui.button("Show rows").on_hover_text("Show the rows that have a problem, in Data");
        if button.clicked() {
            context.commands.send(AppCommand::ShowProblems);
        }
    }
    if warnings.len() > WARNINGS {
        let text = match shows_all {
            true => "Show fewer".to_owned(),
            false => format!("{} more\u{2026}", warnings.len() - WARNINGS),
        };
        if ui.link(text).clicked() {
            ui.data_mut(|data| data.insert_temp(id, !shows_all));
        }
    }
}
