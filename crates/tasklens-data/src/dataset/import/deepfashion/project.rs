//! What makes a project of the crops: the CSV, the config, and the list of what was left out.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};

use super::annotation::{Annotation, GROUPS, tail};
use super::layout::DeepFashionLayout;
use super::problems::ImportProblem;
use super::{Chosen, Groups, parquet_table};
use crate::config::Config;
use crate::config::presets::Proposed;
use crate::dataset::edits::backup;
use crate::dataset::starter::StarterConfig;
use crate::files::{self, Stamped};

/// How the header of the CSV begins, also that of the Python project.
const HEADER: &str =
    "file,category,print,sleeves,length,neckline,fabric,fit,top_level_category,processed_path";
/// The column of the crops.
const PATH_COLUMN: &str = "processed_path";
const SPLIT_COLUMN: &str = "split";
/// The task beside the groups of attributes.
const CATEGORY: &str = "category";
/// How the list of problems begins.
const REPORT: &str = "# What an import of DeepFashion left out";

/// The files of a project that were written, and what to tell of them.
pub(super) struct WrittenProject {
    pub config: PathBuf,
    pub report: Option<PathBuf>,
    pub tasks: Vec<(String, Vec<String>)>,
    pub notices: Vec<String>,
}

/// Whether nothing of another kind is where the results go.
///
/// # Errors
/// There is something; the message names it.
pub(super) fn check(layout: &DeepFashionLayout) -> anyhow::Result<()> {
    parquet_table::check(&layout.full)?;
    parquet_table::check(&layout.subset)?;
    ensure!(
        layout.full != layout.subset,
        "{} is named for both tables of the dataset config: name two files",
        layout.full.display()
    );
    for (file, start, what) in [
        (layout.table.clone(), HEADER, "CSV of DeepFashion's crops"),
        (report_of(layout), REPORT, "list of an import"),
    ] {
        ensure!(
            begins_with(&file, start)?,
            "{} is there already and is no {what}: it is not replaced; move it away, or name another output folder",
            file.display()
        );
    }
    Ok(())
}

/// Whether a file begins so, or is not there.
fn begins_with(file: &Path, start: &str) -> anyhow::Result<bool> {
    let Ok(found) = fs::symlink_metadata(file) else { return Ok(true) };
    if !found.is_file() {
        return Ok(false);
    }
    let mut first = Vec::new();
    let open = fs::File::open(file).with_context(|| format!("{} cannot be read", file.display()))?;
    BufReader::new(open.take(start.len() as u64 + 8)).read_until(b'\n', &mut first)?;
    Ok(first.starts_with(start.as_bytes()))
}

/// Writes all of it; the CSV that is there is kept as a dated copy where the new one is another.
///
/// # Errors
/// A file cannot be written.
pub(super) fn write(
    layout: &DeepFashionLayout,
    all: &Annotation,
    groups: &Groups,
    rows: &[Chosen],
    problems: &[ImportProblem],
    training: &Proposed,
) -> anyhow::Result<WrittenProject> {
    let mut notices = Vec::new();
    let report = write_report(&report_of(layout), problems)?;
    let tasks = tasks(all, rows);
    replace_table(&layout.table, &csv(layout, all, groups, rows)?, &mut notices)?;
    let config = write_config(layout, &tasks, training, &mut notices)?;
    Ok(WrittenProject { config, report, tasks, notices })
}

fn csv(
    layout: &DeepFashionLayout,
    all: &Annotation,
    groups: &Groups,
    rows: &[Chosen],
) -> anyhow::Result<Vec<u8>> {
    let mut writer = csv::Writer::from_writer(Vec::with_capacity(rows.len() * 160));
    writer.write_record(HEADER.split(',').chain([SPLIT_COLUMN]))?;
    for chosen in rows {
        let (part, row) = all.at(*chosen);
        let path = part.path(chosen.row as usize);
        let category = row.category.map(|category| all.categories.names[usize::from(category)].as_str());
        let image = layout.images.cell(path);
        writer.write_field(&image)?;
        writer.write_field(category.unwrap_or_default())?;
        for group in 0..GROUPS.len() {
            writer.write_field(all.label(row, group).unwrap_or_default())?;
        }
        writer.write_field(
            groups.names.get(usize::from(chosen.group)).map(String::as_str).unwrap_or_default(),
        )?;
        writer.write_field(layout.crops.cell(tail(path)))?;
        writer.write_field(part.part.name())?;
        writer.write_record(None::<&[u8]>)?;
    }
    Ok(writer.into_inner().map_err(|error| error.into_error())?)
}

