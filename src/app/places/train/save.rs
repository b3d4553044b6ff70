//! Writes changed settings into the user's own `config.yml`: only the keys that changed are touched,
//! so that comments, order and the rest stay as they were written.

use std::ops::Range;

use anyhow::{Context as _, bail};
use tasklens_data::config::Config;

/// `text` (of `old.file`) with every key of `model:` that differs between `old` and `new` replaced.
///
/// # Errors
/// The file is laid out in a way that cannot be edited key by key, or changed on disk meanwhile; the
/// message lists what to write by hand.
pub fn edited(text: &str, old: &Config, new: &Config) -> anyhow::Result<String> {
    let (old_yaml, new_yaml) = (old.to_yaml(), new.to_yaml());
    let (old_lines, new_lines) = (lines(&old_yaml), lines(&new_yaml));
    let mut result: Vec<String> = lines(text).into_iter().map(str::to_owned).collect();
    let mut by_hand = Vec::new();
    for block in blocks(&new_lines) {
        let value = &new_lines[block.lines.clone()];
        let before = blocks(&old_lines).into_iter().find(|other| other.key == block.key);
        if before.is_some_and(|before| old_lines[before.lines] == *value) {
            continue;
        }
        by_hand.push(value.join("\n"));
        set(&mut result, block.key, value).with_context(|| advice(old, &by_hand))?;
    }
    for block in blocks(&old_lines) {
        if !blocks(&new_lines).iter().any(|other| other.key == block.key) {
            by_hand.push(format!("without `{}`", block.key));
            remove(&mut result, block.key);
        }
    }
    let result = result.join("\n") + "\n";
    match Config::parse(&result, &new.file) {
        Ok(read) if read.model == new.model => Ok(result),
        Ok(_) | Err(_) => bail!(advice(old, &by_hand)),
    }
}

fn advice(config: &Config, changes: &[String]) -> String {
    format!(
        "{} is written in a way that cannot be changed key by key, or was changed meanwhile; write by hand:\n{}",
        config.file.display(),
        changes.join("\n")
    )
}

/// A key of `model:` with its value.
struct Block<'a> {
    key: &'a str,
    lines: Range<usize>,
}

fn lines(text: &str) -> Vec<&str> {
    text.lines().collect()
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start_matches(' ').len()
}

fn is_blank(line: &str) -> bool {
    let line = line.trim_start();
    line.is_empty() || line.starts_with('#')
}

/// A line that goes on with the value above it, though it is not indented further than its key.
fn goes_on(line: &str) -> bool {
    line.trim_start().starts_with(['-', ']', '}'])
}

/// The lines of the `model:` section below its own line.
fn section(lines: &[&str]) -> Option<Range<usize>> {
    let start =
        lines.iter().position(|line| line.trim_end() == "model:" || line.starts_with("model: #"))? + 1;
    let end = (start..lines.len())
        .find(|&index| !is_blank(lines[index]) && indent(lines[index]) == 0)
        .unwrap_or(lines.len());
    Some(start..end)
}

fn blocks<'a>(lines: &[&'a str]) -> Vec<Block<'a>> {
    let Some(section) = section(lines) else { return Vec::new() };
    let first = section.clone().find(|&index| !is_blank(lines[index]));
    let Some(depth) = first.map(|index| indent(lines[index])) else { return Vec::new() };
    let mut blocks: Vec<Block<'a>> = Vec::new();
    for index in section {
        let line = lines[index];
        if is_blank(line) {
            continue;
        }
        let key = line.trim_start().split(':').next().unwrap_or_default().trim_matches(['"', '\'']);
        match blocks.last_mut() {
            Some(block) if indent(line) > depth || goes_on(line) => block.lines.end = index + 1,
            _ => blocks.push(Block { key, lines: index..index + 1 }),
        }
    }
    blocks
}

