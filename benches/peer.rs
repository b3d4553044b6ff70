//! Tasklens beside what a practised user of Python would take, as one Markdown table: `cargo xtask bench --peer`, which makes
//! the Python for it, and with it `predict`, `train`, `tasks` or `folder` for a part. Both sides get the same network and are
//! measured in turn; a value is the median of [`ROUNDS`] runs.
//!
//! The folder of photographs is that of `TASKLENS_PHOTOGRAPHS`.

#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a bench prints, and makes files of its own"
)]
#![expect(clippy::expect_used, reason = "a bench that cannot run should say where")]

#[path = "peer/project.rs"]
mod project;
#[path = "peer/python.rs"]
mod python;
#[path = "peer/table.rs"]
mod table;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::json;
use tasklens_data::config::{Backbone, DeviceChoice, Task};
use tasklens_net::device::cpu_has_bf16;
use tasklens_net::inference::Predictor;
use tasklens_net::inference::engine::Demand;
use tasklens_net::model::checkpoint::{self, Description};
use tasklens_net::model::layers::ForwardPass;
use tasklens_net::model::network::Network;
use tasklens_net::onnx::engine_model;
use tasklens_net::training::adam::Adam;
use tasklens_torch::memory::Keeping;
use tch::{Device, Kind, Tensor};

use python::Python;
use table::{Row, Table};

const ROUNDS: usize = 7;
/// Of the folder, which takes long.
const FOLDER_ROUNDS: usize = 5;
const SIZE: u32 = 224;
const BATCH: usize = 16;
/// Labels of the three tasks.
const LABELS: [usize; 3] = [10, 2, 5];
const NETWORKS: [Backbone; 2] = [Backbone::Xception, Backbone::EfficientNetLite0];
/// Threads that have just computed spin for a while.
const REST: Duration = Duration::from_millis(100);

fn main() {
    let parts: Vec<String> =
        std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    let is_asked = |part: &str| parts.is_empty() || parts.iter().any(|asked| asked == part);
    let Some(python) = std::env::var_os("TASKLENS_PEER_PYTHON") else {
        return println!("`cargo xtask bench --peer` runs this: it makes the Python to measure against");
    };
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let script = root.join("benches/peer/peer.py");
    let mut python = Python::start(Path::new(&python), &script);
    let mut table = Table::begin(root);
    let precisions = if cpu_has_bf16() { &["fp32", "bf16"][..] } else { &["fp32"] };
    if is_asked("predict") {
        for backbone in NETWORKS {
            for precision in precisions {
                predictions(backbone, precision, &mut python, &mut table);
            }
        }
    }
    if is_asked("tasks") {
        for backbone in NETWORKS {
            three_tasks(backbone, precisions[precisions.len() - 1], &mut table);
        }
    }
    if is_asked("train") {
        for backbone in NETWORKS {
            training_step(backbone, precisions[precisions.len() - 1], &mut python, &mut table);
        }
    }
    if is_asked("features") {
        project::features(root, precisions[precisions.len() - 1], &mut python, &mut table);
    }
    if is_asked("epoch") {
        for backbone in NETWORKS {
            project::epochs(root, backbone, precisions[precisions.len() - 1], &mut python, &mut table);
        }
    }
    if is_asked("folder") {
        folder(root, precisions[precisions.len() - 1], &mut python, &mut table);
    }
    table.end();
}

fn tasks() -> Vec<Task> {
    let names = ["item", "sleeves", "worn_on"];
    let task = |(name, labels): (&str, usize)| Task {
        name: name.to_owned(),
        labels: (0..labels).map(|label| format!("label{label}")).collect(),
    };
    names.into_iter().zip(LABELS).map(task).collect()
}

fn pixels(images: usize) -> Vec<u8> {
    (0..images * (SIZE * SIZE * 3) as usize).map(|i| (i * 7919 % 251) as u8).collect()
}

/// A network with random weights, as a checkpoint and as the graph for the peer.
struct Model {
    folder: tempfile::TempDir,
    onnx: PathBuf,
}

