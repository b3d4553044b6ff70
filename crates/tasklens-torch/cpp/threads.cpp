// The number of threads of the thread that calls.

#include <ATen/Parallel.h>

extern "C" {

/// libtorch sets the number of threads of each thread when it first computes, to what any thread has asked for last. Our
/// code has a memory of its own for whether that was done: it is done here, before the thread asks for its own number.
void tasklens_begin_threads() noexcept {
    at::internal::lazy_init_num_threads();
}
}
