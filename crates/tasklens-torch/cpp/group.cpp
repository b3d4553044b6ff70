// Processes that train together: c10d, PyTorch's own engine for it, which libtorch contains, over TCP by gloo.

#include <chrono>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <ATen/core/Tensor.h>
#include <c10/util/Flags.h>
#include <torch/csrc/distributed/c10d/PrefixStore.hpp>
#include <torch/csrc/distributed/c10d/ProcessGroupGloo.hpp>
#include <torch/csrc/distributed/c10d/TCPStore.hpp>

#include "guard.h"

C10_DECLARE_int(caffe2_log_level);

namespace tasklens {
namespace {

using Gloo = c10d::ProcessGroupGloo;
using std::chrono::milliseconds;

/// A connection to the table of keys that the processes share.
struct Store {
    c10::intrusive_ptr<c10d::Store> keys;
};

struct Group {
    c10::intrusive_ptr<Gloo> gloo;
    c10::intrusive_ptr<c10d::Work> work;
    /// What the work reads and writes.
    std::vector<at::Tensor> tensors;
};

std::shared_ptr<gloo::transport::Device> device(const char* interface, const char* host) {
    if (interface) return Gloo::createDeviceForInterface(interface, false);
    if (host) return Gloo::createDeviceForHostname(host, false);
    return Gloo::createDefaultDevice(false);
}

}  // namespace
}  // namespace tasklens

using namespace tasklens;

extern "C" {

/// Connects to the table at `host`, or opens it there for `size` processes; its keys begin with `prefix`.
char* tasklens_store_open(const char* host, uint16_t port, bool is_server, int64_t size, const char* prefix,
                          int64_t timeout_ms, void** store) noexcept {
    return guarded([&] {
        // c10d also prints each error, with a stack, to standard error: who calls tells it.
        FLAGS_caffe2_log_level = 3;
        c10d::TCPStoreOptions options;
        options.port = port;
        options.isServer = is_server;
        options.numWorkers = static_cast<size_t>(size);
        // Whoever comes later is waited for where it can be told, and left.
        options.waitWorkers = false;
        options.timeout = milliseconds(timeout_ms);
        auto tcp = c10::make_intrusive<c10d::TCPStore>(host, options);
        *store = new Store{c10::make_intrusive<c10d::PrefixStore>(prefix, std::move(tcp))};
    });
}

void tasklens_store_free(void* store) noexcept {
    // Its connection may be broken.
    char* message = guarded([&] { delete static_cast<Store*>(store); });
    free(message);
}

/// Adds to a number that begins as 0; adding nothing reads it.
char* tasklens_store_add(void* store, const char* key, int64_t more, int64_t* now) noexcept {
    return guarded([&] { *now = static_cast<Store*>(store)->keys->add(key, more); });
}

char* tasklens_store_set(void* store, const char* key, const char* text) noexcept {
    return guarded([&] { static_cast<Store*>(store)->keys->set(key, std::string(text)); });
}

/// Null in `text` where there is no such key; else the caller gives it back to `tasklens_free_message`.
char* tasklens_store_get(void* store, const char* key, char** text) noexcept {
    return guarded([&] {
        auto& keys = static_cast<Store*>(store)->keys;
        *text = keys->check({key}) ? strdup(keys->get_to_str(key).c_str()) : nullptr;
    });
}

/// Connects to all others, of whom each calls this with its rank. `interface` or `host` says by which address, or
/// neither.
char* tasklens_group_join(void* store, int rank, int size, const char* interface, const char* host,
                          int64_t timeout_ms, void** group) noexcept {
    return guarded([&] {
        auto options = Gloo::Options::create(milliseconds(timeout_ms));
        options->devices.push_back(device(interface, host));
        auto gloo = c10::make_intrusive<Gloo>(static_cast<Store*>(store)->keys, rank, size, options);
        *group = new Group{std::move(gloo), {}, {}};
    });
}

/// Begins to sum `tensor` over all processes, in place.
char* tasklens_group_sum(void* group, const at::Tensor* tensor) noexcept {
    return guarded([&] {
        auto* of = static_cast<Group*>(group);
        of->tensors = {*tensor};
        of->work = of->gloo->allreduce(of->tensors);
    });
}

/// Begins to give the `tensor` of rank 0 to all.
char* tasklens_group_broadcast(void* group, const at::Tensor* tensor) noexcept {
    return guarded([&] {
        auto* of = static_cast<Group*>(group);
        of->tensors = {*tensor};
        of->work = of->gloo->broadcast(of->tensors);
    });
}

/// Waits for what was begun, so long at most.
char* tasklens_group_wait(void* group, int64_t timeout_ms, bool* is_done) noexcept {
    return guarded([&] {
        auto* of = static_cast<Group*>(group);
        const auto end = std::chrono::steady_clock::now() + milliseconds(timeout_ms);
        // Its own wait gives up when the time is over.
        while (of->work && !of->work->isCompleted()) {
            if (std::chrono::steady_clock::now() >= end) {
                *is_done = false;
                return;
            }
            std::this_thread::sleep_for(std::chrono::microseconds(100));
        }
        auto work = std::move(of->work);
        of->tensors.clear();
        *is_done = true;
        if (work) work->wait();
    });
}

void tasklens_group_free(void* group) noexcept {
    char* message = guarded([&] { delete static_cast<Group*>(group); });
    free(message);
}
}
