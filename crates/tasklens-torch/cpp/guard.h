// No exception may leave C++: the caller is Rust.
#pragma once

#include <cstring>
#include <exception>

#include <c10/util/Exception.h>

namespace tasklens {

/// Does `work`; null, or the message of its exception, which the caller gives back to `tasklens_free_message`.
template <class Work>
char* guarded(Work&& work) noexcept {
    try {
        work();
        return nullptr;
    } catch (const c10::Error& error) {
        return strdup(error.what_without_backtrace());
    } catch (const std::exception& error) {
        return strdup(error.what());
    } catch (...) {
        return strdup("an unknown exception of libtorch");
    }
}

}  // namespace tasklens
