// Memory of large tensors on processors, kept for the next step: a training step takes blocks of the same sizes again and
// again, and the system would clear each page of them anew.

#include <sys/mman.h>

#include <algorithm>
#include <cstdlib>
#include <iterator>
#include <map>
#include <mutex>
#include <unordered_map>

#include <c10/core/Allocator.h>
#include <c10/core/CPUAllocator.h>

namespace tasklens {
namespace {

/// Smaller blocks are the C library's, which keeps them itself.
constexpr size_t kLeast = size_t{1} << 20;
/// A large page: one fault instead of 512.
constexpr size_t kPage = size_t{2} << 20;

/// The bytes of a block for `size`: up to an eighth more, so that blocks for similar sizes serve one another.
size_t rounded(size_t size) {
    size_t step = kPage;
    while (step * 16 <= size) step *= 2;
    return (size + step - 1) / step * step;
}

void release(void* data);

/// libtorch's allocator for processors, and beside it blocks that are kept while somebody wants that.
class Keeper final : public c10::Allocator {
   public:
    explicit Keeper(c10::Allocator* usual) : usual_(usual) {}

    c10::DataPtr allocate(size_t size) override {
        if (size >= kLeast) {
            const std::lock_guard lock(mutex_);
            void* data = keepers_ > 0 ? take(rounded(size)) : nullptr;
            if (data) return {data, data, &release, at::Device(at::kCPU)};
        }
        return usual_->allocate(size);
    }

    c10::DeleterFnPtr raw_deleter() const override { return &release; }

    void copy_data(void* to, const void* from, size_t size) const override { default_copy_data(to, from, size); }

    /// Whether the block is one of these; then it is kept or given back.
    bool put(void* data) {
        const std::lock_guard lock(mutex_);
        const auto found = used_.find(data);
        if (found == used_.end()) return false;
        const size_t size = found->second;
        used_.erase(found);
        in_use_ -= size;
        if (keepers_ > 0) {
            kept_.emplace(size, data);
            in_keeping_ += size;
        } else {
            std::free(data);
        }
        return true;
    }

    void usual_free(void* data) { usual_->raw_deallocate(data); }

    void keep(int more) {
        const std::lock_guard lock(mutex_);
        if (keepers_ == 0) most_ = in_use_;
        keepers_ += more;
        if (keepers_ == 0) give_back(in_keeping_);
    }

    size_t in_keeping() {
        const std::lock_guard lock(mutex_);
        return in_keeping_;
    }

   private:
    /// A block that was kept, up to an eighth larger than asked for, or a new one; null where there is no memory.
    void* take(size_t size) {
        auto found = kept_.lower_bound(size);
        if (found != kept_.end() && found->first > size + size / 8) found = kept_.end();
        void* data = nullptr;
        if (found != kept_.end()) {
            size = found->first, data = found->second;
            in_keeping_ -= size;
            kept_.erase(found);
        } else {
            // With nothing above the most in use, a step would give back what it needs a moment later.
            const size_t would_be = in_use_ + in_keeping_ + size;
            most_ = std::max(most_, in_use_ + size);
            const size_t limit = most_ + most_ / 4;
            if (would_be > limit) give_back(would_be - limit);
            if (posix_memalign(&data, kPage, size) != 0) return nullptr;
            madvise(data, size, MADV_HUGEPAGE);
        }
        used_.emplace(data, size);
        in_use_ += size;
        most_ = std::max(most_, in_use_);
        return data;
    }

    /// Gives so many bytes back to the system, the largest blocks first.
    void give_back(size_t bytes) {
        for (size_t given = 0; given < bytes && !kept_.empty();) {
            const auto last = std::prev(kept_.end());
            given += last->first;
            in_keeping_ -= last->first;
            std::free(last->second);
            kept_.erase(last);
        }
    }

    c10::Allocator* usual_;
    std::mutex mutex_;
    std::unordered_map<void*, size_t> used_;
    std::multimap<size_t, void*> kept_;
    size_t in_use_ = 0, in_keeping_ = 0;
    /// The most that was ever in use since somebody wants blocks kept.
    size_t most_ = 0;
    int keepers_ = 0;
};

Keeper& keeper() {
    // Never destroyed: tensors may outlive everything.
    static Keeper* const keeper = [] {
        auto* made = new Keeper(c10::GetCPUAllocator());
        c10::SetCPUAllocator(made, 1);
        return made;
    }();
    return *keeper;
}

void release(void* data) {
    if (data && !keeper().put(data)) keeper().usual_free(data);
}

}  // namespace
}  // namespace tasklens

extern "C" {

/// From now on blocks are kept, with 1, or one fewer wants that, with -1.
void tasklens_keep_memory(int more) noexcept { tasklens::keeper().keep(more); }

/// Bytes that are kept and not in use.
size_t tasklens_memory_in_keeping() noexcept { return tasklens::keeper().in_keeping(); }
}
