//! What the words mean that not everybody knows: each has its text here, and nowhere else. Where such a word is a heading
//! or the name of something, it is a *term*: a quiet dotted line is below it ([`term_ui`], [`explain`]) or a question mark
//! beside it ([`mark_ui`]), its tooltip says what it means, and a press leads to it in the list of all words.

use egui::{
    Align2, Context, CursorIcon, FontId, Id, Label, Rect, Response, RichText, Role, Sense, Shape, Ui,
    WidgetInfo,
};
use strum::VariantArray;

use super::focus_ring;
use crate::app::theme::{self, GRID, TEXT_SMALL, Tokens};

/// A word of the trade.
#[derive(Clone, Copy, Debug, PartialEq, Eq, VariantArray)]
pub enum Word {
    Accuracy,
    Augmentation,
    Backbone,
    BalancedAccuracy,
    Batch,
    Calibration,
    Checkpoint,
    ClassWeights,
    Confidence,
    ConfusionMatrix,
    EarlyStopping,
    Ece,
    Epoch,
    F1,
    Features,
    FineTuning,
    Frozen,
    GradientShare,
    Head,
    HeatMap,
    LabelSmoothing,
    LearningRate,
    LogLoss,
    Loss,
    MacroF1,
    Optimizer,
    Overfitting,
    Precision,
    Pretrained,
    Recall,
    Run,
    Similarity,
    Split,
    Task,
    Validation,
    WeightDecay,
}

impl Word {
    /// All of them, by name.
    pub const ALL: &'static [Self] = Self::VARIANTS;

    /// Words that stand in the list alone: nothing in the window is called so, or it explains itself.
    pub const LIST_ONLY: [Self; 2] = [
        // Settings speak of heads, but none is called so.
        Self::Head,
        // The switch is a button of its own, and its tooltip says what it does.
        Self::HeatMap,
    ];

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
            Self::Augmentation => (
                "Augmentation",
                "Training images are turned, shifted, mirrored or brightened a little, differently in each epoch, so that \
                 the network learns what they have in common. Validation images stay as they are.",
            ),
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
                "Calibration",
                "Whether confidence can be believed: of the answers given with 90 % confidence, 90 % should be right.",
            ),
            Self::ClassWeights => (
                "Class weights",
                "How much a label counts in the loss. Balanced weights make rare labels count more, so that the network \
                 does not ignore them.",
            ),
            Self::EarlyStopping => (
                "Early stopping",
                "Training ends when the validation loss has not become better for some epochs. The best weights are kept.",
            ),
            Self::Ece => (
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
            Self::F1 => (
                "F1",
                "Precision and recall as one number, their harmonic mean. It is high only if both are.",
            ),
            Self::Features => (
                "Features",
                "The numbers that the backbone makes of an image, also called its embedding. Images that look alike to the \
                 network have similar features.",
            ),
            Self::FineTuning => (
                "Fine-tuning",
                "Training goes on with all layers of a pretrained backbone, usually after the heads alone were trained.",
            ),
            Self::Frozen => (
                "Frozen",
                "The weights of the backbone stay as they are, and only the heads are trained. That is fast, but the \
                 backbone cannot adapt to these images.",
            ),
            Self::GradientShare => (
                "Gradient share",
                "How much of the change of the shared backbone comes from a task. A task that is starved has so small a \
                 share that the backbone hardly learns for it.",
            ),
            Self::Head => (
                "Head",
                "The small last part of the network that answers one task, from the features of the backbone.",
            ),
            Self::HeatMap => ("Heat map", "Which parts of an image speak for a label, by the network."),
            Self::LabelSmoothing => (
                "Label smoothing",
                "A small share of each label is spread over all labels of its task, so that the network does not become \
                 overconfident.",
            ),
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
            Self::Optimizer => (
                "Optimizer",
                "The rule by which weights are moved after each batch: Adam gives each weight its own step size.",
            ),
            Self::Overfitting => (
                "Overfitting",
                "The network learns its training images by heart: it does better and better on them, and worse on \
                 others.",
            ),
            Self::Precision => {
                ("Precision", "Of the images that are given a label, the share that really has it.")
            }
            Self::Pretrained => (
                "Pretrained",
                "The backbone begins with weights that were learnt on many other images, so fewer of one's own are needed.",
            ),
            Self::Recall => ("Recall", "Of the images that have a label, the share that is given it."),
            Self::Run => (
                "Run",
                "A folder with all that came of one training: settings, scores of each epoch, and the best weights.",
            ),
            Self::Similarity => (
                "Similarity",
                "How alike two images look to the network, from the angle between their features. 1 is the same.",
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
            Self::WeightDecay => (
                "Weight decay",
                "With each step, all weights also shrink a little, which holds off overfitting.",
            ),
        }
    }
}

