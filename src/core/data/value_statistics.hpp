// Mean, range and spread of the values of a training.
#pragma once

#include <algorithm>
#include <cmath>
#include <span>
#include <vector>

#include "core/base/parallel.hpp"
#include "core/base/sums.hpp"

namespace mf {

struct ValueStatistics {
    double mean = 0;
    double minimum = 0;
    double maximum = 0;
    double deviation = 1;  ///< standard deviation; 1 where it says nothing, since all values are equal
};

/// In double precision, by blocks of fixed size that are added in order: the same bits for any number of threads. The
/// values are finite. O(n).
inline ValueStatistics value_statistics(std::span<const float> values, Environment& environment) {
    ValueStatistics result;
    if (values.empty()) return result;
    constexpr std::size_t kBlock = std::size_t{1} << 16;
    struct Part {
        float minimum;
        float maximum;
        double sum;
    };
    std::vector<Part> parts((values.size() + kBlock - 1) / kBlock);
    const auto block = [&](std::size_t b) {
        return values.subspan(b * kBlock, std::min(kBlock, values.size() - b * kBlock));
    };
    const auto total = [&] {
        double sum = 0;
        for (const Part& part : parts) sum += part.sum;
        return sum;
    };
    parallel_for(environment, parts.size(), [&](std::size_t b, int) {
        Part part{block(b)[0], block(b)[0], sum_of(block(b))};
        for (const float value : block(b)) {
            part.minimum = value < part.minimum ? value : part.minimum;
            part.maximum = value > part.maximum ? value : part.maximum;
        }
        parts[b] = part;
    });
    const auto less = [](const Part& a, const Part& b) { return a.minimum < b.minimum; };
    const auto less_maximum = [](const Part& a, const Part& b) { return a.maximum < b.maximum; };
    result.minimum = static_cast<double>(std::min_element(parts.begin(), parts.end(), less)->minimum);
    result.maximum = static_cast<double>(std::max_element(parts.begin(), parts.end(), less_maximum)->maximum);
    const double n = static_cast<double>(values.size());
    result.mean = std::clamp(total() / n, result.minimum, result.maximum);
    parallel_for(environment, parts.size(), [&](std::size_t b, int) {
        double sums[4] = {};  // several under way, as in sum_of
        std::size_t i = 0;
        for (const float value : block(b)) {
            const double difference = static_cast<double>(value) - result.mean;
            sums[i++ % 4] += difference * difference;
        }
        parts[b].sum = (sums[0] + sums[1]) + (sums[2] + sums[3]);
    });
    const double deviation = std::sqrt(total() / n);
    // What is left when all values are equal is the rounding of the mean, and no unit.
    if (deviation > 1e-9 * std::max(std::abs(result.minimum), std::abs(result.maximum))) result.deviation = deviation;
    return result;
}

}  // namespace mf
