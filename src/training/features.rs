//! Stored features for `freeze_convolutional_layers`: each image goes through the backbone a few times,
//! once as it is and some times augmented, and from then on an epoch takes seconds without a GPU.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, ensure};
use sha2::{Digest as _, Sha256};
use tch::{Device, Kind, Tensor, no_grad};

use super::reporter::Reporter;
use super::setup::StoppedEarly;
use crate::config::ModelConfig;
use crate::dataset::Row;
use crate::device::FreeCores;
use crate::download::hex;
use crate::images::loader::{Loader, Source, in_batches};
use crate::model::layers::Pass;
use crate::model::network::{Network, is_backbone};
use crate::model::tensor_file;

/// Augmented versions of each training image: more give less overfitting and take longer to compute.
const AUGMENTED_VIEWS: usize = 4;

/// The tensor in a file.
const FEATURES: &str = "features";

/// Features of rows, in float16 on the CPU.
pub struct Features {
    /// `[views, rows, features]`.
    values: Tensor,
    place: Arc<HashMap<usize, i64>>,
}

/// What it takes to compute features.
pub struct Extractor<'a> {
    /// Its backbone computes them, in evaluation mode.
    pub network: &'a Network,
    /// Images and augmentation.
    pub source: &'a Arc<Source>,
    /// What is computed in.
    pub kind: Kind,
    /// Images at a time.
    pub batch_size: usize,
    /// Threads that decode.
    pub workers: usize,
    /// Threads that compute on the processor; `None` is as many as other programs leave cores.
    pub threads: Option<usize>,
    /// Folder of stored features, shared by all runs.
    pub store: PathBuf,
    /// Identifies weights, size and augmentation: [`digest`].
    pub digest: String,
}

/// What the features of any row depend on besides its pixels.
pub fn digest(network: &Network, model: &ModelConfig, kind: Kind) -> anyhow::Result<String> {
    let mut hash = Sha256::new();
    for parameter in network.parameters().iter().filter(|p| is_backbone(&p.name)) {
        hash.update(parameter.name.as_bytes());
        let tensor = parameter.tensor.f_detach()?.f_to_device(Device::Cpu)?.f_contiguous()?;
        let mut values = vec![0_f32; tensor.numel()];
        tensor.f_copy_data(&mut values, tensor.numel())?;
        for value in values {
            hash.update(value.to_le_bytes());
        }
    }
    let settings = (
        model.height,
        model.width,
        &model.augmentation,
        model.random_seed,
        AUGMENTED_VIEWS,
        kind == Kind::Float,
    );
    hash.update(serde_json::to_vec(&settings)?);
    Ok(hex(&hash.finalize()))
}

