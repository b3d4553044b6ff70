//! One file of the store: safetensors with one view of a few thousand images, written once, then only read.

use std::borrow::Cow;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, ensure};
use memmap2::Mmap;
use safetensors::tensor::Metadata;
use safetensors::{Dtype, SafeTensors, View as Tensor};
use tasklens_data::files;
use tasklens_data::images::miniature::BYTES as MINIATURE_BYTES;

use super::identity::{Identity, Stamp, View};
use super::mapped::Numbers;

// Names of the tensors in a file.
const IDENTITIES: &str = "identities";
const IMAGES: &str = "images";
const STAMPS: &str = "stamps";
const FEATURES: &str = "features";
const MINIATURES: &str = "miniatures";

/// The key in the metadata that marks a file as ours, with the version of the layout.
const FORMAT_KEY: &str = "tasklens_features";
const FORMAT: &str = "1";
const VIEW: &str = "view";
/// Maximum size of a header, bytes.
const HEAD: usize = 4096;

/// One view of images that is to be written to a file.
#[derive(Debug, Default)]
pub struct FeatureBuffer {
    /// Paths, one per image.
    pub images: Vec<PathBuf>,
    /// From [`stamp`](super::stamp), taken before the image was read.
    pub stamps: Vec<Stamp>,
    /// `[N, features]`, float16, little-endian.
    pub features: Vec<u8>,
    /// `[N, 12, 12, 3]` for plain views, otherwise empty.
    pub miniatures: Vec<u8>,
}

impl FeatureBuffer {
    /// Adds the images of another buffer, with the same number of features.
    pub(super) fn extend(&mut self, other: Self) {
        self.images.extend(other.images);
        self.stamps.extend(other.stamps);
        self.features.extend(other.features);
        self.miniatures.extend(other.miniatures);
    }

    /// Serialises the shard.
    ///
    /// # Errors
    /// The number of values does not fit the images.
    pub fn to_bytes(&self, view: &View) -> anyhow::Result<Vec<u8>> {
        let count = self.images.len();
        let identity = |(image, stamp): (&PathBuf, &Stamp)| Identity::new(image, *stamp).0;
        let identities = self.images.iter().zip(&self.stamps).map(identity).collect::<Vec<_>>().concat();
        let paths: Vec<Cow<'_, str>> = self.images.iter().map(|path| path.to_string_lossy()).collect();
        let paths = serde_json::to_vec(&paths)?;
        let stamps = self.stamps.concat();
        let mut tensors = vec![
            (IDENTITIES, Raw(Dtype::U8, vec![count, Identity::BYTES], Cow::Owned(identities))),
            (IMAGES, Raw(Dtype::U8, vec![paths.len()], Cow::Owned(paths))),
            (STAMPS, Raw(Dtype::I64, vec![count, 2], bytes_of(&stamps))),
            (FEATURES, half(count, &self.features)),
        ];
        if *view == View::Plain {
            let shape = vec![count, MINIATURE_BYTES];
            tensors.push((MINIATURES, Raw(Dtype::U8, shape, Cow::Borrowed(&self.miniatures))));
        }
        let metadata =
            HashMap::from([(FORMAT_KEY.to_owned(), FORMAT.to_owned()), (VIEW.to_owned(), view.name())]);
        Ok(safetensors::serialize(tensors.iter().map(|(name, raw)| (*name, raw)), Some(metadata))?)
    }
}

/// The tensor of features of this many images.
pub(in crate::inference) fn half(count: usize, bytes: &[u8]) -> Raw<'_> {
    Raw(Dtype::F16, vec![count, bytes.len() / 2 / count.max(1)], Cow::Borrowed(bytes))
}

/// Encodes numbers as little-endian.
pub(in crate::inference) fn bytes_of<T: bytemuck::NoUninit>(values: &[T]) -> Cow<'_, [u8]> {
    Cow::Borrowed(bytemuck::cast_slice(values))
}

/// A tensor to be written: type, shape and bytes.
pub(in crate::inference) struct Raw<'a>(pub Dtype, pub Vec<usize>, pub Cow<'a, [u8]>);

impl Tensor for &Raw<'_> {
    fn dtype(&self) -> Dtype {
        self.0
    }

    fn shape(&self) -> &[usize] {
        &self.1
    }

    fn data(&self) -> Cow<'_, [u8]> {
        Cow::Borrowed(&self.2)
    }

    fn data_len(&self) -> usize {
        self.2.len()
    }
}

/// Reads a tensor of an untrusted file, checking type and shape.
///
/// # Errors
/// It is missing, or has another type or shape.
pub(in crate::inference) fn tensor_of<'a>(
    tensors: &SafeTensors<'a>,
    name: &str,
    dtype: Dtype,
    shape: &[usize],
) -> anyhow::Result<&'a [u8]> {
    let tensor = tensors.tensor(name).with_context(|| format!("`{name}` is missing"))?;
    ensure!(
        tensor.dtype() == dtype && tensor.shape() == shape,
        "`{name}` is {:?} {:?}, expected {dtype:?} {shape:?}",
        tensor.dtype(),
        tensor.shape()
    );
    Ok(tensor.data())
}

