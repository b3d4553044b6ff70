//! What Keras saved: its description of the model, and the variables of its layers. Read with care, as a file may come
//! from anywhere.

use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, bail, ensure};
use hdf5_reader::group::Group;
use hdf5_reader::storage::FileStorage;
use hdf5_reader::{Dataset, Hdf5File, OpenOptions};
use serde_json::Value;
use tasklens_data::files::regular;

use super::graph::Layer;

/// Where Keras keeps the variables, beside the optimizer's.
const WEIGHTS: &str = "model_weights";
/// The description of the model.
const MODEL: &str = "model_config";
/// What every HDF5 file begins with.
const SIGNATURE: &[u8] = b"\x89HDF\r\n\x1a\n";
/// A variable has at most so many bytes: ten times those of an Xception.
const LARGEST_READ: usize = 256 << 20;

/// A model that Keras saved, open for reading.
pub struct SavedModel {
    file: Hdf5File,
    model: Value,
    version: Option<String>,
}

impl SavedModel {
    /// Opens a file and reads what it says of its model.
    ///
    /// # Errors
    /// It cannot be read, or holds no model that Keras saved: the message says what it holds.
    pub fn open(path: &Path) -> anyhow::Result<Self> {
        let file = open(path)?;
        let damaged = || format!("{} is damaged", path.display());
        let root = file.root_group().with_context(damaged)?;
        let text = |name: &str| text(&root, name);
        let Some(model) = text(MODEL).with_context(damaged)? else {
            bail!("{} {}", path.display(), what_else(&root).with_context(damaged)?)
        };
        let model = serde_json::from_str(&model)
            .with_context(|| format!("{}: its `{MODEL}` cannot be understood", path.display()))?;
        let version = text("keras_version").ok().flatten();
        Ok(Self { file, model, version })
    }

    /// The description of its model.
    pub fn model(&self) -> &Value {
        &self.model
    }

    /// Who wrote it, such as `Keras 3.15.1`.
    pub fn written_by(&self) -> String {
        self.version.as_ref().map_or_else(|| "Keras".to_owned(), |version| format!("Keras {version}"))
    }

    /// A variable of a layer, whose shape must be `shape`, as Keras lays it out.
    ///
    /// # Errors
    /// It is missing, has another shape, holds other than float32, or is damaged: the message names the layer.
    pub fn read(&self, layer: &Layer, variable: &str, shape: &[u64]) -> anyhow::Result<Vec<f32>> {
        self.read_variable(layer, variable, shape)
            .with_context(|| format!("the layer `{}`: its {variable}", layer.name))
    }

    fn read_variable(&self, layer: &Layer, variable: &str, shape: &[u64]) -> anyhow::Result<Vec<f32>> {
        let dataset = self.find(layer, variable)?;
        ensure!(dataset.shape() == shape, "has shape {:?}, expected {shape:?}", dataset.shape());
        let values = dataset.read_array::<f32>().context("cannot be read as float32")?;
        let (values, _) = values.into_raw_vec_and_offset();
        let expected: u64 = shape.iter().product();
        ensure!(values.len() as u64 == expected, "has {} numbers, expected {expected}", values.len());
        Ok(values)
    }

    /// The group of a layer, or of the nested model that it is in, lists where the variables are, such as
    /// `block1_conv1/kernel:0`.
    fn find(&self, layer: &Layer, variable: &str) -> anyhow::Result<Dataset> {
        let group = layer.owner.as_deref().unwrap_or(&layer.name);
        let group = self.file.group(&format!("/{WEIGHTS}/{group}")).context("is not in the file")?;
        let names = listed(&group, "weight_names")?;
        let is_meant = |name: &&String| {
            let mut parts = name.split('/').rev();
            let last = parts.next().and_then(|last| last.split(':').next());
            last == Some(variable) && parts.any(|part| part == layer.name)
        };
        let mut meant = names.iter().filter(is_meant);
        let name = meant.next().context("is not in the file")?;
        ensure!(meant.next().is_none(), "is in the file more than once");
        let (folder, last) = name.rsplit_once('/').unwrap_or(("", name));
        let group = folder
            .split('/')
            .filter(|part| !part.is_empty())
            .try_fold(group, |group, part| group.group(part));
        Ok(group?.dataset(last)?)
    }
}

