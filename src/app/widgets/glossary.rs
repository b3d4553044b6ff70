//! What the words mean that not everybody knows: each has its text here, and nowhere else. A word that is shown with
//! [`word_ui`] explains itself by one press.

use egui::{Label, Popup, RichText, Sense, Ui, WidgetInfo};
use strum::VariantArray;

use crate::app::command::{CommandSender, UiCommand};
use crate::app::theme::{self, GRID, Tokens};

/// A word of the trade.
#[derive(Clone, Copy, Debug, PartialEq, Eq, VariantArray)]
pub enum Word {
    Accuracy,
    Backbone,
    BalancedAccuracy,
    Batch,
    Calibration,
    Checkpoint,
    Confidence,
    ConfusionMatrix,
    Epoch,
    Head,
    HeatMap,
    LearningRate,
    LogLoss,
    Loss,
    MacroF1,
    Overfitting,
    Precision,
    Recall,
    Run,
    Split,
    Task,
    Validation,
}

impl Word {
    /// All of them, by name.
    pub const ALL: &'static [Self] = Self::VARIANTS;

    /// The word as it is shown.
    pub fn name(self) -> &'static str {
        self.name_and_meaning().0
    }

    /// What it means, in one or a few sentences.
    pub fn meaning(self) -> &'static str {
        self.name_and_meaning().1
    }

    /// Whether the word or its meaning has a text in it, whatever the case; it is in lower case.
    pub fn is_found_by(self, text: &str) -> bool {
        let (name, meaning) = self.name_and_meaning();
        name.to_lowercase().contains(text) || meaning.to_lowercase().contains(text)
    }

    fn name_and_meaning(self) -> (&'static str, &'static str) {
        match self {
            Self::Accuracy => ("Accuracy", "The share of images that get the right label."),
            Self::Backbone => (
                "Backbone",
                "The large part of the network that turns an image into features. All tasks share it; it is usually \
                 pretrained on other images.",
            ),
            Self::BalancedAccuracy => (
                "Balanced accuracy",
                "The mean recall of the labels. A rare label counts as much as a frequent one.",
            ),
            Self::Batch => (
                "Batch",
                "The images that the network sees at once before its weights are changed. Larger batches need more \
                 memory.",
            ),
            Self::Calibration => (
                "ECE",
                "Expected calibration error: how far confidence is from accuracy. At 5 %, about 85 % or 95 % \
                 of the predictions made with 90 % confidence are right. 0 is perfect.",
            ),
            Self::Checkpoint => (
                "Checkpoint",
                "A file with the weights of a network. The best ones of a run are kept as best.safetensors.",
            ),
            Self::Confidence => ("Confidence", "The probability that the network gives to its answer."),
            Self::ConfusionMatrix => (
                "Confusion matrix",
                "A table of which labels are taken for which: one row for each label that images have, one column for \
                 each label that is predicted. What is right stands on the diagonal.",
            ),
            Self::Epoch => (
                "Epoch",
                "One pass over all training images. After each, the network is measured on the validation images.",
            ),
            Self::Head => (
                "Head",
                "The small last part of the network that answers one task, from the features of the backbone.",
            ),
            Self::HeatMap => ("Heat map", "Which parts of an image speak for a label, by the network."),
            Self::LearningRate => (
                "Learning rate",
                "How far the weights are moved after each batch. Too high and training becomes unsteady, too low and it \
                 takes long.",
            ),
            Self::LogLoss => (
                "Log loss",
                "How surprised the network is by the right label. 0 is perfect; confident mistakes \
                 cost most. Training minimises it.",
            ),
            Self::Loss => {
                ("Loss", "What training makes smaller: the log loss of each task, added up. 0 is perfect.")
            }
            Self::MacroF1 => (
                "Macro-F1",
                "The mean F1 of the labels, where F1 combines how many of a label's images are found \
                 with how seldom it is predicted wrongly. 100 % is perfect.",
            ),
            Self::Overfitting => (
                "Overfitting",
                "The network learns its training images by heart: it does better and better on them, and worse on \
                 others.",
            ),
            Self::Precision => {
                ("Precision", "Of the images that are given a label, the share that really has it.")
            }
            Self::Recall => ("Recall", "Of the images that have a label, the share that is given it."),
            Self::Run => (
                "Run",
                "A folder with all that came of one training: settings, scores of each epoch, and the best weights.",
            ),
            Self::Split => (
                "Split",
                "Which images the network learns from (train), which choose its best weights (validation) and which \
                 are kept for a last measurement (test).",
            ),
            Self::Task => (
                "Task",
                "A question about an image that has one answer among several labels, such as whether sleeves are long.",
            ),
            Self::Validation => (
                "Validation",
                "Measuring on images that the network does not learn from, so that learning by heart does not count.",
            ),
        }
    }
}

/// The word as a caption, as it is called here; a press explains it, and leads to all words.
pub fn word_ui(ui: &mut Ui, tokens: &Tokens, (shown, word): (&str, Word), commands: &CommandSender) {
    let label = ui.add(Label::new(theme::caption(tokens, shown)).sense(Sense::click()));
    label.widget_info(|| WidgetInfo::labeled(egui::Role::Button, true, shown));
    let label = label.on_hover_cursor(egui::CursorIcon::Help);
    Popup::menu(&label).show(|ui| {
        ui.set_max_width(80.0 * GRID);
        explained_ui(ui, word);
        ui.add_space(GRID);
        if ui.button(UiCommand::ShowGlossary.text()).clicked() {
            commands.ui(UiCommand::ShowGlossary);
            ui.close();
        }
    });
}

/// The word and what it means.
pub fn explained_ui(ui: &mut Ui, word: Word) {
    ui.label(theme::strong(word.name()));
    ui.add(Label::new(RichText::new(word.meaning())).wrap());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_in_order_of_their_names_each_with_a_sentence() {
        for word in Word::ALL {
            assert!(word.meaning().ends_with('.'), "{word:?}");
        }
        assert!(Word::LogLoss.is_found_by("surprised") && Word::MacroF1.is_found_by("macro-f1"));
        assert!(!Word::Epoch.is_found_by("heat map"));
    }
}
