//! Prediction by OpenVINO, which is two to four times as fast on a processor as libtorch. It takes the network as
//! an ONNX graph for one size of image; where it is not installed or does not work, libtorch answers.
//!
//! A batch that is smaller than the compiled one is filled up with empty images: compiling takes about a second, and
//! a graph with a batch of fixed size computes faster than one of any size.

mod library;
pub mod version;

use std::path::Path;

use anyhow::{Context as _, ensure};
use half::f16;
use openvino::{DeviceType, ElementType, InferRequest, Model, PartialShape, RwPropertyKey, Shape, Tensor};
use tasklens_data::panics;
use tch::Kind;

pub use library::VARIABLE;

use super::{Look, precision_name};

/// A network in the form that an [`Engine`] takes.
pub(crate) struct Graph {
    /// An ONNX model with one input, bytes `[N, H, W, 3]`, whose outputs are probabilities `[N, labels]` per task and
    /// then features `[N, features]`.
    pub model: Vec<u8>,
    /// Height of the images, pixels.
    pub height: u32,
    /// Width of the images, pixels.
    pub width: u32,
    /// Number of tasks.
    pub tasks: usize,
}

/// Where OpenVINO is installed.
///
/// # Errors
/// It is not, or it does not work: why.
pub fn installed() -> Result<&'static Path, &'static str> {
    Ok(&library::get()?.library)
}

/// A network that is compiled for some sizes of batch.
pub(crate) struct Engine {
    graph: Graph,
    precision: &'static str,
    compiled: Vec<Compiled>,
}

/// For batches of this many images.
struct Compiled {
    images: usize,
    request: InferRequest,
    input: Tensor,
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let sizes: Vec<_> = self.compiled.iter().map(|compiled| compiled.images).collect();
        f.debug_struct("Engine").field("precision", &self.precision).field("compiled", &sizes).finish_non_exhaustive()
    }
}

impl Engine {
    /// Compiles the graph for batches of `images`, at least 1, in about a second.
    ///
    /// # Errors
    /// OpenVINO is not installed, or cannot compute the graph.
    pub fn new(graph: Graph, kind: Kind, images: usize) -> anyhow::Result<Self> {
        let mut engine = Self { graph, precision: precision_name(kind), compiled: Vec::new() };
        caught(|| engine.compile(images.max(1)))?;
        Ok(engine)
    }

    /// As [`super::Predictor::look_at`].
    ///
    /// # Errors
    /// OpenVINO failed.
    pub fn look_at(&mut self, pixels: &[u8], images: usize) -> anyhow::Result<Look> {
        caught(|| self.run(pixels, images))
    }

    fn run(&mut self, pixels: &[u8], images: usize) -> anyhow::Result<Look> {
        let tasks = self.graph.tasks;
        let compiled = self.fitting(images)?;
        let filled = compiled.input.get_raw_data_mut()?;
        ensure!(pixels.len() <= filled.len(), "the batch has another size than its pixels");
        filled[..pixels.len()].copy_from_slice(pixels);
        filled[pixels.len()..].fill(0);
        compiled.request.infer()?;
        let output = |index: usize| -> anyhow::Result<Vec<f32>> {
            let tensor = compiled.request.get_output_tensor_by_index(index)?;
            let values = tensor.get_data::<f32>()?;
            Ok(values[..values.len() / compiled.images * images].to_vec())
        };
        let probabilities = (0..tasks).map(output).collect::<anyhow::Result<_>>()?;
        let features = output(tasks)?.into_iter().flat_map(|value| f16::from_f32(value).to_le_bytes()).collect();
        Ok(Look { probabilities, features })
    }

    /// What is compiled for a batch of this size, or for a larger one.
    fn fitting(&mut self, images: usize) -> anyhow::Result<&mut Compiled> {
        // One image in a batch of many would be slow.
        let fits = |compiled: &Compiled| compiled.images == images || (images > 1 && compiled.images > images);
        if !self.compiled.iter().any(fits) {
            self.compile(images)?;
        }
        self.compiled
            .iter_mut()
            .filter(|compiled| fits(compiled))
            .min_by_key(|compiled| compiled.images)
            .context("nothing is compiled")
    }

    fn compile(&mut self, images: usize) -> anyhow::Result<()> {
        // Two are kept, for one image and for many: each has the weights.
        self.compiled.retain(|compiled| (compiled.images == 1) != (images == 1));
        let openvino = library::get().map_err(anyhow::Error::msg)?;
        let shape = [images as i64, self.graph.height.into(), self.graph.width.into(), 3];
        let mut core = openvino.core.lock();
        let settings = [
            (RwPropertyKey::HintInferencePrecision, if self.precision == "bf16" { "bf16" } else { "f32" }),
            (RwPropertyKey::HintPerformanceMode, "LATENCY"),
            // The threads share the cores with those that decode images, and with other programs.
            (RwPropertyKey::HintEnableCpuPinning, "NO"),
        ];
        core.set_properties(&DeviceType::CPU, settings)?;
        let mut model: Model = core.read_model_from_buffer(&self.graph.model, None)?;
        model.reshape_single_input(&PartialShape::new_static(4, &shape)?)?;
        let mut compiled = core.compile_model(&model, DeviceType::CPU)?;
        drop(core);
        let mut request = compiled.create_infer_request()?;
        let input = Tensor::new(ElementType::U8, &Shape::new(&shape)?)?;
        request.set_input_tensor(&input)?;
        self.compiled.push(Compiled { images, request, input });
        Ok(())
    }
}

/// The binding panics where the library lacks a function.
fn caught<T>(work: impl FnOnce() -> anyhow::Result<T>) -> anyhow::Result<T> {
    panics::catch(work).map_err(anyhow::Error::msg)?
}
