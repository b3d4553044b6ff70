//! Other words for an action, by which the command palette finds it, too.

use super::UiCommand;
use crate::app::ranking::{Fit, Level, fit};

impl UiCommand {
    /// Words that people look for it with and that its text does not have.
    pub fn synonyms(self) -> &'static [&'static str] {
        match self {
            Self::TryValidationImages => &["examples", "test", "check"],
            Self::ShowGlossary => &["glossary", "explain", "meaning"],
            Self::OpenProject => &["load", "project", "csv", "config", "file"],
            Self::NewProject => &["new project", "create", "annotate", "import images"],
            Self::OpenSample => &["demo", "example"],
            Self::ImportDeepFashion => &["clothes", "data set"],
            Self::ReloadProject => &["refresh", "read again"],
            Self::CloseProject => &["leave", "start page", "home"],
            Self::ShowData => &["table", "rows", "problems", "data set"],
            Self::ShowLabel => &["annotate", "tag"],
            Self::ShowTrain => &["runs", "curves", "settings"],
            Self::ShowPredict => &["classify", "test an image", "infer"],
            Self::ShowInspect => &["report", "evaluate", "scores", "accuracy", "calibration"],
            Self::ShowConfusion => &["mistakes"],
            Self::ShowErrors => &["errors", "wrong predictions", "mistakes"],
            Self::ShowLabelErrors => &["wrong labels", "label errors", "clean", "mislabelled"],
            Self::ShowDuplicates => &["copies", "same picture"],
            Self::ShowMap => &["scatter", "embedding", "clusters", "similar"],
            Self::CompareRuns => &["models", "difference"],
            Self::CompareNetworks => &["study", "single task", "multitask", "compare networks"],
            Self::Undo => &["back", "revert"],
            Self::Redo => &["again", "forward"],
            Self::SaveLabels => &["write", "csv", "store"],
            Self::ExportLabels => &["json", "csv", "report", "save as"],
            Self::UpdateModel => &["learn", "suggestions", "fit", "retrain"],
            Self::TrainFirst => &["start", "fit", "background"],
            Self::SaveAsRun => &["model", "keep", "store"],
            Self::EditTasks => &["delete", "classes", "rename", "merge", "remove", "vocabulary"],
            Self::FocusFilter => &["search", "find"],
            Self::ClearFilter => &["all rows", "reset"],
            Self::CheckImages => &["damaged", "broken", "verify"],
            Self::StartTraining => &["fit", "run", "learn"],
            Self::PauseTraining => &["wait", "continue"],
            Self::StopTraining => &["cancel", "abort", "end"],
            Self::OpenImages => &["photos", "pictures", "files"],
            Self::OpenModel => &["checkpoint", "network", "weights"],
            Self::ImportKeras => &["h5", "tensorflow"],
            Self::Paste => &["clipboard"],
            Self::TypeUrl => &["web", "link", "download"],
            Self::CommandPalette => &["actions"],
            Self::ShowShortcuts => &["help", "keys", "hotkeys", "manual"],
            Self::ToggleLog => &["messages", "errors", "history", "console"],
            Self::ThemeLight | Self::ThemeSystem => &["appearance", "colours", "colors", "mode"],
            Self::ThemeDark => &["appearance", "colours", "colors", "mode", "night"],
            Self::ZoomIn => &["larger", "bigger", "font size"],
            Self::ZoomOut => &["smaller", "font size"],
            Self::ZoomReset => &["100", "normal size", "font size"],
            Self::Quit => &["exit", "close window"],
        }
    }

    /// How well what is typed finds it, the better the greater: by its text, then by another word for it, then by its
    /// tooltip, then by letters scattered over its text.
    pub fn fit(self, typed: &str) -> Option<(u8, Option<Fit>)> {
        let by_text = fit(typed, self.text());
        if by_text.is_some_and(|fit| fit.level > Level::Scattered) {
            return Some((3, by_text));
        }
        let by_word = self.synonyms().iter().filter_map(|word| fit(typed, word)).max();
        if by_word.is_some_and(|fit| fit.level >= Level::Words) {
            return Some((2, by_word));
        }
        let by_tooltip = fit(typed, self.tooltip());
        if by_tooltip.is_some_and(|fit| fit.level >= Level::Within) {
            return Some((1, by_tooltip));
        }
        by_text.map(|_| (0, by_text))
    }
}
