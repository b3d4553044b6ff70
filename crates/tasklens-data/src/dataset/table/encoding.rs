//! Bytes <-> text, so that the file is written back in its own encoding.

use encoding_rs::{UTF_16BE, UTF_16LE, WINDOWS_1252};

const UTF8_MARK: &[u8] = &[0xef, 0xbb, 0xbf];
const UTF16_LE_MARK: &[u8] = &[0xff, 0xfe];
const UTF16_BE_MARK: &[u8] = &[0xfe, 0xff];

/// The encoding of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// UTF-8 without a byte order mark.
    Utf8,
    /// UTF-8 with a byte order mark, as Excel writes it.
    Utf8WithMark,
    /// UTF-16, little endian, with a byte order mark.
    Utf16Le,
    /// UTF-16, big endian, with a byte order mark.
    Utf16Be,
    /// Windows-1252 ("ANSI", Latin-1), assumed for whatever is not valid UTF-8.
    Windows1252,
}

/// Decodes a file's bytes; returns text and encoding.
pub(super) fn decode(bytes: Vec<u8>) -> Result<(String, Encoding), String> {
    if bytes.starts_with(b"PK\x03\x04") {
        return Err("this is a workbook or a zip file; save the table as CSV and open that".to_owned());
    }
    for (mark, encoding, name, utf16) in [
        (UTF16_LE_MARK, Encoding::Utf16Le, "UTF-16", UTF_16LE),
        (UTF16_BE_MARK, Encoding::Utf16Be, "UTF-16", UTF_16BE),
    ] {
        if let Some(body) = bytes.strip_prefix(mark) {
            let text = utf16.decode_without_bom_handling_and_without_replacement(body);
            let text = text.ok_or_else(|| format!("this is not valid {name}; save it as UTF-8"))?;
            return Ok((text.into_owned(), encoding));
        }
    }
    if bytes.contains(&0) {
        return Err("this is not text (it has zero bytes); save the table as CSV in UTF-8".to_owned());
    }
    if let Some(body) = bytes.strip_prefix(UTF8_MARK) {
        let text = std::str::from_utf8(body).map_err(|error| {
            let line = body[..error.valid_up_to()].iter().filter(|byte| **byte == b'\n').count() + 1;
            format!("line {line} is not valid UTF-8, which its byte order mark says it is; save it as UTF-8")
        })?;
        return Ok((text.to_owned(), Encoding::Utf8WithMark));
    }
    match String::from_utf8(bytes) {
        Ok(text) => Ok((text, Encoding::Utf8)),
        Err(error) => {
            let (text, _) = WINDOWS_1252.decode_without_bom_handling(error.as_bytes());
            Ok((text.into_owned(), Encoding::Windows1252))
        }
    }
}

/// Text in an encoding; an error names the character that it lacks.
pub(super) fn encode(text: &str, encoding: Encoding) -> Result<Vec<u8>, String> {
    match encoding {
        Encoding::Utf8 => Ok(text.as_bytes().to_vec()),
        Encoding::Utf8WithMark => Ok([UTF8_MARK, text.as_bytes()].concat()),
        Encoding::Utf16Le => {
            Ok(UTF16_LE_MARK.iter().copied().chain(text.encode_utf16().flat_map(u16::to_le_bytes)).collect())
        }
        Encoding::Utf16Be => {
            Ok(UTF16_BE_MARK.iter().copied().chain(text.encode_utf16().flat_map(u16::to_be_bytes)).collect())
        }
        Encoding::Windows1252 => {
            let (bytes, _, failed) = WINDOWS_1252.encode(text);
            if !failed {
                return Ok(bytes.into_owned());
            }
            let missing = text.chars().find(|c| WINDOWS_1252.encode(c.encode_utf8(&mut [0; 4])).2);
            let missing = missing.unwrap_or(char::REPLACEMENT_CHARACTER);
            Err(format!(
                "the file is in Windows-1252, which cannot represent `{missing}`; convert it to UTF-8 first"
            ))
        }
    }
}
