// How long a training will take on this machine, before it is begun.
#pragma once

#include <cstdint>

#include "core/base/parallel.hpp"
#include "core/training/options.hpp"

namespace mf {

/// Wall seconds from the sorted interactions to the finished factors, if environment.threads processors are free and no
/// early stop comes. Measured, not tabulated: one iteration of each trainer runs on two small generated samples, which
/// tells the time a rating and the time a row take. Expect it within a third or so; large data wait more for memory
/// than the samples do. O(k³): about 20 ms for k = 64, 2 s for k = 512.
double training_seconds(std::uint64_t users, std::uint64_t items, std::uint64_t ratings, const TrainOptions& options,
                        Environment& environment);

}  // namespace mf
