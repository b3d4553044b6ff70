//! A text file of the annotation, line by line, as it may come: CR LF, a byte order mark, blank lines at its end.

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;

use crate::files::regular;

/// A file with more bytes is none of an annotation: a million rows of flags are 60 MB.
const MAX_BYTES: u64 = 1 << 30;

/// The lines of a file.
#[derive(Debug)]
pub(super) struct AnnotationLines {
    pub file: Arc<Path>,
    bytes: Vec<u8>,
    lines: Vec<Range<u32>>,
    /// What is odd about it as a whole, with the line.
    pub notices: Vec<String>,
}

impl AnnotationLines {
    /// Reads a file.
    ///
    /// # Errors
    /// It cannot be read, or has more than 1 GiB.
    pub fn read(file: &Path) -> anyhow::Result<Self> {
        let bytes = regular::read(file, MAX_BYTES)
            .with_context(|| format!("{} of DeepFashion's annotation cannot be read", file.display()))?;
        Ok(Self::of(file, bytes))
    }

    fn of(file: &Path, bytes: Vec<u8>) -> Self {
        let mut notices = Vec::new();
        let mut lines: Vec<Range<u32>> = Vec::new();
        let mut start = if bytes.starts_with(b"\xef\xbb\xbf") { 3 } else { 0 };
        let mut first_cr = None;
        // A file of 1 GiB at most.
        #[expect(clippy::cast_possible_truncation, reason = "places in a file of 1 GiB at most")]
        while start < bytes.len() {
            let end =
                bytes[start..].iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |at| start + at);
            let line = &bytes[start..end];
            if line.ends_with(b"\r") {
                first_cr.get_or_insert(lines.len() + 1);
            }
            let trimmed = line.trim_ascii();
            let skipped = line.len() - line.trim_ascii_start().len();
            let from = start + if trimmed.is_empty() { 0 } else { skipped };
            lines.push(from as u32..(from + trimmed.len()) as u32);
            start = end + 1;
        }
        let all = lines.len();
        while lines.last().is_some_and(Range::is_empty) {
            lines.pop();
        }
        if let Some(line) = first_cr {
            notices.push(format!(
                "{}:{line}: lines end as on Windows (CR LF): read as they are meant",
                file.display()
            ));
        }
        if lines.len() < all {
            let (first, count) = (lines.len() + 1, all - lines.len());
            let blank = if count == 1 { "a blank line".to_owned() } else { format!("{count} blank lines") };
            notices.push(format!("{}:{first}: {blank} at the end: left out", file.display()));
        }
        Self { file: file.into(), bytes, lines, notices }
    }

    pub fn len(&self) -> usize {
        self.lines.len()
    }

    /// A line (from 0) without blanks around it; `None` where it is not UTF-8.
    pub fn get(&self, line: usize) -> Option<&str> {
        let Some(range) = self.lines.get(line) else { return Some("") };
        std::str::from_utf8(&self.bytes[range.start as usize..range.end as usize]).ok()
    }

    /// A place in it, for messages.
    pub fn place(&self, line: usize) -> String {
        format!("{}:{}", self.file.display(), line + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_however_they_end_and_oddities_are_told_with_the_line() {
        let lines = AnnotationLines::of(
            Path::new("a.txt"),
            b"\xef\xbb\xbf one two \r\n\r\nb\xffd\n3\n\n \r\n".to_vec(),
        );
        let read: Vec<_> = (0..lines.len()).map(|line| lines.get(line)).collect();
        assert_eq!(read, [Some("one two"), Some(""), None, Some("3")]);
        assert_eq!(
            lines.notices,
            [
                "a.txt:1: lines end as on Windows (CR LF): read as they are meant",
                "a.txt:5: 2 blank lines at the end: left out"
            ]
        );
        assert_eq!(lines.get(9), Some(""));
        let plain = AnnotationLines::of(Path::new("a.txt"), b"1\n2".to_vec());
        assert_eq!((plain.len(), plain.notices.len()), (2, 0));
        assert_eq!(AnnotationLines::of(Path::new("a.txt"), Vec::new()).len(), 0);
    }
}
