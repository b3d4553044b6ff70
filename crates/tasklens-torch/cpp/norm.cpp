// Batch normalisation of channels-last maps with what follows it, in training mode, on processors. Forward it reads
// the maps twice, backward what it needs twice; libtorch goes through memory for each operation.

#include <algorithm>
#include <cmath>
#include <vector>

#include <ATen/Parallel.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>

#include "guard.h"
#include "instructions.h"
#include "maps.h"

namespace tasklens {
namespace {

/// Values that are worth a thread.
constexpr int64_t kGrain = 32768;
/// The most parts that sums are made of. It does not depend on the number of threads, so that the sums do not either.
constexpr int64_t kParts = 32;

bool is_fit_for_channels(const Tensor& values, int64_t channels) {
    return values.device().is_cpu() && values.scalar_type() == at::kFloat && values.numel() == channels &&
           values.is_contiguous();
}

const Kernels& kernels(const Tensor& x) {
    return x.scalar_type() == at::kFloat ? instructions().float32 : instructions().bfloat16;
}

Tensor in_order(const Tensor& tensor, const Tensor& like) {
    TORCH_CHECK(tensor.sizes() == like.sizes(), "maps of ", tensor.sizes(), " beside maps of ", like.sizes());
    return tensor.to(like.scalar_type()).contiguous(kChannelsLast);
}

/// Whether memory of a gradient may be used again.
bool nobody_else_has(const Tensor& gradient) {
    return gradient.use_count() == 1 && gradient.storage().use_count() == 1;
}

/// Maps of `rows` from `first` on; pointers are moved.
Maps part_of(const Maps& maps, int64_t first, int64_t rows, int64_t value_bytes) {
    Maps part = maps;
    part.rows = rows;
    const int64_t bytes = first * maps.channels * value_bytes;
    const auto move = [bytes](auto*& pointer) {
        using Pointer = std::remove_reference_t<decltype(pointer)>;
        using Byte = std::conditional_t<std::is_const_v<std::remove_pointer_t<Pointer>>, const char, char>;
        if (pointer != nullptr) pointer = static_cast<Byte*>(pointer) + bytes;
    };
    move(part.x), move(part.beside), move(part.y), move(part.sum), move(part.grad_y), move(part.grad_sum);
    move(part.grad_beside), move(part.grad_x);
    return part;
}

/// Calls `work(part, index)` for the parts of `maps`, in threads.
template <class Work>
void over_parts(const Maps& maps, int64_t value_bytes, int64_t part_rows, const Work& work) {
    const int64_t parts = (maps.rows + part_rows - 1) / part_rows;
    const int64_t grain = std::max<int64_t>(1, kGrain / (part_rows * maps.channels));
    at::parallel_for(0, parts, grain, [&](int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; i++) {
            const int64_t first = i * part_rows;
            work(part_of(maps, first, std::min(part_rows, maps.rows - first), value_bytes), i);
        }
    });
}

int64_t rows_of_a_part(int64_t rows, int64_t channels) {
    const int64_t least = std::max<int64_t>(1, 4096 / channels);
    return std::max(least, (rows + kParts - 1) / kParts);
}

struct Moments {
    std::vector<double> mean, squares;
};

Moments moments_of(const Maps& maps, const Kernels& kernels, int64_t value_bytes) {
    const int64_t channels = maps.channels, part_rows = rows_of_a_part(maps.rows, channels);
    const int64_t parts = (maps.rows + part_rows - 1) / part_rows, stride = 2 * channels + room_for(channels);
    std::vector<float> numbers(parts * stride);
    over_parts(maps, value_bytes, part_rows, [&](const Maps& part, int64_t i) {
        float* mean = &numbers[i * stride];
        kernels.moments(part, mean, mean + channels, mean + 2 * channels);
    });
    Moments all{std::vector<double>(channels), std::vector<double>(channels)};
    for (int64_t i = 0; i < parts; i++) {
        const double before = double(i * part_rows), rows = double(std::min(part_rows, maps.rows - i * part_rows));
        const float* mean = &numbers[i * stride];
        const float* squares = mean + channels;
        for (int64_t c = 0; c < channels; c++) {
            const double difference = mean[c] - all.mean[c], share = rows / (before + rows);
            all.mean[c] += difference * share;
            all.squares[c] += squares[c] + difference * difference * before * share;
        }
    }
    return all;
}

struct Normalise : torch::autograd::Function<Normalise> {
    static variable_list forward(
        AutogradContext* context,
        const Tensor& x,
        const std::optional<Tensor>& beside,
        const Tensor& weight,
        const Tensor& bias,
        Tensor running_mean,
        Tensor running_var,
        double momentum,
        double epsilon,
        int64_t activation,
        bool with_sum) {
        const int64_t channels = x.size(1), rows = x.numel() / channels, bytes = x.element_size();
        Tensor y = at::empty_like(x), sum = with_sum ? at::empty_like(x) : Tensor();
        const Tensor added = beside ? in_order(*beside, x) : Tensor();
        Maps maps{};
        maps.rows = rows, maps.channels = channels, maps.x = x.const_data_ptr(), maps.y = y.data_ptr();
        if (beside) maps.beside = added.const_data_ptr();
        if (with_sum) maps.sum = sum.data_ptr();

        const Moments moments = moments_of(maps, kernels(x), bytes);
        // Mean, deviation's inverse, scale and shift.
        Tensor numbers = at::empty({4, channels}, weight.options().requires_grad(false));
        float *mean = numbers.data_ptr<float>(), *inverse = mean + channels, *scale = inverse + channels,
              *shift = scale + channels;
        const float *weights = weight.const_data_ptr<float>(), *biases = bias.const_data_ptr<float>();
        float *means = running_mean.data_ptr<float>(), *vars = running_var.data_ptr<float>();
        for (int64_t c = 0; c < channels; c++) {
            const double deviation = std::sqrt(moments.squares[c] / double(rows) + epsilon);
            mean[c] = float(moments.mean[c]);
            inverse[c] = float(1 / deviation);
            scale[c] = float(weights[c] / deviation);
            // What the rounding of the mean leaves.
            shift[c] = float(biases[c] + (mean[c] - moments.mean[c]) * (weights[c] / deviation));
            means[c] = float((1 - momentum) * means[c] + momentum * moments.mean[c]);
            vars[c] = float((1 - momentum) * vars[c] + momentum * (moments.squares[c] / double(rows - 1)));
        }
        const Channels by_channel{scale, shift, mean, nullptr, nullptr};
        const Kernels& table = kernels(x);
        over_parts(maps, bytes, rows_of_a_part(rows, channels), [&](const Maps& part, int64_t) {
            table.normalise(part, by_channel, Activation(activation));
        });

        // The result says where the activation let values through; without a sum, what was normalised does as well.
        const bool by_y = activation != kNone && (beside || with_sum);
        context->save_for_backward({x, numbers, by_y ? y : Tensor()});
        context->saved_data["activation"] = activation;
        context->saved_data["beside"] = beside.has_value();
        context->saved_data["with_sum"] = with_sum;
        return with_sum ? variable_list{y, sum} : variable_list{y};
    }

