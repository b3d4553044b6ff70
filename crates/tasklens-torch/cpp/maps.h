// What the operations on maps take: `[N, C, H, W]` on a processor with channels-last strides, in float32 or bfloat16.
#pragma once

#include <ATen/core/Tensor.h>
#include <torch/csrc/autograd/custom_function.h>

namespace tasklens {

using at::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

constexpr auto kChannelsLast = at::MemoryFormat::ChannelsLast;

inline bool are_maps(const Tensor& x) {
    return x.device().is_cpu() && x.dim() == 4 && x.numel() > 0 &&
           (x.scalar_type() == at::kFloat || x.scalar_type() == at::kBFloat16) && x.is_contiguous(kChannelsLast);
}

}  // namespace tasklens
