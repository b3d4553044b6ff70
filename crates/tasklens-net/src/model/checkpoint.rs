//! The checkpoint file: safetensors with everything needed to predict in its metadata.
//!
//! One file is enough: weights, backbone, tasks with their labels, input size, normalisation, metrics.
//! Only safetensors is read, never a pickle.

use std::collections::HashMap;
use std::path::Path;

use anyhow::{Context as _, anyhow, bail, ensure};
use safetensors::tensor::Metadata;
use serde::{Deserialize, Serialize};
use tasklens_data::config::networks::NetworkPlan;
use tasklens_data::config::{Backbone, Task, limits};
use tch::{Device, Tensor};

use super::conventions::Conventions;
use super::network::Network;
use super::tensor_file;

/// File name of the best checkpoint of a run, used for prediction.
pub const BEST: &str = "best.safetensors";

/// The key in the metadata that marks a file as ours, with the version of the layout.
const FORMAT_KEY: &str = "tasklens_checkpoint";
const FORMAT: &str = "1";
/// The layout of a file whose network computes by other conventions: what knows the first alone would read the file
/// and answer wrongly.
const FORMAT_WITH_CONVENTIONS: &str = "2";

const DESCRIPTION_KEY: &str = "description";

/// The metadata of a checkpoint.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Description {
    /// Name of the backbone, such as `xception`.
    pub backbone: String,
    /// Whose rules it computes by; a file that does not say has those that go without saying.
    #[serde(default, skip_serializing_if = "Conventions::is_default")]
    pub conventions: Conventions,
    /// Tasks with their labels in class order.
    pub tasks: Vec<Task>,
    /// Input height, pixels.
    pub height: u32,
    /// Input width, pixels.
    pub width: u32,
    /// Mean to subtract from pixel values in 0..1, per channel.
    pub mean: [f32; 3],
    /// Standard deviation to divide by afterwards, per channel.
    pub std: [f32; 3],
    /// Precision of the training: `fp32` or `bf16`.
    pub precision: String,
    /// Number of completed epochs.
    pub epoch: usize,
    /// The config that was used, as YAML.
    pub config: String,
    /// Metrics of the epoch, and what a resumed run needs, as JSON.
    pub extra: serde_json::Value,
}

impl Description {
    /// That of a network before its first epoch, for images of this height and width (pixels) and `fp32` or `bf16`: without a
    /// config or anything further, by the conventions that go without saying.
    pub fn new(backbone: Backbone, tasks: Vec<Task>, (height, width): (u32, u32), precision: &str) -> Self {
        let facts = backbone.facts();
        Self {
            backbone: facts.name.to_owned(),
            conventions: Conventions::default(),
            tasks,
            height,
            width,
            mean: facts.mean,
            std: facts.std,
            precision: precision.to_owned(),
            epoch: 0,
            config: String::new(),
            extra: serde_json::Value::Null,
        }
    }

    /// The backbone.
    ///
    /// # Errors
    /// This version does not know it.
    pub fn backbone(&self) -> anyhow::Result<Backbone> {
        Backbone::from_name(&self.backbone).ok_or_else(|| {
            anyhow!("the backbone `{}` is unknown to this version of Tasklens: update it", self.backbone)
        })
    }

    /// Checks whether a network can be built from it: a file may come from anywhere, and the requested sizes are
    /// allocated.
    fn check(&self, header: &Metadata) -> anyhow::Result<()> {
        let facts = self.backbone()?.facts();
        if let Some(fault) = limits::fault(self.height, self.width, &self.tasks) {
            bail!(fault);
        }
        ensure!(
            (self.mean, self.std) == (facts.mean, facts.std),
            "the pixels have mean {:?} and deviation {:?}, expected {:?} and {:?} with the backbone {}",
            self.mean,
            self.std,
            facts.mean,
            facts.std,
            facts.name
        );
        ensure!(
            self.conventions.is_default() || matches!(facts.plan, NetworkPlan::Xception(_)),
            "the backbone {} does not know the conventions of {}",
            facts.name,
            self.conventions.name()
        );
        let features = facts.features as usize;
        for Task { name, labels } in &self.tasks {
            let shape = header.info(&format!("heads.{name}.weight")).map(|info| info.shape.as_slice());
            let expected = [labels.len(), features];
            ensure!(
                shape == Some(&expected),
                "the weights for the task `{name}` have shape {:?}, expected {expected:?}",
                shape.unwrap_or_default()
            );
        }
        Ok(())
    }
}