/// A word of the trade in this text.
pub fn term_ui(ui: &mut Ui, text: RichText, word: Word) -> Response {
    let shown = text.text().to_owned();
    let label = ui.add(Label::new(text).selectable(false).sense(Sense::click()));
    let place = label.rect;
    explain(ui, label, place, &shown, (word, ""))
}

/// Makes what responds to a click a term, with a line below the text at `text`. It is called `shown`; its tooltip says
/// `hint` and then what the word means.
pub fn explain(ui: &Ui, response: Response, text: Rect, shown: &str, (word, hint): (Word, &str)) -> Response {
    let tokens = Tokens::of(ui.ctx());
    let is_lit = response.hovered() || response.has_focus();
    let color = if is_lit { tokens.text } else { tokens.text_weak };
    let ends = [text.left_bottom(), text.right_bottom()];
    ui.painter().extend(Shape::dotted_line(&ends, color.gamma_multiply(0.8), 3.0, 0.6));
    lead(ui, response, shown, (word, hint))
}

/// A question mark in `place` beside a heading that has another use for a press.
pub fn mark_ui(ui: &Ui, place: Rect, word: Word) -> Response {
    let tokens = Tokens::of(ui.ctx());
    let response = ui.interact(place, ui.scope_id().with(("glossary", word as u8)), Sense::click());
    let is_lit = response.hovered() || response.has_focus();
    let color = if is_lit { tokens.text } else { tokens.text_weak };
    ui.painter().text(place.center(), Align2::CENTER_CENTER, "?", FontId::proportional(TEXT_SMALL), color);
    lead(ui, response, &format!("{}: what it means", word.name()), (word, ""))
}

/// Explains by a tooltip, and by a press in the list; for what shows in its own way that it can be pressed.
pub fn lead(ui: &Ui, response: Response, shown: &str, (word, hint): (Word, &str)) -> Response {
    let is_enabled = ui.is_enabled();
    response.widget_info(|| WidgetInfo::labeled(Role::Button, is_enabled, shown));
    ui.ctx().accesskit_node_builder(response.id, |node| node.set_description(word.meaning()));
    focus_ring(ui, &response);
    if response.clicked() {
        ask(ui.ctx(), word);
    }
    response.on_hover_cursor(CursorIcon::Help).on_hover_ui(|ui| {
        ui.set_max_width(80.0 * GRID);
        if !hint.is_empty() {
            ui.label(hint);
            ui.add_space(GRID);
        }
        explained_ui(ui, word);
        ui.label(theme::caption(Tokens::of(ui.ctx()), "Click to see it among all words"));
    })
}

/// Where the word is that the list is asked for: terms are in widgets that have no way to send a command.
fn asked_id() -> Id {
    Id::unique("word that the glossary is asked for")
}

/// Asks for the list of all words, at this one.
pub fn ask(ctx: &Context, word: Word) {
    ctx.data_mut(|data| data.insert_temp(asked_id(), Some(word)));
    ctx.request_repaint();
}

/// The word that was asked for since the last call.
pub fn take_asked(ctx: &Context) -> Option<Word> {
    ctx.data_mut(|data| data.remove_temp::<Option<Word>>(asked_id())).flatten()
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
    fn each_word_has_a_sentence_and_is_found_by_it() {
        for word in Word::ALL {
            assert!(word.meaning().ends_with('.'), "{word:?}");
        }
        assert!(Word::LogLoss.is_found_by("surprised") && Word::MacroF1.is_found_by("macro-f1"));
        assert!(!Word::Epoch.is_found_by("heat map"));
    }

    #[test]
    fn words_are_listed_by_name() {
        let names: Vec<String> = Word::ALL.iter().map(|word| word.name().to_lowercase()).collect();
        assert!(names.is_sorted(), "{names:?}");
    }
}
