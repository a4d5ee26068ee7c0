// Cross-validation from checked arguments to one result a fold.
#pragma once

#include <functional>

#include "core/pipeline/cross_validation.hpp"
#include "pg/training/train_arguments.hpp"

namespace mf::pg {

/// Reads the source once and hands each fold's result over as it ends, with the seconds it took. Nothing is stored.
/// Throws what a training throws.
void cross_validate(const TrainArguments& arguments, std::uint32_t folds, std::size_t k,
                    const std::function<void(std::uint32_t fold, const FoldResult&, double seconds)>& take);

}  // namespace mf::pg
