// Depthwise convolutions of channels-last maps on processors. The weights and their gradients are float32, also where the
// maps are bfloat16: what oneDNN does in bfloat16 is slow but for 3x3 at stride 1, above all backward.

#include <algorithm>
#include <vector>

#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/conv2d.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>

#include "guard.h"
#include "instructions.h"
#include "maps.h"

namespace tasklens {
namespace {

/// The most parts that the gradient of the weights is summed from; the number of threads does not matter.
constexpr int64_t kGroups = 8;

bool is_fit(const Tensor& x, const Tensor& weight) {
    const int64_t kernel = weight.dim() == 4 ? weight.size(3) : 0;
    return are_maps(x) && weight.device().is_cpu() && weight.scalar_type() == at::kFloat && weight.is_contiguous() &&
           weight.size(0) == x.size(1) && weight.size(1) == 1 && weight.size(2) == kernel && (kernel == 3 || kernel == 5);
}

const DepthwiseKernels& kernels(const Tensor& x) {
    return x.scalar_type() == at::kFloat ? instructions().depthwise_float32 : instructions().depthwise_bfloat16;
}

/// `[C, 1, k, k]` -> `[k * k, C]`, and the same with the cells in the opposite order.
void by_cell(const Tensor& weight, std::vector<float>& weights, std::vector<float>& reversed) {
    const int64_t channels = weight.size(0), cells = weight.numel() / channels;
    const float* from = weight.const_data_ptr<float>();
    weights.resize(weight.numel()), reversed.resize(weight.numel());
    for (int64_t c = 0; c < channels; c++) {
        for (int64_t i = 0; i < cells; i++) {
            weights[i * channels + c] = reversed[(cells - 1 - i) * channels + c] = from[c * cells + i];
        }
    }
}

Depthwise shape_of(const Tensor& x, const Tensor& weight, int64_t stride, at::IntArrayRef pads) {
    const int64_t kernel = weight.size(2);
    Depthwise of{};
    of.channels = x.size(1), of.height = x.size(2), of.width = x.size(3), of.kernel = kernel, of.stride = stride;
    of.top = pads[0], of.left = pads[1];
    of.out_height = (of.height + pads[0] + pads[2] - kernel) / stride + 1;
    of.out_width = (of.width + pads[1] + pads[3] - kernel) / stride + 1;
    return of;
}

/// Whether oneDNN is faster forward: 3x3 at stride 1, whose weights it needs in the type of the maps.
bool by_library(const Tensor& x, const Depthwise& of, at::IntArrayRef pads) {
    return x.scalar_type() == at::kBFloat16 && of.kernel == 3 && of.stride == 1 && pads[0] == pads[2] && pads[1] == pads[3];
}

struct DepthwiseConvolution : torch::autograd::Function<DepthwiseConvolution> {
    static Tensor forward(
        AutogradContext* context, const Tensor& x, const Tensor& weight, int64_t stride, std::vector<int64_t> pads) {
        Depthwise of = shape_of(x, weight, stride, pads);
        const int64_t images = x.size(0), blocks = (of.channels + kChannelBlock - 1) / kChannelBlock;
        const Tensor used = by_library(x, of, pads) ? weight.to(x.scalar_type()) : weight;
        Tensor y;
        if (by_library(x, of, pads)) {
            y = at::conv2d(x, used, {}, stride, {pads[0], pads[1]}, 1, of.channels).contiguous(kChannelsLast);
        } else {
            y = at::empty({images, of.channels, of.out_height, of.out_width}, x.options().requires_grad(false), kChannelsLast);
            std::vector<float> weights, reversed;
            by_cell(weight, weights, reversed);
            of.x = x.const_data_ptr(), of.y = y.data_ptr(), of.weight = weights.data();
            const auto& table = kernels(x);
            at::parallel_for(0, images * blocks, 1, [&](int64_t begin, int64_t end) {
                for (int64_t i = begin; i < end; i++) {
                    const int64_t channel = i % blocks * kChannelBlock;
                    table.forward(of, i / blocks, channel, std::min(kChannelBlock, of.channels - channel));
                }
            });
        }
        context->save_for_backward({x, used});
        context->saved_data["stride"] = stride;
        context->saved_data["pads"] = pads;
        return y;
    }

