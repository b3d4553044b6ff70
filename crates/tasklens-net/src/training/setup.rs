//! Everything before the first epoch: folder, data, device, network, first weights.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, bail, ensure};
use tasklens_data::config::{ClassWeights, Config, DeviceChoice, Precision, Task};
use tasklens_data::dataset::edits::Edit;
use tasklens_data::dataset::problems::{self, Problem, Severity};
use tasklens_data::dataset::split::Split;
use tasklens_data::dataset::{Dataset, Rows};
use tasklens_data::images::cache::{ImageCache, Spill};
use tasklens_data::text::{counted, is, plural};
use tasklens_data::user_folders;
use tasklens_data::work::cores;
use tch::{Kind, Tensor};

use super::balance::TaskBalance;
use super::events::LabelledImages;
use super::metrics::Weights;
use super::ranks::Place;
use super::reporter::Reporter;
use super::run_folder::{self, BEST, EVENTS, LAST};
use super::{Request, split_file};
use crate::device::{self, Device};
use crate::inference::samples::{Drawn, SampleSource};
use crate::model::backbone_file;
use crate::model::network::Network;
use crate::model::pretrained::{self, Resolved};

/// The user stopped the run before the first epoch.
#[derive(Debug, thiserror::Error)]
#[error("stopped before the first epoch")]
pub struct StoppedEarly;

/// Reads the CSV with edits applied and checks the images' headers; problems that leave usable rows become warnings.
pub fn open_data(config: &Config, edits: &[Edit], reporter: &mut Reporter) -> anyhow::Result<Dataset> {
    reporter.preparing("reading the CSV", 0, 0);
    let mut dataset = Dataset::open(config)?;
    if !edits.is_empty() {
        dataset = dataset.with_edits(edits);
    }
    let found = {
        // The check runs on several threads; only this one uses the reporter.
        let (tell, told) = crossbeam_channel::unbounded();
        let stop = std::sync::atomic::AtomicBool::new(false);
        std::thread::scope(|scope| {
            let checked = &dataset;
            let stop = &stop;
            let check = scope.spawn(move || {
                problems::check_images(checked, problems::Look::Header, &|done, of| {
                    let _ = tell.send((done, of));
                    !stop.load(std::sync::atomic::Ordering::Relaxed)
                })
            });
            for (done, of) in told {
                reporter.preparing("checking the images", done as u64, of as u64);
                if reporter.should_stop() {
                    stop.store(true, std::sync::atomic::Ordering::Relaxed);
                }
            }
            check.join().map_err(|_| anyhow::anyhow!("the check of the images crashed"))
        })?
    };
    if reporter.should_stop() {
        bail!(StoppedEarly);
    }
    dataset.apply(found);
    for notice in &config.notices {
        reporter.warn(notice.clone());
    }
    let is_guess = |p: &&Problem| {
        p.kind == problems::ProblemKind::Image && p.row.is_none() && p.severity == Severity::Note
    };
    for guess in dataset.problems.iter().filter(is_guess) {
        reporter.warn(guess.to_string());
    }
    if let Some(error) = dataset.problems.iter().find(|p| p.severity == Severity::Error) {
        bail!("{}: {error}", dataset.table.path.display());
    }
    let unusable = dataset.rows.iter().filter(|row| !row.usable).count();
    let warnings = dataset.problems.iter().filter(|p| p.severity == Severity::Warning).count();
    let mut found = Vec::new();
    if unusable > 0 {
        found.push(format!("{unusable} of {} {} not used", counted(dataset.rows.len(), "row"), is(unusable)));
    }
    if warnings > 0 {
        found.push(counted(warnings, "warning"));
    }
    if !found.is_empty() {
        let csv = dataset.table.path.display();
        reporter.warn_of_data(format!("{csv} has problems: {}", found.join(", ")));
    }
    ensure!(!dataset.split.train.is_empty(), "no row is left to train with");
    ensure!(!dataset.split.validation.is_empty(), "no row is left to validate with");
    Ok(dataset)
}

