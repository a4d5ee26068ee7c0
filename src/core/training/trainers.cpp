#include "core/training/trainers.hpp"

namespace mf {

namespace {

template <class Table>
const auto* find_algorithm(const Table& trainers, const std::optional<Algorithm>& algorithm) {
    for (const auto* trainer : trainers)
        if (trainer->algorithm == algorithm) return trainer;
    return trainers[0];
}

template <class Table>
const Trainer* find_name(const Table& trainers, std::string_view name) {
    for (const auto* trainer : trainers)
        if (trainer->name == name) return trainer;
    return nullptr;
}

}  // namespace

const RatingTrainer* rating_trainer(const TrainOptions& options) {
    if (options.feedback == Feedback::Implicit) return nullptr;
    return find_algorithm(kRatingTrainers, options.algorithm);
}

const RankingTrainer& ranking_trainer(const TrainOptions& options) {
    if (options.feedback == Feedback::Explicit) return *kRankingTrainers[0];
    return *find_algorithm(kRankingTrainers, options.algorithm);
}

TrainOptions for_rating_factors(TrainOptions options) {
    options.factors = options.rating_factors_or_default();
    return options;
}

const Trainer& named_trainer(const TrainOptions& options) {
    const RatingTrainer* rating = rating_trainer(options);
    if (rating != nullptr) return *rating;
    return ranking_trainer(options);
}

const Trainer* find_trainer(Feedback feedback, std::string_view name) {
    return feedback == Feedback::Explicit ? find_name(kRatingTrainers, name) : find_name(kRankingTrainers, name);
}

int planned_iterations(TrainOptions options) {
    const RatingTrainer* rating = rating_trainer(options);
    return ranking_trainer(options).iterations(options) + (rating != nullptr ? rating->iterations(options) : 0);
}

}  // namespace mf
