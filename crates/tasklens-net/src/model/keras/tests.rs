//! Reading what others wrote: the forms that a description takes, and files that are damaged.

use std::io::Read as _;
use std::path::Path;

use serde_json::json;

use super::architecture::{self, Found};
use super::*;

/// The layers that have variables, with what each calls them.
const VARIABLES: [(&str, &[&str]); 4] = [
    ("Conv2D", &["kernel"]),
    ("SeparableConv2D", &["depthwise_kernel", "pointwise_kernel"]),
    ("BatchNormalization", &["gamma", "beta", "moving_mean", "moving_variance"]),
    ("Dense", &["kernel", "bias"]),
];

fn unpacked(packed: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    flate2::read::GzDecoder::new(packed).read_to_end(&mut bytes).unwrap();
    bytes
}

fn tiny() -> Vec<u8> {
    unpacked(include_bytes!("../../../tests/networks/keras/tiny.h5.gz"))
}

/// What a recorded file says of its model.
fn description(packed: &[u8]) -> serde_json::Value {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("model.h5");
    std::fs::write(&file, unpacked(packed)).unwrap();
    SavedModel::open(&file).unwrap().model().clone()
}

fn keras2() -> serde_json::Value {
    description(include_bytes!("../../../tests/networks/keras/keras2.h5.gz"))
}

fn found(description: &serde_json::Value) -> anyhow::Result<Found> {
    let graph = Graph::of(description)?;
    let (_, widths) = backbone_of(&graph).unwrap();
    architecture::find(&graph, widths)
}

/// The recorded model, in which the text `from` is `to`.
fn with(from: &str, to: &str) -> anyhow::Result<Found> {
    let text = keras2().to_string();
    assert!(text.contains(from), "{from}");
    found(&serde_json::from_str(&text.replacen(from, to, 1)).unwrap())
}

fn refusal(from: &str, to: &str) -> String {
    format!("{:#}", with(from, to).unwrap_err())
}

/// The layers of the outer model that scale pixels, in place of the two of Keras 2.
fn scaled_by(layers: &serde_json::Value) -> anyhow::Result<Found> {
    let mut model = keras2();
    let all = model["config"]["layers"].as_array_mut().unwrap();
    all.splice(1..3, layers.as_array().unwrap().iter().cloned());
    let last = layers
        .as_array()
        .and_then(|layers| layers.last())
        .map_or(all[0]["name"].clone(), |last| last["name"].clone());
    let base = all.iter_mut().find(|layer| layer["class_name"] == "Functional").unwrap();
    base["inbound_nodes"] = json!([[[last, 0, 0, {}]]]);
    found(&model)
}

#[test]
fn pixels_are_scaled_as_every_version_writes_it() {
    let input = keras2()["config"]["layers"][0]["name"].clone();
    let op = |name: &str, op: &str, from: &serde_json::Value, number: f64| {
        json!({
            "class_name": "TensorFlowOpLayer", "name": name, "inbound_nodes": [[[from, 0, 0, {}]]],
            "config": {"name": op, "node_def": {"name": op, "op": op, "input": [from, "y"]}, "constants": {"1": number}}
        })
    };
    // TensorFlow 2.3.
    let old = json!([op("a", "RealDiv", &input, 127.5), op("b", "Sub", &json!("a"), 1.0)]);
    assert_eq!(scaled_by(&old).unwrap().notices.len(), 0);
    let rescaling = json!([{
        "class_name": "Rescaling", "name": "r", "inbound_nodes": [[[input, 0, 0, {}]]],
        "config": {"scale": 1.0 / 127.5, "offset": -1.0}
    }]);
    assert_eq!(scaled_by(&rescaling).unwrap().notices.len(), 0);
    let none = scaled_by(&json!([])).unwrap().notices;
    assert!(none.len() == 1 && none[0].contains("does not say how pixels are scaled"), "{none:?}");

    let other = json!([op("a", "RealDiv", &input, 255.0)]);
    let told = format!("{:#}", scaled_by(&other).unwrap_err());
    assert!(told.contains("TensorFlowOpLayer `a` it computes pixel * 0.0039"), "{told}");
    let code = json!([{"class_name": "Lambda", "name": "code", "inbound_nodes": [[[input, 0, 0, {}]]], "config": {}}]);
    let told = format!("{:#}", scaled_by(&code).unwrap_err());
    assert!(told.contains("there is Lambda `code`, expected one Conv2D"), "{told}");
}

