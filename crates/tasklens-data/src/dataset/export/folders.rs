//! Exports a folder per task and label, with the images that have the label.

use std::collections::{HashMap, HashSet};
use std::fs::{self, File, Metadata};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

use super::made::{self, Made};
use super::{ExportOutcome, Placing, rows};
use crate::config::Task;
use crate::dataset::Dataset;
use crate::files::{names, regular};
use crate::text::counted;
use crate::work::KeepGoing;

/// Digits of the number that precedes a name.
const DIGITS: usize = 4;

/// An image to be placed.
struct Item {
    source: PathBuf,
    target: PathBuf,
}

/// Exports a dataset with its edits applied.
pub(super) fn export(
    dataset: &Dataset,
    tasks: &[usize],
    placing: Placing,
    out: &Path,
    progress: &mut KeepGoing<'_>,
) -> anyhow::Result<ExportOutcome> {
    if tasks.is_empty() {
        bail!("choose at least one task to export");
    }
    let has_files = made::begin(out)?;
    let rows = rows(dataset);
    let mut report = FolderReport::new(placing, put);
    let mut folders = Folders::new(dataset, out);
    let digits = DIGITS.max(dataset.rows.len().to_string().len());
    let of = rows.len() * tasks.len();
    let (mut items, mut list) = (Vec::new(), Vec::new());
    for row in rows {
        if !progress(0, of) {
            bail!("cancelled");
        }
        let labels: Vec<(usize, u32)> =
            tasks.iter().filter_map(|task| Some((*task, dataset.rows[row].labels[*task].class()?))).collect();
        let unknown = tasks.iter().filter(|task| dataset.rows[row].labels[**task].is_missing());
        report.unknown += unknown.filter(|task| dataset.given_label(row, **task).is_some()).count();
        if labels.is_empty() {
            continue;
        }
        let image = &dataset.rows[row].image;
        let Some(metadata) = report.metadata(image) else { continue };
        let name = names::numbered(row + 1, digits, image);
        for (task, label) in labels {
            let folder = folders.of(task, label)?;
            let target = if has_files { free_file(&folder, &name) } else { folder.join(&name) };
            let path = target.strip_prefix(out).unwrap_or(&target).to_path_buf();
            list.push(Made::new(path, image, &metadata));
            items.push(Item { source: image.to_path_buf(), target });
        }
    }
    // The list is written first, so that the next export can replace an interrupted one.
    made::write(out, &list)?;
    for (done, item) in items.iter().enumerate() {
        if !progress(done, items.len()) {
            bail!("cancelled; {} has what was exported so far, and can be exported to again", out.display());
        }
        report.place(item)?;
    }
    Ok(report.written(out, folders.made.len(), has_files))
}

/// The folders of tasks and labels.
struct Folders {
    out: PathBuf,
    tasks: Vec<TaskFolder>,
    /// Folders created so far, by task and label.
    made: HashMap<(usize, u32), PathBuf>,
    /// The same with links resolved: a file system may treat two names as one.
    real: HashSet<PathBuf>,
}

struct TaskFolder {
    path: PathBuf,
    /// Folder names of the labels.
    labels: Vec<String>,
    taken: HashSet<String>,
}

impl Folders {
    /// Names for all tasks and labels, independent of which labels occur.
    fn new(dataset: &Dataset, out: &Path) -> Self {
        let mut taken = HashSet::new();
        let folder = |task: &Task| {
            let path = out.join(names::free(&names::safe(&task.name), &mut taken));
            let mut taken = HashSet::new();
            let labels =
                task.labels.iter().map(|label| names::free(&names::safe(label), &mut taken)).collect();
            TaskFolder { path, labels, taken }
        };
        let tasks = dataset.tasks.iter().map(folder).collect();
        Self { out: out.to_path_buf(), tasks, made: HashMap::new(), real: HashSet::new() }
    }

    /// The folder of a label, unique to it; created on first use.
    fn of(&mut self, task: usize, label: u32) -> anyhow::Result<PathBuf> {
        if let Some(folder) = self.made.get(&(task, label)) {
            return Ok(folder.clone());
        }
        let TaskFolder { path, labels, taken } = &mut self.tasks[task];
        let name = &labels[label as usize];
        let mut folder = path.join(name);
        loop {
            let cannot = || format!("{} cannot be made", folder.display());
            made::refuse_links(&self.out, folder.strip_prefix(&self.out).unwrap_or(&folder))?;
            fs::create_dir_all(&folder).with_context(cannot)?;
            if self.real.insert(fs::canonicalize(&folder).with_context(cannot)?) {
                self.made.insert((task, label), folder.clone());
                return Ok(folder);
            }
            folder = path.join(names::free(name, taken));
        }
    }
}

/// An unused file name: `0001_a.jpg`, `0001_a_2.jpg`.
fn free_file(folder: &Path, name: &str) -> PathBuf {
    let (stem, ending) = name.rsplit_once('.').unwrap_or((name, ""));
    let mut path = folder.join(name);
    let mut number = 2;
    while fs::symlink_metadata(&path).is_ok() {
        path = folder.join(format!("{stem}_{number}.{ending}"));
        number += 1;
    }
    path
}

/// Places a file in one of the ways, or returns the error.
type Put = fn(Placing, &Path, &Path) -> io::Result<()>;

/// Counts of what happened to the images.
struct FolderReport {
    placing: Placing,
    put: Put,
    /// Number of hard links, symbolic links and copies.
    placed: [usize; 3],
    /// Images that could not be exported, and why the first one could not.
    failed: usize,
    first_failed: Option<String>,
    /// Number of cells whose text is not a label of the config.
    unknown: usize,
}

