//! A network as a graph: preprocessing, backbone, and a softmax per task.

use std::collections::HashSet;

use anyhow::Context as _;
use tasklens_data::config::Task;
use tch::Kind;

use super::graph::{GraphBuilder, Setting};
use super::preprocessing::{cast, normalise, resize, take};
use super::protobuf::{Dimension, GraphProto, data_type};
use crate::model::int8;
use crate::model::network::Network;
use crate::model::sketch::{Convolution, Operation, Sketch};

/// The name of the input.
pub const IMAGE: &str = "image";
/// The name of the pooled features, if no task is called so.
const FEATURES: &str = "features";

/// Which images the graph takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Input {
    /// Bytes `[N, H, W, 3]` of any height and width, which it resizes.
    AnySize,
    /// Bytes `[N, height, width, 3]` of the network's size: for who resizes them anyway.
    NetworkSize,
}

/// What a graph is to be.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// Height and width of the network's images, pixels.
    pub size: (u32, u32),
    /// Which images it takes.
    pub input: Input,
    /// What its backbone computes in: float32 or half precision. Heads compute in float32, as everywhere.
    pub kind: Kind,
    /// Whether the weights of its dense convolutions are stored in 8 bits.
    pub is_int8: bool,
    /// Whether the pooled features `[N, C]` are its last output.
    pub gives_features: bool,
}

/// The names of the outputs, in the order of the tasks: those of the tasks, but for one that is called as the input is.
pub fn outputs(tasks: &[Task]) -> Vec<String> {
    let names: HashSet<&str> = tasks.iter().map(|task| task.name.as_str()).collect();
    let free = || (2..).map(|number| format!("{IMAGE}_{number}")).find(|name| !names.contains(name.as_str()));
    let name = |task: &Task| if task.name == IMAGE { free() } else { Some(task.name.clone()) };
    tasks.iter().filter_map(name).collect()
}

/// The graph of a network.
///
/// # Errors
/// A weight is missing, or memory is short.
pub(super) fn graph_of(network: &Network, plan: Plan) -> anyhow::Result<GraphProto> {
    let Plan { size: (height, width), input, kind, is_int8, gives_features } = plan;
    let outputs = outputs(network.tasks());
    let reserved = outputs.iter().cloned().chain([IMAGE.to_owned()]);
    let mut graph = GraphBuilder::new(network.backbone().name(), reserved);
    let any = |name: &str| Dimension::Any(name.to_owned());
    let (sides, pixels) = match input {
        Input::AnySize => ([any("H"), any("W")], resize(&mut graph, IMAGE, height, width)),
        Input::NetworkSize => {
            let sides = [height, width].map(|side| Dimension::Value(side.into()));
            (sides, take(&mut graph, IMAGE))
        }
    };
    let [rows, columns] = sides;
    let says = "RGB images, upright, 0 to 255";
    graph.input(IMAGE, data_type::UINT8, vec![any("N"), rows, columns, Dimension::Value(3)], says);

    let mut images = normalise(&mut graph, &pixels, network.backbone().facts());
    if kind == Kind::Half {
        images = cast(&mut graph, "/normalise/half", &images, data_type::FLOAT16);
    }
    let mut maps = backbone(&mut graph, &network.sketch(height, width)?, images, (kind, is_int8))?;
    if kind == Kind::Half {
        maps = cast(&mut graph, "/features/single", &maps, data_type::FLOAT);
    }
    let pooled = graph.node("GlobalAveragePool", "/features/pooled", &[&maps], &[]);
    let features = graph.node("Flatten", FEATURES, &[&pooled], &[Setting::Int("axis", 1)]);
    for (place, (task, output)) in network.tasks().iter().zip(&outputs).enumerate() {
        head(&mut graph, network, task, place, &features, output)?;
        let labels = Dimension::Value(task.labels.len() as i64);
        graph.output(output, data_type::FLOAT, vec![any("N"), labels], "The probability of each label");
    }
    if gives_features {
        let channels = Dimension::Value(network.backbone().facts().features);
        graph.output(&features, data_type::FLOAT, vec![any("N"), channels], "What the heads answer from");
    }
    Ok(graph.finish())
}

