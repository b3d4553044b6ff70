//! How the weights learn.

use super::*;

/// All of it, and one key each that it may be given.
const RECIPE: &str = "  learning_rate: 0.003
  backbone_learning_rate: 0.0005
  schedule: one_cycle
  optimizer: adamw
  weight_decay: 0.05
  label_smoothing: 0.1
  task_balancing: uncertainty
  frozen_epochs: 1
  epochs: 4
  augmentation: {crop: {scale: [.35, 1]}}";

#[test]
fn a_recipe_is_read_and_written_as_it_is_meant() {
    let recipe = model(RECIPE);
    assert_eq!((recipe.learning_rate, recipe.backbone_learning_rate), (0.003, Some(0.0005)));
    assert_eq!(recipe.schedule, Schedule::OneCycle);
    assert_eq!(recipe.optimizer, Optimizer::AdamW { weight_decay: 0.05 });
    assert_eq!(recipe.task_balancing, TaskBalancing::Uncertainty);
    assert_eq!((recipe.label_smoothing, recipe.frozen_epochs), (0.1, 1));
    let crop = recipe.augmentation.crop.unwrap();
    assert_eq!((crop.scale, crop.ratio), ((0.35, 1.0), (0.75, 4.0 / 3.0)));
    let config = with_model(RECIPE).unwrap();
    let again = Config::parse(&config.to_yaml(), &config.file).unwrap();
    assert_eq!(again.model, recipe);
    assert_eq!(again.notices, config.notices);
}

#[test]
fn each_key_of_a_recipe_may_stand_alone() {
    assert_eq!(model("  optimizer: adamw").optimizer, Optimizer::AdamW { weight_decay: WEIGHT_DECAY });
    assert_eq!(model("  schedule: plateau").schedule, Schedule::Plateau);
    assert_eq!(model("  task_balancing: fixed").task_balancing, TaskBalancing::Fixed);
    let crop = |text: &str| model(&format!("  augmentation: {{crop: {text}}}")).augmentation.crop;
    assert_eq!((crop("true"), crop("none"), crop("False")), (Some(RandomCrop::default()), None, None));
    assert_eq!(crop("{ratio: [1, 1]}").unwrap().ratio, (1.0, 1.0));
    assert_eq!(model("  augmentation: none").augmentation.crop, None);
    assert_eq!(model("  backbone_learning_rate:").backbone_learning_rate, None);
}

#[test]
fn what_cannot_both_be_meant_is_told() {
    let fault = |lines: &str| with_model(lines).unwrap_err().message;
    assert!(fault("  weight_decay: 0.1").contains("is for `optimizer: adamw`"));
    let frozen = "  freeze_convolutional_layers: true";
    let message = fault(&format!("{frozen}\n  backbone_learning_rate: 0.1"));
    assert!(message.contains("take one of them out"), "{message}");
    let message = fault(&format!("{frozen}\n  frozen_epochs: 1"));
    assert!(message.contains("`model.frozen_epochs` trains all layers in the end"), "{message}");
    let message = fault("  frozen_epochs: 3\n  epochs: 3");
    assert!(message.contains("of 3 epochs none is left for all layers"), "{message}");
    for (line, expected) in [
        ("  schedule: cosine", "`plateau` or `one_cycle`"),
        ("  optimizer: sgd", "`adam` or `adamw`"),
        (
            "  task_balancing: gradnorm",
            "`model.task_balancing` is `gradnorm`, expected `fixed` or `uncertainty`",
        ),
        ("  label_smoothing: 1", "from 0 to below 1"),
        ("  augmentation: {crop: {scale: [0, 1]}}", "both from 0.01 to 1"),
        ("  augmentation: {crop: {size: 3}}", "`model.augmentation.crop.size` is unknown"),
        ("  augmentation: {crop: 3}", "`none`, `true`, or a group of keys"),
        ("  backbone_learning_rate: 0", "above 0 and at most 1"),
    ] {
        let message = fault(line);
        assert!(message.contains(expected), "{line}: {message}");
    }
    let notices =
        with_model("  schedule: one_cycle\n  min_lr: 0.0001\n  lr_reducer_factor: 0.1").unwrap().notices;
    assert_eq!(notices, ["with `schedule: one_cycle` these keys have no effect: `min_lr`"]);
}