fn replace_table(table: &Path, new: &[u8], notices: &mut Vec<String>) -> anyhow::Result<()> {
    let cannot = || format!("{} cannot be written", table.display());
    if fs::symlink_metadata(table).is_err() {
        return files::create(table, new).with_context(cannot);
    }
    let old = Stamped::read(table).with_context(|| format!("{} cannot be read", table.display()))?;
    if old.bytes == new {
        return Ok(());
    }
    let replaced = backup::replace(table, table, &old, new)?
        .with_context(|| format!("{} was just changed by another program: import again", table.display()))?;
    notices.push(format!(
        "{} was another before: that is kept as {}",
        table.display(),
        replaced.backup.display()
    ));
    notices.extend(replaced.notices);
    Ok(())
}

/// The category and the groups of attributes with the labels that occur, in the order of their lists: those of which
/// there are two.
fn tasks(all: &Annotation, rows: &[Chosen]) -> Vec<(String, Vec<String>)> {
    let mut categories = BTreeSet::new();
    let mut labels = vec![BTreeSet::new(); GROUPS.len()];
    for chosen in rows {
        let row = all.at(*chosen).1;
        categories.extend(row.category);
        for (labels, label) in labels.iter_mut().zip(row.labels) {
            labels.extend(label);
        }
    }
    let named = |indices: &BTreeSet<u8>, names: &[String]| -> Vec<String> {
        indices.iter().map(|index| names[usize::from(*index)].clone()).collect()
    };
    let groups = GROUPS.iter().zip(&labels);
    let groups = groups.map(|(group, labels)| ((*group).to_owned(), named(labels, &all.attributes.names)));
    let category = (CATEGORY.to_owned(), named(&categories, &all.categories.names));
    groups.chain([category]).filter(|(_, labels)| labels.len() > 1).collect()
}

/// Writes the config under a name that is free; one that names the CSV already stays as it is.
fn write_config(
    layout: &DeepFashionLayout,
    tasks: &[(String, Vec<String>)],
    training: &Proposed,
    notices: &mut Vec<String>,
) -> anyhow::Result<PathBuf> {
    ensure!(
        !tasks.is_empty(),
        "{}: no question has two answers among its rows, so that there is nothing to train",
        layout.table.display()
    );
    let table = layout.table.strip_prefix(&layout.root).unwrap_or(&layout.table);
    let starter = StarterConfig {
        table: table.to_string_lossy().replace(std::path::MAIN_SEPARATOR, "/"),
        path_column: Some(PATH_COLUMN),
        tasks: tasks.iter().map(|(task, labels)| (task.as_str(), labels.as_slice())).collect(),
        split_column: Some(SPLIT_COLUMN),
        training,
    };
    let text = starter.to_yaml();
    let stem = layout.table.file_stem().unwrap_or_default().to_string_lossy();
    let names = std::iter::once("config.yml".to_owned())
        .chain(std::iter::once(format!("{stem}.yml")))
        .chain((2..).map(|number| format!("{stem}_{number}.yml")));
    for file in names.map(|name| layout.root.join(name)) {
        if fs::symlink_metadata(&file).is_err() {
            Config::parse(&text, &file)?;
            files::create(&file, text.as_bytes())
                .with_context(|| format!("{} cannot be written", file.display()))?;
            return Ok(file);
        }
        let is_of_table = |config: &Config| {
            same_file::is_same_file(&config.paths.model_dataframe, &layout.table).unwrap_or(false)
                && config.model.path_column == PATH_COLUMN
        };
        if Config::open(&file).is_ok_and(|config| is_of_table(&config)) {
            notices.push(format!("{} is there already, for this CSV: it stays as it is", file.display()));
            return Ok(file);
        }
    }
    // The numbers have no end.
    Ok(layout.root.join("config.yml"))
}

fn report_of(layout: &DeepFashionLayout) -> PathBuf {
    layout.table.with_extension("problems.txt")
}

/// Lists all problems in a file; without any, none is left of an earlier import.
fn write_report(file: &Path, problems: &[ImportProblem]) -> anyhow::Result<Option<PathBuf>> {
    if problems.is_empty() && fs::symlink_metadata(file).is_err() {
        return Ok(None);
    }
    files::replace_with(file, |sink| {
        let mut text = std::io::BufWriter::new(sink);
        writeln!(text, "{REPORT}: {}", problems.len())?;
        problems.iter().try_for_each(|problem| writeln!(text, "{problem}"))?;
        text.flush()
    })
    .with_context(|| format!("{} cannot be written", file.display()))?;
    Ok((!problems.is_empty()).then(|| file.to_path_buf()))
}
