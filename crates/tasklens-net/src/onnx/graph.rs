//! Puts a graph together, node by node. Values are known by their names, which are unique.

use std::collections::HashSet;

use tch::{Device, Kind, TchError, Tensor};

use crate::model::int8::{self, Quantised};

use super::protobuf::{
    AttributeProto, Dimension, DimensionProto, GraphProto, NodeProto, TensorProto, TensorShapeProto,
    TensorTypeProto, TypeProto, ValueInfoProto, attribute_type, data_type,
};

/// A setting of a node.
pub(super) enum Setting<'a> {
    /// A whole number.
    Int(&'a str, i64),
    /// Whole numbers.
    Ints(&'a str, &'a [i64]),
}

impl Setting<'_> {
    fn proto(&self) -> AttributeProto {
        match *self {
            Self::Int(name, i) => AttributeProto {
                name: Some(name.to_owned()),
                i: Some(i),
                ints: Vec::new(),
                r#type: Some(attribute_type::INT),
            },
            Self::Ints(name, ints) => AttributeProto {
                name: Some(name.to_owned()),
                i: None,
                ints: ints.to_vec(),
                r#type: Some(attribute_type::INTS),
            },
        }
    }
}

/// See the module's docs.
pub(super) struct GraphBuilder {
    graph: GraphProto,
    taken: HashSet<String>,
}

impl GraphBuilder {
    /// An empty graph. Names of inputs and outputs are `reserved`: nothing else is called so.
    pub fn new(name: &str, reserved: impl IntoIterator<Item = String>) -> Self {
        let graph = GraphProto { name: Some(name.to_owned()), ..GraphProto::default() };
        Self { graph, taken: reserved.into_iter().collect() }
    }

    /// The graph.
    pub fn finish(self) -> GraphProto {
        self.graph
    }

    /// Declares an input.
    pub fn input(&mut self, name: &str, elements: i32, sides: Vec<Dimension>, says: &str) {
        self.graph.input.push(value(name, elements, sides, says));
    }

    /// Declares an output.
    pub fn output(&mut self, name: &str, elements: i32, sides: Vec<Dimension>, says: &str) {
        self.graph.output.push(value(name, elements, sides, says));
    }

    /// A node with one output, whose name begins with `name`; gives the output's name.
    pub fn node(&mut self, operator: &str, name: &str, inputs: &[&str], settings: &[Setting<'_>]) -> String {
        let output = self.fresh(name);
        self.node_for(operator, &output, inputs, settings);
        output
    }

    /// A node for an output of the graph.
    pub fn node_for(&mut self, operator: &str, output: &str, inputs: &[&str], settings: &[Setting<'_>]) {
        self.graph.node.push(NodeProto {
            input: inputs.iter().map(|&input| input.to_owned()).collect(),
            output: vec![output.to_owned()],
            name: Some(output.to_owned()),
            op_type: Some(operator.to_owned()),
            attribute: settings.iter().map(Setting::proto).collect(),
        });
    }

    /// A constant of float32.
    pub fn floats(&mut self, name: &str, sides: &[i64], values: &[f32]) -> String {
        let bytes = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.constant(name, sides, data_type::FLOAT, bytes)
    }

    /// A constant of whole numbers.
    pub fn integers(&mut self, name: &str, sides: &[i64], values: &[i64]) -> String {
        let bytes = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.constant(name, sides, data_type::INT64, bytes)
    }

    /// A tensor as a constant of float32 or of half precision.
    ///
    /// # Errors
    /// The device failed.
    pub fn tensor(&mut self, name: &str, tensor: &Tensor, kind: Kind) -> Result<String, TchError> {
        let tensor = tensor.f_detach()?.f_to_device(Device::Cpu)?.f_to_kind(kind)?.f_contiguous()?;
        let mut bytes = vec![0; tensor.numel() * kind.elt_size_in_bytes()];
        tensor.f_copy_data_u8(&mut bytes, tensor.numel())?;
        Ok(self.constant(name, &tensor.size(), elements_of(kind), bytes))
    }

    /// Weights `[K, ..]` as a constant of 8 bits, with a node that makes them float32.
    ///
    /// # Errors
    /// The device failed.
    pub fn quantised(&mut self, name: &str, weights: &Tensor) -> Result<String, TchError> {
        let Quantised { values, scales } = int8::quantise(weights)?;
        let values = values.f_to_device(Device::Cpu)?.f_contiguous()?;
        let mut bytes = vec![0; values.numel()];
        values.f_copy_data_u8(&mut bytes, values.numel())?;
        let values = self.constant(&format!("{name}/int8"), &values.size(), data_type::INT8, bytes);
        let scales = self.tensor(&format!("{name}/scales"), &scales, Kind::Float)?;
        Ok(self.node("DequantizeLinear", name, &[&values, &scales], &[Setting::Int("axis", 0)]))
    }

    fn constant(&mut self, name: &str, sides: &[i64], elements: i32, bytes: Vec<u8>) -> String {
        let name = self.fresh(name);
        self.graph.initializer.push(TensorProto {
            dims: sides.to_vec(),
            data_type: Some(elements),
            name: Some(name.clone()),
            raw_data: Some(bytes),
        });
        name
    }

    fn fresh(&mut self, name: &str) -> String {
        let mut fresh = name.to_owned();
        let mut number = 2;
        while !self.taken.insert(fresh.clone()) {
            fresh = format!("{name}_{number}");
            number += 1;
        }
        fresh
    }
}

/// The type of elements of tensors of this kind: float32 or half precision.
fn elements_of(kind: Kind) -> i32 {
    if kind == Kind::Half { data_type::FLOAT16 } else { data_type::FLOAT }
}

fn value(name: &str, elements: i32, sides: Vec<Dimension>, says: &str) -> ValueInfoProto {
    let dim = sides.into_iter().map(|side| DimensionProto { value: Some(side) }).collect();
    let tensor = TensorTypeProto { elem_type: Some(elements), shape: Some(TensorShapeProto { dim }) };
    ValueInfoProto {
        name: Some(name.to_owned()),
        r#type: Some(TypeProto { tensor_type: Some(tensor) }),
        doc_string: Some(says.to_owned()),
    }
}
