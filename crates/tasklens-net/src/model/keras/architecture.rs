//! The Xception in a graph of Keras' layers: found by what each layer is and takes, not by its name, as Keras numbers
//! some names. What it computes must be what `keras.applications.Xception` computes, or the layer that differs is told.

use std::collections::HashSet;

use anyhow::{Context as _, bail, ensure};
use serde_json::{Value, json};
use tasklens_data::config::networks::Widths;

use super::graph::{Graph, Layer};
use super::weights::{KerasLayout, Wanted};
use crate::model::xception::{BlockPlan, Step};

/// What `keras.applications.xception.preprocess_input` does to a pixel from 0 to 255: times this, and less 1.
const SCALE: f64 = 1.0 / 127.5;
/// What Keras adds to the variance.
const EPSILON: f64 = 1e-3;

/// A softmax of a model.
#[derive(Debug)]
pub struct Head {
    /// The layer's name.
    pub name: String,
    /// How many labels it tells apart.
    pub labels: i64,
    place: usize,
}

impl Head {
    /// What is to be read for the head of a task.
    pub fn tensors(&self, task: &str) -> [Wanted; 2] {
        let of = |ours: &str, variable, layout| Wanted {
            name: format!("heads.{task}.{ours}"),
            layer: self.place,
            variable,
            layout,
        };
        [of("weight", "kernel", KerasLayout::Dense), of("bias", "bias", KerasLayout::Vector)]
    }
}

/// What to read of a model: its backbone and its heads.
#[derive(Debug)]
pub struct Found {
    /// Where the backbone's tensors are.
    pub backbone: Vec<Wanted>,
    /// In the order of the file.
    pub heads: Vec<Head>,
    /// Height and width of its images, pixels, where the model says.
    pub size: [Option<i64>; 2],
    /// What had to be guessed.
    pub notices: Vec<String>,
}

impl Found {
    /// That of a task.
    pub fn head(&self, task: &str) -> Option<&Head> {
        let name = head_name(task);
        self.heads.iter().find(|head| head.name == name)
    }
}

/// What the Python project calls the softmax of a task.
pub fn head_name(task: &str) -> String {
    format!("{task}_clf")
}

/// Finds an Xception of these widths with its softmax layers.
///
/// # Errors
/// A layer is another than there: the message names it.
pub fn find(graph: &Graph, widths: &Widths) -> anyhow::Result<Found> {
    let mut walk = Walk { graph, taken: HashSet::new(), backbone: Vec::new() };
    let image = walk.image()?;
    let size = size_of(&graph.layers[image])?;
    let (scaled, notices) = walk.scaling(image)?;
    let features = walk.xception(scaled, widths)?;
    let heads = walk.heads(features)?;
    walk.nothing_is_left()?;
    Ok(Found { backbone: walk.backbone, heads, size, notices })
}

/// Height and width of `[batch, height, width, 3]`.
fn size_of(image: &Layer) -> anyhow::Result<[Option<i64>; 2]> {
    let shape = ["batch_shape", "batch_input_shape"].iter().find_map(|key| image.config.get(key)?.as_array());
    let shape =
        shape.with_context(|| format!("the layer `{}` does not say the shape of images", image.name))?;
    let is_rgb = shape.len() == 4 && shape[3].as_i64() == Some(3);
    ensure!(
        is_rgb,
        "the layer `{}` takes {}, expected images [null, height, width, 3]",
        image.name,
        Value::from(shape.clone())
    );
    Ok([shape[1].as_i64(), shape[2].as_i64()])
}

struct Walk<'a> {
    graph: &'a Graph,
    taken: HashSet<usize>,
    backbone: Vec<Wanted>,
}

