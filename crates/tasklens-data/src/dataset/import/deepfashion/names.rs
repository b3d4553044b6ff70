//! `list_category_cloth.txt` and `list_attr_cloth.txt`: a count, a header, and a name with a number on each line.

use std::path::Path;

use anyhow::{Context as _, bail, ensure};

use super::lines::AnnotationLines;

/// Names in their order, each with the number beside it.
#[derive(Debug)]
pub(super) struct Names {
    pub names: Vec<String>,
    pub numbers: Vec<u8>,
    pub notices: Vec<String>,
}

impl Names {
    /// Reads a list whose numbers are from 1 to `most`; `what` they are is for messages.
    ///
    /// # Errors
    /// It cannot be read or is not of this form; the message names the line.
    pub fn read(file: &Path, what: &str, most: u8) -> anyhow::Result<Self> {
        let lines = AnnotationLines::read(file)?;
        let text = |line: usize| {
            lines.get(line).with_context(|| format!("{}: this is not UTF-8 text", lines.place(line)))
        };
        let first = text(0)?;
        let count: usize = first.parse().ok().with_context(|| {
            format!("{}: `{first}`: expected how many {what} follow, as in the download", lines.place(0))
        })?;
        let mut read = Self { names: Vec::new(), numbers: Vec::new(), notices: Vec::new() };
        for line in 2..lines.len() {
            let text = text(line)?;
            // A name may hold blanks: the number is what comes last.
            let parsed = text.rsplit_once(char::is_whitespace).and_then(|(name, number)| {
                let number: u8 = number.parse().ok().filter(|number| (1..=most).contains(number))?;
                Some((name.trim(), number))
            });
            let Some((name, number)) = parsed else {
                bail!("{}: `{text}`: expected a name and a number from 1 to {most}", lines.place(line));
            };
            ensure!(
                !read.names.iter().any(|known| known == name),
                "{}: `{name}` is listed for the second time",
                lines.place(line)
            );
            read.names.push(name.to_owned());
            read.numbers.push(number);
        }
        ensure!(
            read.names.len() == count,
            "{}: it says that there are {count} {what}, and {} follow from line 3 on: take the file as it was downloaded",
            lines.place(0),
            read.names.len()
        );
        ensure!(
            count > 0 && count < usize::from(u8::MAX),
            "{}: {count} {what}: expected 1 to 254",
            lines.place(0)
        );
        read.notices = lines.notices;
        Ok(read)
    }
}
