//! The file of a study beside its runs, `NAME.study.json`: what is planned, and what came of it. It lets a study be found
//! again, and gone on with, long after it began.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow};
use serde::{Deserialize, Serialize};
use tasklens_data::config::Config;
use tasklens_data::files;

use super::StudyPlan;
use super::report::StudyReport;
use crate::training::run_folder;

const ENDING: &str = ".study.json";
/// Larger files are none of ours, bytes.
const LARGEST: u64 = 16 << 20;

/// A study on disk.
#[derive(Clone, Debug)]
pub struct StoredStudy {
    /// What is planned.
    pub plan: StudyPlan,
    /// What came of it; `None` while networks are missing or nothing is measured.
    pub report: Option<StudyReport>,
}

#[derive(Deserialize)]
struct File {
    /// Of the network for all tasks, with its epochs and first seed; paths are found from the file's folder.
    config: String,
    seeds: usize,
    report: Option<StudyReport>,
}

/// As [`File`], of what is borrowed.
#[derive(Serialize)]
struct FileRef<'a> {
    config: String,
    seeds: usize,
    report: Option<&'a StudyReport>,
}

impl StoredStudy {
    /// The studies of a folder of runs, the latest name first, and messages about files that cannot be read. Reads the
    /// disk.
    pub fn list(runs: &Path) -> (Vec<Self>, Vec<String>) {
        let names = fs::read_dir(runs).into_iter().flatten().filter_map(Result::ok).map(|entry| entry.path());
        let mut paths: Vec<PathBuf> = names.filter(|path| name_of(path).is_some()).collect();
        paths.sort_by(|a, b| b.cmp(a));
        let (mut found, mut faults) = (Vec::new(), Vec::new());
        for path in paths {
            match Self::open(&path) {
                Ok(study) => found.push(study),
                Err(error) => faults.push(format!("the study {} cannot be read: {error:#}", path.display())),
            }
        }
        (found, faults)
    }

    /// Reads one.
    ///
    /// # Errors
    /// It cannot be read, or is none.
    pub fn open(path: &Path) -> anyhow::Result<Self> {
        let name = name_of(path).ok_or_else(|| anyhow!("expected a name that ends in `{ENDING}`"))?;
        let bytes = files::regular::read(path, LARGEST)?;
        let File { config, seeds, report } = serde_json::from_slice(&bytes).context("it is damaged")?;
        // The runs lie beside it, wherever the project was moved to.
        let mut config = Config::parse(&config, path)?;
        config.paths.runs = path.parent().unwrap_or(Path::new(".")).to_path_buf();
        Ok(Self { plan: StudyPlan::new(config, None, seeds, name)?, report })
    }

    /// Whether all is trained and measured.
    pub fn is_over(&self) -> bool {
        self.report.is_some()
    }
}

/// Writes the file of a study that begins; where it has one already, that stays with its result.
pub(super) fn begin(plan: &StudyPlan) -> anyhow::Result<()> {
    let before = StoredStudy::open(&file_of(plan)).ok();
    let is_same = |before: &StudyPlan| {
        before.config.model == plan.config.model && before.seeds().len() == plan.seeds().len()
    };
    if before.is_some_and(|before| is_same(&before.plan)) { Ok(()) } else { write(plan, None) }
}

/// Writes the file of a study, in place of the one before.
pub(super) fn write(plan: &StudyPlan, report: Option<&StudyReport>) -> anyhow::Result<()> {
    let runs = &plan.config.paths.runs;
    fs::create_dir_all(runs).with_context(|| format!("cannot make the folder {}", runs.display()))?;
    let file = file_of(plan);
    let content = FileRef { config: plan.config.to_yaml_in(runs), seeds: plan.seeds.len(), report };
    files::replace(&file, &serde_json::to_vec_pretty(&content)?)
        .with_context(|| format!("cannot write {}", file.display()))
}

fn file_of(plan: &StudyPlan) -> PathBuf {
    plan.config.paths.runs.join(format!("{}{ENDING}", plan.name()))
}

/// The name of a study by its file.
fn name_of(path: &Path) -> Option<&str> {
    path.file_name().and_then(OsStr::to_str)?.strip_suffix(ENDING).filter(|name| !name.is_empty())
}