fn is_empty(folder: &Path) -> bool {
    std::fs::read_dir(folder).map_or(true, |mut entries| entries.next().is_none())
}

/// A resumed run continues with its original images.
pub fn keep_split(folder: &Path, data: &mut Dataset, reporter: &mut Reporter) -> anyhow::Result<()> {
    let Some(split) = split_file::read(folder, data)? else { return Ok(()) };
    let rows = |split: &Split| split.train.len() + split.validation.len();
    let (now, then) = (rows(&data.split), rows(&split));
    if then < now {
        reporter.warn(format!(
            "{} added to the CSV since the run started; it continues without them: start a new run to use them",
            counted(now - then, "row") + plural(now - then, " was", " were")
        ));
    }
    ensure!(
        !split.train.is_empty() && !split.validation.is_empty(),
        "the CSV no longer has the images that {} was trained with: start a new run",
        folder.display()
    );
    data.split = Arc::new(split);
    Ok(())
}

/// The images of another run train and validate here, too.
pub fn take_split(other: &Path, data: &mut Dataset) -> anyhow::Result<()> {
    let split = split_file::read(other, data)?;
    let split = split.with_context(|| format!("{} does not say which images it used", other.display()))?;
    ensure!(
        !split.train.is_empty() && !split.validation.is_empty(),
        "of the images of {}, none that trains or none that validates has a label here",
        other.display()
    );
    data.split = Arc::new(split);
    Ok(())
}

/// The run's folder, and whether it is new.
pub fn open_folder(request: &Request) -> anyhow::Result<(PathBuf, bool)> {
    let config = &request.config;
    let found = match (&request.run, request.resume) {
        (None, true) => bail!("give the run to resume"),
        (Some(folder), true) => {
            ensure!(
                run_folder::can_go_on(folder),
                "{} cannot be resumed: it has no {LAST}; start a new run",
                folder.display()
            );
            (folder.clone(), false)
        }
        (Some(folder), false) => {
            ensure!(
                !folder.join(BEST).is_file() && !run_folder::can_go_on(folder),
                "{} already contains a run: choose another folder, or resume that run",
                folder.display()
            );
            // Leftovers of a run that never started may stay; user files must not be mixed with those of a run.
            ensure!(
                folder.join(EVENTS).is_file() || is_empty(folder),
                "{} is not empty: choose a new folder for the run",
                folder.display()
            );
            let is_new = !folder.exists();
            std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
            (folder.clone(), is_new)
        }
        (None, false) => (run_folder::create(&config.paths.runs)?, true),
    };
    Ok(found)
}

/// The precision: as configured, or bf16 if the processor supports it.
pub fn precision(config: &Config, device: &Device) -> Kind {
    match config.model.precision {
        Precision::Fp32 => Kind::Float,
        Precision::Bf16 => Kind::BFloat16,
        Precision::Auto if device.supports_bf16() => Kind::BFloat16,
        Precision::Auto => Kind::Float,
    }
}

/// The device that the config names; `auto` prefers a GPU: of several processes on a computer, each has its own.
pub fn device(config: &Config, place: Option<&Place>) -> anyhow::Result<Device> {
    let device = device::pick(config.model.device)?;
    match (place, device.tch) {
        (Some(place), tch::Device::Cuda(_)) if config.model.device == DeviceChoice::Auto => device::pick(
            DeviceChoice::Cuda(own_gpu(place.local_rank, device::cuda::load().map_or(0, <[_]>::len))),
        ),
        _ => Ok(device),
    }
}

/// The GPU of a process among those that it sees, which may be its own alone (`srun --gpus-per-task`).
fn own_gpu(local_rank: usize, gpus: usize) -> usize {
    local_rank % gpus.max(1)
}

/// Number of CPU threads of the network, if it is fixed. Several processes on a computer would take each other for other
/// programs that need cores, so each has its share.
pub fn threads(config: &Config, place: Option<&Place>) -> Option<usize> {
    let share = place.filter(|place| place.local_size > 1).map(|place| place.share_of(cores()));
    config.model.threads.or(share)
}

