// Mean, range and spread of the values of a training.
#pragma once

#include <algorithm>
#include <cmath>
#include <span>

namespace mf {

struct ValueStatistics {
    double mean = 0;
    double minimum = 0;
    double maximum = 0;
    double deviation = 1;  ///< standard deviation; 1 where it says nothing, since all values are equal
};

/// In order and in double precision: the same bits always. The values are finite. O(n).
inline ValueStatistics value_statistics(std::span<const float> values) {
    ValueStatistics result;
    if (values.empty()) return result;
    const auto [minimum, maximum] = std::minmax_element(values.begin(), values.end());
    result.minimum = static_cast<double>(*minimum);
    result.maximum = static_cast<double>(*maximum);
    const double n = static_cast<double>(values.size());
    double sum = 0;
    for (const float value : values) sum += static_cast<double>(value);
    result.mean = std::clamp(sum / n, result.minimum, result.maximum);
    double squares = 0;
    for (const float value : values) {
        const double difference = static_cast<double>(value) - result.mean;
        squares += difference * difference;
    }
    const double deviation = std::sqrt(squares / n);
    // What is left when all values are equal is the rounding of the mean, and no unit.
    if (deviation > 1e-9 * std::max(std::abs(result.minimum), std::abs(result.maximum))) result.deviation = deviation;
    return result;
}

}  // namespace mf