impl Model {
    fn new(backbone: Backbone, tasks: &[Task], precision: &str) -> Self {
        let description =
            Description { epoch: 1, ..Description::new(backbone, tasks.to_vec(), (SIZE, SIZE), precision) };
        let folder = tempfile::tempdir().expect("a folder");
        let network = Network::new(backbone, tasks, 1, Device::Cpu).expect("a network");
        checkpoint::write(&folder.path().join(checkpoint::BEST), &network, &description, &[])
            .expect("written");
        let onnx = folder.path().join("model.onnx");
        std::fs::write(&onnx, engine_model(&network, (SIZE, SIZE)).expect("a graph")).expect("written");
        Self { folder, onnx }
    }

    /// As the program predicts with it.
    fn predictor(&self) -> Predictor {
        let predictor = Predictor::open(self.folder.path(), DeviceChoice::Cpu).expect("a predictor");
        predictor.speed_up(Demand::Batches);
        predictor.speed_up(Demand::SingleImages);
        predictor
    }
}

fn name_in_timm(backbone: Backbone) -> &'static str {
    if backbone == Backbone::Xception { "legacy_xception" } else { "tf_efficientnet_lite0" }
}

/// `bf16` or `f32`, as OpenVINO calls them.
fn hint(precision: &str) -> &'static str {
    if precision == "bf16" { "bf16" } else { "f32" }
}

fn predictions(backbone: Backbone, precision: &str, python: &mut Python, table: &mut Table) {
    let model = Model::new(backbone, &tasks(), precision);
    let predictor = model.predictor();
    for images in [BATCH, 1] {
        let pixels = pixels(images);
        let request = |engine: &str, precision: &str| json!({"do": "predict", "engine": engine, "model": model.onnx, "precision": precision, "batch": images});
        let openvino = request("openvino", hint(precision));
        // It has no bf16 for processors.
        let onnxruntime = request("onnxruntime", "f32");
        let look = || seconds(|| drop(predictor.look_at(&pixels, images).expect("a look")));
        look();
        let mut times = [Vec::new(), Vec::new(), Vec::new()];
        // What was prepared before is dropped, so each in a block; ours in both, in turn.
        for _ in 0..ROUNDS {
            times[0].push(look());
            rest();
            times[1].push(python.ask(&openvino));
            rest();
        }
        if precision == "fp32" {
            for _ in 0..ROUNDS {
                times[0].push(look());
                rest();
                times[2].push(python.ask(&onnxruntime));
                rest();
            }
        }
        let [ours, openvino, onnxruntime] = times.map(|times| rate(images, times));
        let what = if images == 1 { "one image" } else { "batches of 16" };
        table.add(&Row {
            work: format!("prediction, {}, {precision}, {what}", backbone.facts().title),
            ours,
            openvino,
            onnxruntime,
            pytorch: None,
        });
    }
}

fn training_step(backbone: Backbone, precision: &str, python: &mut Python, table: &mut Table) {
    let kind = if precision == "bf16" { Kind::BFloat16 } else { Kind::Float };
    // As a training does.
    let _memory = Keeping::begin();
    let network = Network::new(backbone, &tasks(), 1, Device::Cpu).expect("a network");
    let mut adam = Adam::new(network.parameters().trainable(|_| true)).expect("an optimizer");
    let size = i64::from(SIZE);
    let bytes = Tensor::from_slice(&pixels(BATCH)).view([BATCH as i64, size, size, 3]);
    let labels: Vec<Tensor> = LABELS
        .iter()
        .map(|labels| Tensor::from_slice(&(0..BATCH).map(|i| (i % labels) as i64).collect::<Vec<_>>()))
        .collect();
    let mut step = || {
        let images = network.normalise(&bytes, kind).expect("images");
        let logits = network.forward(&images, ForwardPass::train(kind)).expect("logits");
        let losses =
            logits.iter().zip(&labels).map(|(logits, labels)| logits.cross_entropy_for_logits(labels));
        adam.step(&losses.sum(), 1e-3).expect("a step");
    };
    let request = json!({"do": "train", "network": name_in_timm(backbone), "precision": hint(precision), "batch": BATCH, "size": SIZE, "labels": LABELS});
    step();
    python.ask(&request);
    let mut times = [Vec::new(), Vec::new()];
    for _ in 0..ROUNDS {
        times[0].push(seconds(&mut step));
        rest();
        times[1].push(python.ask(&request));
        rest();
    }
    let [ours, pytorch] = times.map(|times| rate(BATCH, times));
    table.add(&Row {
        work: format!("training step, {}, {precision}, batches of 16", backbone.facts().title),
        ours,
        openvino: None,
        onnxruntime: None,
        pytorch,
    });
}

