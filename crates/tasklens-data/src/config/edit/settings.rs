//! A change of settings in the text of a config: only the keys that changed are touched, so that comments, order and
//! the rest stay as they were written.

use super::draft::ConfigDraft;
use super::{entries, entry, value};
use crate::config::Config;
use crate::config::yaml::{self, Node, YamlEntry};

/// `text` (of `old.file`) with every key of `model:` that differs between `old` and `new` replaced.
///
/// # Errors
/// The file is laid out in a way that cannot be edited key by key, or changed on disk meanwhile; the
/// message lists what to write by hand.
pub fn edit_settings(text: &str, old: &Config, new: &Config) -> Result<String, String> {
    let (before, after) = (old.to_yaml(), new.to_yaml());
    let (before, after) = (settings(&before), settings(&after));
    let mut edited = text.to_owned();
    let mut by_hand = Vec::new();
    for setting in &after {
        if before.contains(setting) {
            continue;
        }
        by_hand.push(setting.lines.to_owned());
        edited = set(&edited, setting).map_err(|why| format!("{}: {why}", advice(old, &by_hand)))?;
    }
    for Setting { key, .. } in &before {
        if after.iter().all(|setting| setting.key != *key) {
            by_hand.push(format!("without `{key}`"));
            edited = remove(&edited, key).map_err(|why| format!("{}: {why}", advice(old, &by_hand)))?;
        }
    }
    match Config::parse(&edited, &new.file) {
        Ok(read) if read.model == new.model => Ok(edited),
        Ok(_) | Err(_) => Err(advice(old, &by_hand)),
    }
}

fn advice(config: &Config, changes: &[String]) -> String {
    format!(
        "{} is written in a way that cannot be changed key by key, or was changed meanwhile; write by hand:\n{}",
        config.file.display(),
        changes.join("\n")
    )
}

/// A key of `model:` as [`Config::to_yaml`] writes it.
#[derive(PartialEq)]
struct Setting<'a> {
    key: String,
    /// Its lines with those of its value.
    lines: &'a str,
}

fn settings(yaml: &str) -> Vec<Setting<'_>> {
    let root = yaml::parse(yaml).ok().flatten();
    let model = root.as_ref().and_then(|root| value(root, "model"));
    let draft = ConfigDraft::new(yaml);
    let setting = |entry: &YamlEntry| Setting { key: entry.key.clone(), lines: draft.lines_of(entry) };
    model.map_or_else(Vec::new, |model| entries(model).iter().map(setting).collect())
}

fn set(text: &str, setting: &Setting<'_>) -> Result<String, String> {
    change(text, |draft, model| match entry(model, &setting.key) {
        Some(entry) => draft.replace_entry(entry, setting.lines),
        None => draft.add_entry(model, setting.lines),
    })
}

fn remove(text: &str, key: &str) -> Result<String, String> {
    change(text, |draft, model| match entry(model, key) {
        Some(_) => draft.remove_from(model, key),
        None => Ok(()),
    })
}

