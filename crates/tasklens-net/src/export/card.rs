//! The card of an exported model: what it answers, how well, and how to call it. Markdown.

use std::fmt::Write as _;
use std::path::Path;

use tasklens_data::text::{counted, counted_grouped, percent};

use super::about::{About, Score};
use crate::onnx::IMAGE;

/// The card of a model in a file of this name.
pub fn card(about: &About, file: &str) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = write_card(&mut text, about, file);
    text
}

/// Whether a file is such a card.
pub fn is_card(file: &Path) -> bool {
    std::fs::read_to_string(file).is_ok_and(|text| text.contains(BY))
}

/// What every card says.
const BY: &str = "by Tasklens";

fn write_card(to: &mut String, about: &About, file: &str) -> std::fmt::Result {
    let network = about.network.title;
    writeln!(to, "# {}\n", plain(file))?;
    writeln!(
        to,
        "One convolutional network ({network}) that answers {} about an image at once. Exported from the run {} \
         {BY} {}, {}.\n",
        counted(about.tasks.len(), "question"),
        plain(&about.run),
        env!("CARGO_PKG_VERSION"),
        about.date
    )?;
    answers(to, about)?;
    data(to, about)?;
    limits(to, about)?;
    calling(to, about, file)
}

fn answers(to: &mut String, about: &About) -> std::fmt::Result {
    writeln!(to, "## What it answers\n\n| output | labels, in order | accuracy | validation images |")?;
    writeln!(to, "| --- | --- | --- | --- |")?;
    let outputs = about.outputs();
    for ((task, output), Score { accuracy, images }) in about.tasks.iter().zip(&outputs).zip(&about.scores) {
        let labels: Vec<String> = task.labels.iter().map(|label| plain(label)).collect();
        let unknown = || "not known".to_owned();
        writeln!(
            to,
            "| {} | {} | {} | {} |",
            plain(output),
            labels.join(", "),
            accuracy.map_or_else(unknown, percent),
            images.map_or_else(unknown, |images| images.to_string())
        )?;
    }
    if let Some((task, output)) =
        about.tasks.iter().zip(&outputs).find(|(task, output)| task.name != **output)
    {
        let (task, output) = (plain(&task.name), plain(output));
        writeln!(to, "\nThe task {task} is the output {output}, as the input has its name.")?;
    }
    writeln!(to)
}

fn data(to: &mut String, about: &About) -> std::fmt::Result {
    writeln!(to, "## Data\n")?;
    let table = about.table.as_ref().map(|table| format!(" of {}", plain(table))).unwrap_or_default();
    match about.images {
        Some((train, validation)) => writeln!(
            to,
            "Trained on {}{table}, for {}. Its weights are those of the epoch that was best on {} of the same table, and \
             the accuracies above are of these: expect somewhat less on new images.",
            counted_grouped(train, "image"),
            counted(about.epoch, "epoch"),
            counted_grouped(validation, "validation image")
        )?,
        None => writeln!(to, "The file of the model does not say which images it was trained on.")?,
    }
    if let Some(origin) = &about.origin {
        writeln!(to, "\nBrought over from another program: {}.", plain(origin))?;
    }
    writeln!(to)
}

fn limits(to: &mut String, about: &About) -> std::fmt::Result {
    writeln!(to, "## Limits\n")?;
    writeln!(
        to,
        "- It chooses one of the labels for every image, also for one that shows none of them. A probability compares the \
         labels; it does not say that the image is of a known kind.\n\
         - It was measured on images like those that it was trained on. Measure it on yours before you rely on it.\n\
         - Programs decode JPEG a little differently. Where two labels are nearly as probable, that can change the answer.\n\
         - It computes in {}.",
        match about.precision {
            "fp16" => "half precision, the heads in float32",
            "int8" => "float32, from weights of 8 bits with a scale per channel",
            _ => "float32",
        }
    )?;
    for note in &about.notes {
        writeln!(to, "- {}", plain(note))?;
    }
    writeln!(to)
}

fn calling(to: &mut String, about: &About, file: &str) -> std::fmt::Result {
    let (height, width) = about.size;
    writeln!(
        to,
        "## How to call it\n\n\
         Input `{IMAGE}`: bytes `[N, H, W, 3]`, RGB, 0 to 255, of any height and width. Hand over whole images: the file \
         makes them {height} x {width} pixels (height x width) and scales the values as in training. Turn photographs \
         upright first, as their EXIF says, and put transparent images on white. Outputs: per task the probability of \
         each label, `[N, labels]`. ONNX, operators of version 18.\n\n\
         Python (`pip install onnxruntime pillow`):\n\n```python\n{}```\n\n\
         Rust (crates `rten` 0.27, `rten-tensor` 0.27, `image` 0.25, `anyhow` 1):\n\n```rust\n{}```",
        PYTHON.replace(FILE, &python_text(file)),
        RUST.replace(FILE, &format!("{file:?}")),
    )
}

const PYTHON: &str = include_str!("example.py");
const RUST: &str = include_str!("example.rs");
/// The file in the examples.
const FILE: &str = "\"model.onnx\"";

/// A text as Python writes it: JSON's escapes are among Python's.
fn python_text(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// A text that means itself in Markdown, in one line.
fn plain(text: &str) -> String {
    let mut plain = String::new();
    for character in text.chars() {
        match character {
            '\n' | '\r' | '\t' => plain.push(' '),
            c if "\\`*_{}[]<>()#+!|~&$".contains(c) => plain.extend(['\\', c]),
            c => plain.push(c),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_what_they_are() {
        assert_eq!(plain("a|b_c\n**d** <e>"), r"a\|b\_c \*\*d\*\* \<e\>");
        assert_eq!(plain("größe「青」"), "größe「青」");
        assert_eq!(python_text("it's \"new\\\".onnx"), r#""it's \"new\\\".onnx""#);
    }
}
