//! Networks as ONNX graphs, for engines and for other programs.
//!
//! [`network`] puts a graph together from the [`sketch`](crate::model::sketch) of a backbone, with [`preprocessing`] in
//! front.

mod graph;
mod network;
mod preprocessing;
pub mod protobuf;

use prost::Message as _;
use tch::Kind;

use crate::model::network::Network;
pub use network::{IMAGE, Input, Plan, outputs};
use protobuf::{IR_VERSION, ModelProto, OPSET, OperatorSetIdProto};

/// The ONNX file of a network for an engine behind our own predictions, for images of this height
/// and width. It takes bytes `[N, height, width, 3]`, 0 to 255, computes in float32, and gives per task, in their
/// order, the probabilities `[N, labels]`, and as its last output the pooled features `[N, C]`.
///
/// # Errors
/// Memory is short.
pub fn engine_model(network: &Network, size: (u32, u32)) -> anyhow::Result<Vec<u8>> {
    let plan =
        Plan { size, input: Input::NetworkSize, kind: Kind::Float, is_int8: false, gives_features: true };
    Ok(model(network, plan)?.encode_to_vec())
}

/// The ONNX model of a network, without properties.
///
/// # Errors
/// Memory is short.
pub fn model(network: &Network, plan: Plan) -> anyhow::Result<ModelProto> {
    let tasks: Vec<&str> = network.tasks().iter().map(|task| task.name.as_str()).collect();
    Ok(ModelProto {
        ir_version: Some(IR_VERSION),
        producer_name: Some("tasklens".to_owned()),
        producer_version: Some(env!("CARGO_PKG_VERSION").to_owned()),
        doc_string: Some(format!("{}: {}", network.backbone().facts().title, tasks.join(", "))),
        graph: Some(network::graph_of(network, plan)?),
        opset_import: vec![OperatorSetIdProto { domain: Some(String::new()), version: Some(OPSET) }],
        metadata_props: Vec::new(),
    })
}
