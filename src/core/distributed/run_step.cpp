#include "core/distributed/run_step.hpp"

#include <algorithm>
#include <cmath>

#include "core/base/hash.hpp"
#include "core/evaluation/bias_baseline.hpp"
#include "core/linalg/eigenbasis.hpp"
#include "core/pipeline/train.hpp"
#include "core/training/als_start.hpp"
#include "core/training/factor_init.hpp"
#include "core/training/ials.hpp"
#include "core/training/ials_half_step.hpp"

namespace mf {

// Lends the other side's factors to a model, which owns what it has, for the life of this object.
class OtherSide::Lent {
  public:
    Lent(OtherSide& side, FactorMatrix& factors, Array<float>* bias = nullptr)
        : side_(side), factors_(factors), bias_(bias) {
        factors_ = std::move(side_.factors_);
        if (bias_ != nullptr) *bias_ = std::move(side_.bias_);
    }
    ~Lent() {
        side_.factors_ = std::move(factors_);
        if (bias_ != nullptr) side_.bias_ = std::move(*bias_);
    }
    Lent(const Lent&) = delete;
    Lent& operator=(const Lent&) = delete;

  private:
    OtherSide& side_;
    FactorMatrix& factors_;
    Array<float>* bias_;
};

namespace {

constexpr std::size_t kListLength = 10;

void turn_rows(const FactorMatrix& turn, MutableFactorView rows, Environment& environment) {
    if (turn.rows() > 0) Eigenbasis(turn).rotate(rows, environment);
}

// What a bucket has and gets.
struct Bucket {
    const Step& step;
    const RowsView& rows;
    std::uint32_t first;  ///< number of its first row
    CsrView entries;      ///< those that the step takes
    FactorMatrix factors;
    Array<float> bias;  ///< of rating factors
    StepSums sums;
};

// Weights of the interactions for ranking factors, before they are scaled: those that the block has, or `computed`.
std::span<const float> unscaled_weights(const Bucket& bucket, IalsParameters parameters, Array<float>& computed,
                                        Environment& environment) {
    const CsrView entries = bucket.entries;
    if (bucket.rows.has_weights()) return entries.values;
    parameters.weight_scale = 1;
    computed = Array<float>(entries.entries());
    constexpr std::size_t kRowsATask = 256;
    parallel_ranges(environment, entries.rows(), kRowsATask, [&](std::size_t begin, std::size_t end, int) {
        for (auto row = static_cast<std::uint32_t>(begin); row < end; ++row)
            interaction_weights(entries.row_values(row), parameters, computed.data() + entries.offsets[row]);
    });
    return computed;
}

// The same half-step for weights before they are scaled: with all weights divided by `scale`, the unobserved one and
// the ridge included, the solution is the same, and the objective is divided, too.
IalsHalfStep for_unscaled_weights(IalsHalfStep step, double scale) {
    step.unobserved_weight = static_cast<float>(static_cast<double>(step.unobserved_weight) / scale);
    step.ridge_scale *= std::pow(scale, step.ridge_exponent - 1);
    step.ridge_offset /= scale;
    return step;
}

AlsHalfStep rating_step(const Step& step) {
    return step.side == RowSide::Users ? als_users_step(step.als, step.scale.mean)
                                       : als_items_step(step.als, step.scale.mean, step.scale.deviation);
}

void solve_rating(Bucket& bucket, const OtherSide& other, Environment& environment) {
    const Step& step = bucket.step;
    AlsHalfStep half = rating_step(step);
    half.steps = other.step_features();
    std::vector<AlsWorkspace> workspaces = make_workspaces<AlsWorkspace>(static_cast<int>(step.factors), environment);
    bucket.sums.objective =
        solve_rows(half, bucket.entries, plan_rows(bucket.entries, static_cast<int>(step.factors)),
                   {other.factors(), other.bias()}, {}, workspaces, environment, bucket.factors, bucket.bias);
}

void solve_ranking(Bucket& bucket, const OtherSide& other, Environment& environment) {
    const Step& step = bucket.step;
    const double scale = step.ials.weight_scale;
    IalsHalfStep half = for_unscaled_weights(step.side == RowSide::Users
                                                 ? ials_users_step(other.gram(), step.ials)
                                                 : ials_items_step(other.gram(), step.ials, other.factors().rows()),
                                             scale);
    const SharedDiagonal shared(other.gram(), other.factors(), half.unobserved_weight);
    if (shared.exists()) {
        half.shared = &shared;
        half.rounded = other.rounded();
    }
    Array<float> computed;
    const CsrView rows{bucket.entries.offsets, bucket.entries.columns,
                       unscaled_weights(bucket, step.ials, computed, environment)};
    std::vector<IalsWorkspace> workspaces = make_workspaces<IalsWorkspace>(static_cast<int>(step.factors), environment);
    const ObjectiveParts objective = solve_rows(half, rows, plan_rows(rows, static_cast<int>(step.factors)),
                                                other.factors(), {}, workspaces, environment, bucket.factors);
    bucket.sums.objective = {scale * objective.fit, scale * objective.penalty};
}

void multiply(Bucket& bucket, const OtherSide& other, Environment& environment) {
    const Step& step = bucket.step;
    const Residuals residuals{bucket.entries, step.scale.mean, step.scale.deviation, bucket.bias, other.bias()};
    const ResidualProduct product(bucket.entries, static_cast<int>(step.factors));
    (step.side == RowSide::Users ? start_users : start_items)(product, residuals, other.factors(), environment,
                                                              bucket.factors);
}

void fill_random(Bucket& bucket, double scale, std::uint64_t stream) {
    for (std::uint32_t row = 0; row < bucket.factors.rows(); ++row)
        random_factors(bucket.factors.row(row), bucket.factors.factors(), scale, bucket.step.seed, stream,
                       bucket.first + row);
}

void scale_users(Bucket& bucket) {
    const Step& step = bucket.step;
    if (step.factor == 0) {
        fill_random(bucket, initial_scale(static_cast<int>(step.factors)) * step.scale.deviation, kAlsStartStream);
        std::fill(bucket.bias.begin(), bucket.bias.end(), 0.0f);
        return;
    }
    const auto factor = static_cast<float>(step.factor);
    for (std::size_t row = 0; row < bucket.factors.rows(); ++row)
        for (std::size_t f = 0; f < bucket.factors.stride(); ++f) bucket.factors.row(row)[f] *= factor;
}

void count_weights(Bucket& bucket, Environment& environment) {
    Array<float> computed;
    const std::span<const float> weights = unscaled_weights(bucket, bucket.step.ials, computed, environment);
    bucket.sums.statistics =
        statistics_of_users({bucket.entries.offsets, bucket.entries.columns, weights}, bucket.step.ials.exponent);
}

// The held-out entries of a share of the users, the same users in every iteration.
Csr sampled_test(const Bucket& bucket) {
    const CsrView test = bucket.rows.test();
    const auto size_of = [&](std::uint32_t user) {
        const double place = static_cast<double>(mix64(bucket.first + user) >> 11) * 0x1.0p-53;
        return place < bucket.step.factor ? test.row_size(user) : 0;
    };
    Csr sample;
    sample.column_count = bucket.rows.columns();
    sample.offsets = Array<std::uint64_t>(std::size_t{test.rows()} + 1);
    sample.offsets[0] = 0;
    for (std::uint32_t user = 0; user < test.rows(); ++user)
        sample.offsets[user + std::size_t{1}] = sample.offsets[user] + size_of(user);
    sample.columns = Array<std::uint32_t>(sample.offsets[test.rows()]);
    sample.values = Array<float>(sample.columns.size());
    for (std::uint32_t user = 0; user < test.rows(); ++user) {
        if (sample.row_size(user) == 0) continue;
        std::ranges::copy(test.row_columns(user), sample.columns.data() + sample.offsets[user]);
        std::ranges::copy(test.row_values(user), sample.values.data() + sample.offsets[user]);
    }
    return sample;
}

void measure_ratings(Bucket& bucket, OtherSide& other, Environment& environment) {
    RatingModel model;
    model.scale = bucket.step.scale;
    model.users = std::move(bucket.factors);
    model.user_bias = std::move(bucket.bias);
    const OtherSide::Lent lent(other, model.items, &model.item_bias);
    const std::uint32_t columns = bucket.rows.columns();
    if (bucket.step.takes_all != 0)
        bucket.sums.train_errors = measure_predictions(model, copy_of(bucket.rows.train(), columns), environment);
    bucket.sums.test_errors = measure_predictions(model, copy_of(bucket.rows.test(), columns), environment);
}

void measure_biases(Bucket& bucket, const OtherSide& other, Environment& environment) {
    const RatingScale& scale = bucket.step.scale;
    const std::vector<double> items(other.bias().begin(), other.bias().end());
    bucket.sums.test_errors = mf::measure_biases(BiasBaseline{scale.mean, scale.minimum, scale.maximum, items},
                                                 bucket.rows.train(), bucket.rows.test(), environment);
}

void set_item_biases(Bucket& bucket) {
    std::vector<double> biases(bucket.bias.size());
    shrunk_item_biases(bucket.entries, bucket.step.scale.mean, biases);
    std::ranges::transform(biases, bucket.bias.begin(), [](double bias) { return static_cast<float>(bias); });
}

void measure_ranking(Bucket& bucket, OtherSide& other, Environment& environment) {
    const Csr test = sampled_test(bucket);
    if (test.entries() == 0) return;
    RankingModel model;
    model.users = std::move(bucket.factors);
    const OtherSide::Lent lent(other, model.items);
    ListedItems listed(bucket.rows.columns());
    bucket.sums.lists = measure_lists(model, copy_of(bucket.rows.train(), bucket.rows.columns()), test, kListLength,
                                      environment, &listed);
    bucket.sums.listed.resize((bucket.rows.columns() + std::size_t{63}) / 64);
    for (std::uint32_t item = 0; item < bucket.rows.columns(); ++item)
        if (listed.contains(item)) bucket.sums.listed[item / 64] |= std::uint64_t{1} << (item % 64);
}

void run(Bucket& bucket, OtherSide& other, Environment& environment) {
    const Step& step = bucket.step;
    const int k = static_cast<int>(step.factors);
    switch (step.kind) {
        case StepKind::CountValues:
            bucket.sums.values.add(bucket.entries.values);
            break;
        case StepKind::CountWeights:
            count_weights(bucket, environment);
            break;
        case StepKind::CountItems:
            bucket.sums.statistics = statistics_of_items(bucket.entries);
            break;
        case StepKind::MeasureRatings:
            measure_ratings(bucket, other, environment);
            break;
        case StepKind::MeasureLists:
            measure_ranking(bucket, other, environment);
            break;
        case StepKind::CountPopularity:
            for (std::uint32_t row = 0; row < bucket.factors.rows(); ++row)
                bucket.factors.row(row)[0] = static_cast<float>(bucket.entries.row_size(row));
            break;
        case StepKind::MeasurePopularity:
            for (std::uint32_t row = 0; row < bucket.factors.rows(); ++row) bucket.factors.row(row)[0] = 1;
            measure_ranking(bucket, other, environment);
            break;
        case StepKind::ItemBiases:
            set_item_biases(bucket);
            break;
        case StepKind::MeasureBiases:
            measure_biases(bucket, other, environment);
            break;
        case StepKind::Biases:
            start_biases(bucket.entries, step.als, step.scale.mean, other.bias(), bucket.bias);
            break;
        case StepKind::RandomItems:
            fill_random(bucket, 1.0, kAlsStartStream);
            start_balance(bucket.entries, bucket.factors);
            break;
        case StepKind::StartRows:
            multiply(bucket, other, environment);
            break;
        case StepKind::StartItems:
            StartBasis(GramMatrix(GramSums(k, step.gram)), k).apply(bucket.entries, bucket.factors);
            break;
        case StepKind::ScaleUsers:
            scale_users(bucket);
            break;
        case StepKind::RandomUsers:
            fill_random(bucket, initial_scale(k), kIalsStartStream);
            break;
        case StepKind::SolveRating:
            solve_rating(bucket, other, environment);
            break;
        case StepKind::SolveRanking:
            solve_ranking(bucket, other, environment);
            break;
    }
}

}  // namespace

OtherSide::OtherSide(const Step& step)
    : numbers_(step.other_counts),
      present_(step.other_counts.size()),
      is_read_(step.reads_other != 0),
      by_steps_(step.by_steps != 0),
      unit_(step.kind == StepKind::SolveRating ? rating_step(step).unit : 1),
      turn_(step.other_turn.rows(), static_cast<int>(step.factors)),
      factors_(numbers_.rows(), static_cast<int>(step.factors)),
      bias_(step.of == FactorKind::Rating ? numbers_.rows() : 0, 0.0f) {
    for (std::size_t r = 0; r < turn_.rows(); ++r) std::copy_n(step.other_turn.row(r), turn_.stride(), turn_.row(r));
    const bool is_read = step.kind == StepKind::SolveRanking;
    if (is_read && step.gram.empty()) throw InvalidData("a step of a training run lacks a Gram matrix");
    if (is_read) gram_ = GramMatrix(GramSums(static_cast<int>(step.factors), step.gram));
}

void OtherSide::add(std::uint32_t bucket, std::string_view bytes) {
    if (has(bucket)) return;
    const FactorBlock block(bytes);
    if (bucket >= present_.size() || block.rows() != numbers_.count(bucket) || block.factors() != factors_.factors() ||
        block.has_bias() != !bias_.empty())
        throw InvalidData("a block of factors does not fit the step of a training run");
    const std::uint32_t first = numbers_.first(bucket);
    block.copy_to(factors_.slice(first, first + block.rows()), bias_.empty() ? nullptr : bias_.data() + first);
    present_[bucket] = true;
}

void OtherSide::finish(Environment& environment) {
    if (!is_read_) return;
    for (std::uint32_t bucket = 0; bucket < numbers_.buckets(); ++bucket)
        if (numbers_.count(bucket) > 0 && !present_[bucket])
            throw InvalidData("a step of a training run lacks factors of bucket " + std::to_string(bucket));
    turn_rows(turn_, factors_, environment);
    if (!by_steps_) return;
    if (bias_.empty())
        rounded_.copy(factors_, gram_, environment);
    else
        step_features_.copy(factors_, unit_, environment);
}

std::string run_step(const Step& step, std::uint32_t number, const RowsView& rows, std::optional<std::string_view> own,
                     OtherSide& other, Environment& environment) {
    const RowNumbers numbers(step.own_counts);
    const RowNumbers others(step.other_counts);
    if (number >= numbers.buckets() || rows.rows() != numbers.count(number) || rows.has_column_ids() ||
        rows.columns() != others.rows())
        throw InvalidData("the rows of bucket " + std::to_string(number) + " do not fit the step of a training run");
    const int k = static_cast<int>(step.factors);
    const bool has_bias = step.of == FactorKind::Rating;
    const Csr all = step.takes_all != 0 ? all_entries(rows) : Csr();
    Bucket bucket{step,
                  rows,
                  numbers.first(number),
                  step.takes_all != 0 ? CsrView(all) : rows.train(),
                  FactorMatrix(rows.rows(), k, environment),
                  Array<float>(has_bias ? rows.rows() : 0, 0.0f),
                  {}};
    bucket.sums.rows = rows.rows();
    if (step.reads_own != 0) {
        const FactorBlock block(own.value_or(std::string_view()));
        if (block.rows() != rows.rows() || block.factors() != k || block.has_bias() != has_bias)
            throw InvalidData("the factors of bucket " + std::to_string(number) + " do not fit its rows");
        block.copy_to(bucket.factors, bucket.bias.data());
        turn_rows(step.own_turn, bucket.factors, environment);
    }
    run(bucket, other, environment);
    if (step.writes == 0) return FactorBlock::write(bucket.sums, FactorView(nullptr, 0, k), {});
    require_finite(bucket.factors, has_bias ? "rating factors" : "ranking factors", environment);
    require_finite(bucket.bias, "rating factors", environment);
    if (step.sums_gram != 0) {
        GramSums gram(k);
        gram.add(bucket.factors);
        bucket.sums.gram.assign(gram.values().begin(), gram.values().end());
    }
    return FactorBlock::write(bucket.sums, bucket.factors, bucket.bias, step.halves != 0);
}

}  // namespace mf
