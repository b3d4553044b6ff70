// Tensors on their way from the host to a GPU.

#include <ATen/Tensor.h>
#include <c10/core/Device.h>

#include "guard.h"

extern "C" {

/// A copy of `host` on the GPU with this index. From pinned memory, a copy takes its turn among the GPU's work; from any
/// other, the host first waits until the GPU has done all that it was given before. libtorch keeps the pinned memory until
/// the copy is made, and then for the next one.
char* tasklens_send(const at::Tensor* host, int index, at::Tensor** sent) noexcept {
    return tasklens::guarded([&] {
        const at::Device gpu(at::kCUDA, static_cast<at::DeviceIndex>(index));
        const at::Tensor pinned = host->pin_memory();
        *sent = new at::Tensor(pinned.to(pinned.options().device(gpu), /*non_blocking=*/true));
    });
}
}
