//! The files of the annotation -> rows of small numbers: 289,222 of them are a dozen megabytes, beside the text of
//! their paths.

use std::path::{Component, Path};

use anyhow::ensure;

use super::layout::{DeepFashionLayout, PartFiles};
use super::lines::AnnotationLines;
use super::names::Names;
use super::problems::{ImportProblem, What};
use crate::dataset::split::Part;

/// The groups of attributes, by the number beside the name of each (from 1).
pub const GROUPS: [&str; 6] = ["print", "sleeves", "length", "neckline", "fabric", "fit"];
/// Kinds of category: the number beside the name of each (from 1).
pub const TYPES: [&str; 3] = ["upper_body", "lower_body", "full_body"];

/// All that the files say.
#[derive(Debug)]
pub(super) struct Annotation {
    pub categories: Names,
    pub attributes: Names,
    /// Train, validation and test.
    pub parts: Vec<PartRows>,
    pub problems: Vec<ImportProblem>,
    /// What is odd about whole files.
    pub notices: Vec<String>,
}

/// The rows of one part.
#[derive(Debug)]
pub(super) struct PartRows {
    pub part: Part,
    paths: AnnotationLines,
    /// One per line of the paths.
    pub rows: Vec<AnnotationRow>,
}

/// A row. What is left out of the table has no category.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct AnnotationRow {
    /// Index into the categories.
    pub category: Option<u8>,
    /// Index into the attributes, per group.
    pub labels: [Option<u8>; GROUPS.len()],
    /// x1, y1, x2, y2 in pixels; x2 and y2 are no longer in it.
    pub bbox: Option<[i32; 4]>,
}

impl Annotation {
    /// Reads all files of a layout.
    ///
    /// # Errors
    /// A file cannot be read, a list is not of its form, or files that belong together are not equally long.
    pub fn read(layout: &DeepFashionLayout) -> anyhow::Result<Self> {
        let categories = Names::read(&layout.categories, "categories", 3)?;
        let attributes = Names::read(&layout.attributes, "attributes", 6)?;
        let notices =
            [&categories, &attributes].into_iter().flat_map(|names| names.notices.clone()).collect();
        let mut all = Self { categories, attributes, parts: Vec::new(), problems: Vec::new(), notices };
        for files in &layout.parts {
            all.read_part(files)?;
        }
        ensure!(
            all.parts.iter().any(|part| !part.rows.is_empty()),
            "{} and the others beside it name no image",
            layout.parts[0].paths.display()
        );
        Ok(all)
    }

    fn read_part(&mut self, files: &PartFiles) -> anyhow::Result<()> {
        let paths = AnnotationLines::read(&files.paths)?;
        let mut rows = vec![AnnotationRow::default(); paths.len()];
        let open = |file: &Path| -> anyhow::Result<AnnotationLines> {
            let lines = AnnotationLines::read(file)?;
            ensure!(
                lines.len() == paths.len(),
                "{}: the file ends after {} lines, and {} has {}: which row belongs to which image cannot be told; take \
                 both as they were downloaded",
                lines.place(lines.len().min(paths.len())),
                lines.len(),
                paths.file.display(),
                paths.len()
            );
            Ok(lines)
        };
        let categories = open(&files.categories)?;
        for (line, row) in rows.iter_mut().enumerate() {
            row.category = self.category(&categories, line);
        }
        let attributes = open(&files.attributes)?;
        for (line, row) in rows.iter_mut().enumerate() {
            row.labels = self.labels(&attributes, line);
        }
        let boxes = open(&files.boxes)?;
        for (line, row) in rows.iter_mut().enumerate() {
            row.bbox = self.bbox(&boxes, line);
        }
        for (line, row) in rows.iter_mut().enumerate() {
            if let Some(what) = wrong_path(paths.get(line)) {
                self.tell(&paths, line, what);
                row.category = None;
            }
        }
        for lines in [&paths, &categories, &attributes, &boxes] {
            self.notices.extend(lines.notices.iter().cloned());
        }
        self.parts.push(PartRows { part: files.part, paths, rows });
        Ok(())
    }

    fn tell(&mut self, lines: &AnnotationLines, line: usize, what: What) {
        self.problems.push(problem(lines, line, what));
    }

    fn category(&mut self, lines: &AnnotationLines, line: usize) -> Option<u8> {
        let text = lines.get(line);
        let number = text.and_then(|text| text.parse::<u8>().ok());
        let category = number.and_then(|number| number.checked_sub(1));
        let category = category.filter(|index| usize::from(*index) < self.categories.names.len());
        if category.is_none() {
            self.tell(lines, line, text.map_or(What::NotText, |text| What::Category(text.into())));
        }
        category
    }

