#include "core/training/ials_weights.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

#include "core/base/sums.hpp"
#include "core/linalg/kernels.hpp"

namespace mf {

namespace {

// Rows handled at a time by one thread.
constexpr std::size_t kRows = 256;

// Calls body(row) for every row, in parallel.
template <class Body>
void for_rows(std::uint32_t rows, Environment& environment, const Body& body) {
    parallel_for(environment, (rows + kRows - 1) / kRows, [&](std::size_t block, int) {
        const auto end = static_cast<std::uint32_t>(std::min<std::size_t>(rows, (block + 1) * kRows));
        for (auto row = static_cast<std::uint32_t>(block * kRows); row < end; ++row) body(row);
    });
}

bool is_logarithmic(const IalsParameters& parameters) {
    return parameters.weight_deviation == 0 && parameters.weight_slope != 0;
}

// What a user's implicit values are multiplied by inside the logarithm.
double slope_over_mean(std::span<const float> values, const IalsParameters& parameters) {
    const double sum =
        parameters.dislikes > 0 ? kernels().sum_of_magnitudes(values.data(), values.size()) : sum_of(values);
    const double mean = values.empty() ? 0.0 : sum / static_cast<double>(values.size());
    return mean > 0 ? parameters.weight_slope / mean : 0.0;
}

// The argument of the logarithm. A history may be given by hand: values below 0 that are no dislikes, which a source
// may not have, count as 0.
float ratio(float value, double slope_over_mean, const IalsParameters& parameters) {
    const double magnitude =
        parameters.dislikes > 0 ? std::fabs(static_cast<double>(value)) : std::max(static_cast<double>(value), 0.0);
    return static_cast<float>(magnitude * slope_over_mean);
}

// Gives the weights of dislikes their sign.
void sign(std::span<const float> values, const IalsParameters& parameters, float* weights) {
    if (!(parameters.dislikes > 0)) return;
    for (std::size_t j = 0; j < values.size(); ++j)
        if (values[j] < 0) weights[j] = -weights[j];
}

// ln(1 + x) for x ≥ 0 within two units in the last place: a loop over it becomes vector instructions, one over log1p
// does not. The polynomial is that of Cephes' logf (Moshier) for ln(1 + f), √½ ≤ 1 + f < √2.
float fast_log1p(float x) {
    const float u = 1.0f + x;
    const float lost = x < 1.0f ? x - (u - 1.0f) : 1.0f - (u - x);  // by rounding u
    // u = 2^e · (1 + f)
    constexpr std::int32_t kRootOfHalf = 0x3f3504f3;
    const std::int32_t shifted = std::bit_cast<std::int32_t>(u) - kRootOfHalf;
    const std::int32_t e = shifted >> 23;
    const float f = std::bit_cast<float>((shifted & 0x7fffff) + kRootOfHalf) - 1.0f;
    float p = 7.0376836292e-2f;
    for (const float coefficient : {-1.1514610310e-1f, 1.1676998740e-1f, -1.2420140846e-1f, 1.4249322787e-1f,
                                    -1.6668057665e-1f, 2.0000714765e-1f, -2.4999993993e-1f, 3.3333331174e-1f})
        p = p * f + coefficient;
    const float exponent = static_cast<float>(e);
    // ln 2 in two parts, the larger one with few bits.
    const float small = f * f * f * p + (exponent * -2.12194440e-4f + lost / u) - 0.5f * f * f;
    return small + f + exponent * 0.693359375f;
}

// Weights from the arguments of the logarithm, in place.
void logarithms(float* weights, std::size_t count, float scale) {
    for (std::size_t j = 0; j < count; ++j) weights[j] = scale * fast_log1p(weights[j]);
}

}  // namespace

void interaction_weights(std::span<const float> values, const IalsParameters& parameters, float* weights) {
    const std::size_t n = values.size();
    const auto scale = static_cast<float>(parameters.weight_scale);
    if (parameters.weight_slope == 0) {
        std::fill_n(weights, n, scale);
        sign(values, parameters, weights);
    } else if (is_logarithmic(parameters)) {
        const double factor = slope_over_mean(values, parameters);
        for (std::size_t j = 0; j < n; ++j) weights[j] = ratio(values[j], factor, parameters);
        logarithms(weights, n, scale);
        sign(values, parameters, weights);
    } else {
        const double slope = parameters.weight_slope / parameters.weight_deviation;
        const double center = parameters.weight_center;
        for (std::size_t j = 0; j < n; ++j) {
            const double weight = 1 + slope * (static_cast<double>(values[j]) - center);
            weights[j] = scale * static_cast<float>(std::min(std::max(weight, 0.1), 2.0));
        }
    }
}

namespace {

// By the weights of the entries themselves, if they have such: the last factor, so that a fold-in has the same bits.
void multiply(float* weights, std::span<const float> of_entries) {
    for (std::size_t j = 0; j < of_entries.size(); ++j) weights[j] *= of_entries[j];
}

}  // namespace

Array<float> user_weights(const Csr& by_user, const IalsParameters& parameters, Environment& environment) {
    Array<float> weights(by_user.entries());
    for_rows(by_user.rows(), environment, [&](std::uint32_t user) {
        float* const own = weights.data() + by_user.offsets[user];
        interaction_weights(by_user.row_values(user), parameters, own);
        multiply(own, by_user.row_weights(user));
    });
    return weights;
}

namespace {

// The same weights in the order of by_item's values.
Array<float> item_weights(const Csr& by_user, const Csr& by_item, const IalsParameters& parameters,
                          Environment& environment) {
    const bool logarithmic = is_logarithmic(parameters);
    std::vector<double> factors(logarithmic ? by_user.rows() : 0);
    for_rows(static_cast<std::uint32_t>(factors.size()), environment,
             [&](std::uint32_t user) { factors[user] = slope_over_mean(by_user.row_values(user), parameters); });
    Array<float> result(by_item.entries());
    for_rows(by_item.rows(), environment, [&](std::uint32_t item) {
        const auto columns = by_item.row_columns(item);
        const auto values = by_item.row_values(item);
        float* weights = result.data() + by_item.offsets[item];
        if (logarithmic) {
            for (std::size_t j = 0; j < values.size(); ++j)
                weights[j] = ratio(values[j], factors[columns[j]], parameters);
            logarithms(weights, values.size(), static_cast<float>(parameters.weight_scale));
            sign(values, parameters, weights);
        } else {
            interaction_weights(values, parameters, weights);
        }
        multiply(weights, by_item.row_weights(item));
    });
    return result;
}

}  // namespace

IalsStatistics& IalsStatistics::operator+=(const IalsStatistics& other) {
    interactions += other.interactions;
    users += other.users;
    items += other.items;
    weight += other.weight;
    user_powers += other.user_powers;
    return *this;
}

IalsParameters ials_weighting(const TrainOptions& options, const ValueStatistics& values) {
    IalsParameters parameters;
    parameters.exponent = options.ials.regularization_exponent;
    parameters.weight_slope = options.ials.weight_slope_or_default(options.feedback);
    parameters.dislikes = options.dislikes ? 1 : 0;
    if (options.feedback == Feedback::Explicit) {
        parameters.weight_center = values.mean;
        parameters.weight_deviation = values.deviation;
    }
    return parameters;
}

IalsStatistics statistics_of_users(CsrView by_user, double exponent) {
    IalsStatistics statistics;
    statistics.interactions = by_user.entries();
    statistics.users = occupied_rows(by_user);
    for (std::uint32_t user = 0; user < by_user.rows(); ++user) {
        const std::span<const float> weights = by_user.row_values(user);
        const double weight = kernels().sum_of_magnitudes(weights.data(), weights.size());
        statistics.weight += weight;
        if (weight > 0) statistics.user_powers += std::pow(weight, exponent);
    }
    return statistics;
}

IalsStatistics statistics_of_items(CsrView by_item) {
    IalsStatistics statistics;
    statistics.items = occupied_rows(by_item);
    return statistics;
}

IalsParameters derive_ials(const IalsStatistics& statistics, const IalsParameters& weighting,
                           const IalsOptions& options) {
    IalsParameters parameters = weighting;
    const double n = static_cast<double>(statistics.interactions);
    const double users = static_cast<double>(std::max<std::uint64_t>(statistics.users, 1));
    const double items = static_cast<double>(std::max<std::uint64_t>(statistics.items, 1));

    // Weights with mean 1. If all are zero there is nothing to scale, and nothing is learned.
    if (statistics.weight > 0) parameters.weight_scale = n / statistics.weight;
    const double powers = statistics.user_powers * std::pow(parameters.weight_scale, parameters.exponent);

    parameters.unobserved_weight = options.unobserved_weight * n / (users * items);
    const double noise = std::sqrt(users / std::max(n, 1.0)) + std::sqrt(items / std::max(n, 1.0));
    const double strength = std::min(0.5, options.regularization * noise);
    parameters.regularization = powers > 0 ? strength * n / powers : strength;
    parameters.item_regularization = strength / (1 + options.unobserved_weight);
    return parameters;
}

IalsData prepare_ials(const Csr& by_user, const Csr& by_item, const TrainOptions& options, Environment& environment) {
    IalsData data;
    const bool is_explicit = options.feedback == Feedback::Explicit;
    const IalsParameters weighting =
        ials_weighting(options, is_explicit ? value_statistics(by_user.values, environment) : ValueStatistics{});
    data.user_weights = user_weights(by_user, weighting, environment);
    const CsrView weights = by_user.with_values(data.user_weights);
    std::vector<IalsStatistics> parts((by_user.rows() + kRows - 1) / kRows);
    parallel_ranges(environment, by_user.rows(), kRows, [&](std::size_t begin, std::size_t end, int) {
        parts[begin / kRows] = statistics_of_users(
            weights.slice(static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(end)), weighting.exponent);
    });
    IalsStatistics statistics = statistics_of_items(by_item);
    for (const IalsStatistics& part : parts) statistics += part;

    data.parameters = derive_ials(statistics, weighting, options.ials);
    data.item_weights = item_weights(by_user, by_item, data.parameters, environment);
    if (!by_user.weights.empty()) {
        data.user_weights = user_weights(by_user, data.parameters, environment);
        return data;
    }
    const auto scale = static_cast<float>(data.parameters.weight_scale);
    constexpr std::size_t kWeightsATask = std::size_t{1} << 16;
    parallel_ranges(environment, data.user_weights.size(), kWeightsATask, [&](std::size_t begin, std::size_t end, int) {
        for (std::size_t i = begin; i < end; ++i) data.user_weights[i] *= scale;
    });
    return data;
}

}  // namespace mf
