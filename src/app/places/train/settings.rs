//! The settings one by one. Ranges are those of `config.yml`, so that what can be set can be saved.

use egui::{DragValue, Ui};
use tasklens_data::config::limits::{BATCH_SIZE, BATCH_SIZES};
use tasklens_data::config::{
    Augmentation, Backbone, ClassWeights, DeviceChoice, ModelConfig, Optimizer, Precision, Pretrained,
    RandomCrop, Schedule, TaskBalancing, WEIGHT_DECAY,
};

use super::draft::Draft;
use super::rows::{
    Hint, choice, decimal, described, group, number, optional, range, rate, row, switch, term_group,
};
use crate::app::theme::{self, Tokens};
use crate::app::widgets::choice::Choice;
use crate::app::widgets::glossary::Word;

const MAX_EPOCHS: usize = 1_000_000;

/// Every setting but those of tasks and labels; `device_reason` says why the device is what it is.
pub fn advanced_ui(ui: &mut Ui, draft: &mut Draft, device_reason: &str) {
    let tokens = Tokens::of(ui.ctx());
    let model = &mut draft.config.model;
    main_ui(ui, model, &mut draft.augmentation);
    device_ui(ui, &mut model.device);
    if !device_reason.is_empty() {
        ui.label(theme::caption(tokens, device_reason));
    }
    group(ui, tokens, "Schedule and optimizer");
    learning_ui(ui, model);
    group(ui, tokens, "Stopping and rate reduction");
    stopping_ui(ui, model);
    group(ui, tokens, "Images");
    images_ui(ui, model);
    term_group(ui, tokens, "Loss weights", Word::Loss);
    weights_ui(ui, model);
    group(ui, tokens, "Computing");
    computing_ui(ui, model);
}

