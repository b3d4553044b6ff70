//! Tensors on their way from the host to a GPU.

use tch::{Device, TchError, Tensor};

use crate::foreign;

/// A copy of `host`, a tensor on the processor, on `device`. On a GPU the host does not wait for it: the copy takes its turn
/// after what the GPU was given before.
///
/// # Errors
/// The device is out of memory or failed.
pub fn to_device(host: &Tensor, device: Device) -> Result<Tensor, TchError> {
    match device {
        // Where no more memory can be pinned, waiting is all that is lost.
        Device::Cuda(index) => send(host, index).or_else(|_| host.f_to_device(device)),
        _ => host.f_to_device(device),
    }
}

fn send(host: &Tensor, index: usize) -> Result<Tensor, TchError> {
    foreign::compiled()?;
    let index = i32::try_from(index).map_err(|_| TchError::Torch(format!("there is no GPU {index}")))?;
    let mut sent = std::ptr::null_mut();
    // SAFETY: the tensor is borrowed for the call, which writes to `sent` unless it returns a message.
    foreign::check(unsafe { foreign::tasklens_send(foreign::pointer(host), index, &raw mut sent) })?;
    // SAFETY: it was just made there for us.
    Ok(unsafe { foreign::own(sent) })
}

#[cfg(all(test, compiled))]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]
mod tests {
    use super::*;

    #[test]
    fn what_stays_on_the_processor_is_itself_and_a_gpu_that_is_not_there_an_error() {
        let host = Tensor::from_slice(&[1u8, 2, 3]);
        let same = to_device(&host, Device::Cpu).unwrap();
        assert_eq!(Vec::<u8>::try_from(&same).unwrap(), [1, 2, 3]);
        if !tch::Cuda::is_available() {
            assert!(send(&host, 0).is_err());
            assert!(to_device(&host, Device::Cuda(0)).is_err());
            return;
        }
        let there = to_device(&host, Device::Cuda(0)).unwrap();
        assert_eq!(there.device(), Device::Cuda(0));
        assert_eq!(Vec::<u8>::try_from(there.to_device(Device::Cpu)).unwrap(), [1, 2, 3]);
    }
}
