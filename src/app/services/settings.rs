//! What the window remembers between sessions, in the user's config folder.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use tasklens_data::user_folders;

use super::current_model::RememberedModel;
use super::remembered_view::RememberedView;
use crate::app::place::Place;

/// So many projects are remembered.
const RECENT: usize = 8;

/// Light, dark, or what the system says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ThemeChoice {
    /// What the system says.
    #[default]
    System,
    Light,
    Dark,
}

impl From<ThemeChoice> for egui::ThemePreference {
    fn from(choice: ThemeChoice) -> Self {
        match choice {
            ThemeChoice::System => Self::System,
            ThemeChoice::Light => Self::Light,
            ThemeChoice::Dark => Self::Dark,
        }
    }
}

/// The user's own keys for labels: task, label, name of the key.
pub type LabelKeys = BTreeMap<String, BTreeMap<String, String>>;

/// Settings that were chosen and not saved: two configs, as YAML and without tasks and
/// columns, which Train does not choose.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct RememberedTraining {
    /// The settings that the config had.
    pub saved: String,
    /// What was chosen in their place.
    pub chosen: String,
}

/// The remembered things; a file that is damaged or older means defaults.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct Settings {
    /// Light or dark.
    pub theme: ThemeChoice,
    /// Configs that were open, the latest first.
    pub recent: Vec<PathBuf>,
    /// The config that was open when the window closed.
    pub open: Option<PathBuf>,
    /// The place that was shown.
    pub place: Place,
    /// The user's own keys for labels.
    pub label_keys: LabelKeys,
    /// How to train, per config, where something else was chosen than the config says.
    pub training: BTreeMap<PathBuf, RememberedTraining>,
    /// The current model, per config.
    pub models: BTreeMap<PathBuf, RememberedModel>,
    /// How the projects were looked at, per config.
    pub views: BTreeMap<PathBuf, RememberedView>,
    /// Zoom factor, 1 is 100 %; `None` when never changed.
    pub zoom: Option<f32>,
}

impl Settings {
    /// Reads the file; absent or damaged means defaults. A damaged one is put aside, and the second value says so.
    pub fn read(file: &Path) -> (Self, Option<String>) {
        let text = match std::fs::read_to_string(file) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return (Self::default(), None),
            Err(error) => return (Self::default(), Some(unread(file, &error))),
        };
        match serde_json::from_str(&text) {
            Ok(settings) => (settings, None),
            Err(error) => {
                let aside = file.with_extension("damaged.json");
                let kept = match std::fs::rename(file, &aside) {
                    Ok(()) => format!(" It was kept as {}.", aside.display()),
                    Err(_) => String::new(),
                };
                (Self::default(), Some(unread(file, &error) + &kept))
            }
        }
    }

    /// Writes the file; for the thread that keeps it.
    ///
    /// # Errors
    /// Any I/O error.
    pub fn write(&self, file: &Path) -> anyhow::Result<()> {
        let text = serde_json::to_vec_pretty(self)?;
        tasklens_data::files::replace(file, &text)
            .with_context(|| format!("{} cannot be written", file.display()))
    }

    /// Puts a config at the head of the recent list.
    pub fn remember(&mut self, config: &Path) {
        self.recent.retain(|other| other != config);
        self.recent.insert(0, config.to_path_buf());
        self.recent.truncate(RECENT);
        self.training.retain(|config, _| self.recent.contains(config));
        self.views.retain(|config, _| self.recent.contains(config));
        self.open = Some(config.to_path_buf());
    }
}

fn unread(file: &Path, error: &dyn std::fmt::Display) -> String {
    format!(
        "The settings in {} cannot be read ({error}), so the window starts with its defaults.",
        file.display()
    )
}

/// Where the window keeps things of its own.
#[derive(Clone, Debug)]
pub struct Folders {
    /// Settings and window size.
    pub config: PathBuf,
    /// Where the built-in sample is drawn.
    pub data: PathBuf,
}

impl Folders {
    /// The user's folders, as the system has them.
    pub fn of_user() -> Self {
        Self { config: user_folders::config(), data: user_folders::data() }
    }

    /// The file of the settings.
    pub fn settings(&self) -> PathBuf {
        self.config.join("settings.json")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_recent_list_has_each_project_once_and_the_latest_first() {
        let mut settings = Settings::default();
        for name in ["a", "b", "a", "c", "d", "e", "f", "g", "h", "i"] {
            settings.remember(Path::new(name));
        }
        let names: Vec<_> = settings.recent.iter().map(|path| path.to_string_lossy()).collect();
        assert_eq!(names, ["i", "h", "g", "f", "e", "d", "c", "a"]);
        assert_eq!(settings.open.as_deref(), Some(Path::new("i")));
    }

    #[test]
    fn settings_come_back_and_a_damaged_file_means_defaults() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("deep/settings.json");
        assert_eq!(Settings::read(&file), (Settings::default(), None));
        let settings = Settings { theme: ThemeChoice::Light, place: Place::Train, ..Settings::default() };
        settings.write(&file).unwrap();
        assert_eq!(Settings::read(&file), (settings.clone(), None));
        std::fs::write(&file, "{ \"theme\": 7").unwrap();
        let (read, told) = Settings::read(&file);
        let told = told.unwrap();
        assert_eq!(read, Settings::default());
        assert!(
            told.contains("settings.json cannot be read (") && told.contains("settings.damaged.json"),
            "{told}"
        );
        // What is written next takes nothing with it.
        settings.write(&file).unwrap();
        let aside = std::fs::read_to_string(file.with_file_name("settings.damaged.json")).unwrap();
        assert_eq!(aside, "{ \"theme\": 7");
    }
}
