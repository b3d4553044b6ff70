//! Files of named tensors in safetensors format: written atomically, and read with checks, as a file may come from
//! anywhere. Never a pickle.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::Path;

use anyhow::{Context as _, ensure};
use safetensors::tensor::{Metadata, TensorInfo};
use safetensors::{Dtype, View};
use tasklens_data::files;
use tch::{Device, Kind, Tensor};

/// The format's own limit on the header, bytes.
const LARGEST_HEADER: u64 = 100_000_000;
/// Maximum number of dimensions of our tensors.
const MOST_DIMENSIONS: usize = 8;

/// Tensors read from a safetensors file, on the CPU in float32, with the file's metadata.
#[derive(Debug)]
pub struct Tensors {
    /// Tensors by name.
    pub tensors: HashMap<String, Tensor>,
    /// The metadata strings of the header.
    pub metadata: HashMap<String, String>,
}

/// A tensor to be written: float16 is kept, everything else becomes float32.
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

/// Writes tensors with metadata strings to `file`, atomically.
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

/// Reads the header of a safetensors file: metadata strings, and types and shapes of the tensors, checked against the
/// file's size.
///
/// # Errors
/// It cannot be read, or is damaged.
pub fn header(file: &Path) -> anyhow::Result<Metadata> {
    Ok(open(file)?.header)
}

/// Reads the tensors of a safetensors file that are `wanted`, by name and shape. The others cost no memory, whatever
/// sizes an untrusted file declares.
///
/// # Errors
/// It cannot be read, or is damaged.
pub fn read(file: &Path, mut wanted: impl FnMut(&str, &[usize]) -> bool) -> anyhow::Result<Tensors> {
    let Opened { mut file_in, begin, header } = open(file)?;
    let mut tensors = HashMap::new();
    for (name, info) in header.tensors() {
        // Others are counters such as num_batches_tracked.
        let Some(kind) = kind_of(info.dtype).filter(|_| wanted(&name, &info.shape)) else { continue };
        let tensor = read_one(&mut file_in, begin, info, kind)
            .with_context(|| format!("`{name}` in {} cannot be read", file.display()))?;
        tensors.insert(name, tensor);
    }
    Ok(Tensors { tensors, metadata: header.metadata().clone().unwrap_or_default() })
}

/// The [`Kind`] of a supported floating-point type.
pub fn kind_of(dtype: Dtype) -> Option<Kind> {
    match dtype {
        Dtype::F32 => Some(Kind::Float),
        Dtype::F64 => Some(Kind::Double),
        Dtype::F16 => Some(Kind::Half),
        Dtype::BF16 => Some(Kind::BFloat16),
        _ => None,
    }
}

/// An open file with its header.
struct Opened {
    file_in: File,
    /// Offset of the tensors in bytes.
    begin: u64,
    header: Metadata,
}

fn open(file: &Path) -> anyhow::Result<Opened> {
    let damaged = || format!("{} is no safetensors file, or is damaged", file.display());
    let cannot = || format!("cannot read {}", file.display());
    // A device or a pipe may have no end.
    let metadata = std::fs::metadata(file).with_context(cannot)?;
    ensure!(metadata.is_file(), damaged());
    let mut file_in = File::open(file).with_context(cannot)?;
    let mut length = [0_u8; 8];
    file_in.read_exact(&mut length).with_context(damaged)?;
    let length = u64::from_le_bytes(length);
    let behind = metadata.len().checked_sub(8).and_then(|rest| rest.checked_sub(length));
    let behind = behind.filter(|_| length <= LARGEST_HEADER).with_context(damaged)?;
    let mut header = vec![0_u8; usize::try_from(length)?];
    file_in.read_exact(&mut header).with_context(damaged)?;
    // The parser checks that tensors do not overlap and that their lengths match their shapes.
    let header: Metadata = serde_json::from_slice(&header).with_context(damaged)?;
    ensure!(header.data_len() as u64 == behind, damaged());
    Ok(Opened { file_in, begin: 8 + length, header })
}

