//! Every action of the user as one enum: text, tooltip, icon and shortcut side by side. Menus, the
//! palette, the shortcut list and the tests are generated from it: a new action is one variant and
//! one arm.

use egui::{Key, KeyboardShortcut, Modifiers};
use strum::VariantArray;

use crate::app::place::Place;
use crate::app::theme::icons;

/// An action of the user that needs no argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, VariantArray)]
pub enum UiCommand {
    /// Ask for a CSV or config and open it.
    OpenProject,
    /// Ask for a folder of images to label.
    NewProject,
    /// Write the built-in sample (once) and open it.
    OpenSample,
    /// Ask where DeepFashion is, and make a project of it.
    ImportDeepFashion,
    /// Read the open project again from disk.
    ReloadProject,
    /// Leave the project.
    CloseProject,
    /// Go to Data.
    ShowData,
    /// Go to Label.
    ShowLabel,
    /// Go to Train.
    ShowTrain,
    /// Go to Predict.
    ShowPredict,
    /// Go to Inspect.
    ShowInspect,
    /// Go to the confusion matrix.
    ShowConfusion,
    /// Go to the images with their verdicts.
    ShowErrors,
    /// Go to the labels that are probably wrong.
    ShowLabelErrors,
    /// Go to the same picture on both sides of the split.
    ShowDuplicates,
    /// Go to the map.
    ShowMap,
    /// Go to the comparison of two runs.
    CompareRuns,
    /// Go to the study of one network or several.
    CompareNetworks,
    /// Undo the last label edit.
    Undo,
    /// Redo the label edit that was undone last.
    Redo,
    /// Write the label edits into the CSV.
    SaveLabels,
    /// Ask how and where, and write the labels for other programs.
    ExportLabels,
    /// Fit the heads to the labels as they are, for suggestions.
    UpdateModel,
    /// Train a network beside the labelling, with settings that suit.
    TrainFirst,
    /// Write what was learnt in Label as a run.
    SaveAsRun,
    /// Show the tasks and labels, to change them.
    EditTasks,
    /// Put the cursor into the filter of the table.
    FocusFilter,
    /// Show all rows again.
    ClearFilter,
    /// Check every image file again.
    CheckImages,
    /// Start a run with the settings shown.
    StartTraining,
    /// Pause the run, or go on.
    PauseTraining,
    /// Stop the run after the batch in hand.
    StopTraining,
    /// Ask for images and predict them.
    OpenImages,
    /// Predict some validation images of the project, whose labels are known.
    TryValidationImages,
    /// Ask for a checkpoint or run folder and predict with it.
    OpenModel,
    /// Ask for a model that Keras saved, and make a run of it.
    ImportKeras,
    /// Predict the image or URL in the clipboard.
    Paste,
    /// Put the cursor into the URL field.
    TypeUrl,
    /// Find any action by name.
    CommandPalette,
    /// List all shortcuts.
    ShowShortcuts,
    /// Explain all words.
    ShowGlossary,
    /// Show or hide the log.
    ToggleLog,
    /// Light, dark, as the system says.
    ThemeLight,
    /// See [`Self::ThemeLight`].
    ThemeDark,
    /// See [`Self::ThemeLight`].
    ThemeSystem,
    /// Everything larger.
    ZoomIn,
    /// Everything smaller.
    ZoomOut,
    /// Everything at 100 %.
    ZoomReset,
    /// Close the window.
    Quit,
}

impl UiCommand {
    /// All actions, in the order of menus and palette.
    pub const ALL: &'static [Self] = Self::VARIANTS;

    /// The action that goes to a place.
    pub fn go_to(place: Place) -> Self {
        match place {
            Place::Data => Self::ShowData,
            Place::Label => Self::ShowLabel,
            Place::Train => Self::ShowTrain,
            Place::Predict => Self::ShowPredict,
            Place::Inspect => Self::ShowInspect,
        }
    }