    static variable_list backward(AutogradContext* context, const variable_list& gradients) {
        const variable_list saved = context->get_saved_variables();
        const Tensor &x = saved[0], &weight = saved[1];
        Depthwise of =
            shape_of(x, weight, context->saved_data["stride"].toInt(), context->saved_data["pads"].toIntVector());
        TORCH_CHECK(!at::GradMode::is_enabled(), "a depthwise convolution of ours has no second derivatives");
        const Tensor grad_y = gradients[0].to(x.scalar_type()).contiguous(kChannelsLast);
        Tensor grad_x = context->needs_input_grad(0) ? at::empty_like(x) : Tensor();
        std::vector<float> weights, reversed;
        by_cell(weight.to(at::kFloat), weights, reversed);
        of.x = x.const_data_ptr(), of.grad_y = grad_y.const_data_ptr();
        of.grad_x = grad_x.defined() ? grad_x.data_ptr() : nullptr;
        of.weight = weights.data(), of.reversed = reversed.data();

        const int64_t images = x.size(0), blocks = (of.channels + kChannelBlock - 1) / kChannelBlock;
        const int64_t groups = std::min(kGroups, images), values = weight.numel(), cells = values / of.channels;
        std::vector<float> sums(groups * values);
        const auto& table = kernels(x);
        at::parallel_for(0, groups * blocks, 1, [&](int64_t begin, int64_t end) {
            for (int64_t i = begin; i < end; i++) {
                const int64_t group = i / blocks, channel = i % blocks * kChannelBlock;
                const int64_t count = std::min(kChannelBlock, of.channels - channel);
                for (int64_t image = images * group / groups; image < images * (group + 1) / groups; image++) {
                    table.backward(of, image, channel, count, &sums[group * values]);
                }
            }
        });
        Tensor grad_weight = at::empty(weight.sizes(), weight.options().dtype(at::kFloat));
        float* to = grad_weight.data_ptr<float>();
        for (int64_t c = 0; c < of.channels; c++) {
            for (int64_t i = 0; i < cells; i++) {
                float sum = 0;
                for (int64_t group = 0; group < groups; group++) sum += sums[group * values + i * of.channels + c];
                to[c * cells + i] = sum;
            }
        }
        return {grad_x, grad_weight, {}, {}};
    }
};

}  // namespace
}  // namespace tasklens

extern "C" {

/// Whether `tasklens_depthwise` can do these.
bool tasklens_can_depthwise(const at::Tensor* x, const at::Tensor* weight) noexcept {
    return tasklens::is_fit(*x, *weight);
}

/// Depthwise convolution with cells of padding at the top, left, bottom and right. The caller owns `y`.
char* tasklens_depthwise(
    const at::Tensor* x, const at::Tensor* weight, int64_t stride, const int64_t* pads, at::Tensor** y) noexcept {
    using namespace tasklens;
    return guarded([&] {
        TORCH_CHECK(is_fit(*x, *weight), "maps have to be channels-last on a processor, in float32 or bfloat16, and weights "
                                         "float32, 3x3 or 5x5");
        const int64_t kernel = weight->size(2);
        TORCH_CHECK(stride > 0, "a stride of ", stride);
        for (int i = 0; i < 4; i++) TORCH_CHECK(pads[i] >= 0 && pads[i] < kernel, "a padding of ", pads[i]);
        TORCH_CHECK(x->size(2) + pads[0] + pads[2] >= kernel && x->size(3) + pads[1] + pads[3] >= kernel,
                    "maps of ", x->sizes(), " are smaller than the kernel");
        *y = new at::Tensor(DepthwiseConvolution::apply(*x, *weight, stride, std::vector<int64_t>(pads, pads + 4)));
    });
}
}
