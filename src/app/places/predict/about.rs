//! Below the answers: which network gave them, what it was trained on, and how often it was right where that was
//! measured.

use egui::{Color32, Label, RichText, Ui};
use tasklens_data::text::{counted_grouped, percent};

use super::worker::ModelInfo;
use crate::app::command::AppCommand;
use crate::app::context::ViewContext;
use crate::app::theme::icons;
use crate::app::theme::{self, GRID, TEXT_SMALL};
use crate::app::widgets::chart::swatch;
use crate::app::widgets::name::Name;

/// Shows it; a press on the button inspects the run.
pub fn about_ui(ui: &mut Ui, context: &ViewContext<'_>, info: &ModelInfo, colors: &[Color32]) {
    let tokens = context.tokens;
    ui.separator();
    ui.add_space(GRID);
    ui.label(theme::strong("About these answers"));
    Name::new(&info.name).hint(info.path.display().to_string()).ui(ui);
    ui.add(Label::new(theme::caption(tokens, origin(info))).wrap());
    ui.add_space(GRID);
    for (index, (task, color)) in info.tasks.iter().zip(colors).enumerate() {
        let Some(measured) = measured(info, index) else { continue };
        ui.horizontal(|ui| {
            swatch(ui, *color);
            let text = format!("{} {measured}", task.name);
            Name::caption(tokens, &text).hint("Measured on images that it was not trained on").ui(ui);
        });
    }
    ui.add_space(GRID);
    ui.horizontal_wrapped(|ui| {
        if let Some(run) = &info.run
            && button_ui(ui, icons::MICROSCOPE, "Inspect this model", "See where and why it is wrong")
        {
            context.commands.send(AppCommand::InspectRun(run.clone()));
        }
        let hint = "Write it for other programs, as an ONNX file with a card that says how to call it";
        if button_ui(ui, icons::EXPORT, "Export model\u{2026}", hint) {
            let (model, name) = (info.path.clone(), info.name.clone());
            context.commands.send(AppCommand::AskWhereToExportModel { model, name });
        }
    });
}

fn button_ui(ui: &mut Ui, icon: &str, text: &str, hint: &str) -> bool {
    let button = ui.button(RichText::new(format!("{icon}  {text}")).size(TEXT_SMALL));
    button.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, text));
    button.on_hover_text(hint).clicked()
}

/// When it was trained, and on how much.
fn origin(info: &ModelInfo) -> String {
    let when = if info.age.is_empty() { String::new() } else { format!(" {}", info.age) };
    match &info.started {
        Some(started) => {
            let images = counted_grouped(started.n_train, "image");
            let epoch =
                info.epoch.as_ref().map(|epoch| format!(", epoch {}", epoch.epoch)).unwrap_or_default();
            format!("Trained{when} on {images}{epoch}")
        }
        None if info.epoch.is_some() => {
            format!("Saved{when}; there is no record of what it was trained on")
        }
        None => format!("Saved{when}; there is no record of its training, so its accuracy is unknown"),
    }
}

/// How often it was right in a task, such as `93.1 % of 480 validation images`; `None` where nobody measured it.
fn measured(info: &ModelInfo, task: usize) -> Option<String> {
    let accuracy = *info.epoch.as_ref()?.validation.task_accuracy.get(task)?;
    if !accuracy.is_finite() {
        return None;
    }
    let of = |started: &tasklens_net::training::events::Started| {
        let labelled = started.validation_labels.get(task).map(|labels| labels.images);
        let images = counted_grouped(labelled.unwrap_or(started.n_validation), "validation image");
        format!("right for {} of {images}", percent(accuracy))
    };
    Some(info.started.as_ref().map_or_else(|| format!("right for {}", percent(accuracy)), of))
}

#[cfg(test)]
mod tests {
    use tasklens_data::config::Task;
    use tasklens_net::training::events::{EpochMetrics, LabelledImages, SplitMetrics, Started};

    use super::*;

    fn info() -> ModelInfo {
        let task = |name: &str| Task { name: name.to_owned(), labels: vec!["a".to_owned(), "b".to_owned()] };
        let started = Started {
            run: "runs/a".into(),
            device: "CPU".to_owned(),
            precision: "fp32".to_owned(),
            parameters: 1,
            n_train: 4321,
            n_validation: 480,
            tasks: vec!["print".to_owned(), "sleeves".to_owned()],
            validation_labels: vec![LabelledImages { images: 470, most_common: 300 }],
            epochs: 9,
            epochs_done: 0,
            weights: "none".to_owned(),
            found_batch_size: None,
        };
        let validation =
            SplitMetrics { loss: 1.0, task_loss: vec![1.0; 2], task_accuracy: vec![0.931, f64::NAN] };
        let epoch = EpochMetrics {
            epoch: 7,
            learning_rate: 0.1,
            secs: 1.0,
            images_per_sec: 1.0,
            train: validation.clone(),
            validation,
            best: true,
            gradient_shares: Vec::new(),
        };
        ModelInfo {
            path: "runs/a/best.safetensors".into(),
            name: "a".to_owned(),
            tasks: vec![task("print"), task("sleeves")],
            epoch: Some(epoch),
            age: "3 h ago".to_owned(),
            run: Some("runs/a".into()),
            started: Some(started),
        }
    }

    #[test]
    fn what_was_measured_says_on_how_many_images_that_have_a_label() {
        let mut info = info();
        assert_eq!(origin(&info), "Trained 3 h ago on 4,321 images, epoch 7");
        assert_eq!(measured(&info, 0).as_deref(), Some("right for 93.1 % of 470 validation images"));
        assert_eq!(measured(&info, 1), None, "no validation image has a label");
        // Runs of earlier versions do not say how many had one.
        info.started.as_mut().unwrap().validation_labels.clear();
        assert_eq!(measured(&info, 0).as_deref(), Some("right for 93.1 % of 480 validation images"));
    }

    #[test]
    fn a_network_without_a_record_is_not_said_to_be_accurate() {
        let info = ModelInfo { epoch: None, started: None, run: None, ..info() };
        assert!(origin(&info).contains("its accuracy is unknown"), "{}", origin(&info));
        assert_eq!(measured(&info, 0), None);
    }
}
