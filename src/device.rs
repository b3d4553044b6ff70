//! Which processor we run on, and why not the GPU.

use crate::config::DeviceChoice;

/// The processor a run uses and the reason, in words for the user.
#[derive(Clone, Debug, PartialEq)]
pub struct Device {
    /// What tch calls it.
    pub tch: tch::Device,
    /// Such as `CPU, 2 threads` or `cuda:0 NVIDIA H100`.
    pub name: String,
    /// Why this one, such as `no NVIDIA driver was found`.
    pub reason: String,
}

/// Loads the CUDA libraries where they are, once, and picks the device. Call before the first tensor.
///
/// # Errors
/// The device that `choice` names does not work; the message says why and what to do.
pub fn pick(choice: DeviceChoice) -> anyhow::Result<Device> {
    let _ = choice;
    Ok(Device { tch: tch::Device::Cpu, name: "CPU".to_owned(), reason: "not built yet".to_owned() })
}
impl Device {
    /// tmp
    pub fn supports_bf16(&self) -> bool {
        false
    }
}
