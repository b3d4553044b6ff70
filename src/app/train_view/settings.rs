//! The settings of the next run: a changed copy of the project's config, with the ones that matter
//! first and the rest one click away. Ranges are those of `config.yml`, so that what can be set can
//! be saved.

use std::ops::RangeInclusive;

use egui::{Align, ComboBox, DragValue, Layout, Response, Ui, emath::Numeric};

use crate::app::theme::{self, GRID, Tokens};
use crate::app::widgets::chart::short_rate;
use crate::config::{
    Augmentation, Backbone, ClassWeights, Config, DeviceChoice, ModelConfig, Precision, Pretrained,
};

const MAX_EPOCHS: usize = 1_000_000;

/// The config of the next run beside the one on disk.
#[derive(Clone, Debug)]
pub struct Draft {
    /// As the project has it.
    pub saved: Config,
    /// As the next run will have it.
    pub config: Config,
    /// What augmentation comes back to when it is switched on.
    augmentation: Augmentation,
}

impl Draft {
    /// The project's settings, unchanged.
    pub fn new(config: &Config) -> Self {
        let in_file = config.model.augmentation.clone();
        let augmentation = if in_file == Augmentation::none() { Augmentation::default() } else { in_file };
        Self { saved: config.clone(), config: config.clone(), augmentation }
    }

    /// Whether anything differs from the file.
    pub fn is_changed(&self) -> bool {
        self.config.model != self.saved.model
    }

    /// Takes back all changes.
    pub fn revert(&mut self) {
        self.config = self.saved.clone();
    }

    /// The settings that matter for most runs.
    pub fn main_ui(&mut self, ui: &mut Ui, device_reason: &str) {
        let tokens = Tokens::of(ui.ctx());
        let model = &mut self.config.model;
        number(
            ui,
            "Epochs",
            "At most so many passes over the images",
            &mut model.epochs,
            1..=MAX_EPOCHS,
            0.2,
        );
        number(
            ui,
            "Batch size",
            "Images per step; halve it when memory runs out",
            &mut model.batch_size,
            1..=4096,
            0.2,
        );
        rate(
            ui,
            "Learning rate",
            "The size of a step; reduced when the loss stops falling",
            &mut model.learning_rate,
            1e-9..=1.0,
        );
        number(
            ui,
            "Input height",
            "Images are scaled to this height in pixels",
            &mut model.height,
            32..=1024,
            1.0,
        );
        number(
            ui,
            "Input width",
            "Images are scaled to this width in pixels",
            &mut model.width,
            32..=1024,
            1.0,
        );
        choice(
            ui,
            "Network",
            &format!(
                "The backbone that all tasks share. {}: {}",
                model.backbone.facts().title,
                model.backbone.facts().good_for
            ),
            &mut model.backbone,
            &Backbone::ALL.iter().map(|network| (*network, network.facts().title)).collect::<Vec<_>>(),
        );
        pretrained_ui(ui, &mut model.pretrained);
        switch(
            ui,
            "Freeze backbone",
            "Train only the heads, on stored features: fast without a GPU",
            &mut model.freeze_convolutional_layers,
        );
        let mut is_augmented = model.augmentation != Augmentation::none();
        if switch(
            ui,
            "Augmentation",
            "Turn, shift, zoom, brighten and mirror the training images",
            &mut is_augmented,
        )
        .changed()
        {
            model.augmentation = if is_augmented { self.augmentation.clone() } else { Augmentation::none() };
        }
        device_ui(ui, &mut model.device);
        if !device_reason.is_empty() {
            ui.label(theme::caption(tokens, device_reason));
        }
    }

