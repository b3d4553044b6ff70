//! The fax compressions of ITU-T T.4 and T.6: rows coded as black and white runs.

use std::convert::Infallible;

use fax::maps::{Mode, black, mode, white};
use fax::{BitReader as _, ByteReader};

/// The variants of fax coding (ITU-T T.4 and T.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum FaxCoding {
    /// One-dimensional, each row byte-aligned.
    Runs,
    /// Group 3; rows may be coded as differences from the row above.
    Group3 {
        /// Whether a bit before each row selects that.
        is_two_dimensional: bool,
    },
    /// Group 4: every row is coded as a difference from the row above.
    Group4,
}

/// Maximum number of zeros before an end-of-line code.
const MOST_FILL_BITS: usize = 1 << 16;

type Bits<'a> = ByteReader<Box<dyn Iterator<Item = Result<u8, Infallible>> + 'a>>;

/// Decodes rows of whole bytes with a set bit for black; fewer than `height` if the data is damaged.
pub(super) fn decode(data: &[u8], kind: FaxCoding, (width, height): (usize, usize)) -> Vec<u8> {
    let row_bytes = width.div_ceil(8);
    let mut rows = Vec::with_capacity(row_bytes * height);
    // The decoding tables look a few bits ahead.
    let padded = data.iter().copied().chain([0; 4]).map(Ok);
    let Ok(mut bits) = Bits::new(Box::new(padded));
    let mut above = Vec::new();
    for _ in 0..height {
        let changes = match kind {
            FaxCoding::Runs => {
                let changes = runs(&mut bits, width);
                let rest = bits.bits_to_byte_boundary();
                skip(&mut bits, usize::from(rest));
                changes
            }
            FaxCoding::Group4 => difference(&mut bits, width, &above),
            FaxCoding::Group3 { is_two_dimensional } => {
                skip_mark(&mut bits);
                let is_difference = is_two_dimensional && bits.peek(1) == Some(0);
                if is_two_dimensional {
                    skip(&mut bits, 1);
                }
                if is_difference { difference(&mut bits, width, &above) } else { runs(&mut bits, width) }
            }
        };
        let Some(changes) = changes else { break };
        let start = rows.len();
        rows.resize(start + row_bytes, 0);
        for black in changes.chunks(2) {
            let end = black.get(1).copied().unwrap_or(width);
            (black[0]..end).for_each(|x| rows[start + x / 8] |= 0x80 >> (x % 8));
        }
        above = changes;
    }
    rows
}

fn skip(bits: &mut Bits<'_>, count: usize) {
    for _ in 0..count {
        // It cannot fail: the data is in memory.
        let _ = bits.consume(1);
    }
}

/// Skips an end-of-line code (at least 11 zeros and a one), if there is one here.
fn skip_mark(bits: &mut Bits<'_>) {
    if bits.peek(11) != Some(0) {
        return;
    }
    for _ in 0..MOST_FILL_BITS {
        match bits.peek(1) {
            Some(0) => skip(bits, 1),
            Some(_) => return skip(bits, 1),
            None => return,
        }
    }
}

/// A run of one colour, which may take several codes.
fn run(bits: &mut Bits<'_>, is_black: bool) -> Option<usize> {
    let mut length = 0;
    loop {
        let part = usize::from(if is_black { black::decode(bits)? } else { white::decode(bits)? });
        length += part;
        if part < 64 {
            return Some(length);
        }
    }
}

/// The colour changes of a one-dimensional row: the first is to black.
fn runs(bits: &mut Bits<'_>, width: usize) -> Option<Vec<usize>> {
    let mut changes = Vec::new();
    let (mut at, mut is_black) = (0, false);
    while at < width {
        at += run(bits, is_black)?;
        changes.push(at.min(width));
        is_black = !is_black;
    }
    Some(changes)
}

/// The colour changes of a row coded as a difference from the row above.
fn difference(bits: &mut Bits<'_>, width: usize, above: &[usize]) -> Option<Vec<usize>> {
    let mut changes: Vec<usize> = Vec::new();
    // Before the first pixel, a change may be at position 0.
    let (mut at, mut is_first, mut is_black) = (0, true, false);
    while at < width {
        let next_above = |at: usize| {
            let same = above.iter().enumerate().skip(usize::from(is_black)).step_by(2);
            let mut later = same.filter(|(_, change)| **change > at || (is_first && **change == at));
            later.next().map_or(above.len(), |(place, _)| place)
        };
        let place = next_above(at);
        let of_above = |place: usize| above.get(place).copied().unwrap_or(width);
        match mode::decode(bits)? {
            Mode::Pass => at = of_above(place + 1),
            Mode::Vertical(delta) => {
                let change = of_above(place).checked_add_signed(isize::from(delta))?;
                if change < at || change > width {
                    return None;
                }
                changes.push(change);
                at = change;
                is_black = !is_black;
            }
            Mode::Horizontal => {
                for is_black in [is_black, !is_black] {
                    at = (at + run(bits, is_black)?).min(width);
                    changes.push(at);
                }
            }
            Mode::Extension | Mode::EOF => return None,
        }
        is_first = false;
    }
    Some(changes)
}