fn change(
    text: &str,
    change: impl FnOnce(&mut ConfigDraft<'_>, &Node) -> Result<(), &'static str>,
) -> Result<String, String> {
    let root = yaml::parse(text).map_err(|fault| fault.message)?;
    let model = root.as_ref().and_then(|root| value(root, "model")).ok_or("there is no `model:` section")?;
    let mut draft = ConfigDraft::new(text);
    change(&mut draft, model)?;
    Ok(draft.finish())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{Augmentation, DeviceChoice};

    const TEXT: &str = "\
# My garments.
paths:
  model_dataframe: garments.csv  # the CSV

model:
    # what we ask
    target_encoder:
        sleeves: [long, short]
        print:
        - plain
        - 'striped # loud'
    input_shape: [224, 224]
    batch_size: 16   # fits my laptop
    random_seed: 7
    learning_rate: .001

# the end
";

    fn config(text: &str) -> Config {
        Config::parse(text, std::path::Path::new("/garments/config.yml")).unwrap()
    }

    #[test]
    fn only_the_changed_keys_are_touched() {
        let old = config(TEXT);
        let mut new = old.clone();
        new.model.batch_size = 32;
        new.model.learning_rate = 0.0005;
        let text = edit_settings(TEXT, &old, &new).unwrap();
        let expected = TEXT
            .replace("batch_size: 16   # fits", "batch_size: 32   # fits")
            .replace("learning_rate: .001", "learning_rate: 0.0005");
        assert_eq!(text, expected);
    }

    #[test]
    fn keys_that_the_form_does_not_show_stay() {
        let recipe = "    schedule: one_cycle  # four epochs
    optimizer: adamw
    weight_decay: 0.02
    label_smoothing: 0.1
    frozen_epochs: 1
    backbone_learning_rate: 5e-4
    augmentation: {rotation: 0, crop: {scale: [0.35, 1]}}
";
        let text = TEXT.replace("    learning_rate: .001\n", &format!("    learning_rate: .001\n{recipe}"));
        let old = config(&text);
        let mut new = old.clone();
        new.model.learning_rate = 0.003;
        let saved = edit_settings(&text, &old, &new).unwrap();
        assert!(saved.contains(recipe), "{saved}");
        // A change of what stands in one group with it.
        new.model.augmentation.rotation = 5.0;
        let saved = config(&edit_settings(&text, &old, &new).unwrap()).model;
        assert_eq!(saved.augmentation.crop, old.model.augmentation.crop);
        assert_eq!((saved.frozen_epochs, saved.optimizer), (1, old.model.optimizer));
    }

    #[test]
    fn a_new_key_joins_the_end_of_the_section() {
        let old = config(TEXT);
        let mut new = old.clone();
        new.model.device = DeviceChoice::Cpu;
        new.model.augmentation = Augmentation::none();
        let text = edit_settings(TEXT, &old, &new).unwrap();
        assert_eq!(config(&text).model, new.model);
        assert!(text.contains("learning_rate: .001\n    augmentation:\n      rotation: 0\n"), "{text}");
        assert!(text.ends_with("    device: cpu\n\n# the end\n"), "{text}");
    }

    #[test]
    fn line_ends_of_windows_and_a_key_without_a_value_stay_where_they_are() {
        let text = TEXT.replace("    batch_size", "    split_column:   # none yet\n    batch_size");
        let text = format!("\u{feff}{}", text.replace('\n', "\r\n"));
        let old = config(&text);
        let mut new = old.clone();
        new.model.split_column = Some("part".to_owned());
        new.model.device = DeviceChoice::Cpu;
        let expected = text
            .replace("split_column:   # none yet", "split_column: part   # none yet")
            .replace("rate: .001\r\n", "rate: .001\r\n    device: cpu\r\n");
        assert_eq!(edit_settings(&text, &old, &new).unwrap(), expected);
    }

    #[test]
    fn a_value_of_several_lines_is_replaced_whole() {
        let text = TEXT.replace("input_shape: [224, 224]", "input_shape:\n    - 224\n    - 224");
        let old = config(&text);
        let mut new = old.clone();
        new.model.width = 128;
        let result = edit_settings(&text, &old, &new).unwrap();
        assert_eq!(result, TEXT.replace("[224, 224]", "[224, 128]"));
    }

    #[test]
    fn a_key_that_is_back_at_its_default_goes_away() {
        let text = TEXT.replace("random_seed: 7", "task_weights:\n      print: 2\n    random_seed: 7");
        let old = config(&text);
        let mut new = old.clone();
        new.model.task_weights = vec![1.0; 2];
        assert_eq!(edit_settings(&text, &old, &new).unwrap(), TEXT);
    }

    #[test]
    fn a_layout_that_cannot_be_edited_is_an_error_that_says_what_to_write() {
        let text = "{paths: {model_dataframe: a.csv}, model: {target_encoder: {a: [x, y]}}}\n";
        let old = config(text);
        let mut new = old.clone();
        new.model.epochs = 3;
        let message = edit_settings(text, &old, &new).unwrap_err();
        assert!(message.contains("epochs: 3") && message.contains("config.yml"), "{message}");
    }
}
