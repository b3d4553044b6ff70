//! The layers that a `model_config` describes, as Keras 2 (TensorFlow 2) and Keras 3 write it, nested models unfolded.

use std::collections::HashMap;

use anyhow::{Context as _, bail, ensure};
use serde_json::Value;

/// No network of ours has more; a model of more is none of ours.
const MOST_LAYERS: usize = 10_000;
/// A model may hold models, one within the other, this deep.
const DEEPEST: usize = 8;

/// A layer, or an arithmetic operation that Keras keeps as one.
#[derive(Debug)]
pub struct Layer {
    /// Its name within its model.
    pub name: String,
    /// The nested model that it is in, as the outermost model calls it.
    pub owner: Option<String>,
    /// Keras' class, such as `Conv2D`.
    pub class: String,
    /// What its class keeps of it.
    pub config: Value,
    /// Places of the layers whose outputs it takes, in order.
    pub inputs: Vec<usize>,
    /// The numbers that it is called with, in order.
    pub numbers: Vec<f64>,
}

impl Layer {
    /// A whole number of its config.
    pub fn whole(&self, key: &str) -> Option<i64> {
        self.config.get(key)?.as_i64()
    }

    /// It for a reader, such as ``Conv2D `block1_conv1` ``.
    pub fn told(&self) -> String {
        format!("{} `{}`", self.class, self.name)
    }
}

/// All layers of a model, each behind those that it takes from.
#[derive(Debug)]
pub struct Graph {
    /// Nested models are unfolded: their own layers stand in their place.
    pub layers: Vec<Layer>,
    /// Places of those whose outputs the model gives.
    pub outputs: Vec<usize>,
}

impl Graph {
    /// Reads a description.
    ///
    /// # Errors
    /// It is of no functional model, or is damaged.
    pub fn of(description: &Value) -> anyhow::Result<Self> {
        let mut graph = Self { layers: Vec::new(), outputs: Vec::new() };
        graph.outputs = graph.add_model(description, None, &[], 0)?;
        Ok(graph)
    }

    /// Places of the layers that take what a layer gives.
    pub fn behind(&self, place: usize) -> Vec<usize> {
        (0..self.layers.len()).filter(|other| self.layers[*other].inputs.contains(&place)).collect()
    }

    /// Adds the layers of a model that takes the outputs of `given`. Gives the places of its outputs.
    fn add_model(
        &mut self,
        model: &Value,
        owner: Option<&str>,
        given: &[usize],
        depth: usize,
    ) -> anyhow::Result<Vec<usize>> {
        let class = text(model, "class_name")?;
        ensure!(
            is_model(class),
            "the model is a {class}, expected a functional one with an image as input and a softmax per task"
        );
        ensure!(depth < DEEPEST, "models are nested more than {DEEPEST} deep");
        let config = model.get("config").context("the model has no `config`")?;
        let layers = config.get("layers").and_then(Value::as_array).context("the model has no layers")?;
        let mut places = Places::default();
        let mut given = given.iter();
        for layer in layers {
            self.add_layer(layer, owner, &mut given, &mut places, depth)?;
        }
        let outputs = config.get("output_layers").context("the model has no `output_layers`")?;
        let outputs = Call::of(outputs).inputs;
        outputs.iter().map(|name| places.of(name)).collect()
    }

    fn add_layer(
        &mut self,
        layer: &Value,
        owner: Option<&str>,
        given: &mut std::slice::Iter<'_, usize>,
        places: &mut Places,
        depth: usize,
    ) -> anyhow::Result<()> {
        let class = text(layer, "class_name")?;
        let config = layer.get("config").cloned().unwrap_or_default();
        let name = layer.get("name").or_else(|| config.get("name")).and_then(Value::as_str);
        let name = name.context("a layer has no name")?;
        let calls = layer.get("inbound_nodes").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        if class == "InputLayer" {
            // That of a nested model is what the model is called with.
            if let Some(place) = given.next() {
                places.known.insert(name.to_owned(), *place);
                return Ok(());
            }
        } else {
            ensure!(calls.len() == 1, "the layer `{name}` is used {} times, expected once", calls.len());
        }
        let call = calls.first().map(Call::of).unwrap_or_default();
        let inputs = call.inputs.iter().map(|name| places.of(name)).collect::<anyhow::Result<Vec<_>>>();
        let inputs = inputs.with_context(|| format!("the inputs of the layer `{name}`"))?;
        if is_model(class) || class == "Sequential" {
            let outputs = self.add_model(layer, Some(owner.unwrap_or(name)), &inputs, depth + 1);
            let outputs = outputs.with_context(|| format!("in the nested model `{name}`"))?;
            let [output] = outputs[..] else {
                bail!("the nested model `{name}` gives {} outputs, expected one", outputs.len())
            };
            places.known.insert(name.to_owned(), output);
            return Ok(());
        }
        ensure!(self.layers.len() < MOST_LAYERS, "the model has more than {MOST_LAYERS} layers");
        places.known.insert(name.to_owned(), self.layers.len());
        self.layers.push(Layer {
            name: name.to_owned(),
            owner: owner.map(str::to_owned),
            class: class.to_owned(),
            config,
            inputs,
            numbers: call.numbers,
        });
        Ok(())
    }
}

/// Keras before 2.3 said `Model`.
fn is_model(class: &str) -> bool {
    matches!(class, "Functional" | "Model")
}

fn text<'a>(value: &'a Value, key: &str) -> anyhow::Result<&'a str> {
    value.get(key).and_then(Value::as_str).with_context(|| format!("the model's description lacks a `{key}`"))
}

/// Where the layers of one model are.
#[derive(Default)]
struct Places {
    known: HashMap<String, usize>,
}

impl Places {
    fn of(&self, name: &str) -> anyhow::Result<usize> {
        self.known.get(name).copied().with_context(|| format!("`{name}` is no layer before it"))
    }
}

/// What a layer is called with.
#[derive(Default)]
struct Call {
    inputs: Vec<String>,
    numbers: Vec<f64>,
}

impl Call {
    fn of(value: &Value) -> Self {
        let mut call = Self::default();
        call.collect(value);
        call
    }

    /// Keras 2 refers to an output by `[layer, call, output, arguments]`, Keras 3 by a `__keras_tensor__` (and where
    /// the model's outputs are named as Keras 2 does).
    fn collect(&mut self, value: &Value) {
        match value {
            Value::Array(items) => match &items[..] {
                [Value::String(name), Value::Number(_), Value::Number(_), arguments @ ..] => {
                    self.inputs.push(name.clone());
                    arguments.iter().for_each(|argument| self.collect(argument));
                }
                _ => items.iter().for_each(|item| self.collect(item)),
            },
            Value::Object(entries) => {
                let history = value.pointer("/config/keras_history/0").and_then(Value::as_str);
                match history {
                    Some(name) => self.inputs.push(name.to_owned()),
                    None => entries.values().for_each(|entry| self.collect(entry)),
                }
            }
            Value::Number(number) => self.numbers.extend(number.as_f64()),
            _ => {}
        }
    }
}
