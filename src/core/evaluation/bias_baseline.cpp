#include "core/evaluation/bias_baseline.hpp"

#include <algorithm>
#include <vector>

namespace mf {
namespace {

/// Entries between two checks for an interrupt.
constexpr std::size_t kEntriesPerCheck = std::size_t{1} << 20;

/// take(row) for all rows, in their order.
template <class Take>
void for_each_row(const Csr& cells, Environment& environment, const Take& take) {
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

PredictionErrors measure_biases(const Csr& train, const Csr& test, Environment& environment) {
    PredictionErrors errors;
    if (train.entries() == 0) return errors;
    const double mean = mean_of(train, environment);
    const std::vector<double> biases = item_biases(train, mean, environment);
    const auto range = std::minmax_element(train.values.begin(), train.values.end());
    const double least = static_cast<double>(*range.first), greatest = static_cast<double>(*range.second);
    for_each_row(test, environment, [&](std::uint32_t user) {
        if (test.row_size(user) == 0) return;
        double differences = 0;
        for (std::size_t i = 0; i < train.row_size(user); ++i)
            differences += static_cast<double>(train.row_values(user)[i]) - mean - biases[train.row_columns(user)[i]];
        const double bias = shrunk_user_bias(differences, static_cast<double>(train.row_size(user)));
        for (std::size_t i = 0; i < test.row_size(user); ++i)
            errors.add(std::clamp(mean + bias + biases[test.row_columns(user)[i]], least, greatest) -
                       static_cast<double>(test.row_values(user)[i]));
    });
    return errors;
}

}  // namespace mf
