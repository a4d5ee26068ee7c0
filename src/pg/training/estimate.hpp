// What a training would take, told by one read of the source.
#pragma once

#include "pg/training/train_arguments.hpp"

namespace mf::pg {

struct Estimate {
    std::uint64_t users = 0;
    std::uint64_t items = 0;
    std::uint64_t ratings = 0;  ///< rows with user, item and rating; duplicates are not merged
    std::size_t memory = 0;     ///< bytes that mf_ext.max_memory must allow
    double seconds = 0;         ///< wall, reading and storing included
};

/// Reads the source as the training would, but keeps the ids only, and tries the trainers on a small sample. Throws
/// what reading throws; a source without rows gives zeros.
Estimate estimate_training(const TrainArguments& arguments);

}  // namespace mf::pg
