//! Where the files of DeepFashion are and where those of the project go: as the dataset config of the Python project
//! says, and where it says nothing, from the folder of the download.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};

use super::annotation::TYPES;
use crate::config::dataset_config::{Aggregation, DatasetConfig};
use crate::dataset::split::Part;

/// The files of an import.
#[derive(Clone, Debug)]
pub struct DeepFashionLayout {
    /// The folder of the project, where its `config.yml` goes.
    pub root: PathBuf,
    /// What to tell of where paths start.
    pub notices: Vec<String>,
    /// The CSV of the project, one row per crop.
    pub table: PathBuf,
    pub(super) categories: PathBuf,
    pub(super) attributes: PathBuf,
    pub(super) parts: [PartFiles; 3],
    /// The table of all rows, Parquet.
    pub(super) full: PathBuf,
    /// The table of the rows of the groups to model, Parquet.
    pub(super) subset: PathBuf,
    /// The folder that the paths of the annotation start at.
    pub(super) images: CellFolder,
    /// The folder of the crops.
    pub(super) crops: CellFolder,
    /// Groups of categories; none takes the three types that the list of categories has.
    pub(super) aggregation: Option<Aggregation>,
    /// Without groups, which of the types are kept.
    pub(super) kept_types: [bool; TYPES.len()],
}

/// The four files of a part.
#[derive(Clone, Debug)]
pub(super) struct PartFiles {
    pub part: Part,
    pub paths: PathBuf,
    pub categories: PathBuf,
    pub attributes: PathBuf,
    pub boxes: PathBuf,
}

impl PartFiles {
    /// All four.
    pub fn all(&self) -> [&PathBuf; 4] {
        [&self.paths, &self.categories, &self.attributes, &self.boxes]
    }
}

/// A folder, and how the cells of the CSV write it.
#[derive(Clone, Debug)]
pub(super) struct CellFolder {
    pub folder: PathBuf,
    text: String,
}

impl CellFolder {
    /// The cell of a file in it.
    pub fn cell(&self, path: &str) -> String {
        if self.text.is_empty() { path.to_owned() } else { format!("{}/{path}", self.text) }
    }
}

impl DeepFashionLayout {
    /// The layout of a download in `data`, of a dataset config, or of both: what the config does not say is in `data`.
    /// With `out` all results go into that folder.
    ///
    /// # Errors
    /// The config cannot be read, a file is named by neither, or a result would lie outside of the project's folder.
    pub fn of(data: Option<&Path>, config: Option<&Path>, out: Option<&Path>) -> anyhow::Result<Self> {
        let absolute = |path: &Path| {
            std::path::absolute(path).with_context(|| format!("cannot tell where {} is", path.display()))
        };
        let data = data.map(absolute).transpose()?;
        let out = out.map(absolute).transpose()?;
        let config = match config {
            Some(file) => DatasetConfig::open(file)?,
            None => DatasetConfig::default(),
        };
        let root = out.clone().or(config.root.clone()).or(data.clone());
        let root =
            root.context("name the folder of DeepFashion's data, or a dataset config with --config")?;
        let paths = LayoutPaths { config: &config, data, out, root: &root };
        let layout = Self {
            notices: config.notices.clone(),
            categories: paths.input("categories_path", "Anno_fine/list_category_cloth.txt")?,
            attributes: paths.input("attributes_path", "Anno_fine/list_attr_cloth.txt")?,
            parts: [
                paths.part(Part::Train, "train")?,
                paths.part(Part::Validation, "val")?,
                paths.part(Part::Test, "test")?,
            ],
            full: paths.output("full_dataset_path", "full_dataset.parquet"),
            subset: paths.output("model_subset_path", "model_subset.parquet"),
            table: paths.output("processed_subset_path", "processed_subset.csv"),
            images: paths.images()?,
            crops: paths.crops(),
            aggregation: config.aggregation.clone(),
            kept_types: [true; TYPES.len()],
            root: root.clone(),
        };
        for result in [&layout.full, &layout.subset, &layout.table, &layout.crops.folder] {
            ensure!(
                config.is_inside(&root, result),
                "{} is outside of the project's folder {}: correct the dataset config, or name an output folder for all \
                 results",
                result.display(),
                root.display()
            );
        }
        Ok(layout)
    }

    /// Keeps only these of [`TYPES`](super::TYPES), where no dataset config has groups of its own.
    pub fn keeping(self, kept_types: [bool; TYPES.len()]) -> Self {
        Self { kept_types, ..self }
    }
}

/// Answers which path a key has.
struct LayoutPaths<'a> {
    config: &'a DatasetConfig,
    data: Option<PathBuf>,
    out: Option<PathBuf>,
    root: &'a Path,
}

impl LayoutPaths<'_> {
    fn input(&self, key: &str, default: &str) -> anyhow::Result<PathBuf> {
        let below = || self.data.as_ref().map(|data| data.join(default));
        self.config.path(key).or_else(below).with_context(|| {
            format!(
                "the dataset config has no `paths.{key}`: add it, or name the folder of DeepFashion's data"
            )
        })
    }

    fn part(&self, part: Part, name: &str) -> anyhow::Result<PartFiles> {
        let file = |key: &str, end: &str| {
            self.input(&format!("{name}_{key}_path"), &format!("Anno_fine/{name}{end}.txt"))
        };
        Ok(PartFiles {
            part,
            paths: file("files", "")?,
            categories: file("categories", "_cate")?,
            attributes: file("attributes", "_attr")?,
            boxes: file("bboxes", "_bbox")?,
        })
    }

    /// A result: with `out` in that folder, under the name that the config has for it.
    fn output(&self, key: &str, default: &str) -> PathBuf {
        let named = self.config.path(key);
        match &self.out {
            Some(out) => {
                let name = named.as_deref().and_then(Path::file_name).unwrap_or(default.as_ref());
                out.join(name)
            }
            None => named.unwrap_or_else(|| self.data.as_deref().unwrap_or(self.root).join(default)),
        }
    }

    fn images(&self) -> anyhow::Result<CellFolder> {
        let folder = self.input("data_folder_prefix", "")?;
        let text = self.config.text("data_folder_prefix").filter(|_| self.out.is_none());
        Ok(self.place(&folder, text))
    }

    fn crops(&self) -> CellFolder {
        let folder = self.output("cropped_folder", "img_crop");
        let text = self.config.text("cropped_folder").filter(|_| self.out.is_none());
        self.place(&folder, text)
    }

    /// Cells are written as the config has it, from where its paths start; else from the folder of the project.
    fn place(&self, folder: &Path, text: Option<&str>) -> CellFolder {
        let folder: PathBuf = folder.components().collect();
        let text = text.map(|text| text.trim_end_matches('/').to_owned()).unwrap_or_else(|| {
            let below = folder.strip_prefix(self.root).unwrap_or(&folder);
            below.to_string_lossy().replace(std::path::MAIN_SEPARATOR, "/")
        });
        CellFolder { folder, text }
    }
}
