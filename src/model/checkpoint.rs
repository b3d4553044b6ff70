//! The checkpoint file: safetensors with everything needed to predict in its metadata.
//!
//! One file is enough: weights, backbone, tasks with their labels, input size, normalisation, metrics.
//! Only safetensors is read, never a pickle.

use std::collections::HashMap;
use std::path::Path;

use anyhow::{Context as _, anyhow, bail, ensure};
use serde::{Deserialize, Serialize};
use tch::{Device, Tensor};

use super::network::Network;
use super::tensor_file;
use crate::config::{Backbone, Task};

/// The checkpoint of a run folder to predict with.
pub const BEST: &str = "best.safetensors";

/// The key in the metadata that marks a file as ours, with the version of the layout.
const FORMAT_KEY: &str = "tasklens_checkpoint";
const FORMAT: &str = "1";

/// What a checkpoint says besides its tensors.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Description {
    /// `xception` or `xception_small`.
    pub backbone: String,
    /// Tasks with their labels in class order.
    pub tasks: Vec<Task>,
    /// Input height, pixels.
    pub height: u32,
    /// Input width, pixels.
    pub width: u32,
    /// Mean that is taken off the 0..1 pixel values, per channel.
    pub mean: [f32; 3],
    /// What they are divided by then.
    pub std: [f32; 3],
    /// `fp32` or `bf16`: what it was trained in.
    pub precision: String,
    /// Complete epochs.
    pub epoch: usize,
    /// The config as used, YAML.
    pub config: String,
    /// Metrics of the epoch, and what a resumed run needs, as JSON.
    pub extra: serde_json::Value,
}

impl Description {
    /// The backbone.
    ///
    /// # Errors
    /// It is none that this version knows.
    pub fn backbone(&self) -> anyhow::Result<Backbone> {
        Backbone::from_name(&self.backbone).ok_or_else(|| {
            anyhow!("the backbone `{}` is unknown to this version of Tasklens: update it", self.backbone)
        })
    }
}

/// Writes network, description and any further tensors (optimizer state) to `file`, whole or not at all.
///
/// # Errors
/// The disk is full or not writable; an earlier file stays as it was.
pub fn write(
    file: &Path,
    network: &Network,
    description: &Description,
    further: &[(String, Tensor)],
) -> anyhow::Result<()> {
    let parameters = network.parameters().iter().map(|p| (p.name.clone(), &p.tensor));
    let tensors: Vec<(String, &Tensor)> =
        parameters.chain(further.iter().map(|(name, tensor)| (name.clone(), tensor))).collect();
    let metadata = HashMap::from([
        (FORMAT_KEY.to_owned(), FORMAT.to_owned()),
        ("description".to_owned(), serde_json::to_string(description)?),
    ]);
    tensor_file::write(file, &tensors, Some(metadata)).context("the checkpoint is not kept")
}

/// Reads the description of a checkpoint without its tensors.
///
/// # Errors
/// It cannot be read, or is no checkpoint of Tasklens.
pub fn read_description(file: &Path) -> anyhow::Result<Description> {
    use std::io::Read as _;
    let mut reader = std::fs::File::open(file).with_context(|| format!("cannot read {}", file.display()))?;
    let mut length = [0_u8; 8];
    let damaged = || format!("{} is no safetensors file, or is damaged", file.display());
    reader.read_exact(&mut length).with_context(damaged)?;
    let length = u64::from_le_bytes(length);
    // The format's own limit on the header.
    ensure!(length <= 100_000_000, damaged());
    let mut header = vec![0_u8; length as usize];
    reader.read_exact(&mut header).with_context(damaged)?;
    let header: serde_json::Value = serde_json::from_slice(&header).with_context(damaged)?;
    let metadata: HashMap<String, String> = header
        .get("__metadata__")
        .map(|m| serde_json::from_value(m.clone()))
        .transpose()
        .with_context(damaged)?
        .unwrap_or_default();
    describe(file, &metadata)
}

/// The description within a file's metadata.
fn describe(file: &Path, metadata: &HashMap<String, String>) -> anyhow::Result<Description> {
    match metadata.get(FORMAT_KEY).map(String::as_str) {
        Some(FORMAT) => {}
        Some(other) => bail!(
            "{} was written by another version of Tasklens (layout {other}, expected {FORMAT}): update Tasklens",
            file.display()
        ),
        None => bail!(
            "{} is a safetensors file but no checkpoint of Tasklens: choose `best.safetensors` of a run",
            file.display()
        ),
    }
    let text =
        metadata.get("description").with_context(|| format!("{} lacks its description", file.display()))?;
    serde_json::from_str(text).with_context(|| format!("the description in {} is damaged", file.display()))
}

/// A network rebuilt from a checkpoint.
#[derive(Debug)]
pub struct Loaded {
    /// With the file's weights.
    pub network: Network,
    /// What the file says.
    pub description: Description,
    /// All of the file's tensors, optimizer state included.
    pub tensors: HashMap<String, Tensor>,
}

/// Rebuilds the network of a checkpoint on `device`.
///
/// # Errors
/// The file cannot be read, is no checkpoint of Tasklens, or is damaged.
pub fn load(file: &Path, device: Device) -> anyhow::Result<Loaded> {
    let tensor_file::Tensors { tensors, metadata } = tensor_file::read(file)?;
    let description = describe(file, &metadata)?;
    let mut network = Network::new(description.backbone()?, &description.tasks, 0, device)?;
    network.load(&tensors, |_| true).with_context(|| format!("{} is incomplete", file.display()))?;
    Ok(Loaded { network, description, tensors })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn description() -> Description {
        Description {
            backbone: "xception_small".to_owned(),
            tasks: vec![Task {
                name: "print".to_owned(),
                labels: vec!["solid".to_owned(), "striped".to_owned()],
            }],
            height: 64,
            width: 48,
            mean: [0.5; 3],
            std: [0.5; 3],
            precision: "fp32".to_owned(),
            epoch: 3,
            config: String::new(),
            extra: serde_json::json!({"val_loss": 0.25}),
        }
    }

    #[test]
    fn a_checkpoint_comes_back_whole() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("best.safetensors");
        let description = description();
        let network = Network::new(Backbone::XceptionSmall, &description.tasks, 7, Device::Cpu).unwrap();
        let moment = Tensor::from_slice(&[1.5_f32, -2.0]);
        write(&file, &network, &description, &[("adam.exp_avg.x".to_owned(), moment.copy())]).unwrap();

        let loaded = load(&file, Device::Cpu).unwrap();
        assert_eq!(loaded.description, description);
        assert_eq!(read_description(&file).unwrap(), description);
        assert!(loaded.tensors["adam.exp_avg.x"].equal(&moment));
        for parameter in network.parameters().iter() {
            assert!(loaded.network.parameters().get(&parameter.name).unwrap().equal(&parameter.tensor));
        }
    }

    #[test]
    fn a_foreign_or_damaged_file_is_a_message() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("x.safetensors");
        std::fs::write(&file, b"not a model").unwrap();
        assert!(
            load(&file, Device::Cpu)
                .unwrap_err()
                .to_string()
                .contains("is no safetensors file, or is damaged")
        );
        assert!(read_description(&file).unwrap_err().to_string().contains("damaged"));

        tensor_file::write(&file, &[("a".to_owned(), &Tensor::from_slice(&[0_f32]))], None).unwrap();
        assert!(load(&file, Device::Cpu).unwrap_err().to_string().contains("no checkpoint of Tasklens"));
    }
}