impl Walk<'_> {
    fn layer(&self, place: usize) -> &Layer {
        &self.graph.layers[place]
    }

    fn image(&mut self) -> anyhow::Result<usize> {
        let is_input = |place: &usize| self.layer(*place).class == "InputLayer";
        let inputs: Vec<usize> = (0..self.graph.layers.len()).filter(is_input).collect();
        let [image] = inputs[..] else { bail!("it has {} inputs, expected one image", inputs.len()) };
        self.taken.insert(image);
        Ok(image)
    }

    /// Follows the arithmetic on pixels to its end, which must be pixels from -1 to 1.
    fn scaling(&mut self, image: usize) -> anyhow::Result<(usize, Vec<String>)> {
        let (mut place, mut scale, mut shift) = (image, 1.0, 0.0);
        while let [next] = self.graph.behind(place)[..] {
            let Some((factor, summand)) = arithmetic(self.layer(next)) else { break };
            self.taken.insert(next);
            (place, scale, shift) = (next, scale * factor, shift * factor + summand);
        }
        if place == image {
            let notice = "the model does not say how pixels are scaled: taken as scaled from -1 to 1 before, as \
                          `preprocess_input` of Keras' Xception does";
            return Ok((image, vec![notice.to_owned()]));
        }
        ensure!(
            (scale / SCALE - 1.0).abs() < 1e-4 && (shift + 1.0).abs() < 1e-4,
            "up to {} it computes pixel * {scale} + {shift}, expected pixel / 127.5 - 1",
            self.layer(place).told()
        );
        Ok((place, Vec::new()))
    }

    fn xception(&mut self, images: usize, widths: &Widths) -> anyhow::Result<usize> {
        let Widths { stem, tail, .. } = *widths;
        let x = self.convolution(images, ("conv1", "bn1"), stem[0], 3, (2, "valid"))?;
        let x = self.relu(x)?;
        let x = self.convolution(x, ("conv2", "bn2"), stem[1], 3, (1, "valid"))?;
        let mut x = self.relu(x)?;
        for (i, plan) in BlockPlan::of(widths).iter().enumerate() {
            x = self.block(x, &format!("block{}", i + 1), plan)?;
        }
        let x = self.separable(x, ("conv3", "bn3"), tail[0])?;
        let x = self.relu(x)?;
        let x = self.separable(x, ("conv4", "bn4"), tail[1])?;
        let x = self.relu(x)?;
        self.next(x, "GlobalAveragePooling2D", &[])
    }

    fn block(&mut self, input: usize, name: &str, plan: &BlockPlan) -> anyhow::Result<usize> {
        let beside = if plan.halves {
            let names = (&*format!("{name}.skip"), &*format!("{name}.skipbn"));
            self.convolution(input, names, plan.channels.1, 1, (2, "same"))?
        } else {
            input
        };
        let mut x = input;
        for (i, Step { channels, place }) in plan.steps().enumerate() {
            if i > 0 || plan.starts_with_relu {
                x = self.relu(x)?;
            }
            let names = (&*format!("{name}.rep.{place}"), &*format!("{name}.rep.{}", place + 1));
            x = self.separable(x, names, channels.1)?;
        }
        if plan.halves {
            let same = [("pool_size", json!([3, 3])), ("strides", json!([2, 2])), ("padding", json!("same"))];
            x = self.next(x, "MaxPooling2D", &same)?;
        }
        let sum = self.next(x, "Add", &[])?;
        let mut inputs = self.layer(sum).inputs.clone();
        inputs.sort_unstable();
        let mut expected = vec![x, beside];
        expected.sort_unstable();
        ensure!(
            inputs == expected,
            "{} adds other layers than {} and {}",
            self.layer(sum).told(),
            self.layer(x).told(),
            self.layer(beside).told()
        );
        Ok(sum)
    }

    fn convolution(
        &mut self,
        input: usize,
        (convolution, norm): (&str, &str),
        filters: i64,
        kernel: i64,
        (stride, padding): (i64, &str),
    ) -> anyhow::Result<usize> {
        let settings = [
            ("filters", json!(filters)),
            ("kernel_size", json!([kernel, kernel])),
            ("strides", json!([stride, stride])),
            ("padding", json!(padding)),
            ("use_bias", json!(false)),
            ("activation", json!("linear")),
        ];
        let place = self.next(input, "Conv2D", &settings)?;
        self.want(format!("{convolution}.weight"), place, "kernel", KerasLayout::Convolution);
        self.norm(place, norm)
    }

    fn separable(
        &mut self,
        input: usize,
        (convolution, norm): (&str, &str),
        filters: i64,
    ) -> anyhow::Result<usize> {
        let settings = [
            ("filters", json!(filters)),
            ("kernel_size", json!([3, 3])),
            ("strides", json!([1, 1])),
            ("padding", json!("same")),
            ("use_bias", json!(false)),
            ("depth_multiplier", json!(1)),
            ("activation", json!("linear")),
        ];
        let place = self.next(input, "SeparableConv2D", &settings)?;
        self.want(format!("{convolution}.conv1.weight"), place, "depthwise_kernel", KerasLayout::Depthwise);
        self.want(
            format!("{convolution}.pointwise.weight"),
            place,
            "pointwise_kernel",
            KerasLayout::Convolution,
        );
        self.norm(place, norm)
    }

    fn norm(&mut self, input: usize, name: &str) -> anyhow::Result<usize> {
        let settings = [("center", json!(true)), ("scale", json!(true))];
        let place = self.next(input, "BatchNormalization", &settings)?;
        let layer = self.layer(place);
        let epsilon = layer.config.get("epsilon").and_then(Value::as_f64);
        ensure!(
            epsilon.is_some_and(|epsilon| (epsilon - EPSILON).abs() < 1e-9),
            "{} adds {epsilon:?} to the variance, expected {EPSILON}",
            layer.told()
        );
        for (ours, theirs) in [
            ("weight", "gamma"),
            ("bias", "beta"),
            ("running_mean", "moving_mean"),
            ("running_var", "moving_variance"),
        ] {
            self.want(format!("{name}.{ours}"), place, theirs, KerasLayout::Vector);
        }
        Ok(place)
    }

    fn relu(&mut self, input: usize) -> anyhow::Result<usize> {
        if self.graph.behind(input).iter().any(|place| self.layer(*place).class == "ReLU") {
            return self.next(input, "ReLU", &[("max_value", Value::Null), ("negative_slope", json!(0.0))]);
        }
        self.next(input, "Activation", &[("activation", json!("relu"))])
    }

    fn heads(&mut self, features: usize) -> anyhow::Result<Vec<Head>> {
        let mut heads = Vec::new();
        for &place in &self.graph.outputs {
            let layer = &self.graph.layers[place];
            ensure!(
                layer.class == "Dense" && layer.inputs == [features],
                "the output {} is no Dense layer behind {}",
                layer.told(),
                self.layer(features).told()
            );
            fits(layer, &[("activation", json!("softmax")), ("use_bias", json!(true))])?;
            let labels = layer.whole("units").with_context(|| format!("{} has no `units`", layer.told()))?;
            self.taken.insert(place);
            heads.push(Head { name: layer.name.clone(), labels, place });
        }
        ensure!(!heads.is_empty(), "it has no outputs");
        Ok(heads)
    }

    fn nothing_is_left(&self) -> anyhow::Result<()> {
        let left = (0..self.graph.layers.len()).find(|place| !self.taken.contains(place));
        match left {
            Some(place) => bail!("{} is in it, which an Xception has not", self.layer(place).told()),
            None => Ok(()),
        }
    }

    fn want(&mut self, name: String, layer: usize, variable: &'static str, layout: KerasLayout) {
        self.backbone.push(Wanted { name, layer, variable, layout });
    }

    /// The one layer of a class behind another, with these settings.
    fn next(&mut self, place: usize, class: &str, settings: &[(&str, Value)]) -> anyhow::Result<usize> {
        let behind = self.graph.behind(place);
        let of_class: Vec<usize> =
            behind.iter().copied().filter(|next| self.layer(*next).class == class).collect();
        let [next] = of_class[..] else {
            let found: Vec<String> = behind.iter().map(|next| self.layer(*next).told()).collect();
            let found = if found.is_empty() { "nothing".to_owned() } else { found.join(", ") };
            bail!("behind {} there is {found}, expected one {class}", self.layer(place).told())
        };
        fits(self.layer(next), settings)?;
        self.taken.insert(next);
        Ok(next)
    }
}

