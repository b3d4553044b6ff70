#include "instructions.h"

#include <atomic>
#include <cstdlib>
#include <cstring>

#include "guard.h"

namespace tasklens {
namespace {

bool can(const Instructions& table) {
#if defined(__x86_64__)
    if (&table == &kAvx512) {
        return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
               __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512dq");
    }
    if (&table == &kAvx2) {
        return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    }
#endif
    return &table == &kBaseline;
}

const Instructions* const kTables[] = {
#if defined(__x86_64__)
    &kAvx512, &kAvx2,
#endif
    &kBaseline};

const Instructions* best() {
    for (const Instructions* table : kTables) {
        if (can(*table)) return table;
    }
    return &kBaseline;
}

std::atomic<const Instructions*>& chosen() {
    static std::atomic<const Instructions*> table{best()};
    return table;
}

}  // namespace

const Instructions& instructions() {
    return *chosen();
}

}  // namespace tasklens

extern "C" {

/// Uses the instructions called `name` from now on, for tests; whether this processor has them.
bool tasklens_use_instructions(const char* name) {
    for (const tasklens::Instructions* table : tasklens::kTables) {
        if (std::strcmp(table->name, name) == 0 && tasklens::can(*table)) {
            tasklens::chosen() = table;
            return true;
        }
    }
    return false;
}

/// Whether this processor has instructions with which the loops are faster than libtorch's.
bool tasklens_is_faster() {
    return tasklens::best() != &tasklens::kBaseline;
}

void tasklens_free_message(char* message) {
    std::free(message);
}
}