impl FolderReport {
    fn new(placing: Placing, put: Put) -> Self {
        Self { placing, put, placed: [0; 3], failed: 0, first_failed: None, unknown: 0 }
    }

    /// The metadata of an image, links followed; `None` if it is missing.
    fn metadata(&mut self, image: &Path) -> Option<Metadata> {
        fs::metadata(image).inspect_err(|error| self.fail(image, error)).ok()
    }

    /// Places an image in the chosen way, or else in another; an unreadable image is left out.
    fn place(&mut self, item: &Item) -> anyhow::Result<()> {
        let ways = match self.placing {
            Placing::HardLink => &[Placing::HardLink, Placing::SymbolicLink, Placing::Copy][..],
            Placing::SymbolicLink => &[Placing::SymbolicLink, Placing::HardLink, Placing::Copy],
            Placing::Copy => &[Placing::Copy],
        };
        // A relative link would lead elsewhere from here.
        let source = match fs::canonicalize(&item.source) {
            Ok(source) => source,
            Err(error) => {
                self.fail(&item.source, &error);
                return Ok(());
            }
        };
        let mut result = Ok(());
        for way in ways {
            result = (self.put)(*way, &source, &item.target);
            if result.is_ok() {
                self.placed[*way as usize] += 1;
                return Ok(());
            }
        }
        if let Err(error) = result {
            if matches!(error.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded) {
                bail!("{}: {error}; free some space, and export again", item.target.display());
            }
            self.fail(&item.source, &error);
        }
        Ok(())
    }

    fn fail(&mut self, image: &Path, error: &io::Error) {
        self.failed += 1;
        let why = match error.kind() {
            ErrorKind::NotFound => "is missing".to_owned(),
            _ => format!("cannot be exported: {error}"),
        };
        self.first_failed.get_or_insert_with(|| format!("{} {why}", image.display()));
    }

    fn written(self, out: &Path, folders: usize, has_files: bool) -> ExportOutcome {
        let names = ["hard link", "symbolic link", "copy"];
        let chosen = self.placing as usize;
        let mut notices = Vec::new();
        for kind in (0..3).filter(|kind| *kind != chosen && self.placed[*kind] > 0) {
            let what = counted(self.placed[kind], names[kind]).replace("copys", "copies");
            let wanted = format!("{}s", names[chosen]);
            notices.push(format!("{what} instead of {wanted}, which are not possible there"));
        }
        if let Some(first) = &self.first_failed {
            let more =
                if self.failed > 1 { format!(", and {} more", self.failed - 1) } else { String::new() };
            notices.push(format!("{} left out: {first}{more}", counted(self.failed, "image")));
        }
        if self.unknown > 0 {
            let labels = counted(self.unknown, "label");
            notices
                .push(format!("{labels} left out, as the config does not list them: see Problems in Data"));
        }
        if has_files {
            notices
                .push(format!("Files in {} that are not from an export were left unchanged", out.display()));
        }
        let placed: usize = self.placed.iter().sum();
        let (labels, folders) = (counted(placed, "image"), counted(folders, "folder"));
        let summary = format!("{labels} in {folders} were written to {}", out.display());
        ExportOutcome { summary, notices, left_out: self.failed }
    }
}

/// Places a file where none exists.
fn put(way: Placing, source: &Path, target: &Path) -> io::Result<()> {
    match way {
        Placing::HardLink => fs::hard_link(source, target),
        Placing::SymbolicLink => symbolic_link(source, target),
        Placing::Copy => copy(source, target),
    }
}

/// A copy with the time of the original, by which a later export recognises it as unchanged.
fn copy(source: &Path, target: &Path) -> io::Result<()> {
    let mut from = regular::open(source)?;
    let mut to = File::create_new(target)?;
    let copied = io::copy(&mut from, &mut to);
    if copied.is_err() {
        // Half of an image is worse than none.
        let _ = fs::remove_file(target);
    }
    copied?;
    // Without that time it merely counts as changed.
    let _ = from.metadata()?.modified().and_then(|modified| to.set_modified(modified));
    Ok(())
}

#[cfg(unix)]
fn symbolic_link(source: &Path, target: &Path) -> io::Result<()> {
    std::os::unix::fs::symlink(source, target)
}

#[cfg(windows)]
fn symbolic_link(source: &Path, target: &Path) -> io::Result<()> {
    std::os::windows::fs::symlink_file(source, target)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_disk_without_links_gets_copies_and_a_full_one_ends_the_export() {
        let folder = tempfile::tempdir().unwrap();
        let source = folder.path().join("a.jpg");
        fs::write(&source, "a").unwrap();
        let mut report = FolderReport::new(Placing::HardLink, |way, source, target| match way {
            Placing::Copy => put(way, source, target),
            _ => Err(ErrorKind::Unsupported.into()),
        });
        report.place(&Item { source: source.clone(), target: folder.path().join("b.jpg") }).unwrap();
        report.place(&Item { source: source.clone(), target: folder.path().join("c.jpg") }).unwrap();
        // What is there is never written over.
        report.place(&Item { source: source.clone(), target: folder.path().join("c.jpg") }).unwrap();
        let written = report.written(folder.path(), 1, false);
        assert_eq!(written.left_out, 1);
        assert_eq!(written.notices[0], "2 copies instead of hard links, which are not possible there");

        let mut report = FolderReport::new(Placing::Copy, |_, _, _| Err(ErrorKind::StorageFull.into()));
        let error = report.place(&Item { source, target: folder.path().join("d.jpg") }).unwrap_err();
        assert!(error.to_string().contains("free some space"), "{error}");
    }
}
