//! Takes the weights of a backbone from a safetensors file: a checkpoint of ours, or what another publisher gives away.

use std::collections::HashMap;
use std::path::Path;

use anyhow::Context as _;
use safetensors::tensor::Metadata;

use super::network::{Network, is_backbone};
use super::{checkpoint, tensor_file};

/// Gives a network the backbone's weights in a file with our names or those of another publisher; it computes by the
/// conventions that the file names from then on.
///
/// # Errors
/// The file cannot be read, or is for another backbone; then nothing is changed.
pub fn load(network: &mut Network, file: &Path) -> anyhow::Result<()> {
    let header = tensor_file::header(file)?;
    let conventions = checkpoint::conventions_in(file, &header)?;
    let names = names_in(network, &header);
    network.fits(&header, |name| names.get(name).cloned()).with_context(|| {
        format!(
            "{} does not hold weights of the backbone {}; expected the names and shapes of {}",
            file.display(),
            network.backbone().name(),
            network.backbone().facts().published_as
        )
    })?;
    let ours: HashMap<String, String> = names.into_iter().map(|(ours, theirs)| (theirs, ours)).collect();
    let has = |name: &str, shape: &[usize]| ours.get(name).is_some_and(|name| network.has(name, shape));
    let read = tensor_file::read(file, has)?.tensors;
    let values = read.into_iter().filter_map(|(name, value)| Some((ours.get(&name)?.clone(), value)));
    network.load(&values.collect(), is_backbone)?;
    network.follow(conventions);
    Ok(())
}

/// Maps our names of the backbone's tensors to those in a file: the same, or those of another publisher if it has
/// none of ours.
fn names_in(network: &Network, header: &Metadata) -> HashMap<String, String> {
    let ours = || network.parameters().iter().map(|p| p.name.as_str()).filter(|name| is_backbone(name));
    let is_ours = ours().any(|name| header.info(name).is_some());
    let theirs = |name: &str| network.trunk().other_name(name).filter(|_| !is_ours);
    ours().map(|name| (name.to_owned(), theirs(name).unwrap_or_else(|| name.to_owned()))).collect()
}
