//! Writes safetensors: the length of a JSON header, the header, the numbers. The crate of that name would bring a
//! JSON library and its macros, which take longer to compile than all of the set-up.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};

use super::pickle::Tensor;

/// Writes `tensors` with the strings of the header to `file`, whole or not at all.
///
/// # Errors
/// The disk is full or not writable, or a name has characters that no tensor's has.
pub fn write(file: &Path, tensors: &[Tensor], strings: &[(&str, &str)]) -> Result<()> {
    let header = header(tensors, strings)?;
    let partial = file.with_extension("partial");
    let cannot = || format!("cannot write {}", partial.display());
    let mut out = File::create(&partial).with_context(cannot)?;
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend(header.as_bytes());
    bytes.extend(tensors.iter().flat_map(|tensor| &tensor.values).flat_map(|value| value.to_le_bytes()));
    out.write_all(&bytes).with_context(cannot)?;
    out.sync_all().with_context(cannot)?;
    drop(out);
    fs::rename(&partial, file).with_context(|| format!("cannot move {} into place", partial.display()))
}

fn header(tensors: &[Tensor], strings: &[(&str, &str)]) -> Result<String> {
    let mut header = "{\"__metadata__\":{".to_owned();
    for (i, (key, value)) in strings.iter().enumerate() {
        let comma = if i > 0 { "," } else { "" };
        write!(header, "{comma}\"{}\":\"{}\"", plain(key)?, plain(value)?)?;
    }
    header += "}";
    let mut begin = 0;
    for Tensor { name, shape, values } in tensors {
        let end = begin + 4 * values.len();
        write!(
            header,
            ",\"{}\":{{\"dtype\":\"F32\",\"shape\":{shape:?},\"data_offsets\":[{begin},{end}]}}",
            plain(name)?
        )?;
        begin = end;
    }
    header += "}";
    // The numbers begin at a multiple of their size.
    header += &" ".repeat(header.len().next_multiple_of(8) - header.len());
    Ok(header)
}

/// Text that JSON takes as it is.
fn plain(text: &str) -> Result<&str> {
    let is_plain = text.chars().all(|c| matches!(c, ' '..='~') && !matches!(c, '"' | '\\'));
    ensure!(is_plain, "{text:?} is no name of a tensor");
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tensor(name: &str) -> Tensor {
        Tensor { name: name.to_owned(), shape: vec![1, 2], values: vec![1.0, -2.0] }
    }

    #[test]
    fn the_file_is_laid_out_as_the_format_says() {
        let file = std::env::temp_dir().join(format!("tasklens-xtask-{}.safetensors", std::process::id()));
        write(&file, &[tensor("a.weight"), tensor("b")], &[("licence", "Apache-2.0")]).unwrap();
        let bytes = fs::read(&file).unwrap();
        fs::remove_file(&file).unwrap();
        let (length, rest) = bytes.split_first_chunk::<8>().unwrap();
        let (header, data) = rest.split_at(u64::from_le_bytes(*length) as usize);
        let expected = r#"{"__metadata__":{"licence":"Apache-2.0"},"a.weight":{"dtype":"F32","shape":[1, 2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[1, 2],"data_offsets":[8,16]}}"#;
        assert_eq!(std::str::from_utf8(header).unwrap().trim_end(), expected);
        assert_eq!(header.len() % 8, 0);
        assert_eq!(data, [1_f32, -2.0, 1.0, -2.0].map(f32::to_le_bytes).concat());
    }

    #[test]
    fn a_name_that_would_break_the_header_is_refused() {
        let error = header(&[tensor("a\":1")], &[]).unwrap_err().to_string();
        assert!(error.contains("no name of a tensor"), "{error}");
    }
}
