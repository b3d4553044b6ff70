//! A comment in a JPEG, by which a picture that was made here is known again.

/// A comment stands within so many bytes from the beginning, with its text.
pub const BEGINNING: u64 = 128;

/// The same JPEG with a comment in it; the text is shorter than [`BEGINNING`].
pub fn commented(jpeg: &[u8], text: &[u8]) -> Vec<u8> {
    // Behind the start of the image and the segment that says it is a JFIF file, which has to come first.
    let at = match jpeg {
        [0xff, 0xd8, 0xff, 0xe0, high, low, ..] => 4 + usize::from(u16::from_be_bytes([*high, *low])),
        _ => 2,
    };
    let (before, behind) = jpeg.split_at(at.min(jpeg.len()));
    let length = u16::try_from(2 + text.len()).unwrap_or(u16::MAX);
    [before, &[0xff, 0xfe], &length.to_be_bytes(), text, behind].concat()
}
