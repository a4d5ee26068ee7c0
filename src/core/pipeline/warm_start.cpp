#include "core/pipeline/warm_start.hpp"

#include <algorithm>

#include "core/training/factor_init.hpp"
#include "core/training/trainers.hpp"

namespace mf {

TrainOptions warm_options(TrainOptions options) {
    const auto shorten = [&](const Trainer& trainer) {
        int& iterations = trainer.iterations(options);
        iterations = (iterations + 2) / 3;
    };
    shorten(ranking_trainer(options));
    if (const RatingTrainer* rating = rating_trainer(options)) shorten(*rating);
    return options;
}

void complete_item(FactorMatrix& items, std::uint32_t item, std::uint64_t seed, std::uint64_t stream) {
    float* row = items.row(item);
    if (std::any_of(row, row + items.factors(), [](float value) { return value != 0.0f; })) return;
    random_factors(row, items.factors(), initial_scale(items.factors()), seed, stream, item);
}

}  // namespace mf
