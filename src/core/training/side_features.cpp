#include "core/training/side_features.hpp"

#include <algorithm>
#include <cmath>

namespace mf {

namespace {

constexpr double kMostDeviations = 3;

/// The length of the categories of a row; 0 without any.
double length_of(const Csr& values, std::uint32_t row, const std::vector<FeatureScale>& scales) {
    double squares = 0;
    for (std::size_t j = 0; j < values.row_size(row); ++j) {
        const FeatureScale& scale = scales[values.row_columns(row)[j]];
        if (scale.is_number) continue;
        const double value = static_cast<double>(values.row_values(row)[j]) * scale.scale;
        squares += value * value;
    }
    return std::sqrt(squares);
}

FeatureScale number_scale(double count, double sum, double squares) {
    const double mean = sum / count;
    const double variance = squares / count - mean * mean;
    // What is left by rounding is no variance.
    const bool varies = variance > 1e-12 * (mean * mean + variance);
    return {true, mean, varies ? 1 / std::sqrt(variance) : 0};
}

}  // namespace

std::vector<FeatureScale> feature_scales(const FeatureValues& values, Environment& environment) {
    SmallSteps steps(environment);
    const Csr& rows = values.rows;
    struct Sums {
        double count = 0, sum = 0, squares = 0;
    };
    std::vector<Sums> sums(rows.column_count);
    for (std::size_t j = 0; j < rows.columns.size(); ++j) {
        Sums& of = sums[rows.columns[j]];
        const auto value = static_cast<double>(rows.values[j]);
        of.count += 1;
        of.sum += value;
        of.squares += value * value;
        steps.done(1);
    }
    std::vector<FeatureScale> scales(rows.column_count);
    for (std::size_t f = 0; f < scales.size(); ++f) {
        const Sums& of = sums[f];
        scales[f].is_number = values.is_number[f];
        if (of.count == 0) {  // nothing is learned of it, and it shall make nobody's features longer
            scales[f].scale = 0;
            continue;
        }
        if (scales[f].is_number)
            scales[f] = number_scale(of.count, of.sum, of.squares);
        else
            scales[f].scale = std::log(1 + static_cast<double>(rows.rows()) / of.count);
    }
    // The squared length of value · scale / √L is L. With the scales times s it is s · L.
    double length = 0, described = 0;
    for (std::uint32_t row = 0; row < rows.rows(); ++row) {
        const double one = length_of(rows, row, scales);
        length += one;
        described += one > 0;
        steps.done(rows.row_size(row) + 1);
    }
    if (length > 0)
        for (FeatureScale& scale : scales)
            if (!scale.is_number) scale.scale *= described / length;
    return scales;
}

Csr scale_features(const Csr& values, const std::vector<FeatureScale>& scales, Environment& environment) {
    SmallSteps steps(environment);
    Csr result;
    result.column_count = values.column_count + 1;
    result.offsets = Array<std::uint64_t>(std::size_t{values.rows()} + 1, 0u);
    result.columns = Array<std::uint32_t>(values.entries() + values.rows());
    result.values = Array<float>(values.entries() + values.rows());
    std::size_t next = 0;
    for (std::uint32_t row = 0; row < values.rows(); ++row) {
        const double length = length_of(values, row, scales);
        const double of_categories = length > 0 ? 1 / std::sqrt(length) : 0;
        for (std::size_t j = 0; j < values.row_size(row); ++j) {
            const std::uint32_t column = values.row_columns(row)[j];
            const FeatureScale& scale = scales[column];
            const double value = (static_cast<double>(values.row_values(row)[j]) - scale.center) * scale.scale;
            result.columns[next] = column;
            result.values[next++] = static_cast<float>(
                scale.is_number ? std::clamp(value, -kMostDeviations, kMostDeviations) : value * of_categories);
        }
        result.columns[next] = values.column_count;
        result.values[next++] = 1.0f;
        result.offsets[row + 1] = next;
        steps.done(values.row_size(row) + 1);
    }
    return result;
}

SideFeatures side_features(const FeatureValues& values, const std::vector<FeatureScale>& scales,
                           Environment& environment) {
    SideFeatures result;
    result.by_row = scale_features(values.rows, scales, environment);
    result.by_feature = transpose(result.by_row, environment);
    return result;
}

std::optional<SideFeatures> side_features(const FeatureValues* values, std::vector<FeatureScale>& scales,
                                          Environment& environment) {
    if (values == nullptr) return std::nullopt;
    scales = feature_scales(*values, environment);
    return side_features(*values, scales, environment);
}

}  // namespace mf
