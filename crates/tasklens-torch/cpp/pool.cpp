// The greatest of 3x3 cells, in steps of two, of channels-last maps on processors. It keeps a byte for each result where
// libtorch keeps eight.

#include <vector>

#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>

#include "guard.h"
#include "instructions.h"
#include "maps.h"

namespace tasklens {
namespace {

const PoolKernels& kernels(const Tensor& x) {
    return x.scalar_type() == at::kFloat ? instructions().pool_float32 : instructions().pool_bfloat16;
}

template <class Work>
void over_rows(int64_t images, int64_t rows, const Work& work) {
    at::parallel_for(0, images * rows, 1, [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; i++) work(i / rows, i % rows);
    });
}

/// Sizes: height and width of the maps and of the results, padding at the top and left.
Depthwise shape_of(int64_t channels, const std::vector<int64_t>& sizes) {
    Depthwise of{};
    of.channels = channels, of.kernel = 3, of.stride = 2;
    of.height = sizes[0], of.width = sizes[1], of.out_height = sizes[2], of.out_width = sizes[3];
    of.top = sizes[4], of.left = sizes[5];
    return of;
}

struct Pool : torch::autograd::Function<Pool> {
    static Tensor forward(AutogradContext* context, const Tensor& x, std::vector<int64_t> sizes) {
        Depthwise of = shape_of(x.size(1), sizes);
        const at::DimVector shape{x.size(0), of.channels, of.out_height, of.out_width};
        Tensor y = at::empty(shape, x.options().requires_grad(false), kChannelsLast);
        Tensor index = at::empty(shape, x.options().requires_grad(false).dtype(at::kByte), kChannelsLast);
        of.x = x.const_data_ptr(), of.y = y.data_ptr();
        auto* indices = index.data_ptr<uint8_t>();
        const auto& table = kernels(x);
        over_rows(x.size(0), of.out_height,
                  [&](int64_t image, int64_t row) { table.forward(of, indices, image, row); });
        context->save_for_backward({index});
        context->saved_data["sizes"] = sizes;
        return y;
    }

    static variable_list backward(AutogradContext* context, const variable_list& gradients) {
        TORCH_CHECK(!at::GradMode::is_enabled(), "a pooling of ours has no second derivatives");
        const Tensor index = context->get_saved_variables()[0];
        Depthwise of = shape_of(index.size(1), context->saved_data["sizes"].toIntVector());
        const Tensor grad_y = gradients[0].contiguous(kChannelsLast);
        Tensor grad_x = at::empty({index.size(0), of.channels, of.height, of.width}, grad_y.options(), kChannelsLast);
        of.grad_y = grad_y.const_data_ptr(), of.grad_x = grad_x.data_ptr();
        const auto* indices = index.const_data_ptr<uint8_t>();
        const auto& table = kernels(grad_y);
        over_rows(index.size(0), of.height,
                  [&](int64_t image, int64_t row) { table.backward(of, indices, image, row); });
        return {grad_x, {}};
    }
};

}  // namespace
}  // namespace tasklens

extern "C" {

/// Whether `tasklens_pool` can do this.
bool tasklens_can_pool(const at::Tensor* x) noexcept {
    return tasklens::are_maps(*x);
}

/// The greatest of 3x3 cells in steps of two, with cells of padding at the top, left, bottom and right. The caller owns
/// `y`.
char* tasklens_pool(const at::Tensor* x, const int64_t* pads, at::Tensor** y) noexcept {
    using namespace tasklens;
    return guarded([&] {
        TORCH_CHECK(are_maps(*x), "maps have to be channels-last on a processor, in float32 or bfloat16");
        for (int i = 0; i < 4; i++) TORCH_CHECK(pads[i] == 0 || pads[i] == 1, "a padding of ", pads[i]);
        const int64_t height = x->size(2), width = x->size(3);
        const int64_t rows = height + pads[0] + pads[2] - 3, columns = width + pads[1] + pads[3] - 3;
        TORCH_CHECK(rows >= 0 && columns >= 0, "maps of ", x->sizes(), " are smaller than a window");
        *y = new at::Tensor(Pool::apply(
            *x, std::vector<int64_t>{height, width, rows / 2 + 1, columns / 2 + 1, pads[0], pads[1]}));
    });
}
}
