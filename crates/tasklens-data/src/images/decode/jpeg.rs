//! Parses a JPEG's header beyond its size: what decoding will need, and whether the file is complete.

const START_OF_SCAN: u8 = 0xDA;

/// Iterates over the header's segments, up to and including the one that starts the first scan.
struct Segments<'a> {
    bytes: &'a [u8],
    /// Offset of the next segment.
    at: usize,
    ended: bool,
}

fn segments(bytes: &[u8]) -> Segments<'_> {
    Segments { bytes, at: 2, ended: false }
}

impl<'a> Iterator for Segments<'a> {
    /// Marker and content of a segment.
    type Item = (u8, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        while !self.ended {
            let &[0xFF, marker, high, low] = self.bytes.get(self.at..)?.first_chunk()? else { return None };
            if marker == 0xFF {
                self.at += 1;
                continue;
            }
            let end = self.at + 2 + usize::from(u16::from_be_bytes([high, low]));
            let content = self.bytes.get(self.at + 4..end.min(self.bytes.len())).unwrap_or_default();
            if marker == START_OF_SCAN {
                self.ended = true;
            } else {
                self.at = end;
            }
            return Some((marker, content));
        }
        None
    }
}

/// Whether an end marker follows the first scan. Previews in the header have end markers, too, so the header's
/// segments are skipped by their lengths.
pub(super) fn has_end(bytes: &[u8]) -> bool {
    let mut segments = segments(bytes);
    segments.by_ref().for_each(drop);
    bytes.get(segments.at..).is_some_and(|rest| rest.windows(2).any(|pair| pair == [0xFF, 0xD9]))
}

/// An unsupported feature of a JPEG, if any.
pub(super) fn unsupported(bytes: &[u8]) -> Option<&'static str> {
    let (marker, content) = frame(bytes)?;
    match marker {
        0xC3 | 0xC7 | 0xCB | 0xCF => Some("lossless compression"),
        0xC5 | 0xC6 | 0xCD | 0xCE => Some("hierarchical compression"),
        0xC9 | 0xCA => Some("arithmetic coding"),
        _ if content.first().is_some_and(|bits| *bits != 8) => Some("more than 8 bits"),
        _ => None,
    }
}

/// Whether the header includes the size.
pub(super) fn has_size(bytes: &[u8]) -> bool {
    frame(bytes).is_some()
}

/// The segment with size and kind (SOF).
fn frame(bytes: &[u8]) -> Option<(u8, &[u8])> {
    // The range includes markers of tables.
    segments(bytes).find(|(marker, _)| matches!(marker, 0xC0..=0xCF) && !matches!(marker, 0xC4 | 0xC8 | 0xCC))
}

/// Whether an error of a strict decoder means wrong pixels, and not just superfluous bytes.
pub(super) fn is_damage(error: &zune_jpeg::errors::DecodeErrors) -> bool {
    !format!("{error:?}").contains("Extra bytes between headers")
}

/// Bytes of coefficients that the decoder keeps until the last scan: none if there is only one scan. `pixels` is the
/// number of pixels, used if the header does not tell.
pub(super) fn coefficient_bytes(bytes: &[u8], pixels: u64) -> u64 {
    // Four components of 16 bits, none subsampled.
    let most = pixels * 8;
    let mut frame = None;
    for (marker, content) in segments(bytes) {
        match marker {
            0xC0..=0xC2 => frame = Frame::read(content).map(|read| (marker == 0xC2, read)),
            START_OF_SCAN => {
                let Some((is_progressive, frame)) = frame else { return most };
                let is_whole = content.first().is_some_and(|count| usize::from(*count) == frame.components);
                return if is_whole && !is_progressive { 0 } else { frame.coefficients * 2 };
            }
            _ => {}
        }
    }
    most
}

struct Frame {
    components: usize,
    coefficients: u64,
}

impl Frame {
    fn read(content: &[u8]) -> Option<Self> {
        let (&[_, high, low, wide, narrow, components], rest) = content.split_first_chunk()?;
        let components = usize::from(components);
        let sampling: Vec<(u64, u64)> = rest
            .as_chunks::<3>()
            .0
            .iter()
            .take(components)
            .map(|component| (u64::from(component[1] >> 4), u64::from(component[1] & 15)))
            .collect();
        let across = sampling.iter().map(|(across, _)| *across).max().filter(|most| *most > 0)?;
        let down = sampling.iter().map(|(_, down)| *down).max().filter(|most| *most > 0)?;
        let length = |bytes| u64::from(u16::from_be_bytes(bytes));
        let units = length([wide, narrow]).div_ceil(8 * across) * length([high, low]).div_ceil(8 * down);
        let blocks: u64 = sampling.iter().map(|(across, down)| across * down).sum();
        Some(Self { components, coefficients: units * blocks * 64 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fixture(name: &str) -> Vec<u8> {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/images");
        std::fs::read(folder.join(name)).unwrap()
    }

    #[test]
    fn only_what_comes_in_several_scans_keeps_its_coefficients() {
        assert_eq!(coefficient_bytes(&fixture("exif_1.jpg"), 32 * 24), 0);
        let progressive = coefficient_bytes(&fixture("progressive.jpg"), 32 * 24);
        assert!((32 * 24 * 3..=32 * 32 * 6).contains(&progressive), "{progressive}");
        assert_eq!(coefficient_bytes(b"\xff\xd8\xff\xdb", 100), 800, "the worst of what does not tell");
    }
}