/// A new network, with pretrained weights if available. Also returns where they came from.
pub fn new_network(
    config: &Config,
    device: &Device,
    reporter: &mut Reporter,
) -> anyhow::Result<(Network, String)> {
    let model = &config.model;
    let mut network = Network::new(model.backbone, &model.tasks, model.random_seed, device.tch)?;
    let found = resolve_weights(config, reporter)?;
    if let Some(path) = &found.path {
        backbone_file::load(&mut network, path)?;
    } else if model.freeze_convolutional_layers {
        reporter.warn(
            "`freeze_convolutional_layers` is on, but there are no pretrained weights: the features are those \
             of a random network, and accuracy will be poor",
        );
    } else if model.frozen_epochs > 0 {
        reporter.warn(
            "`frozen_epochs` trains the heads first, but there are no pretrained weights: on the features of a random \
             network they learn little",
        );
    }
    if let Some(warning) = found.warning {
        reporter.warn(warning);
    }
    Ok((network, found.why))
}

/// Finds the weights, downloading them if needed.
fn resolve_weights(config: &Config, reporter: &mut Reporter) -> anyhow::Result<Resolved> {
    let model = &config.model;
    let cell = std::cell::RefCell::new(reporter);
    let progress =
        |done: u64, of: u64| cell.borrow_mut().preparing("downloading the pretrained weights", done, of);
    let keep_going = || !cell.borrow_mut().should_stop();
    let found = pretrained::resolve(model.backbone, &model.pretrained, &progress, &keep_going);
    if cell.borrow_mut().should_stop() {
        bail!(StoppedEarly);
    }
    found
}

/// Weights of tasks and labels, from the config and the training rows, with those that are learnt.
pub fn weights(
    config: &Config,
    data: &Dataset,
    balance: Option<TaskBalance>,
    device: tch::Device,
) -> anyhow::Result<Weights> {
    let tasks = &config.model.tasks;
    let counts: Vec<Vec<usize>> = tasks
        .iter()
        .enumerate()
        .map(|(task, labels)| label_counts(&data.rows, &data.split.train, task, labels.labels.len()))
        .collect();
    let per_label: Vec<Option<Vec<f64>>> = match &config.model.class_weights {
        ClassWeights::None => vec![None; tasks.len()],
        ClassWeights::PerLabel(weights) => weights
            .iter()
            .zip(&counts)
            .map(|(weights, counts)| Some(averaging_one(weights, counts)))
            .collect(),
        ClassWeights::Balanced => counts.iter().map(|counts| Some(balanced(counts))).collect(),
    };
    let classes = per_label.iter().map(|weights| {
        let weights = weights.as_ref()?;
        let values: Vec<f32> = weights.iter().map(|&w| w as f32).collect();
        Some(Tensor::f_from_slice(&values).and_then(|t| t.f_to_device(device)))
    });
    let classes =
        classes.map(Option::transpose).collect::<Result<_, _>>().context("cannot place class weights")?;
    let n_train = data.split.train.len() as f64;
    let labelled = counts.iter().map(|counts| counts.iter().sum::<usize>() as f64 / n_train).collect();
    let smoothing = config.model.label_smoothing;
    Ok(Weights { tasks: config.model.task_weights.clone(), classes, labelled, smoothing, balance })
}

/// Per task, the labels of some rows (those for validation).
pub fn labelled(config: &Config, data: &Dataset, rows: &[usize]) -> Vec<LabelledImages> {
    let of = |(task, labels): (usize, &Task)| {
        let counts = label_counts(&data.rows, rows, task, labels.labels.len());
        LabelledImages { images: counts.iter().sum(), most_common: counts.into_iter().max().unwrap_or(0) }
    };
    config.model.tasks.iter().enumerate().map(of).collect()
}

/// Number of rows per label of a task.
fn label_counts(rows: &Rows, some: &[usize], task: usize, labels: usize) -> Vec<usize> {
    let mut counts = vec![0; labels];
    for label in some.iter().filter_map(|&row| rows[row].labels[task].class()) {
        counts[label as usize] += 1;
    }
    counts
}