    /// Text on buttons, in menus and in the palette; also the accessible name.
    pub fn text(self) -> &'static str {
        self.text_and_tooltip().0
    }

    /// One sentence that says what happens.
    pub fn tooltip(self) -> &'static str {
        self.text_and_tooltip().1
    }

    fn text_and_tooltip(self) -> (&'static str, &'static str) {
        match self {
            Self::OpenProject => ("Open\u{2026}", "Open a CSV of labelled images, or its config.yml"),
            Self::NewProject => ("Label a folder\u{2026}", "Start from a folder of images without labels"),
            Self::OpenSample => ("Open the sample", "Draw a small data set of garments and open it"),
            Self::ImportDeepFashion => {
                ("Import DeepFashion\u{2026}", "Make a project of the DeepFashion data set")
            }
            Self::ReloadProject => ("Reload", "Read the config and the CSV again from disk"),
            Self::CloseProject => ("Close project", "Go back to the start page"),
            Self::ShowData => ("Show data", "The images, their labels and what is wrong with them"),
            Self::ShowLabel => ("Show labelling", "Give each image its labels, with the network's help"),
            Self::ShowTrain => ("Show training", "Train a network and watch it learn"),
            Self::ShowPredict => ("Show predictions", "Ask a trained network about any image"),
            Self::ShowInspect => ("Show inspection", "See where and why a network is wrong"),
            Self::ShowConfusion => ("Confusion matrix", "Which labels the network takes for which"),
            Self::ShowErrors => ("Misclassified images", "Browse the images, the wrong predictions first"),
            Self::ShowLabelErrors => {
                ("Likely label errors", "Labels that are probably wrong, to be corrected")
            }
            Self::ShowDuplicates => ("Duplicates", "Find the same picture on both sides of the split"),
            Self::ShowMap => ("Map of the images", "The images by what the network makes of them"),
            Self::CompareRuns => ("Compare runs", "Set another run beside this one, on the same rows"),
            Self::CompareNetworks => (
                "One network or several?",
                "Train one network for all tasks and one for each, and compare them",
            ),
            Self::Undo => ("Undo", "Undo the last label edit"),
            Self::Redo => ("Redo", "Redo the label edit that was undone last"),
            Self::SaveLabels => ("Save labels", "Write the label edits into the CSV; a dated backup is kept"),
            Self::ExportLabels => (
                "Export labels\u{2026}",
                "Write the labels as a CSV, as one folder per label or as JSON lines",
            ),
            Self::UpdateModel => {
                ("Update the model", "Fit the heads to the labels so far, in the background")
            }
            Self::TrainFirst => (
                "Train a first network now",
                "In the background, with settings that suit this computer; Label suggests when it is done",
            ),
            Self::SaveAsRun => {
                ("Save as a run", "Save the updated model as a run that Predict and Inspect can open")
            }
            Self::EditTasks => ("Tasks and labels\u{2026}", "Add, rename, merge or remove tasks and labels"),
            Self::FocusFilter => ("Filter rows", "Find rows by path or label"),
            Self::ClearFilter => ("Clear filter", "Show all rows again"),
            Self::CheckImages => ("Check images", "Check every image file for damage"),
            Self::StartTraining => ("Start training", "Train with the settings shown"),
            Self::PauseTraining => ("Pause or resume training", "Pause after the current batch, or resume"),
            Self::StopTraining => ("Stop training", "Stop after the current batch and keep the best weights"),
            Self::OpenImages => ("Open images\u{2026}", "Choose images to predict"),
            Self::TryValidationImages => {
                ("Try validation images", "Predict 20 random validation images, beside their labels")
            }
            Self::OpenModel => ("Open model\u{2026}", "Choose a checkpoint to predict with"),
            Self::ImportKeras => (
                "Import a Keras model\u{2026}",
                "Make a run of a model.h5 that the Python project trained for these tasks",
            ),
            Self::Paste => ("Paste image or URL", "Predict the image, file or URL on the clipboard"),
            Self::TypeUrl => ("Predict from a URL", "Type the URL of an image"),
            Self::CommandPalette => ("Command palette", "Find any action by name"),
            Self::ShowShortcuts => ("Keyboard shortcuts", "List every shortcut"),
            Self::ShowGlossary => {
                ("All words", "Explain the words of the trade, from accuracy to validation")
            }
            Self::ToggleLog => ("Log", "Show or hide the messages so far"),
            Self::ThemeLight => ("Light theme", "Dark text on light grey"),
            Self::ThemeDark => ("Dark theme", "Light text on dark grey"),
            Self::ThemeSystem => ("System theme", "Follow the system's light or dark theme"),
            Self::ZoomIn => ("Zoom in", "Make everything larger"),
            Self::ZoomOut => ("Zoom out", "Make everything smaller"),
            Self::ZoomReset => ("Reset zoom", "Show everything at 100 %"),
            Self::Quit => ("Quit", "Close the window"),
        }
    }

    /// A glyph of the icon font.
    pub fn icon(self) -> &'static str {
        match self {
            Self::OpenProject => icons::FOLDER_OPEN,
            Self::NewProject => icons::TAG,
            Self::OpenSample => icons::T_SHIRT,
            Self::ImportDeepFashion | Self::ImportKeras => icons::TRAY,
            Self::ReloadProject | Self::ZoomReset => icons::ARROW_COUNTER_CLOCKWISE,
            Self::CloseProject => icons::X,
            Self::ShowData => icons::TABLE,
            Self::ShowLabel => icons::TAG,
            Self::ShowTrain => icons::CHART_LINE,
            Self::ShowPredict => icons::CROSSHAIR,
            Self::ShowInspect
            | Self::ShowConfusion
            | Self::ShowErrors
            | Self::ShowLabelErrors
            | Self::ShowDuplicates
            | Self::ShowMap
            | Self::CompareRuns => icons::MICROSCOPE,
            Self::CompareNetworks => icons::CHART_LINE,
            Self::Undo => icons::ARROW_U_UP_LEFT,
            Self::Redo => icons::ARROW_U_UP_RIGHT,
            Self::SaveLabels => icons::FLOPPY_DISK,
            Self::ExportLabels => icons::EXPORT,
            Self::UpdateModel => icons::LIGHTNING,
            Self::TrainFirst => icons::PLAY,
            Self::SaveAsRun => icons::GRAPH,
            Self::EditTasks => icons::PENCIL_SIMPLE,
            Self::FocusFilter => icons::MAGNIFYING_GLASS,
            Self::ClearFilter => icons::FUNNEL,
            Self::CheckImages => icons::SCAN,
            Self::StartTraining => icons::PLAY,
            Self::PauseTraining => icons::PAUSE,
            Self::StopTraining => icons::STOP,
            Self::OpenImages => icons::IMAGES,
            Self::TryValidationImages => icons::CHECK_CIRCLE,
            Self::OpenModel => icons::GRAPH,
            Self::Paste => icons::CLIPBOARD,
            Self::TypeUrl => icons::LINK,
            Self::CommandPalette => icons::COMMAND,
            Self::ShowShortcuts => icons::KEYBOARD,
            Self::ShowGlossary => icons::INFO,
            Self::ToggleLog => icons::LIST,
            Self::ThemeLight => icons::SUN,
            Self::ThemeDark => icons::MOON,
            Self::ThemeSystem => icons::CIRCLE_HALF,
            Self::ZoomIn => icons::ZOOM_IN,
            Self::ZoomOut => icons::ZOOM_OUT,
            Self::Quit => icons::SIGN_OUT,
        }
    }

    /// The shortcut that the app listens to.
    pub fn shortcut(self) -> Option<KeyboardShortcut> {
        let command = Modifiers::COMMAND;
        let command_shift = Modifiers::COMMAND.plus(Modifiers::SHIFT);
        let (modifiers, key) = match self {
            Self::OpenProject => (command, Key::O),
            Self::NewProject => (command, Key::N),
            Self::ReloadProject => (Modifiers::NONE, Key::F5),
            Self::CloseProject => (command, Key::W),
            Self::ShowData => (command, Key::Num1),
            Self::ShowLabel => (command, Key::Num2),
            Self::ShowTrain => (command, Key::Num3),
            Self::ShowPredict => (command, Key::Num4),
            Self::ShowInspect => (command, Key::Num5),
            Self::Undo => (command, Key::Z),
            Self::Redo => (command_shift, Key::Z),
            Self::SaveLabels => (command, Key::S),
            Self::UpdateModel => (command, Key::U),
            Self::EditTasks => (command, Key::T),
            Self::FocusFilter => (command, Key::F),
            Self::StartTraining => (command, Key::Enter),
            Self::PauseTraining => (command_shift, Key::Space),
            Self::StopTraining => (command, Key::Period),
            Self::OpenImages => (command, Key::I),
            Self::OpenModel => (command, Key::M),
            Self::TypeUrl => (command, Key::L),
            Self::CommandPalette => (command, Key::P),
            Self::ShowShortcuts => (Modifiers::NONE, Key::F1),
            Self::ToggleLog => (command, Key::J),
            Self::ZoomIn => (command, Key::Plus),
            Self::ZoomOut => (command, Key::Minus),
            Self::ZoomReset => (command, Key::Num0),
            Self::Quit => (command, Key::Q),
            // Ctrl+V arrives as a paste event of its own.
            Self::Paste => (command, Key::V),
            Self::OpenSample
            | Self::ShowConfusion
            | Self::ShowErrors
            | Self::ShowLabelErrors
            | Self::ShowDuplicates
            | Self::ShowMap
            | Self::CompareRuns
            | Self::CompareNetworks
            | Self::ImportDeepFashion
            | Self::ImportKeras
            | Self::ExportLabels
            | Self::TrainFirst
            | Self::SaveAsRun
            | Self::ClearFilter
            | Self::CheckImages
            | Self::TryValidationImages
            | Self::ShowGlossary
            | Self::ThemeLight
            | Self::ThemeDark
            | Self::ThemeSystem => return None,
        };
        Some(KeyboardShortcut::new(modifiers, key))
    }

    /// Another shortcut that people know for it.
    pub fn other_shortcut(self) -> Option<KeyboardShortcut> {
        match self {
            Self::CommandPalette => Some(KeyboardShortcut::new(Modifiers::COMMAND, Key::K)),
            Self::ZoomIn => Some(KeyboardShortcut::new(Modifiers::COMMAND, Key::Equals)),
            _ => None,
        }
    }

    /// The shortcut in words, such as `Ctrl+O`; empty where there is none.
    pub fn shortcut_text(self, ctx: &egui::Context) -> String {
        self.shortcut().map(|shortcut| ctx.format_shortcut(&shortcut)).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    #[test]
    fn no_two_actions_share_a_text_or_a_shortcut() {
        let mut texts = HashMap::new();
        let mut shortcuts = HashMap::new();
        for &command in UiCommand::ALL {
            assert_eq!(texts.insert(command.text(), command), None, "{command:?}");
            for shortcut in command.shortcut().into_iter().chain(command.other_shortcut()) {
                assert_eq!(shortcuts.insert(format!("{shortcut:?}"), command), None, "{command:?}");
            }
        }
    }
}
