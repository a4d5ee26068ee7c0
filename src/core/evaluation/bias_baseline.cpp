#include "core/evaluation/bias_baseline.hpp"

#include <algorithm>
#include <vector>

namespace mf {
namespace {

/// Entries between two checks for an interrupt.
constexpr std::size_t kEntriesPerCheck = std::size_t{1} << 20;

/// take(row) for all rows, in their order.
template <class Take>
void for_each_row(CsrView cells, Environment& environment, const Take& take) {
    std::size_t unchecked = 0;
    for (std::uint32_t row = 0; row < cells.rows(); ++row) {
        take(row);
        unchecked += cells.row_size(row) + 1;
        if (unchecked < kEntriesPerCheck) continue;
        check_interrupt(environment);
        unchecked = 0;
    }
}

double mean_of(const Csr& cells, Environment& environment) {
    double sum = 0;
    for_each_row(cells, environment, [&](std::uint32_t row) {
        for (const float value : cells.row_values(row)) sum += static_cast<double>(value);
    });
    return cells.entries() > 0 ? sum / static_cast<double>(cells.entries()) : 0;
}

std::vector<double> item_biases(const Csr& cells, double mean, Environment& environment) {
    std::vector<double> biases(cells.column_count);
    std::vector<std::uint32_t> ratings(cells.column_count);
    for_each_row(cells, environment, [&](std::uint32_t row) {
        for (std::size_t i = 0; i < cells.row_size(row); ++i) {
            const std::uint32_t item = cells.row_columns(row)[i];
            biases[item] += static_cast<double>(cells.row_values(row)[i]) - mean;
            ++ratings[item];
        }
    });
    for (std::size_t item = 0; item < biases.size(); ++item)
        biases[item] = shrunk_item_bias(biases[item], ratings[item]);
    return biases;
}

}  // namespace

void shrunk_item_biases(CsrView by_item, double mean, std::span<double> biases) {
    for (std::uint32_t item = 0; item < by_item.rows(); ++item) {
        double differences = 0;
        for (const float value : by_item.row_values(item)) differences += static_cast<double>(value) - mean;
        biases[item] = shrunk_item_bias(differences, static_cast<double>(by_item.row_size(item)));
    }
}

PredictionErrors measure_biases(const BiasBaseline& baseline, CsrView train, CsrView test, Environment& environment) {
    PredictionErrors errors;
    for_each_row(test, environment, [&](std::uint32_t user) {
        if (test.row_size(user) == 0) return;
        const auto items = train.row_columns(user);
        const auto values = train.row_values(user);
        double differences = 0;
        for (std::size_t i = 0; i < items.size(); ++i)
            differences += static_cast<double>(values[i]) - baseline.mean - baseline.item_biases[items[i]];
        const double known = baseline.mean + shrunk_user_bias(differences, static_cast<double>(items.size()));
        for (std::size_t i = 0; i < test.row_size(user); ++i)
            errors.add(
                std::clamp(known + baseline.item_biases[test.row_columns(user)[i]], baseline.least, baseline.greatest) -
                static_cast<double>(test.row_values(user)[i]));
    });
    return errors;
}

PredictionErrors measure_biases(const Csr& train, const Csr& test, Environment& environment) {
    if (train.entries() == 0) return {};
    const double mean = mean_of(train, environment);
    const std::vector<double> biases = item_biases(train, mean, environment);
    const auto range = std::minmax_element(train.values.begin(), train.values.end());
    return measure_biases(
        BiasBaseline{mean, static_cast<double>(*range.first), static_cast<double>(*range.second), biases}, train, test,
        environment);
}

}  // namespace mf
