//! Expensive results derived from a store's outputs: kept beside the shards, one file each.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use tch::Tensor;

use super::ENDING;
use crate::model::tensor_file;

/// The two-dimensional map of the images.
pub(crate) const MAP: &str = "map";
/// Out-of-sample predictions of cross-validated heads.
pub(crate) const OUT_OF_SAMPLE: &str = "out-of-sample";
/// The same for heads on the features of a network that saw no label.
pub(crate) const UNSEEN: &str = "unseen";
/// All kinds of results.
pub(super) const NAMES: [&str; 3] = [MAP, OUT_OF_SAMPLE, UNSEEN];

/// The key in a file's header for the digest of its inputs.
pub(super) const DIGEST: &str = "digest";

fn file(folder: &Path, name: &str) -> PathBuf {
    // Not all digits, unlike the names of shards.
    folder.join(format!("{name}.{ENDING}"))
}

/// Reads the lists of a result, if it exists, was computed from inputs with this `digest`, and has these `lengths`.
pub fn read(folder: &Path, name: &str, digest: &str, lengths: &[usize]) -> Option<Vec<Vec<f32>>> {
    let file = file(folder, name);
    if !file.is_file() {
        return None;
    }
    let is_part = |name: &str, shape: &[usize]| {
        let length = name.parse::<usize>().ok().and_then(|part| lengths.get(part));
        length.is_some_and(|length| shape == [*length])
    };
    // A damaged one counts as missing: it is recomputed.
    let read = tensor_file::read(&file, is_part).ok()?;
    if read.metadata.get(DIGEST).map(String::as_str) != Some(digest) {
        return None;
    }
    let numbers = |part: usize| {
        let tensor = read.tensors.get(&part.to_string())?;
        let mut values = vec![0.0; tensor.numel()];
        tensor.f_copy_data(&mut values, tensor.numel()).ok()?;
        Some(values)
    };
    (0..lengths.len()).map(numbers).collect()
}

/// Stores a result, replacing an older one; failure is only logged.
pub fn write(folder: &Path, name: &str, digest: &str, lists: &[Vec<f32>]) {
    let tensor = |(part, values): (usize, &Vec<f32>)| Ok((part.to_string(), Tensor::f_from_slice(values)?));
    let tensors: Result<Vec<(String, Tensor)>, tch::TchError> =
        lists.iter().enumerate().map(tensor).collect();
    let write = |tensors: Vec<(String, Tensor)>| {
        let tensors: Vec<_> = tensors.iter().map(|(name, tensor)| (name.clone(), tensor)).collect();
        let metadata = HashMap::from([(DIGEST.to_owned(), digest.to_owned())]);
        tensor_file::write(&file(folder, name), &tensors, Some(metadata))
    };
    if let Err(error) = tensors.map_err(anyhow::Error::from).and_then(write) {
        log::warn!("{name} cannot be stored for the next time: {error:#}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_result_of_other_lengths_is_computed_anew() {
        let dir = tempfile::tempdir().unwrap();
        write(dir.path(), "map", "digest", &[vec![1.0, 2.0], vec![3.0]]);
        let read = |digest: &str, lengths: &[usize]| read(dir.path(), "map", digest, lengths);
        assert_eq!(read("digest", &[2, 1]), Some(vec![vec![1.0, 2.0], vec![3.0]]));
        assert_eq!(read("digest", &[2, 2]), None);
        assert_eq!(read("digest", &[2, 1, 1]), None);
        assert_eq!(read("another", &[2, 1]), None);
    }
}