impl Extractor<'_> {
    /// The features of the rows that validate: one view, not augmented.
    pub fn validation(&self, rows: &[usize], reporter: &mut Reporter) -> anyhow::Result<Features> {
        self.stored(rows, &[None], "features of the validation images", reporter)
    }

    /// The features of the rows that train: not augmented and [`AUGMENTED_VIEWS`] times augmented.
    pub fn training(&self, rows: &[usize], reporter: &mut Reporter) -> anyhow::Result<Features> {
        let views: Vec<_> = std::iter::once(None).chain((1..=AUGMENTED_VIEWS).map(Some)).collect();
        self.stored(rows, &views, "features of the training images", reporter)
    }

    /// From the disk where an earlier run left them, else computed and left there.
    fn stored(
        &self,
        rows: &[usize],
        views: &[Option<usize>],
        what: &str,
        reporter: &mut Reporter,
    ) -> anyhow::Result<Features> {
        let file = self.store.join(format!("{}.safetensors", self.key(rows, views)));
        let places =
            |rows: &[usize]| Arc::new(rows.iter().enumerate().map(|(i, &row)| (row, i as i64)).collect());
        let features = self.network.backbone().facts().features as usize;
        let is_ours =
            |name: &str, shape: &[usize]| name == FEATURES && shape == [views.len(), rows.len(), features];
        if let Ok(mut read) = tensor_file::read(&file, is_ours)
            && let Some(values) = read.tensors.remove(FEATURES)
        {
            return Ok(Features { values: values.f_to_kind(Kind::Half)?, place: places(rows) });
        }
        let (values, read) = self.compute(rows, views, what, reporter)?;
        // Features of a part of the rows are not kept: the images that failed may be mended.
        if read.len() == rows.len()
            && let Err(error) = tensor_file::write(&file, &[(FEATURES.to_owned(), &values)], None)
        {
            reporter.warn(format!("The features are not kept for the next run: {error:#}"));
        }
        Ok(Features { values, place: places(&read) })
    }

    /// Name of the file: what the features depend on, each image's path, size and time included.
    fn key(&self, rows: &[usize], views: &[Option<usize>]) -> String {
        let mut hash = Sha256::new();
        hash.update(self.digest.as_bytes());
        hash.update([views.len() as u8]);
        for &row in rows {
            // The row's number is part of the augmentation's seed.
            hash.update(row.to_le_bytes());
            let Row { image, .. } = &self.source.rows[row];
            hash.update(image.as_os_str().as_encoded_bytes());
            if let Ok(metadata) = std::fs::metadata(image) {
                hash.update(metadata.len().to_le_bytes());
                let time =
                    metadata.modified().ok().and_then(|t| t.duration_since(std::time::UNIX_EPOCH).ok());
                hash.update(time.unwrap_or_default().as_nanos().to_le_bytes());
            }
        }
        hex(&hash.finalize())[..32].to_owned()
    }

    /// The features of the rows whose image can be read, and these rows.
    fn compute(
        &self,
        rows: &[usize],
        views: &[Option<usize>],
        what: &str,
        reporter: &mut Reporter,
    ) -> anyhow::Result<(Tensor, Vec<usize>)> {
        let of = (rows.len() * views.len()) as u64;
        let what = format!("computing the {what} (once)");
        let mut done = 0_u64;
        let mut all = Vec::new();
        let mut rows = rows.to_vec();
        let mut cores = FreeCores::new(self.network.device(), self.threads);
        for &view in views {
            let loader = Loader::start(self.source, in_batches(&rows, self.batch_size), view, self.workers)?;
            let (mut parts, mut read) = (Vec::new(), Vec::new());
            for batch in loader {
                if reporter.should_stop() {
                    anyhow::bail!(StoppedEarly);
                }
                cores.follow();
                for (_, message) in &batch.failures {
                    reporter.warn(format!("{message}; the run goes on without this image"));
                }
                // The views after the first read the same images.
                for (_, message) in batch.notes.iter().filter(|_| all.is_empty()) {
                    reporter.warn(message.clone());
                }
                if !batch.rows.is_empty() {
                    parts.push(self.features_of(&batch.pixels, batch.rows.len())?);
                }
                done += (batch.rows.len() + batch.failures.len()) as u64;
                read.extend(batch.rows);
                reporter.preparing(&what, done, of);
            }
            ensure!(!read.is_empty(), "none of the images could be read");
            // The views after the first are of the rows that the first could read.
            ensure!(all.is_empty() || read == rows, "an image vanished meanwhile: start again");
            rows = read;
            all.push(Tensor::f_cat(&parts, 0)?);
        }
        Ok((Tensor::f_stack(&all, 0)?, rows))
    }

    fn features_of(&self, pixels: &[u8], images: usize) -> anyhow::Result<Tensor> {
        let (height, width) = self.source.cache.size();
        let shape = [images as i64, i64::from(height), i64::from(width), 3];
        no_grad(|| {
            let bytes = Tensor::f_from_data_size(pixels, &shape, Kind::Uint8)?;
            let input = self.network.normalise(&bytes, self.kind)?;
            let features = self.network.features(&input, Pass::evaluate(self.kind))?;
            Ok(features.f_to_device(Device::Cpu)?.f_to_kind(Kind::Half)?)
        })
    }
}

impl Features {
    /// Whether a row's image could be read.
    pub fn has(&self, row: usize) -> bool {
        self.place.contains_key(&row)
    }

    /// The same features, not copied.
    pub fn shallow_clone(&self) -> Self {
        Self { values: self.values.shallow_clone(), place: Arc::clone(&self.place) }
    }

    /// `[rows, features]` in float32 on `device`; `view` picks the version of each row.
    pub fn batch(
        &self,
        rows: &[usize],
        view: impl Fn(usize) -> u64,
        device: Device,
    ) -> anyhow::Result<Tensor> {
        let (views, count) = (self.values.size()[0], self.values.size()[1]);
        let index = rows
            .iter()
            .map(|row| {
                let place = self.place.get(row).with_context(|| format!("row {row} has no features"))?;
                Ok((view(*row) % views as u64) as i64 * count + place)
            })
            .collect::<anyhow::Result<Vec<i64>>>()?;
        let flat = self.values.f_view([views * count, -1])?;
        let picked = flat.f_index_select(0, &Tensor::f_from_slice(&index)?)?;
        Ok(picked.f_to_device(device)?.f_to_kind(Kind::Float)?)
    }
}

/// The folder of features within that of the runs.
pub const FOLDER: &str = "features";

/// Where features are kept: beside the runs, so that the next run finds them.
pub fn store(runs: &Path) -> PathBuf {
    runs.join(FOLDER)
}