/// Replaces the value of `key`, or adds it at the end of the section.
fn set(text: &mut Vec<String>, key: &str, value: &[&str]) -> anyhow::Result<()> {
    let lines: Vec<&str> = text.iter().map(String::as_str).collect();
    let blocks = blocks(&lines);
    let last = blocks.last().context("there is no `model:` section")?;
    let depth = indent(lines[last.lines.start]);
    let old_depth = value.first().map_or(0, |line| indent(line));
    let mut new: Vec<String> = value
        .iter()
        .map(|line| format!("{}{}", " ".repeat(depth), line.get(old_depth..).unwrap_or_default()))
        .collect();
    let range = match blocks.iter().find(|block| block.key == key) {
        Some(block) => {
            let first = lines[block.lines.start];
            if let (Some(comment), Some(line)) = (comment(first), new.first_mut()) {
                line.push_str(comment);
            }
            block.lines.clone()
        }
        None => last.lines.end..last.lines.end,
    };
    text.splice(range, new);
    Ok(())
}

fn remove(text: &mut Vec<String>, key: &str) {
    let lines: Vec<&str> = text.iter().map(String::as_str).collect();
    if let Some(range) = blocks(&lines).iter().find(|block| block.key == key).map(|block| block.lines.clone())
    {
        text.drain(range);
    }
}

/// The comment at the end of a line, with the space before it.
fn comment(line: &str) -> Option<&str> {
    let mut quote = None;
    let mut space = None;
    for (index, character) in line.char_indices() {
        match (quote, character) {
            (Some(open), character) if open == character => quote = None,
            (None, '"' | '\'') => quote = Some(character),
            (None, '#') if space.is_some() => return space.and_then(|start| line.get(start..)),
            _ => {}
        }
        if character.is_whitespace() {
            space.get_or_insert(index);
        } else {
            space = None;
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use tasklens_data::config::{Augmentation, DeviceChoice};

    use super::*;

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
        let text = edited(TEXT, &old, &new).unwrap();
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
        let saved = edited(&text, &old, &new).unwrap();
        assert!(saved.contains(recipe), "{saved}");
        // A change of what stands in one group with it.
        new.model.augmentation.rotation = 5.0;
        let saved = config(&edited(&text, &old, &new).unwrap()).model;
        assert_eq!(saved.augmentation.crop, old.model.augmentation.crop);
        assert_eq!((saved.frozen_epochs, saved.optimizer), (1, old.model.optimizer));
    }

    #[test]
    fn a_new_key_joins_the_end_of_the_section() {
        let old = config(TEXT);
        let mut new = old.clone();
        new.model.device = DeviceChoice::Cpu;
        new.model.augmentation = Augmentation::none();
        let text = edited(TEXT, &old, &new).unwrap();
        assert_eq!(config(&text).model, new.model);
        assert!(text.contains("learning_rate: .001\n    augmentation:\n      rotation: 0\n"), "{text}");
        assert!(text.ends_with("    device: cpu\n\n# the end\n"), "{text}");
    }

    #[test]
    fn a_value_of_several_lines_is_replaced_whole() {
        let text = TEXT.replace("input_shape: [224, 224]", "input_shape:\n    - 224\n    - 224");
        let old = config(&text);
        let mut new = old.clone();
        new.model.width = 128;
        let result = edited(&text, &old, &new).unwrap();
        assert_eq!(result, TEXT.replace("[224, 224]", "[224, 128]"));
    }

    #[test]
    fn a_key_that_is_back_at_its_default_goes_away() {
        let text = TEXT.replace("random_seed: 7", "task_weights:\n      print: 2\n    random_seed: 7");
        let old = config(&text);
        let mut new = old.clone();
        new.model.task_weights = vec![1.0; 2];
        assert_eq!(edited(&text, &old, &new).unwrap(), TEXT);
    }

    #[test]
    fn a_layout_that_cannot_be_edited_is_an_error_that_says_what_to_write() {
        let text = "{paths: {model_dataframe: a.csv}, model: {target_encoder: {a: [x, y]}}}\n";
        let old = config(text);
        let mut new = old.clone();
        new.model.epochs = 3;
        let message = format!("{:#}", edited(text, &old, &new).unwrap_err());
        assert!(message.contains("epochs: 3") && message.contains("config.yml"), "{message}");
    }
}