/// Writes network, description and any further tensors (optimizer state) to `file`, whole or not at all. The
/// conventions are the network's, whatever the description says.
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
    let description = Description { conventions: network.conventions(), ..description.clone() };
    let format = if description.conventions.is_default() { FORMAT } else { FORMAT_WITH_CONVENTIONS };
    let metadata = HashMap::from([
        (FORMAT_KEY.to_owned(), format.to_owned()),
        (DESCRIPTION_KEY.to_owned(), serde_json::to_string(&description)?),
    ]);
    tensor_file::write(file, &tensors, Some(metadata)).context("the checkpoint is not kept")
}

/// Reads the description of a checkpoint without its tensors.
///
/// # Errors
/// It cannot be read, or is not a checkpoint of Tasklens.
pub fn read_description(file: &Path) -> anyhow::Result<Description> {
    describe(file, &tensor_file::header(file)?)
}

/// The description in a file's header.
fn describe(file: &Path, header: &Metadata) -> anyhow::Result<Description> {
    let value = |key: &str| header.metadata().as_ref()?.get(key).map(String::as_str);
    match value(FORMAT_KEY) {
        Some(FORMAT | FORMAT_WITH_CONVENTIONS) => {}
        Some(other) => bail!(
            "{} was written by another version of Tasklens (layout {other}, expected {FORMAT} or {FORMAT_WITH_CONVENTIONS}): update Tasklens",
            file.display()
        ),
        None => bail!(
            "{} is a safetensors file but not a checkpoint of Tasklens: choose `best.safetensors` of a run",
            file.display()
        ),
    }
    let text = value(DESCRIPTION_KEY).with_context(|| format!("{} lacks its description", file.display()))?;
    let description: Description = serde_json::from_str(text)
        .with_context(|| format!("the description in {} is damaged", file.display()))?;
    description.check(header).with_context(|| {
        format!("{} cannot be used: it is damaged, or was not written by Tasklens", file.display())
    })?;
    Ok(description)
}

/// The conventions of whatever weights a file holds: one that was not written by Tasklens names none.
///
/// # Errors
/// It names some that this version does not know.
pub(super) fn conventions_in(file: &Path, header: &Metadata) -> anyhow::Result<Conventions> {
    #[derive(Deserialize)]
    struct Named {
        #[serde(default)]
        conventions: Conventions,
    }
    let metadata = header.metadata().as_ref();
    let text = metadata
        .filter(|values| values.contains_key(FORMAT_KEY))
        .and_then(|values| values.get(DESCRIPTION_KEY));
    let Some(text) = text else { return Ok(Conventions::default()) };
    let named: Named = serde_json::from_str(text).with_context(|| {
        format!(
            "{} has weights of a kind that this version of Tasklens does not know: update it",
            file.display()
        )
    })?;
    Ok(named.conventions)
}

/// As [`conventions_in`], of a file.
///
/// # Errors
/// It cannot be read, or names some that this version does not know.
pub(crate) fn conventions_of(file: &Path) -> anyhow::Result<Conventions> {
    conventions_in(file, &tensor_file::header(file)?)
}

/// A network rebuilt from a checkpoint.
#[derive(Debug)]
pub struct Loaded {
    /// The network with the file's weights.
    pub network: Network,
    /// The description in the file.
    pub description: Description,
    /// The file's tensors, including requested further ones.
    pub tensors: HashMap<String, Tensor>,
}

/// Rebuilds the network of a checkpoint on `device`.
///
/// # Errors
/// The file cannot be read, is not a checkpoint of Tasklens, or is damaged.
pub fn load(file: &Path, device: Device) -> anyhow::Result<Loaded> {
    load_with(file, device, Further::default())
}

/// Tensors to read beside those of the network; anything else in a file is not read.
#[derive(Clone, Copy, Default)]
pub(crate) struct Further<'a> {
    /// What precedes a name: that of a parameter, with the same shape, or of one of `per_task`. The state of an
    /// optimizer.
    pub prefixes: &'a [&'a str],
    /// Names of tensors `[tasks]`.
    pub per_task: &'a [&'a str],
}

