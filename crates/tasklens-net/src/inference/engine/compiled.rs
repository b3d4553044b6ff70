//! A network that is compiled for images in pieces of one size.

use anyhow::ensure;
use half::f16;
use openvino::{DeviceType, ElementType, InferRequest, PartialShape, RwPropertyKey, Shape, Tensor};

use super::library;
use crate::inference::Look;

/// Milliseconds; the binding has no wait without an end.
const PATIENCE: i64 = 24 * 3600 * 1000;

/// What a network is compiled for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Plan {
    /// Images of a piece, which go through the network together.
    pub images: usize,
    /// Pieces that are computed at the same time, each by threads of its own.
    pub streams: usize,
    /// Threads of all streams.
    pub threads: usize,
}

impl Plan {
    /// Pieces of a batch, in streams of one thread where there are enough: no thread waits for another, and what a piece
    /// computes stays in the processor's cache. Measured on two cores, two streams of 4 images compute 1.1 to 1.3 times as
    /// many images as one of 16.
    pub fn of_batches(threads: usize) -> Self {
        Self { images: 4, streams: threads.clamp(1, 4), threads }
    }

    /// One image by all threads.
    pub fn of_single_images(threads: usize) -> Self {
        Self { images: 1, streams: 1, threads }
    }
}

/// See the module's docs.
pub(super) struct Compiled {
    /// Images of a piece.
    images: usize,
    /// One more than there are streams: while one is read and filled, no stream waits.
    slots: Vec<Slot>,
}

struct Slot {
    request: InferRequest,
    input: Tensor,
    /// Images of the piece that it computes; 0 while it does nothing.
    asked: usize,
}

impl Compiled {
    /// Compiles an ONNX model for images of this height and width, pixels, that computes in `precision` (`bf16` or
    /// `f32`).
    ///
    /// # Errors
    /// OpenVINO is not installed, or cannot compute the model.
    pub fn new(
        model: &[u8],
        (height, width): (u32, u32),
        plan: Plan,
        precision: &str,
    ) -> anyhow::Result<Self> {
        let mut core = library::get()?.core.lock();
        let Plan { images, streams, threads } = plan;
        let settings = [
            (RwPropertyKey::HintInferencePrecision, precision),
            (RwPropertyKey::HintPerformanceMode, "LATENCY"),
            (RwPropertyKey::NumStreams, &streams.to_string()),
            (RwPropertyKey::InferenceNumThreads, &threads.to_string()),
            // In batches the threads share the cores with those that decode images. For an image now and then, threads that
            // have a core each wake up sooner: 1.2 to 1.25 times as fast, beside a busy program, too.
            (RwPropertyKey::HintEnableCpuPinning, if images == 1 { "YES" } else { "NO" }),
        ];
        core.set_properties(&DeviceType::CPU, settings)?;
        let shape = [images as i64, height.into(), width.into(), 3];
        let mut model = core.read_model_from_buffer(model, None)?;
        model.reshape_single_input(&PartialShape::new_static(4, &shape)?)?;
        let mut compiled = core.compile_model(&model, DeviceType::CPU)?;
        drop(core);
        let mut slot = || {
            let mut request = compiled.create_infer_request()?;
            let input = Tensor::new(ElementType::U8, &Shape::new(&shape)?)?;
            request.set_input_tensor(&input)?;
            anyhow::Ok(Slot { request, input, asked: 0 })
        };
        let count = if streams == 1 { 1 } else { streams + 1 };
        let slots = (0..count).map(|_| slot()).collect::<anyhow::Result<_>>()?;
        Ok(Self { images, slots })
    }

    /// Pieces that are computed at the same time.
    pub fn streams(&self) -> usize {
        (self.slots.len() - 1).max(1)
    }

    /// Adds to `look` what the network gives for images of its size, bytes `[N, H, W, 3]`.
    pub fn look_at(&mut self, pixels: &[u8], images: usize, look: &mut Look) -> anyhow::Result<()> {
        let looked = self.all(pixels, images, look);
        // After an error, too: what still computes writes into memory that is about to go.
        let waited = self.slots.iter_mut().map(Slot::wait).fold(Ok(()), Result::and);
        looked.and(waited)
    }

    fn all(&mut self, pixels: &[u8], images: usize, look: &mut Look) -> anyhow::Result<()> {
        let of = self.images;
        let size = self.slots[0].input.get_byte_size()? / of;
        ensure!(pixels.len() == images * size, "there are {} bytes of pixels, not {size} each", pixels.len());
        let pieces = pixels.chunks(of * size);
        let (count, slots) = (pieces.len(), self.slots.len());
        // In turn, so that results come in the order of the images.
        for (place, piece) in pieces.enumerate() {
            let slot = &mut self.slots[place % slots];
            slot.collect(of, look)?;
            slot.begin(piece, piece.len() / size)?;
        }
        for place in count..count + slots {
            self.slots[place % slots].collect(of, look)?;
        }
        Ok(())
    }
}

impl Slot {
    /// Begins a piece. What it lacks is filled up with empty images.
    fn begin(&mut self, pixels: &[u8], images: usize) -> anyhow::Result<()> {
        let (filled, rest) = self.input.get_raw_data_mut()?.split_at_mut(pixels.len());
        filled.copy_from_slice(pixels);
        rest.fill(0);
        self.request.infer_async()?;
        self.asked = images;
        Ok(())
    }

    fn wait(&mut self) -> anyhow::Result<()> {
        if std::mem::take(&mut self.asked) > 0 {
            self.request.wait(PATIENCE)?;
        }
        Ok(())
    }

    /// Adds the result of the piece of `of` images that was begun, if one was.
    fn collect(&mut self, of: usize, look: &mut Look) -> anyhow::Result<()> {
        let images = self.asked;
        if images == 0 {
            return Ok(());
        }
        self.wait()?;
        for (task, probabilities) in look.probabilities.iter_mut().enumerate() {
            let tensor = self.request.get_output_tensor_by_index(task)?;
            probabilities.extend_from_slice(filled(tensor.get_data::<f32>()?, images, of));
        }
        let tensor = self.request.get_output_tensor_by_index(look.probabilities.len())?;
        let features = filled(tensor.get_data::<f32>()?, images, of);
        look.features.extend(features.iter().flat_map(|value| f16::from_f32(*value).to_le_bytes()));
        Ok(())
    }
}

/// Of a row for each of `of` images those of the first `images`.
fn filled(rows: &[f32], images: usize, of: usize) -> &[f32] {
    &rows[..rows.len() / of * images]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_core_has_a_stream_up_to_four() {
        let streams = |threads| Plan::of_batches(threads).streams;
        assert_eq!([1, 2, 4, 16].map(streams), [1, 2, 4, 4]);
        assert_eq!(Plan::of_single_images(8), Plan { images: 1, streams: 1, threads: 8 });
    }
}
