//! `dataset_config.yml` of the Python project: where the raw files of a data set are, and which of its categories are
//! modelled together.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::outside::resolved;
use super::reader::{ConfigReader, Section};
use super::yaml::{self, Node, Value, YamlEntry};
use super::{ConfigError, Root, read_text};

const PATHS: [&str; 19] = [
    "categories_path",
    "attributes_path",
    "train_files_path",
    "train_categories_path",
    "train_attributes_path",
    "train_bboxes_path",
    "test_files_path",
    "test_categories_path",
    "test_attributes_path",
    "test_bboxes_path",
    "val_files_path",
    "val_categories_path",
    "val_attributes_path",
    "val_bboxes_path",
    "full_dataset_path",
    "model_subset_path",
    "processed_subset_path",
    "data_folder_prefix",
    "cropped_folder",
];

/// What the file says.
#[derive(Clone, Debug, Default)]
pub(crate) struct DatasetConfig {
    /// Where its relative paths start; `None` without a file.
    pub root: Option<PathBuf>,
    pub aggregation: Option<Aggregation>,
    /// What its reader should tell.
    pub notices: Vec<String>,
    /// By key: the text, and the path that it is.
    paths: BTreeMap<String, (String, PathBuf)>,
}

/// `categories:`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Aggregation {
    /// Groups with their categories, in the order of the file.
    pub groups: Vec<(String, Vec<String>)>,
    /// The groups that are kept.
    pub to_model: Vec<String>,
    /// The file, for messages.
    pub file: PathBuf,
}

impl DatasetConfig {
    /// Reads a file.
    ///
    /// # Errors
    /// What is wrong with it, with line and key.
    pub fn open(file: &Path) -> Result<Self, ConfigError> {
        let text = read_text(file)?;
        let root = yaml::parse(&text).map_err(|fault| ConfigError {
            file: file.to_path_buf(),
            line: Some(fault.line),
            message: fault.message,
        })?;
        let mut reader = ConfigReader::new(file);
        let top = entries(&mut reader, "dataset_config.yml", root.as_ref());
        let top = Section { name: "", place: None, entries: top };
        reader.only_known(&top, &["paths", "categories"], &[("paths", &PATHS)]);
        let paths =
            Section { name: "paths", place: None, entries: entries(&mut reader, "paths", top.get("paths")) };
        reader.only_known(&paths, &PATHS, &[]);
        let mut read = Self::default();
        let first = paths.get("categories_path").and_then(Node::text);
        if let Some(first) = first.filter(|first| !first.is_empty()) {
            let found = Root::of(&reader.own, first);
            reader.notices.extend(found.notice(&reader.own, first));
            reader.folder = found.folder;
        }
        for key in PATHS {
            let text = paths.get(key).and_then(Node::text).map(str::to_owned);
            if let (Some(text), Some(path)) = (text, reader.path(&paths, key)) {
                read.paths.insert(key.to_owned(), (text, path));
            }
        }
        if let Some(node) = top.get("categories").filter(|node| !node.is_null()) {
            let groups = aggregation(&mut reader, node);
            read.aggregation = Some(Aggregation { file: file.to_path_buf(), ..groups });
        }
        read.root = Some(reader.folder.clone());
        read.notices = reader.finish(file)?;
        Ok(read)
    }

    /// The path of a key.
    pub fn path(&self, key: &str) -> Option<PathBuf> {
        self.paths.get(key).map(|(_, path)| path.clone())
    }

    /// A path as it is written.
    pub fn text(&self, key: &str) -> Option<&str> {
        self.paths.get(key).map(|(text, _)| text.as_str())
    }

    /// Whether a place lies in a folder, links followed. Looks at the disk.
    pub fn is_inside(&self, folder: &Path, place: &Path) -> bool {
        resolved(place).starts_with(resolved(folder))
    }
}

fn entries<'a>(reader: &mut ConfigReader, name: &str, node: Option<&'a Node>) -> &'a [YamlEntry] {
    node.map_or(&[][..], |node| reader.map(name, node, "a group of keys, indented below it"))
}

fn aggregation(reader: &mut ConfigReader, node: &Node) -> Aggregation {
    let section =
        Section { name: "categories", place: None, entries: entries(reader, "categories", Some(node)) };
    reader.only_known(&section, &["aggregation", "to_model"], &[]);
    let mut read = Aggregation::default();
    for entry in entries(reader, "categories.aggregation", section.get("aggregation")) {
        let names = texts(reader, &format!("categories.aggregation.{}", entry.key), &entry.node);
        for name in &names {
            let other = read.groups.iter().find(|(_, known)| known.contains(name));
            if let Some((group, _)) = other {
                let message = format!(
                    "`{name}` is in the group `{group}` already, and cannot be in `{}`, too",
                    entry.key
                );
                reader.fault(Some(&entry.place), message);
            }
        }
        read.groups.push((entry.key.clone(), names));
    }
    let Some(node) = section.get("to_model") else {
        read.to_model = read.groups.iter().map(|(group, _)| group.clone()).collect();
        return read;
    };
    read.to_model = texts(reader, "categories.to_model", node);
    for group in &read.to_model {
        let known = || read.groups.iter().map(|(group, _)| group.as_str());
        if !known().any(|known| known == group) {
            let near = super::nearest(group, known());
            let near = near.map(|near| format!(": did you mean `{near}`?")).unwrap_or_default();
            let message =
                format!("`categories.to_model` has `{group}`, which is no group of the aggregation{near}");
            reader.fault(Some(&node.place), message);
        }
    }
    read
}

fn texts(reader: &mut ConfigReader, full: &str, node: &Node) -> Vec<String> {
    let Value::List(items) = &node.value else {
        reader.wrong(full, node, "a list of names, such as [Dress, Robe]");
        return Vec::new();
    };
    let names: Vec<String> = items.iter().filter_map(Node::text).map(str::to_owned).collect();
    if names.len() != items.len() {
        reader.fault(Some(&node.place), format!("`{full}` has something that is no name"));
    }
    names
}