    static variable_list backward(AutogradContext* context, const variable_list& gradients) {
        const variable_list saved = context->get_saved_variables();
        const Tensor &x = saved[0], &numbers = saved[1], &y = saved[2];
        const auto activation = Activation(context->saved_data["activation"].toInt());
        const bool beside = context->saved_data["beside"].toBool();
        const bool with_sum = context->saved_data["with_sum"].toBool();
        const int64_t channels = x.size(1), rows = x.numel() / channels, bytes = x.element_size();

        TORCH_CHECK(!at::GradMode::is_enabled(), "a fused normalisation has no second derivatives");
        // Before there is a second handle.
        const bool is_ours = nobody_else_has(gradients[0]);
        const Tensor grad_y = in_order(gradients[0], x), grad_sum = with_sum ? in_order(gradients[1], x) : Tensor();
        const auto in_its_place = [&] { return is_ours || !grad_y.is_same(gradients[0]) ? grad_y : at::empty_like(x); };
        // What is added has the gradient before the activation.
        const Tensor grad_beside = y.defined() ? in_its_place() : beside ? grad_y : Tensor();
        const Tensor grad_x = grad_beside.defined() ? at::empty_like(x) : in_its_place();
        Maps maps{};
        maps.rows = rows, maps.channels = channels, maps.x = x.const_data_ptr();
        maps.grad_y = grad_y.const_data_ptr(), maps.grad_x = grad_x.data_ptr();
        if (y.defined()) maps.y = y.data_ptr(), maps.grad_beside = grad_beside.data_ptr();
        if (with_sum) maps.grad_sum = grad_sum.const_data_ptr();

        const float *mean = numbers.const_data_ptr<float>(), *inverse = mean + channels, *scale = inverse + channels,
                    *shift = scale + channels;
        const Kernels& table = kernels(x);
        const int64_t part_rows = rows_of_a_part(rows, channels), parts = (rows + part_rows - 1) / part_rows;
        const int64_t stride = 2 * channels + room_for(channels);
        std::vector<float> sums(parts * stride);
        const Channels forward{scale, shift, mean, nullptr, nullptr};
        over_parts(maps, bytes, part_rows, [&](const Maps& part, int64_t i) {
            float* own = &sums[i * stride];
            table.gradient_sums(part, forward, activation, own, own + channels, own + 2 * channels);
        });

        Tensor grad_weight = at::empty({channels}, numbers.options()), grad_bias = at::empty_like(grad_weight);
        float *weights = grad_weight.data_ptr<float>(), *biases = grad_bias.data_ptr<float>();
        std::vector<float> slope(channels), offset(channels);
        for (int64_t c = 0; c < channels; c++) {
            double sum = 0, product = 0;
            for (int64_t i = 0; i < parts; i++) {
                sum += sums[i * stride + c];
                product += sums[i * stride + channels + c];
            }
            weights[c] = float(product * inverse[c]);
            biases[c] = float(sum);
            slope[c] = float(-scale[c] * (double(inverse[c]) * inverse[c] * product / double(rows)));
            offset[c] = float(-scale[c] * (sum / double(rows)));
        }
        const Channels backward{scale, shift, mean, slope.data(), offset.data()};
        over_parts(maps, bytes, part_rows, [&](const Maps& part, int64_t) {
            table.gradient(part, backward, activation);
        });
        return {grad_x, beside ? grad_beside : Tensor(), grad_weight, grad_bias, {}, {}, {}, {}, {}, {}};
    }
};

}  // namespace
}  // namespace tasklens