/// One network with three heads against one for each task.
fn three_tasks(backbone: Backbone, precision: &str, table: &mut Table) {
    let tasks = tasks();
    let all = Model::new(backbone, &tasks, precision).predictor();
    let single: Vec<Predictor> = tasks
        .iter()
        .map(|task| Model::new(backbone, std::slice::from_ref(task), precision).predictor())
        .collect();
    let pixels = pixels(BATCH);
    let look = |predictor: &Predictor| drop(predictor.look_at(&pixels, BATCH).expect("a look"));
    let mut times = [Vec::new(), Vec::new()];
    for round in 0..=ROUNDS {
        let spent = [seconds(|| look(&all)), seconds(|| single.iter().for_each(look))];
        // The first warms up.
        if round > 0 {
            times[0].push(spent[0]);
            times[1].push(spent[1]);
        }
    }
    let [one, three] = times.map(median);
    table.remark(format!(
        "Three tasks in one network, {}, {precision}, batches of 16: {:.2} times as fast as three networks.",
        backbone.facts().title,
        three / one
    ));
}

/// The folder of photographs, and what is in it; `None`, and a remark, where nothing is.
fn photographs(root: &Path, table: &mut Table) -> Option<(PathBuf, Vec<PathBuf>)> {
    let folder = std::env::var_os("TASKLENS_PHOTOGRAPHS")
        .map_or_else(|| root.join("../shared/data/clothing"), PathBuf::from)
        .join("images");
    let files = folder.read_dir().into_iter().flatten().flatten();
    let mut files: Vec<PathBuf> = files.map(|file| file.path()).collect();
    files.sort();
    if files.is_empty() {
        table.remark(format!(
            "Nothing is in {}: without the photographs; name their folder in TASKLENS_PHOTOGRAPHS.",
            folder.display()
        ));
        return None;
    }
    Some((folder, files))
}

/// Both from the photographs to a table of probabilities, as programs that are started for it.
fn folder(root: &Path, precision: &str, python: &mut Python, table: &mut Table) {
    let Some((photographs, files)) = photographs(root, table) else { return };
    let count = files.len();
    let model = Model::new(Backbone::Xception, &tasks(), precision);
    let ours = || {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tasklens"));
        command.arg("predict").arg(model.folder.path()).arg(&photographs).args(["--csv", "-"]);
        command.env_remove("OMP_WAIT_POLICY").env_remove("GOMP_SPINCOUNT").stdout(Stdio::null());
        assert!(command.stderr(Stdio::null()).status().expect("the program").success(), "it predicts");
    };
    let request =
        json!({"do": "folder", "model": model.onnx, "folder": photographs, "precision": hint(precision)});
    let (mut times, mut whole, mut within) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..FOLDER_ROUNDS {
        times.push(seconds(ours));
        rest();
        whole.push(seconds(|| within.push(python.another().ask(&request))));
        rest();
    }
    table.add(&Row {
        work: format!("a folder of {count} photographs, Xception, {precision}, from start to end"),
        ours: rate(count, times),
        openvino: rate(count, whole),
        onnxruntime: None,
        pytorch: None,
    });
    table.remark(format!(
        "The Python that predicts the folder (two processes decode) needs a part of its time to start; without that it \
         reaches {:.1} images/s.",
        median(within)
    ));
}

fn rest() {
    std::thread::sleep(REST);
}

fn seconds(work: impl FnOnce()) -> f64 {
    let began = Instant::now();
    work();
    began.elapsed().as_secs_f64()
}

/// Images a second; `None` where it was not measured.
fn rate(images: usize, times: Vec<f64>) -> Option<f64> {
    (!times.is_empty()).then(|| images as f64 / median(times))
}

fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    times[times.len() / 2]
}