/// Its size matches its shape and lies within the file: [`open`] has checked both.
fn read_one(file: &mut File, begin: u64, info: &TensorInfo, kind: Kind) -> anyhow::Result<Tensor> {
    let (from, to) = info.data_offsets;
    let sides: Result<Vec<i64>, _> = info.shape.iter().map(|&n| i32::try_from(n).map(i64::from)).collect();
    let sides = sides.ok().filter(|sides| sides.len() <= MOST_DIMENSIONS);
    let sides = sides.with_context(|| format!("its shape is {:?}", info.shape))?;
    let mut bytes = Vec::new();
    bytes.try_reserve_exact(to - from)?;
    bytes.resize(to - from, 0);
    file.seek(SeekFrom::Start(begin + from as u64))?;
    file.read_exact(&mut bytes)?;
    Ok(Tensor::f_from_data_size(&bytes, &sides, kind)?.f_to_kind(Kind::Float)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A file with this header and so many bytes behind it.
    fn crafted(folder: &Path, header: &str, bytes: usize) -> std::path::PathBuf {
        let file = folder.join("crafted.safetensors");
        let length = (header.len() as u64).to_le_bytes();
        std::fs::write(&file, [&length[..], header.as_bytes(), &vec![0; bytes][..]].concat()).unwrap();
        file
    }

    #[test]
    fn a_header_that_promises_more_than_the_file_has_is_damaged() {
        let dir = tempfile::tempdir().unwrap();
        let tensor = |shape: &str, end: u64| {
            format!(r#"{{"a":{{"dtype":"F32","shape":{shape},"data_offsets":[0,{end}]}}}}"#)
        };
        for header in [
            tensor("[4]", 16),
            tensor("[1000000000000]", 4_000_000_000_000),
            tensor("[2]", 4),
            tensor("[9223372036854775807,2]", 4),
            "{\"a\":7}".to_owned(),
        ] {
            let file = crafted(dir.path(), &header, 4);
            let error = read(&file, |_, _| true).unwrap_err().to_string();
            assert!(error.ends_with("crafted.safetensors is no safetensors file, or is damaged"), "{error}");
        }
        let file = dir.path().join("long.safetensors");
        for length in [u64::MAX, 99_000_000, 9] {
            std::fs::write(&file, length.to_le_bytes()).unwrap();
            assert!(header(&file).unwrap_err().to_string().contains("damaged"));
        }
        assert!(header(dir.path()).unwrap_err().to_string().contains("no safetensors file"), "a folder");
        #[cfg(unix)]
        assert!(header(Path::new("/dev/zero")).unwrap_err().to_string().contains("no safetensors file"));
    }

    #[test]
    fn sides_that_no_tensor_has_are_a_message() {
        let dir = tempfile::tempdir().unwrap();
        let long = format!("[{}0]", "1,".repeat(90));
        for shape in ["[0,9223372036854775807]", "[4611686018427387904,0,1]", &long] {
            let header = format!(r#"{{"a":{{"dtype":"F32","shape":{shape},"data_offsets":[0,0]}}}}"#);
            let error = format!("{:#}", read(&crafted(dir.path(), &header, 0), |_, _| true).unwrap_err());
            assert!(error.contains("`a` in ") && error.contains("its shape is ["), "{error}");
        }
    }

    #[test]
    fn only_what_is_wanted_is_read() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("x.safetensors");
        let (a, b) = (Tensor::from_slice(&[1_f32, 2.0]), Tensor::from_slice(&[3_f32]));
        write(&file, &[("a".to_owned(), &a), ("b".to_owned(), &b)], None).unwrap();
        let read = read(&file, |name, shape| name == "b" && shape == [1]).unwrap().tensors;
        assert_eq!(read.len(), 1);
        assert!(read["b"].equal(&b));
    }
}
