//! Identifies the content of a file or download by its first bytes: a supported image format, or something else with
//! a name and advice.

use image::ImageFormat;

/// Number of bytes needed for detection.
pub(crate) const START_BYTES: usize = 1024;

/// Content that is not a supported image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Other {
    /// What it is, such as `a web page`.
    pub what: &'static str,
    /// What to do about such a file.
    pub remedy: &'static str,
}

const WEB_PAGE: &str = "a web page";

impl Other {
    /// Whether it is a web page, so that probably just the URL is wrong.
    pub(crate) fn is_web_page(&self) -> bool {
        self.what == WEB_PAGE
    }
}

/// The format of a supported image, by its first bytes.
///
/// # Errors
/// It is something else, identified as far as possible.
pub(crate) fn format_of(start: &[u8]) -> Result<ImageFormat, Other> {
    if start.starts_with(b"II+\0") || start.starts_with(b"MM\0+") {
        // BigTIFF.
        return Ok(ImageFormat::Tiff);
    }
    match image::guess_format(start) {
        Ok(
            format @ (ImageFormat::Jpeg
            | ImageFormat::Png
            | ImageFormat::WebP
            | ImageFormat::Gif
            | ImageFormat::Bmp
            | ImageFormat::Tiff),
        ) => Ok(format),
        _ => Err(other(start)),
    }
}

const CONVERT: &str = "save it as PNG or JPEG";
const NO_IMAGE: &str = "put the image itself in its place";

/// Other contents by their first bytes.
const BEGINNINGS: [(&[u8], &str, &str); 31] = [
    (b"version https://git-lfs", "a Git LFS pointer", "run `git lfs pull` in its folder"),
    (b"\0\0\0\x0cjP  \r\n\x87\n", "a JPEG 2000 image", CONVERT),
    (b"\xff\x4f\xff\x51", "a JPEG 2000 image", CONVERT),
    (b"\0\0\0\x0cJXL \r\n\x87\n", "a JPEG XL image", CONVERT),
    (b"\xff\x0a", "a JPEG XL image", CONVERT),
    (b"%PDF", "a PDF document", "save its image as PNG or JPEG"),
    (b"%!PS", "a PostScript document", "save its image as PNG or JPEG"),
    (b"8BPS", "a Photoshop document", CONVERT),
    (b"gimp xcf", "a GIMP document", "export it as PNG or JPEG"),
    (b"\0\0\x01\0", "an icon", CONVERT),
    (b"qoif", "a QOI image", CONVERT),
    (b"\x76\x2f\x31\x01", "an OpenEXR image", CONVERT),
    (b"#?RADIANCE", "a Radiance HDR image", CONVERT),
    (b"#?RGBE", "a Radiance HDR image", CONVERT),
    (b"DDS ", "a DDS texture", CONVERT),
    (b"farbfeld", "a farbfeld image", CONVERT),
    (b"P1", "a PBM image", CONVERT),
    (b"P2", "a PGM image", CONVERT),
    (b"P3", "a PPM image", CONVERT),
    (b"P4", "a PBM image", CONVERT),
    (b"P5", "a PGM image", CONVERT),
    (b"P6", "a PPM image", CONVERT),
    (b"P7", "a PAM image", CONVERT),
    (b"FUJIFILMCCD-RAW", "a raw camera photograph", CONVERT),
    (b"IIU\0", "a raw camera photograph", CONVERT),
    (b"IIRO", "a raw camera photograph", CONVERT),
    (b"PK\x03\x04", "a ZIP archive", "unpack it"),
    (b"\x1f\x8b", "a gzip archive", "unpack it"),
    (b"Rar!", "a RAR archive", "unpack it"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive", "unpack it"),
    (b"SIMPLE  =", "a FITS image", CONVERT),
];

fn other(start: &[u8]) -> Other {
    let start = &start[..start.len().min(START_BYTES)];
    let known = |what, remedy| Other { what, remedy };
    if start.is_empty() {
        return known("nothing", "the file is empty; copy or download it again");
    }
    if let Some((_, what, remedy)) = BEGINNINGS.iter().find(|(begin, ..)| start.starts_with(begin)) {
        return known(what, remedy);
    }
    if let Some(b"ftyp") = start.get(4..8) {
        return match start.get(8..12) {
            Some(b"avif" | b"avis") => known("an AVIF image", "convert it to JPEG or PNG first"),
            Some(b"crx ") => known("a raw camera photograph", CONVERT),
            Some(b"heic" | b"heix" | b"hevc" | b"hevx" | b"heim" | b"heis" | b"mif1" | b"msf1") => {
                known("a HEIC image", "convert it to JPEG first")
            }
            _ => known("a video", "save a frame of it as PNG or JPEG"),
        };
    }
    let text = String::from_utf8_lossy(start).to_ascii_lowercase();
    if text.contains("<svg") {
        return known("an SVG drawing", "save it as PNG first");
    }
    if ["<html", "<!doctype html", "<head", "<body"].iter().any(|tag| text.contains(tag)) {
        return known(WEB_PAGE, "fetch the image itself again");
    }
    if start.iter().all(|byte| *byte == 0) {
        return known("only zeros", "copying or downloading was interrupted; copy or download it again");
    }
    // The last character may be incomplete.
    let is_text = std::str::from_utf8(start).map_or_else(|error| error.error_len().is_none(), |_| true);
    if is_text && !start.iter().any(|byte| *byte < b' ' && !byte.is_ascii_whitespace()) {
        return known("text", NO_IMAGE);
    }
    known("something unknown", NO_IMAGE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_name_jpg_has_a_name_and_a_remedy() {
        for (start, what, remedy) in [
            (&b""[..], "nothing", "the file is empty"),
            (b"<!DOCTYPE html><html>", "a web page", "fetch the image itself again"),
            (b"  \n<HTML lang=de>", "a web page", "fetch"),
            (b"version https://git-lfs.github.com/spec/v1\noid", "a Git LFS pointer", "git lfs pull"),
            (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "a HEIC image", "convert it to JPEG first"),
            (b"\0\0\0\x1cftypavif\0\0\0\0", "an AVIF image", "convert it"),
            (b"\0\0\0\x18ftypmp42\0\0\0\0", "a video", "save a frame of it"),
            (b"\0\0\0\x0cjP  \r\n\x87\n\0", "a JPEG 2000 image", "save it as PNG"),
            (b"\0\0\0\x0cJXL \r\n\x87\n", "a JPEG XL image", "save it as PNG"),
            (b"%PDF-1.7", "a PDF document", "save its image"),
            (b"<?xml version='1.0'?><svg xmlns=", "an SVG drawing", "save it as PNG"),
            (b"\0\0\0\0\0\0", "only zeros", "was interrupted"),
            ("Zugriff verweigert: für".as_bytes(), "text", "put the image itself"),
            (b"\x07\x01\xf0", "something unknown", "put the image itself"),
        ] {
            let other = format_of(start).unwrap_err();
            assert_eq!(other.what, what, "{start:?}");
            assert!(other.remedy.contains(remedy), "{start:?}: {}", other.remedy);
        }
        for (start, format) in [
            (&b"\xff\xd8\xff\xe0"[..], ImageFormat::Jpeg),
            (b"II*\0", ImageFormat::Tiff),
            (b"MM\0+\0\x08\0\0", ImageFormat::Tiff),
        ] {
            assert_eq!(format_of(start), Ok(format));
        }
    }
}
