//! A look at a download before it is imported: which of its files are there, how many images they name, and whether
//! an import was here before.

use std::fs;
use std::path::{Path, PathBuf};

use crate::dataset::split::Part;

use super::annotation::wrong_path;
use super::layout::{DeepFashionLayout, PartFiles};
use super::lines::AnnotationLines;

/// What was found. Nothing is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Survey {
    /// The folder of the project, where its `config.yml` goes.
    pub root: PathBuf,
    /// The folder that the paths of images start at.
    pub images_folder: PathBuf,
    /// Expected files that are not there.
    pub missing: Vec<PathBuf>,
    /// Train, validation and test, each with the images that its list names; `None` where the list cannot be read.
    pub images: Vec<(Part, Option<usize>)>,
    /// The first image of each list, where it is not there.
    pub missing_images: Vec<PathBuf>,
    /// The groups of the dataset config that are kept; `None` where the kinds of category are the groups.
    pub groups: Option<Vec<String>>,
    /// What an earlier import left.
    pub earlier: EarlierImport,
    /// What to tell of where paths start.
    pub notices: Vec<String>,
}

/// What an earlier import left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EarlierImport {
    /// Nothing.
    None,
    /// Crops without a CSV: it was stopped.
    Stopped,
    /// All of it.
    Whole,
}

impl Survey {
    /// Looks at the files of a layout. Reads the lists of images, not the images.
    pub fn of(layout: &DeepFashionLayout) -> Self {
        let lists = [&layout.categories, &layout.attributes];
        let parts = layout.parts.iter().flat_map(PartFiles::all);
        let files = lists.into_iter().chain(parts);
        let mut survey = Self {
            root: layout.root.clone(),
            images_folder: layout.images.folder.clone(),
            missing: files.filter(|file| !file.is_file()).cloned().collect(),
            images: Vec::new(),
            missing_images: Vec::new(),
            groups: layout.aggregation.as_ref().map(|groups| groups.to_model.clone()),
            earlier: earlier(&layout.crops.folder, &layout.table),
            notices: layout.notices.clone(),
        };
        for files in &layout.parts {
            let lines = AnnotationLines::read(&files.paths).ok();
            let first = lines.as_ref().and_then(|lines| lines.get(0));
            let first = first.filter(|path| wrong_path(Some(path)).is_none());
            let first = first.map(|path| layout.images.folder.join(path)).filter(|image| !image.is_file());
            survey.missing_images.extend(first);
            survey.images.push((files.part, lines.map(|lines| lines.len())));
        }
        survey
    }

    /// A file as the user knows it: below the folder of the images or of the project, where it is there.
    pub fn named(&self, file: &Path) -> String {
        let below =
            [&self.images_folder, &self.root].into_iter().find_map(|folder| file.strip_prefix(folder).ok());
        below.unwrap_or(file).display().to_string()
    }

    /// How many images all lists name.
    pub fn image_count(&self) -> usize {
        self.images.iter().filter_map(|(_, count)| *count).sum()
    }

    /// Why it cannot be imported, if it cannot, and what to do.
    pub fn obstacle(&self) -> Option<String> {
        if !self.missing.is_empty() {
            return Some(
                "Files of the annotation are missing: unpack img and Anno_fine of the download into one folder, and choose that"
                    .to_owned(),
            );
        }
        if self.image_count() == 0 {
            return Some("The lists name no image: take the files as they were downloaded".to_owned());
        }
        let has_lists = self.images.iter().filter(|(_, count)| count.is_some_and(|count| count > 0)).count();
        (self.missing_images.len() == has_lists).then(|| {
            "The lists name images that are not there: unpack img of the download beside Anno_fine".to_owned()
        })
    }
}

fn earlier(crops: &Path, table: &Path) -> EarlierImport {
    let has_crops = fs::read_dir(crops).is_ok_and(|mut crops| crops.next().is_some());
    match (has_crops, table.is_file()) {
        (false, _) => EarlierImport::None,
        (true, false) => EarlierImport::Stopped,
        (true, true) => EarlierImport::Whole,
    }
}