    /// The attribute of each group whose flag is set, by the group of each flag: a group may have none or two.
    fn labels(&mut self, lines: &AnnotationLines, line: usize) -> [Option<u8>; GROUPS.len()] {
        let mut labels = [None; GROUPS.len()];
        let Some(text) = lines.get(line) else {
            self.tell(lines, line, What::NotText);
            return labels;
        };
        let (found, expected) = (text.split_ascii_whitespace().count(), self.attributes.names.len());
        if found != expected {
            self.tell(lines, line, What::FlagCount(found, expected));
            return labels;
        }
        let mut is_doubtful = [false; GROUPS.len()];
        let mut told = Vec::new();
        for (flag, attribute) in text.split_ascii_whitespace().zip(0_u8..) {
            let group = usize::from(self.attributes.numbers[usize::from(attribute)] - 1);
            match flag {
                "0" => {}
                "1" if labels[group].is_none() => labels[group] = Some(attribute),
                "1" => is_doubtful[group] = true,
                _ => {
                    is_doubtful[group] = true;
                    told.push(What::Flag(usize::from(attribute) + 1, flag.into()));
                }
            }
        }
        let has_bad_flag = !told.is_empty();
        for group in (0..GROUPS.len()).filter(|group| is_doubtful[*group]) {
            let set = self.set_names(text, group);
            if set.len() > 1 || !has_bad_flag {
                told.push(What::Several(GROUPS[group], set.join(", ").into()));
            }
            labels[group] = None;
        }
        told.into_iter().for_each(|what| self.tell(lines, line, what));
        labels
    }

    /// The names of a group's attributes that are set.
    fn set_names<'a>(&'a self, flags: &str, group: usize) -> Vec<&'a str> {
        let flags = flags.split_ascii_whitespace().zip(&self.attributes.names).zip(&self.attributes.numbers);
        let is_set = |flag: &str, number: u8| flag == "1" && usize::from(number) == group + 1;
        flags
            .filter(|((flag, _), number)| is_set(flag, **number))
            .map(|((_, name), _)| name.as_str())
            .collect()
    }

    fn bbox(&mut self, lines: &AnnotationLines, line: usize) -> Option<[i32; 4]> {
        let Some(text) = lines.get(line) else {
            self.tell(lines, line, What::NotText);
            return None;
        };
        let numbers: Option<Vec<i32>> =
            text.split_ascii_whitespace().map(|number| number.parse().ok()).collect();
        let bbox = numbers.and_then(|numbers| <[i32; 4]>::try_from(numbers).ok());
        if bbox.is_none() {
            self.tell(lines, line, What::Box(text.into()));
        }
        bbox
    }
}

impl PartRows {
    /// The path of a row's image, below the folder of the images.
    pub fn path(&self, row: usize) -> &str {
        self.paths.get(row).unwrap_or_default()
    }

    /// Something wrong with a row, told at its path.
    pub fn problem(&self, row: usize, what: What) -> ImportProblem {
        problem(&self.paths, row, what)
    }

    /// The file of the paths.
    pub fn file(&self) -> &std::sync::Arc<Path> {
        &self.paths.file
    }
}

fn problem(lines: &AnnotationLines, line: usize, what: What) -> ImportProblem {
    ImportProblem { file: lines.file.clone(), line: u32::try_from(line + 1).unwrap_or(u32::MAX), what }
}

/// What is wrong with a path, if anything: it is to stay below the folder of the images, and so is its crop.
pub(super) fn wrong_path(path: Option<&str>) -> Option<What> {
    let Some(path) = path else { return Some(What::NotText) };
    let mut parts = Path::new(path).components().filter(|part| *part != Component::CurDir).peekable();
    let is_below = parts.peek().is_some() && parts.all(|part| matches!(part, Component::Normal(_)));
    (!is_below || path.contains(['\\', '\0'])).then_some(What::Path)
}

/// The last two parts of a path, which name its crop.
pub(super) fn tail(path: &str) -> &str {
    match path.rmatch_indices('/').nth(1) {
        Some((at, _)) => &path[at + 1..],
        None => path,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_stays_below_its_folder() {
        for path in ["img/Tee/1.jpg", "1.jpg", "./img/a b/1.jpg"] {
            assert_eq!(wrong_path(Some(path)), None, "{path}");
        }
        for path in ["", ".", "/img/1.jpg", "img/../../1.jpg", "img/..", r"img\1.jpg"] {
            assert_eq!(wrong_path(Some(path)), Some(What::Path), "{path}");
        }
        assert_eq!(wrong_path(None), Some(What::NotText));
    }

    #[test]
    fn a_crop_is_named_by_the_last_two_parts() {
        assert_eq!(tail("img/Tee/1.jpg"), "Tee/1.jpg");
        assert_eq!(tail("Tee/1.jpg"), "Tee/1.jpg");
        assert_eq!(tail("1.jpg"), "1.jpg");
    }
}
