// The data-dependent numbers of iALS: weights of interactions, unobserved weight, ridges.
#include <algorithm>
#include <cmath>

#include "core/ials.hpp"
#include "core/value_statistics.hpp"

namespace mf {

namespace {

// Rows handled at a time by one thread.
constexpr std::size_t kRows = 1024;

// Calls body(row) for every row, in parallel.
template <class Body>
void for_rows(std::uint32_t rows, Environment& environment, const Body& body) {
    parallel_for(environment, (rows + kRows - 1) / kRows, [&](std::size_t block, int) {
        const auto end = static_cast<std::uint32_t>(std::min<std::size_t>(rows, (block + 1) * kRows));
        for (auto row = static_cast<std::uint32_t>(block * kRows); row < end; ++row) body(row);
    });
}

double mean_of(std::span<const float> values) {
    double sum = 0;
    for (const float value : values) sum += static_cast<double>(value);
    return values.empty() ? 0.0 : sum / static_cast<double>(values.size());
}

bool is_logarithmic(const RankingParameters& parameters) { return parameters.weight_deviation == 0; }

// Weight of one value; row_mean is used for implicit weights only.
float weight_of(float value, double row_mean, const RankingParameters& parameters) {
    double weight = 1;
    if (parameters.weight_slope == 0) {
        // every interaction weighs alike
    } else if (is_logarithmic(parameters)) {
        // A history may be given by hand: values below 0, which a source may not have, count as 0.
        const double positive = std::max(static_cast<double>(value), 0.0);
        weight = row_mean > 0 ? std::log1p(parameters.weight_slope * positive / row_mean) : 0.0;
    } else {
        weight = std::clamp(1 + parameters.weight_slope * (static_cast<double>(value) - parameters.weight_center) /
                                    parameters.weight_deviation,
                            0.1, 2.0);
    }
    return static_cast<float>(parameters.weight_scale * weight);
}

// Means of the users' values for implicit weights; empty where they do not matter.
std::vector<double> user_means(const Csr& by_user, const RankingParameters& parameters, Environment& environment) {
    if (!is_logarithmic(parameters)) return {};
    std::vector<double> means(by_user.rows());
    for_rows(by_user.rows(), environment, [&](std::uint32_t user) { means[user] = mean_of(by_user.row_values(user)); });
    return means;
}

std::uint32_t occupied_rows(const Csr& matrix) {
    std::uint32_t count = 0;
    for (std::uint32_t row = 0; row < matrix.rows(); ++row) count += matrix.row_size(row) > 0;
    return count;
}

double sum_of(std::span<const float> values) {
    double sum = 0;
    for (const float value : values) sum += static_cast<double>(value);
    return sum;
}

}  // namespace

void interaction_weights(std::span<const float> values, const RankingParameters& parameters, float* weights) {
    const double mean = is_logarithmic(parameters) ? mean_of(values) : 0.0;
    for (std::size_t j = 0; j < values.size(); ++j) weights[j] = weight_of(values[j], mean, parameters);
}

Array<float> user_weights(const Csr& by_user, const RankingParameters& parameters, Environment& environment) {
    Array<float> weights(by_user.entries());
    for_rows(by_user.rows(), environment, [&](std::uint32_t user) {
        interaction_weights(by_user.row_values(user), parameters, weights.data() + by_user.offsets[user]);
    });
    return weights;
}

RankingTraining prepare_ranking(const Csr& by_user, const Csr& by_item, Feedback feedback, const IalsOptions& options,
                                Environment& environment) {
    RankingTraining training;
    RankingParameters& parameters = training.parameters;
    parameters.exponent = options.regularization_exponent;
    parameters.weight_slope = options.weight_slope_or_default(feedback);
    if (feedback == Feedback::Explicit) {
        const ValueStatistics statistics = value_statistics(by_user.values);
        parameters.weight_center = statistics.mean;
        parameters.weight_deviation = statistics.deviation;
    }
    const double n = static_cast<double>(by_user.entries());
    const double users = std::max(occupied_rows(by_user), 1u);
    const double items = std::max(occupied_rows(by_item), 1u);

    // Weights with mean 1. If all are zero there is nothing to scale, and nothing is learned.
    training.user_weights = user_weights(by_user, parameters, environment);
    const double sum = sum_of(training.user_weights);
    if (sum > 0) {
        parameters.weight_scale = n / sum;
        training.user_weights = user_weights(by_user, parameters, environment);
    }
    training.item_weights = Array<float>(by_item.entries());
    const std::vector<double> means = user_means(by_user, parameters, environment);
    for_rows(by_item.rows(), environment, [&](std::uint32_t item) {
        const auto columns = by_item.row_columns(item);
        const auto values = by_item.row_values(item);
        float* weights = training.item_weights.data() + by_item.offsets[item];
        for (std::size_t j = 0; j < values.size(); ++j)
            weights[j] = weight_of(values[j], means.empty() ? 0.0 : means[columns[j]], parameters);
    });

    parameters.unobserved_weight = options.unobserved_weight * n / (users * items);
    const double noise = std::sqrt(users / std::max(n, 1.0)) + std::sqrt(items / std::max(n, 1.0));
    const double strength = std::min(0.5, options.regularization * noise);
    double power_sum = 0;
    for (std::uint32_t user = 0; user < by_user.rows(); ++user) {
        const double weight = sum_of(
            std::span<const float>(training.user_weights).subspan(by_user.offsets[user], by_user.row_size(user)));
        if (weight > 0) power_sum += std::pow(weight, parameters.exponent);
    }
    parameters.regularization = power_sum > 0 ? strength * n / power_sum : strength;
    training.mean_user_ridge = strength * n / users;
    training.mean_item_ridge = strength * n / items;
    training.item_ridge = strength / (1 + options.unobserved_weight);
    return training;
}

}  // namespace mf
