//! EfficientNet-Lite against `efficientnet_lite_pytorch` and timm, recorded by `efficientnet_lite.py`.

use std::collections::HashMap;

use serde_json::Value;
use tasklens_data::config::Backbone;
use tasklens_net::model::layers::ForwardPass;
use tasklens_net::model::network::Network;
use tasklens_net::model::{backbone_file, pretrained, tensor_file};
use tch::{Device, Kind, Tensor, no_grad};

use super::{compare, input, numbers, relative_error, sides, skip, weights};

fn golden() -> Value {
    serde_json::from_str(include_str!("efficientnet_lite.json")).expect("golden values are JSON")
}

fn networks(golden: &Value) -> impl Iterator<Item = (Backbone, &Value)> {
    let networks = golden["networks"].as_object().expect("networks");
    networks.iter().map(|(name, listed)| (Backbone::from_name(name).expect("a network"), listed))
}

/// With weights made from the formulas.
fn made(backbone: Backbone) -> Network {
    let mut network = Network::new(backbone, &[], 0, Device::Cpu).expect("a network");
    network.load(&values(&network), |_| true).expect("every tensor");
    network
}

fn values(network: &Network) -> HashMap<String, Tensor> {
    let made = network.parameters().iter().map(|p| (p.name.clone(), weights(&p.name, &p.tensor.size())));
    made.collect()
}

fn features(network: &Network, size: &str) -> Tensor {
    let (height, width) = sides(size);
    no_grad(|| network.features(&input(height, width), ForwardPass::evaluate(Kind::Float))).expect("features")
}

#[test]
fn efficientnet_lite_reproduces_the_published_networks() {
    let golden = golden();
    for (backbone, listed) in networks(&golden) {
        let mut network = made(backbone);
        assert_eq!(
            network.parameters().iter().count() as u64,
            listed["parameters"].as_u64().expect("a number")
        );
        for folded in [false, true] {
            if folded {
                network.fold(Kind::Float).expect("folds");
            }
            for (size, listed) in listed["made"].as_object().expect("sizes") {
                let what = format!("{}, {size}, folded {folded}", backbone.name());
                compare(&features(&network, size), listed, &what);
            }
        }
    }
}

#[test]
fn a_file_with_the_names_of_timm_is_taken() {
    let golden = golden();
    let backbone = Backbone::EfficientNetLite2;
    let mut values = values(&Network::new(backbone, &[], 0, Device::Cpu).expect("a network"));
    let names = golden["names_in_timm"].as_array().expect("a list");
    let renamed: Vec<(String, Tensor)> = names
        .iter()
        .map(|row| {
            let name = |i: usize| row[i].as_str().expect("a name");
            (name(1).to_owned(), values.remove(name(0)).expect("our name"))
        })
        .collect();
    assert!(values.is_empty(), "timm has no {:?}", values.keys());
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("tf_efficientnet_lite2.safetensors");
    let tensors: Vec<_> = renamed.iter().map(|(name, tensor)| (name.clone(), tensor)).collect();
    tensor_file::write(&file, &tensors, None).expect("writes");

    let mut network = Network::new(backbone, &[], 0, Device::Cpu).expect("a network");
    backbone_file::load(&mut network, &file).expect("timm's names are understood");
    let listed = &golden["networks"][backbone.name()]["made"]["71x50"];
    compare(&features(&network, "71x50"), listed, "loaded by timm's names");

    let mut other = Network::new(Backbone::EfficientNetLite0, &[], 0, Device::Cpu).expect("a network");
    let error = format!("{:#}", backbone_file::load(&mut other, &file).expect_err("another network"));
    assert!(
        error.contains("weights of the backbone efficientnet_lite0") && error.contains("has shape"),
        "{error}"
    );
}

#[test]
fn the_weights_of_the_set_up_give_the_features_and_classes_of_the_publication() {
    let golden = golden();
    for (backbone, listed) in networks(&golden) {
        let Some(file) = pretrained::cached(backbone) else {
            // Those on demand need not be there.
            if backbone.facts().weights.is_some_and(|weights| weights.is_default()) {
                skip::skipped("ImageNet weights, which `cargo xtask setup` could not fetch");
            }
            continue;
        };
        let mut network = Network::new(backbone, &[], 0, Device::Cpu).expect("a network");
        backbone_file::load(&mut network, &file).expect("the weights fit");
        let classifier = tensor_file::read(&file, |name, _| name.starts_with("_fc.")).expect("reads").tensors;
        for (size, listed) in listed["public"].as_object().expect("sizes") {
            let features = features(&network, size);
            compare(&features, listed, &format!("{}, {size}", backbone.name()));
            let logits = features.linear(&classifier["_fc.weight"], Some(&classifier["_fc.bias"]));
            let (values, classes) = logits.view([-1]).topk(5, 0, true, true);
            let best: Vec<Vec<f64>> =
                listed["best"].as_array().expect("a list").iter().map(numbers).collect();
            let expected: Vec<i64> = best.iter().map(|pair| pair[0] as i64).collect();
            assert_eq!(
                Vec::<i64>::try_from(classes).expect("classes"),
                expected,
                "{} {size}",
                backbone.name()
            );
            let ours = Vec::<f64>::try_from(values.to_kind(Kind::Double)).expect("numbers");
            let expected: Vec<f64> = best.iter().map(|pair| pair[1]).collect();
            assert!(relative_error(&ours, &expected) < 1e-4, "{ours:?} {expected:?}");
        }
    }
}

/// ImageNet's numbers for garments: jersey, sweatshirt, trench coat, cardigan, suit, lab coat, gown, miniskirt and more.
const GARMENTS: [i64; 16] = [474, 578, 601, 608, 610, 614, 617, 655, 689, 697, 735, 775, 834, 841, 869, 903];

/// An extra: of the photographs beside the checkout, the network sees garments where garments are.
#[test]
fn real_photographs_of_clothes_are_taken_for_clothes() {
    let csv =
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/clothing/clothing.csv");
    let (Some(file), Ok(text)) =
        (pretrained::cached(Backbone::EfficientNetLite2), std::fs::read_to_string(&csv))
    else {
        return skip::skipped("an extra on real photographs, which are not part of the project");
    };
    let mut network = Network::new(Backbone::EfficientNetLite2, &[], 0, Device::Cpu).expect("a network");
    backbone_file::load(&mut network, &file).expect("the weights fit");
    let classifier = tensor_file::read(&file, |name, _| name.starts_with("_fc.")).expect("reads").tensors;
    let mut found = Vec::new();
    for line in text.lines().skip(1).step_by(400) {
        let (path, item) = line.split_once(',').expect("columns");
        let image = tasklens_data::images::decode::decode_file(&csv.with_file_name(path))
            .expect("an image")
            .into_rgb();
        let pixels = tasklens_data::images::resize::resize(&image, 260, 260);
        let bytes = Tensor::from_slice(&pixels).view([1, 260, 260, 3]);
        let images = network.normalise(&bytes, Kind::Float).expect("images");
        let features =
            no_grad(|| network.features(&images, ForwardPass::evaluate(Kind::Float))).expect("features");
        let class =
            features.linear(&classifier["_fc.weight"], Some(&classifier["_fc.bias"])).argmax(1, false);
        println!("{path} ({item}): class {}", class.int64_value(&[0]));
        found.push(class.int64_value(&[0]));
    }
    let garments = found.iter().filter(|class| GARMENTS.contains(class)).count();
    assert!(
        2 * garments > found.len(),
        "{garments} of {} photographs of clothes are taken for clothes",
        found.len()
    );
}
