//! Finds output paths of a config that lie outside its project's folder. A config may come from anywhere, so the user
//! is asked before anything is written there.

use std::fmt;
use std::fs;
use std::path::{Component, Path, PathBuf};

use super::{Config, ConfigPaths};

/// A kind of output path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutputPath {
    /// The copy of the best model.
    Model,
    /// The copy of the history.
    History,
    /// The folder of runs.
    Runs,
    /// A run folder of this name.
    InRuns(&'static str),
    /// The CSV, with the label edits and backups beside it.
    Table,
}

impl OutputPath {
    fn key(self) -> &'static str {
        match self {
            Self::Model => "paths.model_path",
            Self::History => "paths.training_history_path",
            Self::Runs | Self::InRuns(_) => "paths.runs",
            Self::Table => "paths.model_dataframe",
        }
    }

    /// Its path with links resolved; `None` if the config does not name it.
    fn place(self, paths: &ConfigPaths) -> Option<PathBuf> {
        let path = match self {
            Self::Model => paths.model_path.clone()?,
            Self::History => paths.training_history_path.clone()?,
            Self::Runs => paths.runs.clone(),
            Self::InRuns(name) => paths.runs.join(name),
            Self::Table => paths.model_dataframe.clone(),
        };
        Some(resolved(&path))
    }
}

/// An output path outside the project's folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outside {
    /// The key that names it, such as `paths.model_path`.
    pub key: &'static str,
    /// Its path with links resolved.
    pub path: PathBuf,
}

impl fmt::Display for Outside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is {}", self.key, self.path.display())
    }
}

impl Config {
    /// The project's folder, where its relative paths start: that of the config, or one around it.
    pub fn folder(&self) -> &Path {
        &self.root.folder
    }

    /// The paths among `written` that lie outside the project's folder. The config of a run lies in its run folder; a
    /// path that the project's own config names, too, belongs to the project. Reads the disk.
    pub fn outside(&self, written: &[OutputPath]) -> Vec<Outside> {
        let folder = resolved(self.folder());
        let places = written.iter().filter_map(|of| Some((*of, of.place(&self.paths)?)));
        let mut outside: Vec<_> = places.filter(|(_, place)| !place.starts_with(&folder)).collect();
        if outside.is_empty() {
            return Vec::new();
        }
        if let Some(project) = resolved(&self.paths.runs).parent() {
            let configs = configs_of(project);
            let is_named = |of: OutputPath, place: &PathBuf| {
                configs.iter().any(|config| of.place(&config.paths).as_ref() == Some(place))
            };
            outside.retain(|(of, place)| !place.starts_with(project) || !is_named(*of, place));
        }
        outside.into_iter().map(|(of, path)| Outside { key: of.key(), path }).collect()
    }
}

/// Larger YAML files are not configs, bytes.
const LARGEST: u64 = 1 << 20;

/// So many names of a folder in the project's are looked at for a config: others hold images.
const MOST_NAMES: usize = 1_000;
/// So many folders in the project's are looked into.
const MOST_FOLDERS: usize = 100;

/// The configs of a project's folder, also those that lie in a folder of it and have their paths start at this one.
fn configs_of(project: &Path) -> Vec<Config> {
    let mut configs: Vec<Config> = configs_in(names_in(project));
    let folders = names_in(project).filter(|path| path.is_dir()).take(MOST_FOLDERS);
    let below = folders.flat_map(|folder| configs_in(names_in(&folder).take(MOST_NAMES)));
    configs.extend(below.filter(|config| resolved(config.folder()) == project));
    configs
}

fn names_in(folder: &Path) -> impl Iterator<Item = PathBuf> {
    fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok).map(|entry| entry.path())
}

fn configs_in(names: impl Iterator<Item = PathBuf>) -> Vec<Config> {
    let is_config = |path: &PathBuf| {
        path.extension().is_some_and(|ending| ending == "yml" || ending == "yaml")
            && fs::metadata(path).is_ok_and(|file| file.is_file() && file.len() <= LARGEST)
    };
    names.filter(is_config).filter_map(|file| Config::open(&file).ok()).collect()
}

/// A path as the disk takes it: absolute, links followed, `..` taken back. What is not there is taken as written.
pub(super) fn resolved(path: &Path) -> PathBuf {
    /// As many links as systems follow.
    const MOST_LINKS: usize = 40;
    follow(path, MOST_LINKS)
}

