//! Files of named tensors: safetensors, read and written whole. Never a pickle.

use std::borrow::Cow;
use std::collections::HashMap;
use std::path::Path;

use anyhow::Context as _;
use safetensors::{Dtype, SafeTensors, View};
use tch::{Device, Kind, Tensor};

use crate::files;

/// Tensors read from a safetensors file, on the CPU in float32, with the file's metadata.
#[derive(Debug)]
pub struct Tensors {
    /// By name.
    pub tensors: HashMap<String, Tensor>,
    /// The header's strings.
    pub metadata: HashMap<String, String>,
}

/// A tensor on its way into a file: float16 stays, everything else becomes float32.
struct Bytes {
    dtype: Dtype,
    shape: Vec<usize>,
    data: Vec<u8>,
}

impl Bytes {
    fn of(tensor: &Tensor) -> anyhow::Result<Self> {
        let (kind, dtype, size) = match tensor.f_kind()? {
            Kind::Half => (Kind::Half, Dtype::F16, 2),
            _ => (Kind::Float, Dtype::F32, 4),
        };
        let tensor = tensor.f_detach()?.f_to_device(Device::Cpu)?.f_to_kind(kind)?.f_contiguous()?;
        let mut data = vec![0_u8; tensor.numel() * size];
        tensor.f_copy_data_u8(&mut data, tensor.numel())?;
        Ok(Self { dtype, shape: tensor.size().iter().map(|&n| n as usize).collect(), data })
    }
}

impl View for &Bytes {
    fn dtype(&self) -> Dtype {
        self.dtype
    }

    fn shape(&self) -> &[usize] {
        &self.shape
    }

    fn data(&self) -> Cow<'_, [u8]> {
        Cow::Borrowed(&self.data)
    }

    fn data_len(&self) -> usize {
        self.data.len()
    }
}

/// Writes tensors with the header's strings to `file`, whole or not at all.
///
/// # Errors
/// The disk is full or not writable; an earlier file stays as it was.
pub fn write(
    file: &Path,
    tensors: &[(String, &Tensor)],
    metadata: Option<HashMap<String, String>>,
) -> anyhow::Result<()> {
    let tensors = tensors
        .iter()
        .map(|(name, tensor)| Ok((name, Bytes::of(tensor)?)))
        .collect::<anyhow::Result<Vec<_>>>()?;
    let bytes = safetensors::serialize(tensors.iter().map(|(name, bytes)| (name, bytes)), metadata)?;
    files::replace(file, &bytes).with_context(|| format!("cannot write {}", file.display()))
}

/// Reads every tensor of a safetensors file.
///
/// # Errors
/// It cannot be read, is damaged, or holds something other than floating-point numbers.
pub fn read(file: &Path) -> anyhow::Result<Tensors> {
    let bytes = std::fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    let damaged = || format!("{} is no safetensors file, or is damaged", file.display());
    let (_, header) = SafeTensors::read_metadata(&bytes).with_context(damaged)?;
    let metadata = header.metadata().clone().unwrap_or_default();
    let mut tensors = HashMap::new();
    for (name, view) in SafeTensors::deserialize(&bytes).with_context(damaged)?.iter() {
        let kind = match view.dtype() {
            Dtype::F32 => Kind::Float,
            Dtype::F64 => Kind::Double,
            Dtype::F16 => Kind::Half,
            Dtype::BF16 => Kind::BFloat16,
            // Counters such as num_batches_tracked.
            _ => continue,
        };
        let shape: Vec<i64> = view.shape().iter().map(|&n| n as i64).collect();
        let tensor = Tensor::f_from_data_size(view.data(), &shape, kind)?.f_to_kind(Kind::Float)?;
        tensors.insert(name.to_owned(), tensor);
    }
    Ok(Tensors { tensors, metadata })
}
