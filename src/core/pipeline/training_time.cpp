#include "core/pipeline/training_time.hpp"

#include <algorithm>
#include <chrono>
#include <limits>
#include <utility>

#include "core/base/random.hpp"
#include "core/training/trainers.hpp"

namespace mf {
namespace {

/// Every user has `entries` of the items, a different selection each.
struct Sample {
    Csr by_user;
    Csr by_item;
};

constexpr std::uint32_t kSampleRows = 192;  // of each side

Sample make_sample(std::uint32_t entries) {
    Sample sample;
    sample.by_user.column_count = kSampleRows;
    sample.by_user.offsets = Array<std::uint64_t>(kSampleRows + 1);
    sample.by_user.columns = Array<std::uint32_t>(std::size_t{kSampleRows} * entries);
    sample.by_user.values = Array<float>(std::size_t{kSampleRows} * entries);
    Random random(1);
    std::size_t position = 0;
    for (std::uint32_t user = 0; user < kSampleRows; ++user) {
        sample.by_user.offsets[user] = position;
        const std::uint32_t step = kSampleRows / entries;
        for (std::uint32_t j = 0; j < entries; ++j, ++position) {
            sample.by_user.columns[position] = j * step + (user + j) % step;
            sample.by_user.values[position] = static_cast<float>(1 + random.next() % 5);
        }
    }
    sample.by_user.offsets[kSampleRows] = position;
    sample.by_item = transpose(sample.by_user);
    return sample;
}

/// Seconds of iterations on one thread.
struct IterationSeconds {
    double step = std::numeric_limits<double>::infinity();  ///< of one after the first and before the last
    double last = std::numeric_limits<double>::infinity();  ///< its users are solved exactly
};

constexpr int kIterations = 3;

/// Those of the best of a few runs of kIterations: the first one warms the caches.
template <class Train>
IterationSeconds iteration_seconds(const Sample& sample, const Environment& caller, const Train& train) {
    using Clock = std::chrono::steady_clock;
    IterationSeconds best;
    Environment environment;
    environment.interrupted = caller.interrupted;
    environment.checkpoint = caller.checkpoint;
    Clock::time_point before;
    environment.on_iteration = [&](const Iteration& report) {
        const Clock::time_point now = Clock::now();
        const double seconds = std::chrono::duration<double>(now - std::exchange(before, now)).count();
        double* const iteration = report.iteration == 2             ? &best.step
                                  : report.iteration == kIterations ? &best.last
                                                                    : nullptr;
        if (iteration != nullptr) *iteration = std::min(*iteration, seconds);
        return true;
    };
    for (int run = 0; run < 3; ++run) train(sample, environment);
    return best;
}

/// What one iteration takes for a rating and for a row of either side.
struct Cost {
    double rating;
    double row;
    double of(double ratings, double rows) const { return rating * ratings + row * rows; }
};

/// What the whole of a training run takes.
template <class Train>
double seconds_of_run(const Environment& caller, int iterations, double ratings, double rows, const Train& train) {
    constexpr std::uint32_t kFew = 2, kMany = 96;
    const IterationSeconds few = iteration_seconds(make_sample(kFew), caller, train);
    const IterationSeconds many = iteration_seconds(make_sample(kMany), caller, train);
    const auto cost = [](double of_few, double of_many) {
        const double rating = std::max(of_many - of_few, 0.0) / (kSampleRows * (kMany - kFew));
        return Cost{rating, std::max(of_few - rating * kSampleRows * kFew, 0.0) / (2 * kSampleRows)};
    };
    return (iterations - 1) * cost(few.step, many.step).of(ratings, rows) + cost(few.last, many.last).of(ratings, rows);
}

}  // namespace

double training_seconds(std::uint64_t users, std::uint64_t items, std::uint64_t ratings, const TrainOptions& options,
                        Environment& environment) {
    const double n = static_cast<double>(ratings);
    const double rows = static_cast<double>(users) + static_cast<double>(items);
    const auto seconds_of = [&](const auto& trainer, TrainOptions few) {
        const int iterations = std::exchange(trainer.iterations(few), kIterations);
        return seconds_of_run(environment, iterations, n, rows, [&](const Sample& sample, Environment& alone) {
            trainer.train({sample.by_user, sample.by_item}, few, alone, {}, nullptr);
        });
    };
    double seconds = seconds_of(ranking_trainer(options), options);
    if (const RatingTrainer* rating = rating_trainer(options))
        seconds += seconds_of(*rating, for_rating_factors(options));
    return seconds / std::max(environment.threads, 1);
}

}  // namespace mf