/// As [`load`], with further tensors.
///
/// # Errors
/// As [`load`].
pub(crate) fn load_with(file: &Path, device: Device, more: Further<'_>) -> anyhow::Result<Loaded> {
    let header = tensor_file::header(file)?;
    let description = describe(file, &header)?;
    let mut network = Network::new(description.backbone()?, &description.tasks, 0, device)?;
    let incomplete = || format!("{} is incomplete", file.display());
    network.fits(&header, |name| Some(name.to_owned())).with_context(incomplete)?;
    let is_wanted = |name: &str, shape: &[usize]| {
        let further = more.prefixes.iter().filter_map(|prefix| name.strip_prefix(prefix));
        let is_per_task = |name: &str| more.per_task.contains(&name) && shape == [description.tasks.len()];
        std::iter::once(name).chain(further).any(|name| network.has(name, shape) || is_per_task(name))
    };
    let tensors = tensor_file::read(file, is_wanted)?.tensors;
    network.load(&tensors, |_| true).with_context(incomplete)?;
    network.follow(description.conventions);
    Ok(Loaded { network, description, tensors })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn description() -> Description {
        Description {
            backbone: "xception_small".to_owned(),
            conventions: Conventions::default(),
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
        let name = "mean.heads.print.bias";
        let pull = Tensor::from_slice(&[0.25_f32]);
        write(
            &file,
            &network,
            &description,
            &[(name.to_owned(), moment.copy()), ("pull".to_owned(), pull.copy())],
        )
        .unwrap();

        let loaded =
            load_with(&file, Device::Cpu, Further { prefixes: &["mean."], per_task: &["pull"] }).unwrap();
        assert_eq!(loaded.description, description);
        assert_eq!(read_description(&file).unwrap(), description);
        assert!(loaded.tensors[name].equal(&moment));
        assert!(loaded.tensors["pull"].equal(&pull));
        assert!(!load(&file, Device::Cpu).unwrap().tensors.contains_key(name), "nobody asked for it");
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
                .contains("is not a safetensors file, or is damaged")
        );
        assert!(read_description(&file).unwrap_err().to_string().contains("damaged"));

        tensor_file::write(&file, &[("a".to_owned(), &Tensor::from_slice(&[0_f32]))], None).unwrap();
        assert!(load(&file, Device::Cpu).unwrap_err().to_string().contains("not a checkpoint of Tasklens"));
    }

    /// What happens when a checkpoint says this of itself, with the weights of one that says the truth.
    fn refusal(change: impl Fn(&mut Description)) -> String {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("best.safetensors");
        let mut description = description();
        let network = Network::new(Backbone::XceptionSmall, &description.tasks, 7, Device::Cpu).unwrap();
        change(&mut description);
        write(&file, &network, &description, &[]).unwrap();
        let error = format!("{:#}", read_description(&file).unwrap_err());
        assert_eq!(format!("{:#}", load(&file, Device::Cpu).unwrap_err()), error);
        error
    }

    #[test]
    fn a_checkpoint_that_asks_for_what_no_config_may_is_refused_before_anything_is_allocated() {
        let huge = refusal(|description| description.height = 100_000);
        assert!(huge.contains("best.safetensors cannot be used"), "{huge}");
        assert!(huge.contains("the input is 100000 x 48 pixels, expected from 32 to 1024"), "{huge}");
        let empty = refusal(|description| description.tasks[0].labels.clear());
        assert!(empty.contains("the task `print` has 0 labels"), "{empty}");
        assert!(refusal(|description| description.tasks.clear()).contains("there is no task"));
        let more = refusal(|description| {
            description.tasks[0].labels = (0..90_000).map(|label| label.to_string()).collect();
        });
        assert!(more.contains("`print` have shape [2, 512], expected [90000, 512]"), "{more}");
        let other = refusal(|description| description.backbone = "xception".to_owned());
        assert!(other.contains("expected [2, 2048]"), "{other}");
        let pixels = refusal(|description| description.mean = [0.25; 3]);
        assert!(pixels.contains("mean [0.25, 0.25, 0.25]") && pixels.contains("xception_small"), "{pixels}");
        let unknown = refusal(|description| description.backbone = "resnet".to_owned());
        assert!(unknown.contains("the backbone `resnet` is unknown"), "{unknown}");
    }

    #[test]
    fn weights_of_another_kind_are_named() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("best.safetensors");
        let description = description();
        let network = Network::new(Backbone::XceptionSmall, &description.tasks, 7, Device::Cpu).unwrap();
        write(&file, &network, &description, &[]).unwrap();
        let bytes = std::fs::read(&file).unwrap();
        let (from, to) = (r#""dtype":"F32","shape":[2,512]"#, r#""dtype":"I32","shape":[2,512]"#);
        let start = bytes.windows(from.len()).position(|window| window == from.as_bytes()).unwrap();
        let mut crafted = bytes;
        crafted[start..start + to.len()].copy_from_slice(to.as_bytes());
        std::fs::write(&file, crafted).unwrap();
        let error = format!("{:#}", load(&file, Device::Cpu).unwrap_err());
        assert!(error.contains("`heads.print.weight` holds I32, expected floating-point numbers"), "{error}");
    }
}
