//! What can be done with images, wherever they are shown.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use tasklens_data::dataset::{Dataset, ImageRow};
use tasklens_data::text::counted_grouped;

use super::{AppCommand, CommandSender};
use crate::app::services::project::ImageSource;
use crate::app::theme::icons;

/// What is done with images.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImageAction {
    /// Show it large, or as whoever shows it opens it.
    Open,
    /// Label them, and no others.
    Label,
    /// Predict them.
    Predict,
    /// Show its row.
    ShowInData,
    /// Show its file in the system's file manager.
    ShowInFolder,
    /// Put the paths into the clipboard.
    CopyPath,
}

impl ImageAction {
    /// A glyph of the icon font.
    pub fn icon(self) -> &'static str {
        match self {
            Self::Open => icons::IMAGE,
            Self::Label => icons::TAG,
            Self::Predict => icons::CROSSHAIR,
            Self::ShowInData => icons::TABLE,
            Self::ShowInFolder => icons::FOLDER_OPEN,
            Self::CopyPath => icons::CLIPBOARD,
        }
    }

    /// In words, for so many images.
    pub fn text(self, count: usize) -> &'static str {
        match (self, count) {
            (Self::Open, _) => "Open",
            (Self::Label, 1) => "Label",
            (Self::Label, _) => "Label these",
            (Self::Predict, 1) => "Predict",
            (Self::Predict, _) => "Predict these",
            (Self::ShowInData, _) => "Show in Data",
            (Self::ShowInFolder, _) => "Show in folder",
            (Self::CopyPath, 1) => "Copy path",
            (Self::CopyPath, _) => "Copy paths",
        }
    }

    /// Whether it makes sense for several at once.
    pub fn is_for_many(self) -> bool {
        matches!(self, Self::Label | Self::Predict | Self::CopyPath)
    }

    /// Does it with rows of a project, all but [`Self::Open`]. Many rows are gathered in the background.
    pub fn on_rows(self, dataset: &Arc<Dataset>, rows: Vec<usize>, commands: &CommandSender) {
        commands.send(AppCommand::OnImages { action: self, dataset: Arc::clone(dataset), rows });
    }

    /// The command that does it with rows; `None` where there is none to do it with. Not for the UI thread.
    pub fn command(self, dataset: &Dataset, rows: &[usize]) -> Option<AppCommand> {
        let first = *rows.first()?;
        let paths = || rows.iter().filter_map(|row| Some(dataset.rows.get(*row)?.image.to_path_buf()));
        match self {
            Self::Open => None,
            Self::Label => {
                let images = rows.iter().map(|row| dataset.image_key(*row).into_owned()).collect();
                let title = match rows.len() {
                    1 => dataset.image_key(first).into_owned(),
                    count => counted_grouped(count, "selected image"),
                };
                Some(AppCommand::LabelImages { images, title })
            }
            Self::Predict => Some(AppCommand::OpenImages(paths().map(ImageSource::Path).collect())),
            Self::ShowInData => Some(AppCommand::SelectRow(ImageRow::of(dataset, first))),
            Self::ShowInFolder => Some(AppCommand::ShowInFolder(paths().next()?)),
            Self::CopyPath => Some(AppCommand::CopyText(lines(paths()))),
        }
    }

    /// Does it with a file that may belong to no project.
    pub fn on_file(self, file: &Path, commands: &CommandSender) {
        match self {
            Self::ShowInFolder => commands.send(AppCommand::ShowInFolder(file.to_path_buf())),
            Self::CopyPath => commands.send(AppCommand::CopyText(file.display().to_string())),
            Self::Predict => {
                commands.send(AppCommand::OpenImages(vec![ImageSource::Path(file.to_path_buf())]));
            }
            Self::Open | Self::Label | Self::ShowInData => {}
        }
    }
}

fn lines(paths: impl Iterator<Item = PathBuf>) -> String {
    paths.map(|path| path.display().to_string()).collect::<Vec<_>>().join("\n")
}