/// Whether a layer has these settings; what it does not say is as Keras has it by default, and fits.
fn fits(layer: &Layer, settings: &[(&str, Value)]) -> anyhow::Result<()> {
    let usual = [
        ("data_format", json!("channels_last")),
        ("dilation_rate", json!([1, 1])),
        ("groups", json!(1)),
        ("keepdims", json!(false)),
    ];
    for (key, expected) in settings.iter().chain(&usual) {
        let Some(value) = layer.config.get(*key) else { continue };
        let same = match (value.as_f64(), expected.as_f64()) {
            (Some(value), Some(expected)) => value == expected,
            _ => value == expected,
        };
        ensure!(same, "{} has `{key}: {value}`, expected {expected}", layer.told());
    }
    Ok(())
}

/// Factor and summand of an operation on pixels; `None` of any other layer.
fn arithmetic(layer: &Layer) -> Option<(f64, f64)> {
    let config = &layer.config;
    if layer.class == "Rescaling" {
        return Some((config.get("scale")?.as_f64()?, config.get("offset")?.as_f64()?));
    }
    let (operation, number) = match layer.class.as_str() {
        // Keras 2 of TensorFlow 2.4 and later.
        "TFOpLambda" => (config.get("function")?.as_str()?, layer.numbers.first()?),
        // TensorFlow 2.3 and earlier: the second operand is a constant.
        "TensorFlowOpLayer" => {
            let operation = config.pointer("/node_def/op")?.as_str()?;
            let number = config.get("constants")?.as_object()?.get("1")?.as_f64()?;
            return affine(operation, number);
        }
        // Keras 3.
        class => (class, layer.numbers.first()?),
    };
    (layer.inputs.len() == 1 && layer.numbers.len() == 1).then(|| affine(operation, *number))?
}

fn affine(operation: &str, number: f64) -> Option<(f64, f64)> {
    let operation = operation.rsplit('.').next().unwrap_or(operation);
    match operation {
        "truediv" | "divide" | "TrueDivide" | "Divide" | "RealDiv" | "__truediv__" => {
            Some((1.0 / number, 0.0))
        }
        "multiply" | "Multiply" | "Mul" | "__mul__" => Some((number, 0.0)),
        "subtract" | "Subtract" | "Sub" | "__sub__" => Some((1.0, -number)),
        "add" | "Add" | "AddV2" | "__add__" => Some((1.0, number)),
        _ => None,
    }
}