extern "C" {

/// Whether `tasklens_normalise` can do these.
bool tasklens_can_normalise(const at::Tensor* x, const at::Tensor* weight, const at::Tensor* running_mean) noexcept {
    return tasklens::are_maps(*x) && tasklens::is_fit_for_channels(*weight, x->size(1)) &&
           tasklens::is_fit_for_channels(*running_mean, x->size(1));
}

/// y = activation(normalised x + beside), into `y`; with `sum`, y = ReLU of what goes there. The caller owns both.
char* tasklens_normalise(
    const at::Tensor* x,
    const at::Tensor* beside,
    const at::Tensor* weight,
    const at::Tensor* bias,
    const at::Tensor* running_mean,
    const at::Tensor* running_var,
    double momentum,
    double epsilon,
    int activation,
    at::Tensor** y,
    at::Tensor** sum) noexcept {
    using namespace tasklens;
    return guarded([&] {
        TORCH_CHECK(are_maps(*x), "maps have to be channels-last on a processor, in float32 or bfloat16");
        for (const at::Tensor* values : {weight, bias, running_mean, running_var}) {
            TORCH_CHECK(is_fit_for_channels(*values, x->size(1)), "normalisation needs a float32 number for each channel");
        }
        TORCH_CHECK(sum == nullptr || activation == kRelu, "beside its sum, a normalisation gives the ReLU");
        const auto added = beside == nullptr ? std::nullopt : std::optional<at::Tensor>(*beside);
        const auto results = Normalise::apply(
            *x, added, *weight, *bias, *running_mean, *running_var, momentum, epsilon, int64_t(activation), sum != nullptr);
        *y = new at::Tensor(results[0]);
        if (sum != nullptr) *sum = new at::Tensor(results[1]);
    });
}
}
