//! Prediction by OpenVINO, which on a processor is 1.4 to 4 times as fast as libtorch and gives the same answers up to
//! rounding (to 1e-3 in float32, 2e-2 in bf16). It takes the network as an ONNX graph for images of one size. Where it is not installed or fails, libtorch
//! answers; on a GPU it is not used.
//!
//! A network is compiled for batches, of which it computes several pieces at a time, and for single images. Both take some
//! tenths of a second, so that it pays from [`WORTHWHILE`] images on. A smaller piece is filled up: a graph for any number
//! of images would be compiled anew, in part, with each that it meets.
//!
//! It always has as many threads as there are cores: beside one busy program on two cores, two threads were about as fast
//! as one (24 and 25 images/s), unlike those of libtorch, which wait for each other ([`crate::device::FreeCores`]).

mod compiled;
mod library;
pub mod version;

use parking_lot::Mutex;
use tasklens_data::panics;
use tch::Kind;

pub use library::{Installed, NoEngine, VARIABLE};

use super::Look;
use crate::device::{Device, gate};
use compiled::{Compiled, Plan};

/// The batches that suit it: at the end of each, streams wait for the last. Features in batches of 32 took 0.95 of the
/// time of those of 16; in larger ones, little less, and a slow computer would be late to stop.
pub const BATCH: usize = 32;
/// Compiling pays from about 30 images on; twice that, so that a slow computer does not lose by it.
pub const WORTHWHILE: usize = 64;

/// What a network is to be fast for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Demand {
    /// Many images.
    Batches,
    /// Images that come one by one.
    SingleImages,
}

/// What predictions on a processor use.
///
/// # Errors
/// Why they use libtorch.
pub fn installed() -> Result<&'static Installed, &'static NoEngine> {
    Ok(&library::get()?.installed)
}

/// What predicts on `device`, in words, such as `Predictions: OpenVINO 2026.4.1`. The first call may load the library.
pub fn told(device: &Device) -> String {
    if device.is_gpu() {
        return "Predictions: libtorch, on the GPU".to_owned();
    }
    match installed() {
        Ok(found) => format!("Predictions: OpenVINO {}", found.version),
        Err(why) => format!("Predictions: libtorch, as {why}"),
    }
}

/// The engine of a network: nothing until [`Engine::prepare`]. It can be used by several threads.
#[derive(Debug)]
pub(crate) struct Engine {
    /// Number of tasks.
    tasks: usize,
    size: (u32, u32),
    precision: &'static str,
    is_wanted: bool,
    ready: Mutex<Ready>,
    /// Held by who compiles.
    compiling: Mutex<()>,
}

#[derive(Default)]
struct Ready {
    batches: Option<Compiled>,
    single_images: Option<Compiled>,
    has_failed: bool,
}

impl std::fmt::Debug for Ready {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ready")
            .field("batches", &self.batches.is_some())
            .field("single_images", &self.single_images.is_some())
            .field("has_failed", &self.has_failed)
            .finish()
    }
}

impl Ready {
    fn of(&mut self, demand: Demand) -> &mut Option<Compiled> {
        match demand {
            Demand::Batches => &mut self.batches,
            Demand::SingleImages => &mut self.single_images,
        }
    }
}

impl Engine {
    /// For a network on `device` with so many tasks, images of this height and width (pixels), and predictions in
    /// `kind`.
    pub fn new(device: tch::Device, tasks: usize, size: (u32, u32), kind: Kind) -> Self {
        let precision = if kind == Kind::BFloat16 { "bf16" } else { "f32" };
        let is_wanted = device == tch::Device::Cpu;
        Self { tasks, size, precision, is_wanted, ready: Mutex::default(), compiling: Mutex::default() }
    }

    /// The size of batches that suits it, for who would take `asked` at a time of `images`.
    pub fn batch_size(&self, asked: usize, images: usize) -> usize {
        let is_used = self.is_wanted && images >= WORTHWHILE && library::get().is_ok();
        if is_used { asked.next_multiple_of(BATCH) } else { asked }
    }

    /// Compiles the network, if it is not compiled yet, from its [ONNX model](crate::onnx::engine_model). Blocks for
    /// some tenths of a second; others may predict meanwhile. Where it fails, libtorch goes on, and the log says why.
    pub fn prepare(&self, demand: Demand, model: impl FnOnce() -> anyhow::Result<Vec<u8>>) {
        if !self.is_wanted || library::get().is_err() {
            return;
        }
        let _inside = gate::enter();
        let _turn = self.compiling.lock();
        if self.ready.lock().has_failed || self.ready.lock().of(demand).is_some() {
            return;
        }
        let threads = usize::try_from(tch::get_num_threads()).unwrap_or(1).max(1);
        let plan = match demand {
            Demand::Batches => Plan::of_batches(threads),
            Demand::SingleImages => Plan::of_single_images(threads),
        };
        let compiled = caught(|| Compiled::new(&model()?, self.size, plan, self.precision));
        match compiled {
            Ok(compiled) => *self.ready.lock().of(demand) = Some(compiled),
            Err(error) => self.ready.lock().fail(&error),
        }
    }

    /// Whether it is prepared.
    pub fn is_ready(&self, demand: Demand) -> bool {
        self.ready.lock().of(demand).is_some()
    }

    /// As [`super::Predictor::look_at`]; `None` where libtorch has to.
    pub fn look_at(&self, pixels: &[u8], images: usize) -> Option<Look> {
        let _inside = gate::enter();
        let mut ready = self.ready.lock();
        let Ready { batches, single_images, .. } = &mut *ready;
        // A few go faster one by one, in all threads, than as a piece in one thread.
        let few = 1 + batches.as_ref().map_or(0, Compiled::streams);
        let compiled = if images <= few {
            single_images.as_mut().or(batches.as_mut())
        } else {
            batches.as_mut().or(single_images.as_mut())
        }?;
        let mut look = Look { probabilities: vec![Vec::new(); self.tasks], features: Vec::new() };
        match caught(|| compiled.look_at(pixels, images, &mut look)) {
            Ok(()) => Some(look),
            Err(error) => {
                ready.fail(&error);
                None
            }
        }
    }
}

impl Ready {
    /// From now on libtorch predicts.
    fn fail(&mut self, error: &anyhow::Error) {
        if !self.has_failed {
            log::warn!("OpenVINO does not work with this network: {error:#}; libtorch predicts, more slowly");
        }
        self.has_failed = true;
        self.batches = None;
        self.single_images = None;
    }
}

impl Drop for Ready {
    fn drop(&mut self) {
        let _inside = gate::enter();
        drop((self.batches.take(), self.single_images.take()));
    }
}

/// The binding panics where the library lacks a function.
fn caught<T>(work: impl FnOnce() -> anyhow::Result<T>) -> anyhow::Result<T> {
    panics::catch(work).map_err(anyhow::Error::msg)?
}

#[cfg(test)]
mod tests;