/// rows / (labels * rows with the label), as in scikit-learn's `balanced`; a label without rows gets 0. The mean over
/// the rows is 1.
fn balanced(counts: &[usize]) -> Vec<f64> {
    let present = counts.iter().filter(|&&n| n > 0).count();
    let total: usize = counts.iter().sum();
    counts.iter().map(|&n| if n == 0 { 0.0 } else { total as f64 / (present * n) as f64 }).collect()
}

/// Scales the weights to a mean of 1 over the rows, so that they do not affect the weight of the task.
fn averaging_one(weights: &[f64], counts: &[usize]) -> Vec<f64> {
    let sum: f64 = weights.iter().zip(counts).map(|(weight, &n)| weight * n as f64).sum();
    let total: usize = counts.iter().sum();
    // If no row counts, nothing can be scaled.
    let scale = if sum > 0.0 { total as f64 / sum } else { 1.0 };
    weights.iter().map(|weight| weight * scale).collect()
}

/// Shared state of the loader's workers. Decoded images take at most a quarter of the free memory, and of the free space
/// of the disk with the user's cache; several processes on a computer share that.
pub fn source(config: &Config, rows: Rows, place: Option<&Place>) -> Arc<SampleSource> {
    let model = &config.model;
    let sharers = place.map_or(1, |place| place.local_size);
    let cache = ImageCache::new(model.height, model.width, free_memory() / 4 / sharers);
    let bytes_each = model.height as usize * model.width as usize * 3;
    let spill = user_folders::cache().and_then(|folder| Spill::of_free_space(&folder, bytes_each, sharers));
    Arc::new(SampleSource {
        rows,
        tasks: model.tasks.len(),
        cache: cache.with(spill),
        augmentation: model.augmentation.clone(),
        drawn: Drawn::ByRow,
        seed: model.random_seed,
    })
}

/// Free memory in bytes.
pub fn free_memory() -> usize {
    let mut system = sysinfo::System::new();
    system.refresh_memory();
    usize::try_from(system.available_memory()).unwrap_or(usize::MAX)
}

/// Number of decoding threads: as configured, else all cores with a GPU, and half of them if the network computes on
/// the CPU.
pub fn workers(config: &Config, device: &Device, place: Option<&Place>) -> usize {
    let cores = place.map_or_else(cores, |place| place.share_of(cores()));
    let auto = if device.tch == tch::Device::Cpu { cores.div_ceil(2) } else { cores };
    config.model.workers.unwrap_or(auto).max(1)
}

#[cfg(test)]
mod tests {
    use tasklens_data::dataset::Row;

    use super::*;

    #[test]
    fn a_process_has_a_gpu_of_its_own_also_where_it_sees_no_other() {
        assert_eq!([0, 1, 3].map(|local_rank| own_gpu(local_rank, 4)), [0, 1, 3]);
        assert_eq!([0, 3].map(|local_rank| own_gpu(local_rank, 1)), [0, 0]);
        assert_eq!(own_gpu(2, 0), 0);
    }

    #[test]
    fn balanced_weights_make_each_label_count_the_same() {
        let row = |label: Option<u32>| Row {
            image: Path::new("x").into(),
            labels: vec![label.into()].into(),
            usable: true,
        };
        let rows = [Some(0), Some(0), Some(0), Some(1), None, Some(1)].into_iter().map(row).collect();
        // The last row validates.
        let counts = label_counts(&rows, &[0, 1, 2, 3, 4], 0, 3);
        assert_eq!(counts, [3, 1, 0]);
        assert_eq!(balanced(&counts), [4.0 / 6.0, 2.0, 0.0]);
    }

    #[test]
    fn weights_of_the_user_average_one_over_the_rows() {
        assert_eq!(averaging_one(&[1.0, 5.0, 9.0], &[3, 1, 0]), [0.5, 2.5, 4.5]);
        assert_eq!(averaging_one(&[0.0, 1.0], &[3, 0]), [0.0, 1.0]);
    }
}