    /// All other keys of the config.
    pub fn more_ui(&mut self, ui: &mut Ui) {
        let tokens = Tokens::of(ui.ctx());
        let model = &mut self.config.model;
        group(ui, tokens, "When to stop and slow down");
        number(
            ui,
            "Early stopping patience",
            "Epochs without a better validation loss until the run ends",
            &mut model.early_stopping_patience,
            0..=MAX_EPOCHS,
            0.1,
        );
        decimal(
            ui,
            "Early stopping min delta",
            "What counts as better",
            &mut model.early_stopping_min_delta,
            0.0..=1e6,
        );
        decimal(
            ui,
            "Rate factor",
            "The learning rate is multiplied by it on a plateau",
            &mut model.lr_reducer_factor,
            1e-6..=0.999,
        );
        number(
            ui,
            "Rate patience",
            "Epochs without a better validation loss until the rate is reduced",
            &mut model.lr_reducer_patience,
            0..=MAX_EPOCHS,
            0.1,
        );
        decimal(ui, "Rate min delta", "What counts as better", &mut model.lr_reducer_min_delta, 0.0..=1e6);
        number(
            ui,
            "Rate cooldown",
            "Epochs after a reduction in which no other comes",
            &mut model.lr_reducer_cooldown,
            0..=MAX_EPOCHS,
            0.1,
        );
        rate(ui, "Lowest rate", "The learning rate is never reduced below it", &mut model.min_lr, 0.0..=1.0);
        group(ui, tokens, "Images");
        decimal(
            ui,
            "Validation share",
            "Share of the rows that validate, where no column says it",
            &mut model.validation_split,
            0.001..=0.999,
        );
        let augmentation = &mut model.augmentation;
        decimal(ui, "Rotation", "Up to so many degrees either way", &mut augmentation.rotation, 0.0..=180.0);
        decimal(
            ui,
            "Shift",
            "Up to this share of width and height either way",
            &mut augmentation.shift,
            0.0..=0.9,
        );
        range(ui, "Zoom", &mut augmentation.zoom, 0.1..=10.0);
        range(ui, "Brightness", &mut augmentation.brightness, 0.0..=10.0);
        switch(ui, "Mirror", "Swap left and right every other time", &mut augmentation.horizontal_flip);
        group(ui, tokens, "Weights in the loss");
        class_weights_ui(ui, &mut model.class_weights);
        for (task, weight) in model.tasks.iter().zip(&mut model.task_weights) {
            decimal(
                ui,
                &format!("Weight of {}", task.name),
                "How much the task counts in the loss",
                weight,
                0.0..=1000.0,
            );
        }
        group(ui, tokens, "Computing");
        choice(
            ui,
            "Precision",
            "What the network computes in",
            &mut model.precision,
            &[(Precision::Auto, "Automatic"), (Precision::Fp32, "fp32"), (Precision::Bf16, "bf16")],
        );
        workers_ui(ui, model);
        number(
            ui,
            "Random seed",
            "The same seed gives the same split, order and augmentation",
            &mut model.random_seed,
            0..=u64::MAX,
            1.0,
        );
    }
}

fn group(ui: &mut Ui, tokens: &Tokens, title: &str) {
    ui.add_space(GRID);
    ui.label(theme::caption(tokens, title));
}

/// A name at the left, its control at the right.
fn row(ui: &mut Ui, name: &str, hint: &str, control: impl FnOnce(&mut Ui) -> Response) -> Response {
    ui.horizontal(|ui| {
        let label = ui.add(egui::Label::new(name).truncate());
        let inner =
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| control(ui).labelled_by(label.id));
        label.on_hover_text(hint);
        inner.inner.on_hover_text(hint)
    })
    .inner
}

fn number<N: Numeric>(
    ui: &mut Ui,
    name: &str,
    hint: &str,
    value: &mut N,
    range: RangeInclusive<N>,
    speed: f64,
) {
    row(ui, name, hint, |ui| ui.add(DragValue::new(value).range(range).speed(speed)));
}

fn decimal<N: Numeric>(ui: &mut Ui, name: &str, hint: &str, value: &mut N, range: RangeInclusive<N>) {
    row(ui, name, hint, |ui| ui.add(DragValue::new(value).range(range).speed(0.005).max_decimals(6)));
}

fn rate(ui: &mut Ui, name: &str, hint: &str, value: &mut f64, range: RangeInclusive<f64>) {
    let speed = *value * 0.01;
    row(ui, name, hint, |ui| {
        let control = DragValue::new(value).range(range).speed(speed);
        ui.add(
            control
                .custom_formatter(|value, _| short_rate(value))
                .custom_parser(|text| text.trim().parse().ok()),
        )
    });
}