/// A shard opened for reading. Everything stays in the file.
#[derive(Debug)]
pub struct FeatureShard {
    /// Path of the file.
    pub file: PathBuf,
    /// The view of all its images.
    pub view: View,
    /// Number of images.
    pub count: usize,
    /// The features, and the file itself.
    pub numbers: Arc<Numbers>,
    /// Offset of the identities in bytes.
    identities_at: usize,
}

impl FeatureShard {
    /// Opens a shard with feature vectors of length `dimensions`.
    ///
    /// # Errors
    /// It cannot be read, is damaged, or belongs to another network.
    pub fn open(file: &Path, dimensions: usize) -> anyhow::Result<Self> {
        let map = files::map(file)?;
        let (_, header) = SafeTensors::read_metadata(&map)?;
        ensure!(is_ours(&header), "it was not written by this version of Tasklens");
        let view = header.metadata().as_ref().and_then(|strings| View::of_name(strings.get(VIEW)?));
        let view = view.context("it does not say which view it holds")?;
        Self::of(file, map, view, dimensions)
    }

    fn of(file: &Path, map: Mmap, view: View, dimensions: usize) -> anyhow::Result<Self> {
        let tensors = SafeTensors::deserialize(&map)?;
        let count = tensors.tensor(FEATURES)?.shape().first().copied().unwrap_or(0);
        let at = |data: &[u8]| data.as_ptr() as usize - map.as_ptr() as usize;
        let identities = tensor_of(&tensors, IDENTITIES, Dtype::U8, &[count, Identity::BYTES])?;
        let features = tensor_of(&tensors, FEATURES, Dtype::F16, &[count, dimensions])?;
        tensor_of(&tensors, STAMPS, Dtype::I64, &[count, 2])?;
        let miniatures = match view {
            View::Plain => Some(tensor_of(&tensors, MINIATURES, Dtype::U8, &[count, MINIATURE_BYTES])?),
            View::Augmented { .. } => None,
        };
        let (identities_at, features_at, miniatures_at) = (at(identities), at(features), miniatures.map(at));
        let numbers = Numbers::new(map, features_at, dimensions, miniatures_at)?;
        Ok(Self { file: file.to_path_buf(), view, count, numbers: Arc::new(numbers), identities_at })
    }

    /// The identities of its images, in order.
    pub fn identities(&self) -> impl Iterator<Item = Identity> + '_ {
        let bytes = &self.numbers.map()[self.identities_at..][..self.count * Identity::BYTES];
        let (identities, _) = bytes.as_chunks::<{ Identity::BYTES }>();
        identities.iter().copied().map(Identity)
    }

    /// Paths and stamps of its images.
    ///
    /// # Errors
    /// They are damaged.
    pub fn images(&self) -> anyhow::Result<Vec<(PathBuf, Stamp)>> {
        let tensors = SafeTensors::deserialize(self.numbers.map())?;
        let paths: Vec<PathBuf> = serde_json::from_slice(tensors.tensor(IMAGES)?.data())?;
        ensure!(paths.len() == self.count, "{} paths for {} images", paths.len(), self.count);
        let stamps = tensor_of(&tensors, STAMPS, Dtype::I64, &[self.count, 2])?;
        let (stamps, _) = stamps.as_chunks::<16>();
        let stamps = stamps.iter().map(|pair| bytemuck::pod_read_unaligned::<Stamp>(pair));
        Ok(paths.into_iter().zip(stamps).collect())
    }

    /// Some of its images, to be written again.
    ///
    /// # Errors
    /// As [`FeatureShard::images`].
    pub fn part(&self, rows: &[usize]) -> anyhow::Result<FeatureBuffer> {
        let images = self.images()?;
        let mut buffer = FeatureBuffer::default();
        for &row in rows {
            let (image, stamp) = images.get(row).context("there is no such image")?.clone();
            buffer.images.push(image);
            buffer.stamps.push(stamp);
            buffer.features.extend_from_slice(bytemuck::cast_slice(self.numbers.half(row)));
            buffer.miniatures.extend_from_slice(self.numbers.miniature(row));
        }
        Ok(buffer)
    }
}

/// Whether this is the header of a shard of features.
pub fn is_ours(header: &Metadata) -> bool {
    let format = header.metadata().as_ref().and_then(|strings| strings.get(FORMAT_KEY));
    format.is_some_and(|format| format == FORMAT)
}

/// Whether a damaged file was a shard of features, by its beginning.
pub fn was_ours(file: &Path) -> bool {
    let map = files::map(file);
    let head = map.as_ref().map_or(&[][..], |map| &map[..map.len().min(HEAD)]);
    head.windows(FORMAT_KEY.len()).any(|window| window == FORMAT_KEY.as_bytes())
}
