// Many users folded in, on all threads.
#pragma once

#include <cstddef>

#include "core/base/parallel.hpp"

namespace mf {

/// True for a history that a thread solves in more than about a tenth of a second. Workers cannot look at interrupts,
/// so the calling thread solves it.
inline bool takes_long_to_fold_in(std::size_t entries, int factors) {
    constexpr double kMultiplications = 2e9;
    const auto k = static_cast<double>(factors);
    return static_cast<double>(entries) * k * k > kMultiplications;
}

/// Calls solve(user, worker, environment) once for each of the users 0 … count - 1, whose histories have
/// entries_of(user) entries: with the number of the thread and no environment on all threads, and for histories that
/// take long with 0 and the environment on the calling one, after the others.
template <class EntriesOf, class Solve>
void fold_in_users(Environment& environment, std::size_t count, int factors, const EntriesOf& entries_of,
                   const Solve& solve) {
    constexpr std::size_t kUsersATask = 8;
    const auto is_long = [&](std::size_t user) { return takes_long_to_fold_in(entries_of(user), factors); };
    parallel_ranges(environment, count, kUsersATask, [&](std::size_t begin, std::size_t end, int worker) {
        for (std::size_t user = begin; user < end; ++user)
            if (!is_long(user)) solve(user, static_cast<std::size_t>(worker), static_cast<Environment*>(nullptr));
    });
    for (std::size_t user = 0; user < count; ++user)
        if (is_long(user)) solve(user, std::size_t{0}, &environment);
}

}  // namespace mf