fn range(ui: &mut Ui, name: &str, (low, high): &mut (f32, f32), all: RangeInclusive<f32>) {
    let (least, most) = all.into_inner();
    row(ui, &format!("{name} from"), "The lower end; 1 is no change", |ui| {
        ui.add(DragValue::new(low).range(least..=*high).speed(0.005).max_decimals(3))
    });
    row(ui, &format!("{name} to"), "The upper end; 1 is no change", |ui| {
        ui.add(DragValue::new(high).range(*low..=most).speed(0.005).max_decimals(3))
    });
}

fn switch(ui: &mut Ui, name: &str, hint: &str, on: &mut bool) -> Response {
    row(ui, name, hint, |ui| {
        let line = ui.visuals().weak_text_color();
        // An empty box must be seen on a card.
        ui.visuals_mut().widgets.inactive.bg_stroke = egui::Stroke::new(1.0, line.gamma_multiply(0.6));
        ui.checkbox(on, "")
    })
}

fn choice<T: PartialEq + Clone>(ui: &mut Ui, name: &str, hint: &str, value: &mut T, options: &[(T, &str)]) {
    let text = options.iter().find(|(option, _)| option == value).map_or("as in the file", |(_, text)| text);
    row(ui, name, hint, |ui| {
        let combo = ComboBox::from_id_salt(name).selected_text(text).width(33.0 * GRID);
        combo
            .show_ui(ui, |ui| {
                for (option, text) in options {
                    ui.selectable_value(value, option.clone(), *text);
                }
            })
            .response
    });
}

fn pretrained_ui(ui: &mut Ui, pretrained: &mut Pretrained) {
    let mut options = vec![
        (Pretrained::Auto, "Where available".to_owned()),
        (Pretrained::Required, "Required".to_owned()),
        (Pretrained::None, "From scratch".to_owned()),
    ];
    if let Pretrained::File(file) = &*pretrained {
        let name = file.file_name().unwrap_or(file.as_os_str()).to_string_lossy().into_owned();
        options.push((pretrained.clone(), name));
    }
    let options: Vec<(Pretrained, &str)> =
        options.iter().map(|(option, text)| (option.clone(), text.as_str())).collect();
    choice(ui, "Pretrained", "Where the backbone's first weights come from", pretrained, &options);
}

fn device_ui(ui: &mut Ui, device: &mut DeviceChoice) {
    let mut options = vec![(DeviceChoice::Auto, "Automatic"), (DeviceChoice::Cpu, "CPU")];
    if cfg!(target_os = "macos") {
        options.push((DeviceChoice::Mps, "Apple GPU"));
    } else {
        options.push((DeviceChoice::Cuda(0), "NVIDIA GPU"));
    }
    choice(ui, "Device", "Which processor trains", device, &options);
}

fn class_weights_ui(ui: &mut Ui, weights: &mut ClassWeights) {
    let mut options = vec![(ClassWeights::None, "None"), (ClassWeights::Balanced, "Balanced")];
    if matches!(weights, ClassWeights::PerLabel(_)) {
        options.push((weights.clone(), "As in the file"));
    }
    choice(ui, "Label weights", "Balanced: rare labels count more", weights, &options);
}

fn workers_ui(ui: &mut Ui, model: &mut ModelConfig) {
    // 0 stands for `auto`.
    let mut workers = model.workers.unwrap_or(0);
    row(ui, "Workers", "Threads that decode and augment images", |ui| {
        let control = DragValue::new(&mut workers).range(0..=256).speed(0.1);
        ui.add(
            control
                .custom_formatter(
                    |value, _| if value < 1.0 { "auto".to_owned() } else { format!("{value:.0}") },
                )
                .custom_parser(
                    |text| if text.trim() == "auto" { Some(0.0) } else { text.trim().parse().ok() },
                ),
        )
    });
    model.workers = (workers > 0).then_some(workers);
}