fn follow(path: &Path, links: usize) -> PathBuf {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
    let mut done = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                done.pop();
            }
            part => done.push(part),
        }
        match (done.canonicalize(), fs::read_link(&done)) {
            (Ok(real), _) => done = real,
            // A link to something that does not exist yet will be followed once it does.
            (Err(_), Ok(target)) if links > 0 => {
                done.pop();
                done = follow(&done.join(target), links - 1);
            }
            (Err(_), _) => {}
        }
    }
    done
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [OutputPath; 4] =
        [OutputPath::Model, OutputPath::History, OutputPath::Runs, OutputPath::Table];

    /// The keys of a config in `folder` that lead out of it.
    fn keys(folder: &Path, paths: &str) -> Vec<&'static str> {
        config(folder, paths).outside(&ALL).iter().map(|outside| outside.key).collect()
    }

    fn config(folder: &Path, paths: &str) -> Config {
        let text = format!(
            "paths: {{model_dataframe: a.csv, {paths}}}\nmodel: {{target_encoder: {{print: [a, b]}}}}"
        );
        Config::parse(&text, &folder.join("config.yml")).unwrap()
    }

    #[test]
    fn what_lies_in_the_folder_is_in_it_however_it_is_written() {
        let dir = tempfile::tempdir().unwrap();
        for paths in [
            "model_path: model/new/m.safetensors",
            "model_path: ./x/../m.safetensors",
            "runs: deep/er/runs, training_history_path: ..history.csv",
        ] {
            assert_eq!(keys(dir.path(), paths), [""; 0], "{paths}");
        }
        let absolute = format!("model_path: {}", dir.path().join("m.safetensors").display());
        assert_eq!(keys(dir.path(), &absolute), [""; 0]);
    }

    #[test]
    fn what_leads_out_of_the_folder_is_told_with_its_key_and_its_real_place() {
        let dir = tempfile::tempdir().unwrap();
        let project = dir.path().join("project");
        fs::create_dir(&project).unwrap();
        assert_eq!(keys(&project, "training_history_path: ../home/.bashrc"), ["paths.training_history_path"]);
        assert_eq!(keys(&project, "model_path: new/../../m.safetensors"), ["paths.model_path"]);
        assert_eq!(keys(&project, "model_path: ../project2/m.safetensors"), ["paths.model_path"]);
        assert_eq!(keys(&project, "runs: /runs"), ["paths.runs"]);
        let told = config(&project, "model_path: new/../../m.safetensors").outside(&ALL);
        let place = dir.path().canonicalize().unwrap().join("m.safetensors");
        assert_eq!(told[0].to_string(), format!("`paths.model_path` is {}", place.display()));
    }

    #[cfg(unix)]
    #[test]
    fn a_link_leads_where_it_leads_whether_that_is_there_or_not() {
        use std::os::unix::fs::symlink;

        let dir = tempfile::tempdir().unwrap();
        let project = dir.path().join("project");
        fs::create_dir_all(project.join("in")).unwrap();
        fs::create_dir(dir.path().join("home")).unwrap();
        symlink("../home", project.join("out")).unwrap();
        symlink("../later/..", project.join("dangling")).unwrap();
        symlink("in", project.join("within")).unwrap();
        symlink("loop", project.join("loop")).unwrap();
        assert_eq!(keys(&project, "model_path: out/m.safetensors"), ["paths.model_path"]);
        assert_eq!(keys(&project, "model_path: dangling/m.safetensors"), ["paths.model_path"]);
        assert_eq!(keys(&project, "runs: out"), ["paths.runs"]);
        assert_eq!(keys(&project, "model_path: out/../project/m.safetensors"), [""; 0]);
        assert_eq!(keys(&project, "model_path: within/m.safetensors"), [""; 0]);
        assert_eq!(keys(&project, "model_path: loop/m.safetensors"), [""; 0]);
        symlink("../../home", project.join("in/features")).unwrap();
        let written = [OutputPath::Runs, OutputPath::InRuns("features")];
        assert_eq!(config(&project, "runs: in").outside(&written).len(), 1);
    }

    #[test]
    fn a_run_writes_to_its_project_and_to_no_other() {
        let dir = tempfile::tempdir().unwrap();
        let project = dir.path().join("project");
        fs::create_dir(&project).unwrap();
        let own = config(&project, "model_path: m.safetensors, training_history_path: ../h.csv");
        fs::write(&own.file, own.to_yaml()).unwrap();
        let mut run = own.clone();
        run.file = project.join("runs/today/config.yml");
        run.root.folder = project.join("runs/today");
        let keys = |run: &Config| run.outside(&ALL).iter().map(|outside| outside.key).collect::<Vec<_>>();
        assert_eq!(keys(&run), ["paths.training_history_path"], "of the rest its project says the same");
        run.paths.model_path = Some(project.join("other.safetensors"));
        assert_eq!(keys(&run), ["paths.model_path", "paths.training_history_path"]);
        fs::remove_file(&own.file).unwrap();
        assert_eq!(keys(&run).len(), 4, "nobody says that this is its project");
    }
}
