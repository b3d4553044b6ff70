//! A network that is compiled for batches of one size.

use anyhow::ensure;
use half::f16;
use openvino::{DeviceType, ElementType, InferRequest, PartialShape, RwPropertyKey, Shape, Tensor};

use super::library;
use crate::inference::Look;

/// See the module's docs.
pub(super) struct Compiled {
    images: usize,
    request: InferRequest,
    input: Tensor,
}

impl Compiled {
    /// Compiles an ONNX model for batches of `images` of this height and width, pixels, that computes in `precision`
    /// (`bf16` or `f32`).
    ///
    /// # Errors
    /// OpenVINO is not installed, or cannot compute the model.
    pub fn new(
        model: &[u8],
        (height, width): (u32, u32),
        images: usize,
        precision: &str,
    ) -> anyhow::Result<Self> {
        let mut core = library::get()?.core.lock();
        let threads = tch::get_num_threads().max(1).to_string();
        let settings = [
            (RwPropertyKey::HintInferencePrecision, precision),
            (RwPropertyKey::HintPerformanceMode, "LATENCY"),
            (RwPropertyKey::InferenceNumThreads, &threads),
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
        let mut request = compiled.create_infer_request()?;
        let input = Tensor::new(ElementType::U8, &Shape::new(&shape)?)?;
        request.set_input_tensor(&input)?;
        Ok(Self { images, request, input })
    }

    /// Adds to `look` what the network gives for images of its size, bytes `[N, H, W, 3]`.
    pub fn look_at(&mut self, pixels: &[u8], images: usize, look: &mut Look) -> anyhow::Result<()> {
        let size = self.input.get_byte_size()? / self.images;
        ensure!(pixels.len() == images * size, "there are {} bytes of pixels, not {size} each", pixels.len());
        for batch in pixels.chunks(self.images * size) {
            self.fill(batch)?;
            self.request.infer()?;
            self.collect(batch.len() / size, look)?;
        }
        Ok(())
    }

    /// What a batch lacks is filled up with empty images.
    fn fill(&mut self, pixels: &[u8]) -> anyhow::Result<()> {
        let (filled, rest) = self.input.get_raw_data_mut()?.split_at_mut(pixels.len());
        filled.copy_from_slice(pixels);
        rest.fill(0);
        Ok(())
    }

    fn collect(&self, images: usize, look: &mut Look) -> anyhow::Result<()> {
        for (task, probabilities) in look.probabilities.iter_mut().enumerate() {
            let tensor = self.request.get_output_tensor_by_index(task)?;
            probabilities.extend_from_slice(self.filled(tensor.get_data::<f32>()?, images));
        }
        let tensor = self.request.get_output_tensor_by_index(look.probabilities.len())?;
        let features = self.filled(tensor.get_data::<f32>()?, images);
        look.features.extend(features.iter().flat_map(|value| f16::from_f32(*value).to_le_bytes()));
        Ok(())
    }

    /// Of a row per image those of the first images.
    fn filled<'a>(&self, rows: &'a [f32], images: usize) -> &'a [f32] {
        &rows[..rows.len() / self.images * images]
    }
}