/// A name for a new study, by the local time: one that no study or run in `runs` begins with. Reads the disk.
///
/// # Errors
/// The time cannot be written.
pub fn new_name(runs: &Path) -> anyhow::Result<String> {
    let base = format!("{}-study", run_folder::name_of_now()?);
    let is_taken = |name: &str| {
        let names = fs::read_dir(runs).into_iter().flatten().filter_map(Result::ok);
        names.map(|entry| entry.file_name()).any(|taken| taken.to_string_lossy().starts_with(name))
    };
    let names = std::iter::once(base.clone()).chain((2..).map(|number| format!("{base}{number}")));
    Ok(names.into_iter().find(|name| !is_taken(name)).unwrap_or(base))
}

#[cfg(test)]
mod tests {
    use super::super::report::{NeighbourRow, TaskResult, Times};
    use super::*;

    fn plan(folder: &Path) -> StudyPlan {
        let text = "{paths: {model_dataframe: a.csv}, model: {target_encoder: {print: [a, b], neck: [v, o]}, \
                    random_seed: 5, epochs: 4}}";
        let config = Config::parse(text, &folder.join("config.yml")).unwrap();
        StudyPlan::new(config, Some(3), 2, "first").unwrap()
    }

    fn report() -> StudyReport {
        let task = |name: &str| TaskResult {
            task: name.to_owned(),
            all: vec![0.9, f64::NAN],
            single: vec![0.8, 0.7],
        };
        StudyReport {
            epochs: 3,
            seeds: vec![5, 6],
            tasks: vec![task("print"), task("neck")],
            times: Times { batch: 16, all: 0.1, single: 0.2, all_one_by_one: 0.1, single_one_by_one: 0.2 },
            neighbours: vec![NeighbourRow {
                network: "all tasks".to_owned(),
                accuracies: vec![(9, 10), (0, 0)],
            }],
            runs: vec!["first-seed5-all".to_owned()],
            notices: Vec::new(),
        }
    }

    #[test]
    fn a_study_is_found_again_with_its_plan_and_result_also_where_the_project_was_moved_to() {
        let dir = tempfile::tempdir().unwrap();
        let [before, after] = ["before", "after"].map(|name| dir.path().join(name));
        fs::create_dir(&before).unwrap();
        fs::write(before.join("a.csv"), "path,print,neck\n").unwrap();
        let plan = plan(&before);
        write(&plan, None).unwrap();
        let (found, faults) = StoredStudy::list(&before.join("runs"));
        assert!(faults.is_empty() && found.len() == 1 && !found[0].is_over(), "{faults:?}");
        write(&plan, Some(&report())).unwrap();
        begin(&plan).unwrap();
        fs::rename(&before, &after).unwrap();
        let (found, faults) = StoredStudy::list(&after.join("runs"));
        let [study] = &found[..] else { panic!("{faults:?}") };
        let folders = |plan: &StudyPlan| plan.runs().iter().map(|run| run.folder.clone()).collect::<Vec<_>>();
        assert_eq!(folders(&study.plan)[0], after.join("runs/first-seed5-all"));
        assert_eq!(folders(&study.plan).len(), 6);
        assert_eq!(study.plan.config.model, plan.config.model);
        assert!(study.plan.config.paths.model_dataframe.is_file());
        let kept = study.report.as_ref().expect("a report");
        assert!(kept.tasks[0].all[1].is_nan(), "a task without labels");
        assert_eq!((kept.tasks[0].all[0], kept.times.single), (0.9, 0.2));
    }

    #[test]
    fn a_damaged_study_is_told_and_the_others_are_there() {
        let dir = tempfile::tempdir().unwrap();
        write(&plan(dir.path()), None).unwrap();
        let runs = dir.path().join("runs");
        fs::write(runs.join("second.study.json"), "{\"config\": 1").unwrap();
        let (found, faults) = StoredStudy::list(&runs);
        assert_eq!((found.len(), faults.len()), (1, 1));
        assert!(faults[0].contains("second.study.json") && faults[0].contains("damaged"), "{faults:?}");
    }

    #[test]
    fn no_two_new_studies_have_one_name() {
        let dir = tempfile::tempdir().unwrap();
        let first = new_name(dir.path()).unwrap();
        assert_eq!(files::names::plain(&first), first);
        fs::create_dir(dir.path().join(format!("{first}-seed1-all"))).unwrap();
        assert_ne!(new_name(dir.path()).unwrap(), first);
    }
}
