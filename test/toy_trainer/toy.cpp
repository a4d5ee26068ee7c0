// Ranking factors for implicit feedback that order items by their numbers of interactions. Not part of the product:
// scripts/test-trainer adds it to a copy of the sources to show what a new trainer takes.
#include <algorithm>
#include <cmath>
#include <limits>

#include "core/training/trainers.hpp"

namespace mf {

namespace {

struct ToyParameters {
    double boost = 1;  ///< first factor of every user with a history

    template <class F>
    void each_field(F&& field) {
        field("boost", boost, kWeight);
    }
};

void solve_toy_users(RankingModel& model, const Csr& by_user, const Csr*, Environment&) {
    const auto boost = static_cast<float>(from_numbers<ToyParameters>(model.parameters).boost);
    for (std::uint32_t user = 0; user < by_user.rows(); ++user)
        model.users.row(user)[0] = by_user.row_size(user) > 0 ? boost : 0.0f;
}

RankingModel train_toy(const TrainingData& data, const TrainOptions& options, Environment& environment,
                       const RankingEvaluation& evaluate, RankingStart*) {
    const Csr &by_user = data.by_user, &by_item = data.by_item;
    RankingModel model;
    model.parameters = to_numbers(ToyParameters{options.toy.boost});
    model.users = FactorMatrix(by_user.rows(), options.factors, environment);
    model.items = FactorMatrix(by_item.rows(), options.factors, environment);
    for (std::uint32_t item = 0; item < by_item.rows(); ++item)
        model.items.row(item)[0] = std::log1p(static_cast<float>(by_item.row_size(item)));
    solve_toy_users(model, by_user, nullptr, environment);
    model.iterations = 1;
    constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();
    if (environment.on_iteration)
        environment.on_iteration({"ranking factors", 1, 1, kUnknown, evaluate ? evaluate(model) : kUnknown});
    return model;
}

class ToyFoldIn final : public RankingFoldIn {
  public:
    ToyFoldIn(RankingItems items, const ToyParameters& parameters)
        : items_(std::move(items)), boost_(static_cast<float>(parameters.boost)) {}

    void solve(std::span<const HistoryEntry> history, float* factors, Environment*, const float*) override {
        std::fill_n(factors, items_.rows.stride(), 0.0f);
        if (!history.empty()) factors[0] = boost_;
    }

    void explain(std::span<const HistoryEntry> history, std::uint32_t item, float* contributions,
                 Environment*) override {
        std::fill_n(contributions, history.size(),
                    boost_ * items_.rows.row(items_.row(item))[0] / static_cast<float>(history.size()));
    }

    float neutral_value() const override { return 1.0f; }

  private:
    RankingItems items_;
    float boost_;
};

constexpr NumericOption kOptions[] = {
    numeric_option<&TrainOptions::toy, &ToyOptions::iterations>("iterations", 1, 1),
    numeric_option<&TrainOptions::toy, &ToyOptions::regularization>("regularization", 0, 1),
    numeric_option<&TrainOptions::toy, &ToyOptions::boost>("boost", 0, 10, {}, {1, 2, false}),
};

}  // namespace

constinit const RankingTrainer kToyTrainer = {
    {Algorithm::Toy,
     "toy",
     kOptions,
     {},
     [](TrainOptions& options) -> int& { return options.toy.iterations; },
     number_ranges<ToyParameters>,
     [](const TrainOptions&, std::uint64_t, std::uint64_t, int) { return 0.0; }},
    train_toy,
    solve_toy_users,
    [](RankingItems items, const NamedNumbers& parameters) -> std::unique_ptr<RankingFoldIn> {
        return std::make_unique<ToyFoldIn>(std::move(items), from_numbers<ToyParameters>(parameters));
    },
    [](const ItemsToSolve& items, const RankingUsers& users, const NamedNumbers&, Environment& environment) {
        const Csr by_item = rows_of_columns(items.by_user, items.by_user.values, items.columns, environment);
        FactorMatrix factors(by_item.rows(), users.rows.factors(), environment);
        for (std::uint32_t item = 0; item < by_item.rows(); ++item)
            factors.row(item)[0] = std::log1p(static_cast<float>(by_item.row_size(item)));
        return factors;
    }};

}  // namespace mf
