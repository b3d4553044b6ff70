//! DeepFashion's category-and-attribute benchmark (Liu et al. 2016, fine annotation) -> a project: what
//! `process_raw_files.py` of the Python project does, and a config that opens.
//!
//! [`lines`] and [`names`] read the text files, [`annotation`] makes rows of them, [`crops`] cuts the images,
//! [`parquet_table`] and [`project`] write the results; [`layout`] says where everything is.

mod annotation;
mod crops;
#[doc(hidden)]
pub mod drawn;
mod layout;
mod lines;
mod names;
mod parquet_table;
pub mod problems;
mod project;
mod summary;
mod survey;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use anyhow::{bail, ensure};

use crate::config::nearest;
use crate::config::presets::Proposed;
use crate::images::shape::common_aspect;
pub use annotation::TYPES;
use annotation::{Annotation, AnnotationRow, PartRows, tail};
use crops::CropOutcome;
pub use layout::DeepFashionLayout;
use parquet_table::ParquetRow;
use problems::{ImportProblem, What};
pub use survey::{EarlierImport, Survey};

/// What an import does at the moment, for [`import`]'s progress.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImportStep {
    /// The files of the annotation are read.
    Reading,
    /// The Parquet tables are written.
    Tables,
    /// All images so far were cropped by an earlier import: how long the others take is not known yet.
    Looking,
    /// The images are cropped.
    Cropping,
}

impl ImportStep {
    /// The step in words, for a progress bar.
    pub fn name(self) -> &'static str {
        match self {
            Self::Reading => "reading the annotation",
            Self::Tables => "writing the tables",
            Self::Looking => "looking at the crops that are there",
            Self::Cropping => "cropping the images",
        }
    }
}

/// What an import made.
#[derive(Debug)]
pub struct Imported {
    /// The config, which opens the project.
    pub config: PathBuf,
    /// The CSV of the project.
    pub table: PathBuf,
    /// All problems in a file, where there are any.
    pub report: Option<PathBuf>,
    /// Rows of the annotation, of the groups to model, and of the CSV.
    pub rows: [usize; 3],
    /// Crops that were there already.
    pub kept: usize,
    /// Tasks of the config, with their labels.
    pub tasks: Vec<(String, Vec<String>)>,
    /// What is left out, row by row.
    pub problems: Vec<ImportProblem>,
    /// What is worth knowing of whole files.
    pub notices: Vec<String>,
    /// How the config trains.
    pub training: Proposed,
}

/// A row that is modelled.
#[derive(Clone, Copy)]
struct Chosen {
    part: u8,
    row: u32,
    group: u8,
}

/// Imports. `propose` says how to train so many images with this height over width; `progress` gets the step, done and of how many, and returns
/// whether to go on.
///
/// # Errors
/// The annotation is not of its form, a result cannot be written or would take the place of another file, or a cancel:
/// crops that were made stay, and the same call goes on from there.
pub fn import(
    layout: &DeepFashionLayout,
    propose: &dyn Fn(usize, Option<f32>) -> Proposed,
    progress: &mut dyn FnMut(ImportStep, usize, usize) -> bool,
) -> anyhow::Result<Imported> {
    project::check(layout)?;
    go_on(progress(ImportStep::Reading, 0, 0))?;
    let mut all = Annotation::read(layout)?;
    let groups = Groups::of(layout, &all)?;
    go_on(progress(ImportStep::Tables, 0, 0))?;
    let every = every_row(&all, &groups);
    let chosen: Vec<Chosen> = every.iter().copied().filter(|row| groups.is_chosen(row.group)).collect();
    ensure!(
        !chosen.is_empty(),
        "no row of {} has a category of the groups to model",
        layout.parts[0].paths.display()
    );
    let cells = |row: Chosen| cells(layout, &all, &groups, row);
    parquet_table::write(&layout.full, false, every.len(), &|row| cells(every[row]))?;
    parquet_table::write(&layout.subset, true, chosen.len(), &|row| cells(chosen[row]))?;
    let rows = [every.len(), chosen.len()];
    drop(every);

    let (jobs, told) = jobs(&all, &chosen);
    let mut problems = std::mem::take(&mut all.problems);
    problems.extend(told);
    let mut is_made = vec![false; jobs.len()];
    let (mut kept, mut done) = (0, 0);
    let place_of_number = |number: usize| place_of(layout, &all, jobs[number]);
    go_on(progress(ImportStep::Cropping, 0, jobs.len()))?;
    crops::make_all(jobs.len(), &place_of_number, &mut |number, made| {
        let Chosen { part, row, .. } = jobs[number];
        let told = match made {
            Ok(crop) => {
                is_made[number] = true;
                kept += usize::from(crop == CropOutcome::Kept);
                match crop {
                    CropOutcome::Made(Some(note)) => Some(What::Reserve(note.into())),
                    _ => None,
                }
            }
            Err(what) => Some(what),
        };
        problems.extend(told.map(|what| all.parts[usize::from(part)].problem(row as usize, what)));
        done += 1;
        let step = if kept == done { ImportStep::Looking } else { ImportStep::Cropping };
        progress(step, done, jobs.len())
    })?;
    let mut is_made = is_made.into_iter();
    let rows_of_table: Vec<Chosen> =
        jobs.iter().copied().filter(|_| is_made.next().unwrap_or_default()).collect();
    if rows_of_table.is_empty() {
        let first = problems.first().map(|problem| format!(": {problem}")).unwrap_or_default();
        bail!("not one image of {} could be cropped{first}", layout.images.folder.display());
    }
    let rows = [rows[0], rows[1], rows_of_table.len()];
    problems.sort_by(|a, b| (&a.file, a.line).cmp(&(&b.file, b.line)));
    let crop = |row: usize| rows_of_table.get(row).map(|job| place_of(layout, &all, *job).1);
    let training = propose(rows_of_table.len(), common_aspect(rows_of_table.len(), crop));
    let written = project::write(layout, &all, &groups, &rows_of_table, &problems, &training)?;
    let mut notices = layout.notices.clone();
    notices.append(&mut all.notices);
    notices.extend(written.notices);
    Ok(Imported {
        config: written.config,
        table: layout.table.clone(),
        report: written.report,
        rows,
        kept,
        tasks: written.tasks,
        problems,
        notices,
        training,
    })
}

