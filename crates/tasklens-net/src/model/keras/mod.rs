//! Models that the Python project saved: an Xception of Keras with a softmax per task, as TensorFlow 2 and Keras 3
//! write it to HDF5 or to a `.keras` file.
//!
//! [`file`] opens what was saved, [`graph`] reads its description of the layers, [`architecture`] finds the network in
//! them, layer by layer; nothing in a file is run. What is no such model is refused with words that say what it is.

mod architecture;
mod file;
mod graph;
mod weights;

use std::path::Path;

use anyhow::{Context as _, bail, ensure};
use tasklens_data::config::networks::{NetworkPlan, Widths};
use tasklens_data::config::{Backbone, Config, Task};
use tch::Device;

use super::conventions::Conventions;
use super::network::Network;
use architecture::{Found, Head};
use file::SavedModel;
use graph::Graph;

/// A network with the weights of a Keras model.
#[derive(Debug)]
pub struct Imported {
    /// It computes by Keras' conventions.
    pub network: Network,
    /// Who wrote the file, such as `Keras 3.15.1`.
    pub written_by: String,
    /// What had to be guessed, in sentences.
    pub notices: Vec<String>,
}

/// Reads a model with the tasks, the labels and the input size of a config. Blocks for about a second.
///
/// # Errors
/// It cannot be read, is another kind of file or another network, or does not fit the config: the message says
/// what it holds, and what differs, with the names of its layers.
pub fn import(file: &Path, config: &Config) -> anyhow::Result<Imported> {
    let saved = SavedModel::open(file)?;
    let graph = Graph::of(saved.model()).with_context(|| unusable(file))?;
    let (backbone, widths) = backbone_of(&graph).context("this version of Tasklens knows no Xception")?;
    let found = architecture::find(&graph, widths).with_context(|| {
        format!("{} holds another network than the Xception of keras.applications", file.display())
    })?;
    check(&found, backbone, config)
        .with_context(|| format!("{} and {} do not fit", file.display(), config.file.display()))?;
    let model = &config.model;
    let mut network = Network::new(backbone, &model.tasks, 0, Device::Cpu)?;
    let heads = model.tasks.iter().filter_map(|task| found.head(&task.name).map(|head| (task, head)));
    let wanted =
        found.backbone.iter().cloned().chain(heads.flat_map(|(task, head)| head.tensors(&task.name)));
    let values = weights::read(&saved, &graph, &network, wanted).with_context(|| unusable(file))?;
    network.load(&values, |_| true)?;
    network.follow(Conventions::Keras);
    Ok(Imported { network, written_by: saved.written_by(), notices: found.notices })
}

fn unusable(file: &Path) -> String {
    format!("{} cannot be used", file.display())
}

/// The Xception whose first layer is as wide as that of the model, else the published one.
fn backbone_of(graph: &Graph) -> Option<(Backbone, &'static Widths)> {
    let first =
        graph.layers.iter().find(|layer| layer.class == "Conv2D").and_then(|layer| layer.whole("filters"));
    let xceptions = || {
        Backbone::ALL.iter().filter_map(|backbone| match &backbone.facts().plan {
            NetworkPlan::Xception(widths) => Some((*backbone, widths)),
            NetworkPlan::EfficientNetLite(_) => None,
        })
    };
    xceptions().find(|(_, widths)| Some(widths.stem[0]) == first).or_else(|| xceptions().next())
}

/// Whether the heads are those of the config's tasks, and the images of its size. All that differs is told at once.
fn check(found: &Found, backbone: Backbone, config: &Config) -> anyhow::Result<()> {
    let model = &config.model;
    let mut faults = Vec::new();
    if model.backbone != backbone {
        faults.push(format!(
            "the model is {}, and the config has `backbone: {}`: set `backbone: {}`",
            backbone.facts().title,
            model.backbone.name(),
            backbone.name()
        ));
    }
    let expected = [model.height, model.width].map(i64::from);
    for (side, (given, expected)) in ["height", "width"].iter().zip(found.size.iter().zip(expected)) {
        if let Some(given) = given.filter(|given| *given != expected) {
            faults.push(format!("the {side} of its images is {given}, and `input_shape` has {expected}"));
        }
    }
    faults.extend(model.tasks.iter().filter_map(|task| fault_of(task, found)));
    for Head { name, labels, .. } in &found.heads {
        if !model.tasks.iter().any(|task| architecture::head_name(&task.name) == *name) {
            faults.push(format!("the layer `{name}` ({labels} labels) answers no task of `target_encoder`"));
        }
    }
    if !faults.is_empty() {
        bail!(faults.join("; "));
    }
    ensure!(!model.tasks.is_empty(), "the config has no task");
    Ok(())
}

/// What is wrong with the head of a task.
fn fault_of(task: &Task, found: &Found) -> Option<String> {
    let Some(head) = found.head(&task.name) else {
        let heads: Vec<&str> = found.heads.iter().map(|head| head.name.as_str()).collect();
        let expected = architecture::head_name(&task.name);
        return Some(format!(
            "the task `{}` has no layer `{expected}` (there are {})",
            task.name,
            heads.join(", ")
        ));
    };
    let labels = task.labels.len() as i64;
    (head.labels != labels).then(|| {
        format!(
            "the layer `{}` has {} labels, and the task `{}` in `target_encoder` has {labels}",
            head.name, head.labels, task.name
        )
    })
}

#[cfg(test)]
mod tests;
