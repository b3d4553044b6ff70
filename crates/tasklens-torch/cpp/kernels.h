// Loops over memory, compiled once for each set of instructions. Maps are matrices: `rows` cells (images x height x
// width), `channels` values next to each other, as channels-last tensors lie in memory. Plain C, so that no inline
// function of a library is compiled for a processor that does not have the instructions.
#pragma once

#include <stdint.h>

namespace tasklens {

/// What follows a normalisation.
enum Activation : int32_t { kNone = 0, kRelu = 1, kRelu6 = 2 };

/// Rows of maps and what belongs to them, for one call of a kernel. Unused pointers are null.
struct Maps {
    int64_t rows;
    int64_t channels;
    /// What is normalised.
    const void* x;
    /// What is added to the normalised values.
    const void* beside;
    /// The results; with kRelu and `sum`, their ReLU, while `sum` holds them as they are.
    void* y;
    void* sum;
    /// Gradient of the results, of `sum`, and what they give.
    const void* grad_y;
    const void* grad_sum;
    void* grad_beside;
    void* grad_x;
};

/// Numbers by channel.
struct Channels {
    const float* scale;
    const float* shift;
    const float* mean;
    /// grad_x = grad * scale + (x - mean) * slope + offset.
    const float* slope;
    const float* offset;
};

/// The same for a parameter of Adam.
struct AdamStep {
    float beta1, beta2, epsilon, rate, keep;
};

struct Kernels {
    /// Mean and sum of squared differences from it, by channel.
    void (*moments)(const Maps&, float* mean, float* squares, float* room);
    /// y = activation((x - mean) * scale + shift + beside).
    void (*normalise)(const Maps&, const Channels&, Activation);
    /// Sum of the gradient before the activation, and of its products with x - mean; keeps that gradient in
    /// `grad_beside` where it is not null.
    void (*gradient_sums)(const Maps&, const Channels&, Activation, float* sums, float* products, float* room);
    /// grad_x; the gradient before the activation is in `grad_beside` where it is not null.
    void (*gradient)(const Maps&, const Channels&, Activation);
};

/// A depthwise convolution, `kernel` x `kernel`, of images `[height, width, channels]` one after the other.
struct Depthwise {
    int64_t channels, height, width, out_height, out_width;
    int64_t kernel, stride;
    /// Cells of padding above and at the left.
    int64_t top, left;
    /// Images, and the results; also the gradients of both.
    const void* x;
    void* y;
    const void* grad_y;
    void* grad_x;
    /// `[kernel * kernel, channels]`, and the same in the opposite order.
    const float* weight;
    const float* reversed;
};

/// Channels that one call of a depthwise kernel takes.
constexpr int64_t kChannelBlock = 128;

struct DepthwiseKernels {
    /// y, for one image and `count` channels from `channel` on.
    void (*forward)(const Depthwise&, int64_t image, int64_t channel, int64_t count);
    /// grad_x for them (unless null), and adds to `grad_weight`, which is ordered as the weight.
    void (*backward)(const Depthwise&, int64_t image, int64_t channel, int64_t count, float* grad_weight);
};

/// The greatest of 3x3 cells in steps of two; padding does not count. `of` gives shapes and maps; an index is the cell in
/// its window, 0 to 8.
struct PoolKernels {
    /// y and the indices of a row of an image's results.
    void (*forward)(const Depthwise& of, uint8_t* index, int64_t image, int64_t row);
    /// grad_x of a row of an image.
    void (*backward)(const Depthwise& of, const uint8_t* index, int64_t image, int64_t row);
};

/// Bytes of a tile of maps that a kernel goes through twice: it stays in the first cache.
constexpr int64_t kTileBytes = 24 * 1024;

/// Floats of `room` that a kernel needs.
inline int64_t room_for(int64_t channels) {
    return 2 * channels;
}

using AdamKernel = void (*)(int64_t, const float* gradient, float* weight, float* mean, float* square, const AdamStep&);

/// What a set of instructions has.
struct Instructions {
    const char* name;
    Kernels bfloat16;
    Kernels float32;
    DepthwiseKernels depthwise_bfloat16;
    DepthwiseKernels depthwise_float32;
    PoolKernels pool_bfloat16;
    PoolKernels pool_float32;
    AdamKernel adam;
};

extern const Instructions kAvx512;
extern const Instructions kAvx2;
extern const Instructions kBaseline;

}  // namespace tasklens
