// mf_tune from checked arguments to trials.
#pragma once

#include "core/pipeline/tuning.hpp"
#include "pg/training/train_arguments.hpp"

namespace mf::pg {

/// Checks the space, reads the source once and searches. Nothing is stored. Throws what a training throws, and
/// invalid_parameter_value without held-out rows to measure on.
std::vector<Trial> tune_source(const TrainArguments& arguments, const SearchSpace& space, const TuningOptions& tuning);

}  // namespace mf::pg