fn main_ui(ui: &mut Ui, model: &mut ModelConfig, when_on: &mut Augmentation) {
    number(
        ui,
        "Epochs",
        ("The largest number of passes over the training images", Word::Epoch),
        &mut model.epochs,
        1..=MAX_EPOCHS,
        0.2,
    );
    batch_size_ui(ui, model);
    rate(
        ui,
        "Learning rate",
        ("The step size; reduced when the loss stops falling", Word::LearningRate),
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
    number(ui, "Input width", "Images are scaled to this width in pixels", &mut model.width, 32..=1024, 1.0);
    let networks: Vec<_> = Backbone::ALL
        .iter()
        .map(|network| Choice::new(*network, network.facts().title, network.facts().good_for))
        .collect();
    described(
        ui,
        "Network",
        ("The backbone that all tasks share", Word::Backbone),
        &mut model.backbone,
        &networks,
    );
    pretrained_ui(ui, &mut model.pretrained);
    switch(
        ui,
        "Freeze backbone",
        ("Train only the heads, on stored features: fast without a GPU", Word::Frozen),
        &mut model.freeze_convolutional_layers,
    );
    let mut is_augmented = model.augmentation != Augmentation::none();
    if switch(
        ui,
        "Augmentation",
        ("Rotate, shift, zoom, brighten and mirror the training images", Word::Augmentation),
        &mut is_augmented,
    )
    .changed()
    {
        let next = if is_augmented { when_on.clone() } else { Augmentation::none() };
        let before = std::mem::replace(&mut model.augmentation, next);
        if !is_augmented {
            *when_on = before;
        }
    }
}

fn learning_ui(ui: &mut Ui, model: &mut ModelConfig) {
    choice(
        ui,
        "Schedule",
        "Plateau: the rate is reduced when the loss stops falling. One cycle: it rises and falls once, batch \
         by batch",
        &mut model.schedule,
        &[(Schedule::Plateau, "Plateau"), (Schedule::OneCycle, "One cycle")],
    );
    let mut decays = matches!(model.optimizer, Optimizer::AdamW { .. });
    let optimizers = [(false, "Adam"), (true, "AdamW")];
    choice(
        ui,
        "Optimizer",
        ("AdamW also shrinks the weights a little with each step", Word::Optimizer),
        &mut decays,
        &optimizers,
    );
    model.optimizer = match model.optimizer {
        _ if !decays => Optimizer::Adam,
        Optimizer::Adam => Optimizer::AdamW { weight_decay: WEIGHT_DECAY },
        optimizer => optimizer,
    };
    if let Optimizer::AdamW { weight_decay } = &mut model.optimizer {
        let hint = "How much AdamW shrinks the weights with each step: this share, times the learning rate";
        decimal(ui, "Weight decay", (hint, Word::WeightDecay), weight_decay, 0.0..=1.0);
    }
    let hint = "The share of each label that is spread over all labels of its task; predictions become less \
                confident";
    decimal(ui, "Label smoothing", (hint, Word::LabelSmoothing), &mut model.label_smoothing, 0.0..=0.999);
    let hint = "The number of epochs at the start that train the heads alone, with the backbone frozen";
    number(ui, "Frozen epochs", (hint, Word::FineTuning), &mut model.frozen_epochs, 0..=MAX_EPOCHS, 0.1);
    optional(
        ui,
        ("Backbone rate", "The step size of the backbone while all layers are trained"),
        ("Separate backbone rate", "Otherwise the backbone uses the learning rate"),
        &mut model.backbone_learning_rate,
        model.learning_rate,
        1e-9..=1.0,
    );
}

fn stopping_ui(ui: &mut Ui, model: &mut ModelConfig) {
    number(
        ui,
        "Early stopping patience",
        ("Epochs without a better validation loss before the run ends", Word::EarlyStopping),
        &mut model.early_stopping_patience,
        0..=MAX_EPOCHS,
        0.1,
    );
    decimal(
        ui,
        "Early stopping min delta",
        "The smallest decrease that counts as better",
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
        "Epochs without a better validation loss before the rate is reduced",
        &mut model.lr_reducer_patience,
        0..=MAX_EPOCHS,
        0.1,
    );
    decimal(
        ui,
        "Rate min delta",
        "The smallest decrease that counts as better",
        &mut model.lr_reducer_min_delta,
        0.0..=1e6,
    );
    number(
        ui,
        "Rate cooldown",
        "Epochs after a reduction before the next is possible",
        &mut model.lr_reducer_cooldown,
        0..=MAX_EPOCHS,
        0.1,
    );
    rate(ui, "Lowest rate", "The learning rate is never reduced below it", &mut model.min_lr, 0.0..=1.0);
}

fn images_ui(ui: &mut Ui, model: &mut ModelConfig) {
    decimal(
        ui,
        "Validation share",
        ("Share of the rows used for validation, unless a column says which", Word::Validation),
        &mut model.validation_split,
        0.001..=0.999,
    );
    let augmentation = &mut model.augmentation;
    decimal(ui, "Rotation", "Up to this many degrees either way", &mut augmentation.rotation, 0.0..=180.0);
    decimal(
        ui,
        "Shift",
        "Up to this share of width and height either way",
        &mut augmentation.shift,
        0.0..=0.9,
    );
    range(ui, "Zoom", "1 is no change", &mut augmentation.zoom, 0.1..=10.0);
    range(ui, "Brightness", "1 is no change", &mut augmentation.brightness, 0.0..=10.0);
    switch(ui, "Mirror", "Swap left and right for half of the images", &mut augmentation.horizontal_flip);
    crop_ui(ui, &mut augmentation.crop);
}

fn crop_ui(ui: &mut Ui, crop: &mut Option<RandomCrop>) {
    let mut is_on = crop.is_some();
    if switch(ui, "Crop", "Enlarge a random part of the image to full size", &mut is_on).changed() {
        *crop = is_on.then(RandomCrop::default);
    }
    if let Some(crop) = crop {
        range(ui, "Crop area", "The share of the image's area that is kept", &mut crop.scale, 0.01..=1.0);
        range(ui, "Crop shape", "Width divided by height", &mut crop.ratio, 0.1..=10.0);
    }
}

fn weights_ui(ui: &mut Ui, model: &mut ModelConfig) {
    class_weights_ui(ui, &mut model.class_weights);
    choice(
        ui,
        "Task balancing",
        ("Learnt: each task also has a weight that is learnt with the network", Word::GradientShare),
        &mut model.task_balancing,
        &[(TaskBalancing::Fixed, "Fixed"), (TaskBalancing::Uncertainty, "Learnt")],
    );
    for (task, weight) in model.tasks.iter().zip(&mut model.task_weights) {
        decimal(
            ui,
            &format!("Weight of {}", task.name),
            "How much the task counts in the loss",
            weight,
            0.0..=1000.0,
        );
    }
}

fn computing_ui(ui: &mut Ui, model: &mut ModelConfig) {
    choice(
        ui,
        "Precision",
        "The number format that the network computes in",
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
    choice(
        ui,
        "Pretrained",
        ("Where the backbone's initial weights come from", Word::Pretrained),
        pretrained,
        &options,
    );
}

fn device_ui(ui: &mut Ui, device: &mut DeviceChoice) {
    let mut options = vec![(DeviceChoice::Auto, "Automatic"), (DeviceChoice::Cpu, "CPU")];
    if cfg!(target_os = "macos") {
        options.push((DeviceChoice::Mps, "Apple GPU"));
    } else {
        options.push((DeviceChoice::Cuda(0), "NVIDIA GPU"));
    }
    choice(ui, "Device", "The processor that trains the network", device, &options);
}

fn class_weights_ui(ui: &mut Ui, weights: &mut ClassWeights) {
    let mut options = vec![(ClassWeights::None, "None"), (ClassWeights::Balanced, "Balanced")];
    if matches!(weights, ClassWeights::PerLabel(_)) {
        options.push((weights.clone(), "As in the file"));
    }
    choice(ui, "Label weights", ("Balanced: rare labels count more", Word::ClassWeights), weights, &options);
}

fn workers_ui(ui: &mut Ui, model: &mut ModelConfig) {
    auto_or_number(ui, "Workers", "Threads that decode and augment images", &mut model.workers, 256);
}

fn batch_size_ui(ui: &mut Ui, model: &mut ModelConfig) {
    let hint = (
        "Images per step; halve it if memory runs out. At 0 it is auto: a run begins with the largest that fits",
        Word::Batch,
    );
    let mut size = (!model.auto_batch_size).then_some(model.batch_size);
    auto_or_number(ui, "Batch size", hint, &mut size, *BATCH_SIZES.end());
    model.auto_batch_size = size.is_none();
    model.batch_size = size.unwrap_or(BATCH_SIZE);
}

/// A number from 1 to `most`; 0 stands for `auto`, which is `None`.
fn auto_or_number<'a>(
    ui: &mut Ui,
    name: &str,
    hint: impl Into<Hint<'a>>,
    value: &mut Option<usize>,
    most: usize,
) {
    let mut number = value.unwrap_or(0);
    row(ui, name, hint, |ui| {
        let control = DragValue::new(&mut number).range(0..=most).speed(0.2);
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
    *value = (number > 0).then_some(number);
}
