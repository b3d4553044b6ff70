//! Results that follow from a store's outputs and took a while: kept beside the shards, one file each.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use tch::Tensor;

use super::ENDING;
use crate::model::tensor_file;

fn file(folder: &Path, name: &str) -> PathBuf {
    // Not all digits, as those of shards are.
    folder.join(format!("{name}.{ENDING}"))
}

/// The `parts` lists of a result, where it is there and was made from what `digest` says.
pub fn read(folder: &Path, name: &str, digest: &str, parts: usize) -> Option<Vec<Vec<f32>>> {
    let file = file(folder, name);
    if !file.is_file() {
        return None;
    }
    // A damaged one is as good as none: it is computed anew.
    let read = tensor_file::read(&file).ok()?;
    if read.metadata.get("digest").map(String::as_str) != Some(digest) {
        return None;
    }
    let numbers = |part: usize| {
        let tensor = read.tensors.get(&part.to_string())?;
        let mut values = vec![0.0; tensor.numel()];
        tensor.f_copy_data(&mut values, tensor.numel()).ok()?;
        Some(values)
    };
    (0..parts).map(numbers).collect()
}

/// Keeps a result in place of an older one; that it cannot be kept is only logged.
pub fn write(folder: &Path, name: &str, digest: &str, parts: &[Vec<f32>]) {
    let tensors: Vec<(String, Tensor)> = parts
        .iter()
        .enumerate()
        .map(|(part, values)| (part.to_string(), Tensor::from_slice(values)))
        .collect();
    let tensors: Vec<(String, &Tensor)> =
        tensors.iter().map(|(name, tensor)| (name.clone(), tensor)).collect();
    let metadata = HashMap::from([("digest".to_owned(), digest.to_owned())]);
    if let Err(error) = tensor_file::write(&file(folder, name), &tensors, Some(metadata)) {
        log::warn!("{name} is not kept for the next time: {error:#}");
    }
}