fn go_on(goes_on: bool) -> anyhow::Result<()> {
    ensure!(goes_on, "cancelled");
    Ok(())
}

/// The groups that categories belong to.
struct Groups {
    names: Vec<String>,
    /// Per category, where it is in one.
    of_category: Vec<Option<u8>>,
    is_modelled: Vec<bool>,
}

/// The number of a category that is in no group.
const NONE: u8 = u8::MAX;

impl Groups {
    fn of(layout: &DeepFashionLayout, all: &Annotation) -> anyhow::Result<Self> {
        let categories = &all.categories;
        let Some(wanted) = &layout.aggregation else {
            let of_category = categories.numbers.iter().map(|number| Some(number - 1)).collect();
            let names = TYPES.map(str::to_owned).to_vec();
            return Ok(Self { is_modelled: layout.kept_types.to_vec(), names, of_category });
        };
        let mut of_category = vec![None; categories.names.len()];
        for ((group, names), number) in wanted.groups.iter().zip(0_u8..) {
            for name in names {
                let known = || categories.names.iter().map(String::as_str);
                let Some(category) = known().position(|known| known == name) else {
                    let near = nearest(name, known());
                    let near = near.map(|near| format!(", did you mean `{near}`?")).unwrap_or_default();
                    bail!(
                        "{}: the group `{group}` of `categories.aggregation` has `{name}`, which is no category of {}{near}",
                        wanted.file.display(),
                        layout.categories.display()
                    );
                };
                of_category[category] = Some(number);
            }
        }
        let is_modelled = wanted.groups.iter().map(|(group, _)| wanted.to_model.contains(group)).collect();
        let names = wanted.groups.iter().map(|(group, _)| group.clone()).collect();
        Ok(Self { names, of_category, is_modelled })
    }

    fn is_chosen(&self, group: u8) -> bool {
        self.is_modelled.get(usize::from(group)).is_some_and(|is_modelled| *is_modelled)
    }
}

/// All rows: those of train, of validation and of test.
fn every_row(all: &Annotation, groups: &Groups) -> Vec<Chosen> {
    let mut rows = Vec::with_capacity(all.parts.iter().map(|part| part.rows.len()).sum());
    for (part, number) in all.parts.iter().zip(0_u8..) {
        for (row, index) in part.rows.iter().zip(0_u32..) {
            let group = row.category.and_then(|category| groups.of_category[usize::from(category)]);
            rows.push(Chosen { part: number, row: index, group: group.unwrap_or(NONE) });
        }
    }
    rows
}

impl Annotation {
    fn at(&self, chosen: Chosen) -> (&PartRows, &AnnotationRow) {
        let part = &self.parts[usize::from(chosen.part)];
        (part, &part.rows[chosen.row as usize])
    }

    fn label(&self, row: &AnnotationRow, group: usize) -> Option<&str> {
        row.labels[group].map(|label| self.attributes.names[usize::from(label)].as_str())
    }
}

fn cells<'a>(
    layout: &DeepFashionLayout,
    all: &'a Annotation,
    groups: &'a Groups,
    chosen: Chosen,
) -> ParquetRow<'a> {
    let (part, row) = all.at(chosen);
    let path = part.path(chosen.row as usize);
    ParquetRow {
        file: (!path.is_empty()).then(|| layout.images.cell(path)),
        category: row.category.map(|category| all.categories.names[usize::from(category)].as_str()),
        bbox: row.bbox,
        labels: std::array::from_fn(|group| all.label(row, group)),
        top_level: groups.names.get(usize::from(chosen.group)).map(String::as_str),
        split: part.part.name(),
    }
}

/// The rows to crop: those with a box, and of two with the same crop the first.
fn jobs(all: &Annotation, chosen: &[Chosen]) -> (Vec<Chosen>, Vec<ImportProblem>) {
    let mut first: HashMap<&str, Chosen> = HashMap::with_capacity(chosen.len());
    let (mut jobs, mut problems) = (Vec::with_capacity(chosen.len()), Vec::new());
    for job in chosen.iter().copied().filter(|job| all.at(*job).1.bbox.is_some()) {
        let part = all.at(job).0;
        let earlier = *first.entry(tail(part.path(job.row as usize))).or_insert(job);
        if (earlier.part, earlier.row) == (job.part, job.row) {
            jobs.push(job);
        } else {
            let what = What::Again(all.at(earlier).0.file().clone(), earlier.row + 1);
            problems.push(part.problem(job.row as usize, what));
        }
    }
    (jobs, problems)
}

/// The image of a row, its crop, and its box.
fn place_of(layout: &DeepFashionLayout, all: &Annotation, job: Chosen) -> (PathBuf, PathBuf, [i32; 4]) {
    let (part, row) = all.at(job);
    let path = Path::new(part.path(job.row as usize));
    let crop = layout.crops.folder.join(tail(part.path(job.row as usize)));
    (layout.images.folder.join(path), crop, row.bbox.unwrap_or_default())
}