/// The operations of a backbone on normalised images; gives the last maps.
fn backbone(
    graph: &mut GraphBuilder,
    sketch: &Sketch,
    images: String,
    (kind, is_int8): (Kind, bool),
) -> anyhow::Result<String> {
    let mut limits = None;
    let mut values = vec![images];
    for operation in sketch.operations() {
        let name = format!("/backbone/{}", values.len());
        let value = match operation {
            Operation::Convolution(from, convolution) => {
                convolve(graph, &name, &values[*from], convolution, (kind, is_int8))?
            }
            Operation::Relu(from) => graph.node("Relu", &name, &[&values[*from]], &[]),
            Operation::Relu6(from) => {
                if limits.is_none() {
                    let mut limit = |name: &str, value: f32| {
                        graph.tensor(name, &tch::Tensor::f_from_slice(&[value])?.f_squeeze()?, kind)
                    };
                    limits = Some([limit("/backbone/zero", 0.0)?, limit("/backbone/six", 6.0)?]);
                }
                let [zero, six] = limits.as_ref().context("there are limits")?;
                graph.node("Clip", &name, &[&values[*from], zero, six], &[])
            }
            Operation::Add(a, b) => graph.node("Add", &name, &[&values[*a], &values[*b]], &[]),
            Operation::MaxPool(from, pads) => {
                let settings = [
                    Setting::Ints("kernel_shape", &[3, 3]),
                    Setting::Ints("strides", &[2, 2]),
                    Setting::Ints("pads", pads),
                ];
                graph.node("MaxPool", &name, &[&values[*from]], &settings)
            }
        };
        values.push(value);
    }
    values.pop().context("a backbone has layers")
}

fn convolve(
    graph: &mut GraphBuilder,
    name: &str,
    from: &str,
    convolution: &Convolution,
    (kind, is_int8): (Kind, bool),
) -> anyhow::Result<String> {
    let Convolution { weight, bias, groups, stride, pads } = convolution;
    let kernel = weight.size();
    let weights = format!("{name}/weight");
    let weights = match is_int8 && int8::is_worth_it(&kernel) {
        true => graph.quantised(&weights, weight)?,
        false => graph.tensor(&weights, weight, kind)?,
    };
    let mut inputs = vec![from.to_owned(), weights];
    if let Some(bias) = bias {
        inputs.push(graph.tensor(&format!("{name}/bias"), bias, kind)?);
    }
    let inputs: Vec<&str> = inputs.iter().map(String::as_str).collect();
    let settings = [
        Setting::Ints("kernel_shape", &kernel[2..]),
        Setting::Ints("strides", &[*stride; 2]),
        Setting::Ints("pads", pads),
        Setting::Int("group", *groups),
    ];
    Ok(graph.node("Conv", name, &inputs, &settings))
}

fn head(
    graph: &mut GraphBuilder,
    network: &Network,
    task: &Task,
    place: usize,
    features: &str,
    output: &str,
) -> anyhow::Result<()> {
    let mut tensor = |what: &str| {
        let name = format!("heads.{}.{what}", task.name);
        let tensor = network.parameters().get(&name).with_context(|| format!("there is no `{name}`"))?;
        Ok::<_, anyhow::Error>(graph.tensor(&format!("/heads/{place}/{what}"), tensor, Kind::Float)?)
    };
    let (weight, bias) = (tensor("weight")?, tensor("bias")?);
    let name = format!("/heads/{place}/logits");
    let logits = graph.node("Gemm", &name, &[features, &weight, &bias], &[Setting::Int("transB", 1)]);
    graph.node_for("Softmax", output, &[&logits], &[Setting::Int("axis", -1)]);
    Ok(())
}
