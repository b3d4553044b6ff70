// A step of Adam over all parameters at once.

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include <ATen/Parallel.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/_fused_adamw.h>
#include <ATen/ops/empty_strided.h>
#include <ATen/ops/full.h>

#include "guard.h"
#include "instructions.h"

namespace tasklens {
namespace {

/// Values of a parameter that one thread takes at a time.
constexpr int64_t kPiece = 1 << 16;

struct Piece {
    int64_t parameter, first, count;
};

/// `count` parameters, each with its moments, its rate, and what it keeps of itself first.
struct Parameters {
    int64_t count;
    const at::Tensor* const* gradients;
    const at::Tensor* const* weights;
    const at::Tensor* const* means;
    const at::Tensor* const* squares;
    const float* rates;
    const float* keeps;
};

struct Numbers {
    float beta1, beta2, epsilon;
};

bool is_fit_for_adam(const at::Tensor& tensor) {
    return tensor.device().is_cpu() && tensor.scalar_type() == at::kFloat && tensor.is_contiguous();
}

/// Parameters that share a rate and a decay, and what belongs to them.
struct Alike {
    std::vector<at::Tensor> weights, gradients, means, squares;
};

/// The gradient in the type and order of its weight, in which libtorch's operation needs it.
at::Tensor in_order_of(const at::Tensor& weight, const at::Tensor& gradient) {
    if (gradient.scalar_type() == weight.scalar_type() && gradient.strides() == weight.strides()) return gradient;
    return at::empty_strided(weight.sizes(), weight.strides(), weight.options()).copy_(gradient);
}

/// One step, by our own loops.
void step_by_pieces(const Parameters& all, const Numbers& numbers) {
    std::vector<at::Tensor> in_order;
    std::vector<Piece> pieces;
    for (int64_t i = 0; i < all.count; i++) {
        for (const at::Tensor* tensor : {all.weights[i], all.means[i], all.squares[i]}) {
            TORCH_CHECK(is_fit_for_adam(*tensor), "Adam needs contiguous float32 parameters on a processor");
            TORCH_CHECK(tensor->sizes() == all.gradients[i]->sizes(), "a gradient of another shape");
        }
        in_order.push_back(all.gradients[i]->to(at::kFloat).contiguous());
        const int64_t values = all.weights[i]->numel();
        for (int64_t first = 0; first < values; first += kPiece) {
            pieces.push_back({i, first, std::min(kPiece, values - first)});
        }
    }
    const auto kernel = instructions().adam;
    at::parallel_for(0, int64_t(pieces.size()), 1, [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; i++) {
            const auto [at, first, values] = pieces[i];
            const auto from = [first = first](const at::Tensor& t) { return static_cast<float*>(t.data_ptr()) + first; };
            const AdamStep step{numbers.beta1, numbers.beta2, numbers.epsilon, all.rates[at], all.keeps[at]};
            kernel(values, from(in_order[at]), from(*all.weights[at]), from(*all.means[at]), from(*all.squares[at]), step);
        }
    });
}

/// The same by the fused operation of libtorch, which is there for GPUs: a few kernels instead of seven for each parameter.
void step_by_libtorch(const Parameters& all, const Numbers& numbers) {
    const at::NoGradGuard no_grad;
    std::map<std::pair<float, float>, Alike> groups;
    for (int64_t i = 0; i < all.count; i++) {
        TORCH_CHECK(all.weights[i]->sizes() == all.gradients[i]->sizes(), "a gradient of another shape");
        Alike& alike = groups[{all.rates[i], all.keeps[i]}];
        alike.weights.push_back(*all.weights[i]);
        alike.gradients.push_back(in_order_of(*all.weights[i], *all.gradients[i]));
        alike.means.push_back(*all.means[i]);
        alike.squares.push_back(*all.squares[i]);
    }
    for (auto& [rate_and_keep, alike] : groups) {
        const double rate = rate_and_keep.first, keep = rate_and_keep.second;
        // It corrects the moments for their start by the number of steps, which the rate does here: so far along, nothing is
        // left to correct.
        const at::Tensor step = at::full({}, 1e9, alike.weights[0].options());
        const std::vector<at::Tensor> steps(alike.weights.size(), step);
        // It keeps 1 - rate * decay.
        const double decay = rate == 0 ? 0 : (1 - keep) / rate;
        at::_fused_adamw_(
            alike.weights, alike.gradients, alike.means, alike.squares, {}, steps, rate, numbers.beta1, numbers.beta2, decay,
            numbers.epsilon, /*amsgrad=*/false, /*maximize=*/false);
    }
}

}  // namespace
}  // namespace tasklens

extern "C" {

/// Whether `tasklens_adam` can change this.
bool tasklens_can_adam(const at::Tensor* tensor) noexcept {
    return tasklens::is_fit_for_adam(*tensor);
}

/// One step for `count` parameters, by our own loops on a processor or by libtorch's operation anywhere.
char* tasklens_adam(
    int64_t count,
    const at::Tensor* const* gradients,
    const at::Tensor* const* weights,
    const at::Tensor* const* means,
    const at::Tensor* const* squares,
    const float* rates,
    const float* keeps,
    float beta1,
    float beta2,
    float epsilon,
    bool by_libtorch) noexcept {
    using namespace tasklens;
    return guarded([&] {
        const Parameters all{count, gradients, weights, means, squares, rates, keeps};
        const auto step = by_libtorch ? step_by_libtorch : step_by_pieces;
        step(all, Numbers{beta1, beta2, epsilon});
    });
}
}
