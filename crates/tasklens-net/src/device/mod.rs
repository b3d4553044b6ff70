//! Chooses the processor to compute on, and explains why it is not the GPU.
//!
//! The program is linked only against the CPU half of libtorch, so that one build runs everywhere; [`cuda`] opens the
//! CUDA half if a driver and the libraries are installed.

pub mod cuda;
mod free_cores;
pub(crate) mod gate;

use anyhow::bail;
use tasklens_data::config::DeviceChoice;
use tasklens_data::text::counted;

pub use free_cores::FreeCores;
pub use gate::close as close_gate;

/// Where there is no NVIDIA GPU, nothing is wrong.
const NO_GPU: &str =
    "everything works, on the processor; an NVIDIA GPU, which would be faster, was not found";

/// The processor that a run uses, with the reason, for users.
#[derive(Clone, Debug, PartialEq)]
pub struct Device {
    /// The device in tch.
    pub(crate) tch: tch::Device,
    /// Such as `CPU, 2 threads` or `cuda:0 NVIDIA H100`.
    pub name: String,
    /// The reason for this choice, such as `the first GPU that works`.
    pub reason: String,
    /// Threads that libtorch computes with on the CPU.
    pub threads: usize,
    /// Memory of the GPU, or of the machine, in bytes; 0 when unknown.
    pub memory_bytes: u64,
    /// Whether it computes in bf16 faster than in float32.
    pub bf16: bool,
}

impl Device {
    /// Whether the processor supports bf16 natively; otherwise it is emulated and slow.
    pub(crate) fn supports_bf16(&self) -> bool {
        self.bf16
    }

    /// Whether it is a GPU.
    pub fn is_gpu(&self) -> bool {
        self.tch != tch::Device::Cpu
    }

    /// The CPU, with the reason for the choice.
    pub fn cpu(reason: String) -> Self {
        let threads = usize::try_from(tch::get_num_threads()).unwrap_or(1).max(1);
        Self {
            tch: tch::Device::Cpu,
            name: format!("CPU, {}", counted(threads, "thread")),
            reason,
            threads,
            memory_bytes: machine_memory(),
            bf16: cpu_has_bf16(),
        }
    }

    fn cuda(index: usize, gpu: &cuda::Gpu, reason: String) -> Self {
        Self {
            tch: tch::Device::Cuda(index),
            name: format!("cuda:{index} {}", gpu.name),
            reason,
            memory_bytes: gpu.memory_bytes,
            // Ampere (capability 8) was the first with bf16 units.
            bf16: gpu.capability.0 >= 8,
            ..Self::cpu(String::new())
        }
    }

    fn mps(reason: String) -> Self {
        Self { tch: tch::Device::Mps, name: "mps (Apple GPU)".to_owned(), bf16: false, ..Self::cpu(reason) }
    }
}

/// Loads the CUDA libraries, if they are installed, once, and picks the device. Call it before the first tensor:
/// libtorch looks for its CUDA half only once.
///
/// # Errors
/// The device that `choice` names does not work; the message says why and what to do.
pub fn pick(choice: DeviceChoice) -> anyhow::Result<Device> {
    let cuda = cuda::load();
    match (choice, cuda) {
        (DeviceChoice::Cpu, _) => Ok(Device::cpu("the config says `device: cpu`".to_owned())),
        (DeviceChoice::Auto, Ok(gpus)) if !gpus.is_empty() => {
            Ok(Device::cuda(0, &gpus[0], "the first GPU that works".to_owned()))
        }
        (DeviceChoice::Auto, _) if tch::utils::has_mps() => {
            Ok(Device::mps("this Mac's GPU works".to_owned()))
        }
        (DeviceChoice::Auto, Ok(_)) => Ok(Device::cpu("libtorch sees no GPU".to_owned())),
        (DeviceChoice::Auto, Err(cuda::CudaProblem::NoDriver)) => Ok(Device::cpu(NO_GPU.to_owned())),
        (DeviceChoice::Auto, Err(problem)) => Ok(Device::cpu(problem.to_string())),
        (DeviceChoice::Cuda(index), Ok(gpus)) => match gpus.get(index) {
            Some(gpu) => Ok(Device::cuda(index, gpu, format!("the config says `device: cuda:{index}`"))),
            None => bail!(
                "`device: cuda:{index}`, but this machine has {} GPU(s), counted from 0: choose another, \
                 or `device: auto`",
                gpus.len()
            ),
        },
        (DeviceChoice::Cuda(index), Err(problem)) => {
            bail!("`device: cuda:{index}` does not work: {problem} (or choose `device: auto`)")
        }
        (DeviceChoice::Mps, _) if tch::utils::has_mps() => {
            Ok(Device::mps("the config says `device: mps`".to_owned()))
        }
        (DeviceChoice::Mps, _) => {
            bail!("`device: mps` needs a Mac with Apple silicon: choose `device: auto`")
        }
    }
}

/// Memory of the machine in bytes.
fn machine_memory() -> u64 {
    let mut system = sysinfo::System::new();
    system.refresh_memory();
    system.total_memory()
}

/// Whether the CPU has native bf16 multiplication.
#[cfg(target_arch = "x86_64")]
pub fn cpu_has_bf16() -> bool {
    std::arch::is_x86_feature_detected!("avx512bf16")
}

/// Whether the CPU has native bf16 multiplication.
#[cfg(target_arch = "aarch64")]
pub fn cpu_has_bf16() -> bool {
    std::arch::is_aarch64_feature_detected!("bf16")
}

/// Whether the CPU has native bf16 multiplication.
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
pub fn cpu_has_bf16() -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cpu_always_works_and_says_how_many_threads_it_has() {
        let device = pick(DeviceChoice::Cpu).unwrap();
        assert_eq!(device.tch, tch::Device::Cpu);
        assert!(device.name.starts_with(&format!("CPU, {} thread", device.threads)), "{}", device.name);
        assert!(device.memory_bytes > 100_000_000);
    }

    #[test]
    fn a_device_that_is_not_there_is_an_error_that_offers_another() {
        let error = pick(DeviceChoice::Cuda(99)).unwrap_err().to_string();
        assert!(error.contains("`device: cuda:99`") && error.contains("`device: auto`"), "{error}");
    }

    #[test]
    fn auto_explains_its_choice() {
        assert!(!pick(DeviceChoice::Auto).unwrap().reason.is_empty());
    }
}