fn open(path: &Path) -> anyhow::Result<Hdf5File> {
    ensure!(
        !path.is_dir(),
        "{} is a folder, as TensorFlow's SavedModel is: save the model as one file, `model.save(\"model.h5\")`",
        path.display()
    );
    let cannot = || format!("cannot read {}", path.display());
    let mut file = regular::open(path).with_context(cannot)?;
    let mut first = [0; SIGNATURE.len()];
    let read = read_some(&mut file, &mut first).with_context(cannot)?;
    ensure!(first[..read] == *SIGNATURE, "{} {}", path.display(), kind_of(&first[..read]));
    let storage = FileStorage::from_file(file).with_context(cannot)?;
    let options = OpenOptions::default().with_max_read_bytes(LARGEST_READ).with_max_chunk_bytes(LARGEST_READ);
    Hdf5File::from_storage_with_options(Arc::new(storage), options)
        .with_context(|| format!("{} is damaged", path.display()))
}

fn read_some(file: &mut File, buffer: &mut [u8]) -> std::io::Result<usize> {
    let mut bytes = Vec::new();
    file.take(buffer.len() as u64).read_to_end(&mut bytes)?;
    buffer[..bytes.len()].copy_from_slice(&bytes);
    Ok(bytes.len())
}

/// What a file is that is no HDF5 file.
fn kind_of(first: &[u8]) -> &'static str {
    match first {
        [] => "is empty",
        [b'P', b'K', 3, 4, ..] => {
            "is a zip archive, as Keras 3 saves `.keras` files: open it there and save it as HDF5, \
             `keras.models.load_model(\"model.keras\").save(\"model.h5\")`"
        }
        [0x80, ..] => "is a Python pickle, which is not opened, as it can run anything",
        _ => "is no HDF5 file: expected what `model.save(\"model.h5\")` of Keras writes",
    }
}

/// What an HDF5 file holds that has no description of a model.
fn what_else(root: &Group) -> anyhow::Result<String> {
    let (groups, datasets) = root.member_names()?;
    let is_weights = text(root, "layer_names").is_ok_and(|names| names.is_some())
        || root.attribute("layer_names").is_ok()
        || root.attribute("layer_names0").is_ok()
        || groups.iter().any(|name| name == "layers");
    if is_weights {
        return Ok(
            "holds the weights of a Keras model only, without the network that they are of: save the whole \
                   model, `model.save(\"model.h5\")`"
                .to_owned(),
        );
    }
    let mut names = [groups, datasets].concat();
    let more = names.len().saturating_sub(5);
    names.truncate(5);
    let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
    Ok(format!("is an HDF5 file but no model of Keras: it holds {}{rest}", names.join(", ")))
}

/// A text among the attributes of a group; `None` where there is none of that name.
fn text(group: &Group, name: &str) -> anyhow::Result<Option<String>> {
    let attributes = group.attributes()?;
    let attribute = attributes.into_iter().find(|attribute| attribute.name == name);
    Ok(attribute.map(|attribute| attribute.read_string()).transpose()?)
}

/// A list of texts among the attributes of a group; what is longer than 64 KiB, Keras splits into `name0`, `name1`, ...
fn listed(group: &Group, name: &str) -> anyhow::Result<Vec<String>> {
    let attributes = group.attributes()?;
    let find = |name: &str| attributes.iter().find(|attribute| attribute.name == name);
    if let Some(whole) = find(name) {
        return Ok(whole.read_strings()?);
    }
    let mut names = Vec::new();
    for part in (0..).map_while(|number| find(&format!("{name}{number}"))) {
        names.extend(part.read_strings()?);
    }
    ensure!(!names.is_empty(), "the group `{}` does not say what it holds", group.name());
    Ok(names)
}
