// How long a training will take on this machine, before it is begun.
#pragma once

#include <cstdint>

#include "core/base/parallel.hpp"
#include "core/training/options.hpp"

namespace mf {

/// Wall seconds from the sorted interactions to the finished factors, if environment.threads processors are free and no
/// early stop comes. Measured, not tabulated: three iterations of each trainer run on two small generated samples,
/// which tells the time that a rating and a row take in the last iteration, and in those before. Expect it within a
/// third or so; large data wait more for memory than the samples do. O(k³): about 30 ms for k = 64, 3 s for k = 512.
double training_seconds(std::uint64_t users, std::uint64_t items, std::uint64_t ratings, const TrainOptions& options,
                        Environment& environment);

}  // namespace mf