#[test]
fn a_layer_that_computes_something_else_is_named() {
    let told = refusal(r#""epsilon":0.001"#, r#""epsilon":0.01"#);
    assert!(told.contains("BatchNormalization `block1_conv1_bn` adds Some(0.01) to the variance"), "{told}");
    let told = refusal(r#""padding":"same""#, r#""padding":"valid""#);
    assert!(
        told.contains("SeparableConv2D `block2_sepconv1` has `padding: \"valid\"`, expected \"same\""),
        "{told}"
    );
    let told = refusal(r#""activation":"relu""#, r#""activation":"elu""#);
    assert!(told.contains("Activation `block1_conv1_act` has `activation: \"elu\"`"), "{told}");
    let told = refusal(r#""activation":"softmax""#, r#""activation":"sigmoid""#);
    assert!(told.contains("Dense `print_clf` has `activation: \"sigmoid\"`, expected \"softmax\""), "{told}");
    let told = refusal("GlobalAveragePooling2D", "GlobalMaxPooling2D");
    assert!(
        told.contains("there is GlobalMaxPooling2D `global_average_pooling2d`, expected one Global"),
        "{told}"
    );
    let told = refusal(r#"[["block2_pool",0,0,{}],"#, r#"[["batch_normalization",0,0,{}],"#);
    assert!(told.contains("behind MaxPooling2D `block2_pool` there is nothing, expected one Add"), "{told}");
    let told = refusal(r#"[null,71,64,3]"#, r#"[null,71,64,1]"#);
    assert!(told.contains("takes [null,71,64,1], expected images [null, height, width, 3]"), "{told}");
    let told = refusal(r#""class_name":"Functional""#, r#""class_name":"Sequential""#);
    assert!(told.contains("the model is a Sequential, expected a functional one"), "{told}");
    // A loop, or a name that is none, ends in words.
    let told = refusal(r#"[["block1_conv1",0,0,{}]"#, r#"[["block9_conv1",0,0,{}]"#);
    assert!(
        told.contains("the inputs of the layer `block1_conv1_bn`: `block9_conv1` is no layer before it"),
        "{told}"
    );
}

/// Every variable that a file's model has.
fn read_all(file: &Path) -> anyhow::Result<usize> {
    let saved = SavedModel::open(file)?;
    let graph = Graph::of(saved.model())?;
    let _ = architecture::find(&graph, backbone_of(&graph).unwrap().1);
    let mut numbers = 0;
    for layer in &graph.layers {
        let variables = VARIABLES.iter().find(|(class, _)| *class == layer.class).map_or(&[][..], |of| of.1);
        for variable in variables {
            let shape: &[u64] = match *variable {
                "depthwise_kernel" => &[3, 3, 4, 1],
                "pointwise_kernel" => &[1, 1, 4, 2],
                "kernel" if layer.class == "Dense" => &[2, 3],
                "kernel" => &[3, 3, 3, 4],
                "bias" => &[3],
                _ => &[4],
            };
            numbers += saved.read(layer, variable, shape)?.len();
        }
    }
    Ok(numbers)
}

#[test]
fn split_lists_texts_of_fixed_length_and_packed_chunks_are_read() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("tiny.h5");
    std::fs::write(&file, tiny()).unwrap();
    assert_eq!(read_all(&file).unwrap(), 108 + 16 + 36 + 8 + 6 + 3);
    let saved = SavedModel::open(&file).unwrap();
    let graph = Graph::of(saved.model()).unwrap();
    let layer = graph.layers.iter().find(|layer| layer.name == "block1_conv1").unwrap();
    // The formula of `models.py`: multiples of 1/32 that repeat after 61 numbers, times the root of 1/27.
    let values = saved.read(layer, "kernel", &[3, 3, 3, 4]).unwrap();
    let expected = |i: usize| (f64::from((i * 37 % 61) as u8) - 30.0) / 32.0 / 27_f64.sqrt();
    assert!(values.iter().enumerate().all(|(i, v)| (f64::from(*v) - expected(i)).abs() < 1e-6), "{values:?}");
    let told = format!("{:#}", saved.read(layer, "kernel", &[3, 3, 3, 5]).unwrap_err());
    assert_eq!(told, "the layer `block1_conv1`: its kernel: has shape [3, 3, 3, 4], expected [3, 3, 3, 5]");
    let told = format!("{:#}", saved.read(layer, "bias", &[4]).unwrap_err());
    assert_eq!(told, "the layer `block1_conv1`: its bias: is not in the file");
}

/// Truncated files, and files of which some bytes or bits are others: a message or the truth, and never a panic or a
/// long wait.
#[test]
fn a_damaged_file_is_a_message() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("damaged.h5");
    let whole = tiny();
    let mut state = 88_172_645_463_325_252_u64;
    let mut random = |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % below as u64) as usize
    };
    let (mut refused, mut read) = (0, 0);
    for round in 0..3000 {
        let mut bytes = whole.clone();
        if round % 8 == 0 {
            bytes.truncate(random(whole.len()));
        }
        for _ in 0..random(8) {
            let place = random(bytes.len().max(1)).min(bytes.len().saturating_sub(1));
            let Some(byte) = bytes.get_mut(place) else { continue };
            match round % 3 {
                0 => *byte ^= 1 << random(8),
                1 => *byte = 0xff,
                _ => *byte = random(256) as u8,
            }
        }
        std::fs::write(&file, bytes).unwrap();
        match read_all(&file) {
            Ok(_) => read += 1,
            Err(error) => {
                refused += 1;
                assert!(!format!("{error:#}").is_empty());
            }
        }
    }
    assert!(refused > 750 && read > 400, "{refused} refused, {read} read");
}
