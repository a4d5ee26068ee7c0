// Mean, range and spread of the values of a training run.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>
#include <vector>

#include "core/base/parallel.hpp"
#include "core/base/sums.hpp"

namespace mf {

struct ValueStatistics {
    double mean = 0;
    double minimum = 0;
    double maximum = 0;
    double deviation = 1;  ///< standard deviation; 1 if all values are equal, since 0 would be no unit
};

/// What the statistics follow from, for some of the values; the sums over others are merged. Plain numbers.
/// Chan, Golub, LeVeque, "Updating Formulae and a Pairwise Algorithm for Computing Sample Variances", 1979.
struct ValueSums {
    std::uint64_t count = 0;
    double mean = 0;
    double squares = 0;  ///< Σ (value − mean)²
    double minimum = 0;
    double maximum = 0;

    /// Values that are added in one go: twice through the first-level cache.
    static constexpr std::size_t kBlock = std::size_t{1} << 12;

    /// In double precision. The values are finite. O(n).
    void add(std::span<const float> values) {
        for (std::size_t begin = 0; begin < values.size(); begin += kBlock)
            *this += of_block(values.subspan(begin, std::min(kBlock, values.size() - begin)));
    }

    ValueSums& operator+=(const ValueSums& other) {
        if (other.count == 0) return *this;
        if (count == 0) return *this = other;
        const double share = static_cast<double>(other.count) / static_cast<double>(count + other.count);
        const double difference = other.mean - mean;
        squares += other.squares + difference * difference * share * static_cast<double>(count);
        mean += difference * share;
        count += other.count;
        minimum = std::min(minimum, other.minimum);
        maximum = std::max(maximum, other.maximum);
        return *this;
    }

    ValueStatistics statistics() const {
        ValueStatistics result;
        if (count == 0) return result;
        result.minimum = minimum;
        result.maximum = maximum;
        result.mean = std::clamp(mean, minimum, maximum);
        const double deviation = std::sqrt(squares / static_cast<double>(count));
        // What is left when all values are equal is the rounding of the mean, and no unit.
        if (deviation > 1e-9 * std::max(std::abs(minimum), std::abs(maximum))) result.deviation = deviation;
        return result;
    }

  private:
    static ValueSums of_block(std::span<const float> values) {
        ValueSums sums;
        sums.count = values.size();
        float minimum = values[0];
        float maximum = values[0];
        for (const float value : values) {
            minimum = value < minimum ? value : minimum;
            maximum = value > maximum ? value : maximum;
        }
        sums.minimum = static_cast<double>(minimum);
        sums.maximum = static_cast<double>(maximum);
        sums.mean = sum_of(values) / static_cast<double>(values.size());
        double squares[4] = {};  // several under way, as in sum_of
        std::size_t i = 0;
        for (const float value : values) {
            const double difference = static_cast<double>(value) - sums.mean;
            squares[i++ % 4] += difference * difference;
        }
        sums.squares = (squares[0] + squares[1]) + (squares[2] + squares[3]);
        return sums;
    }
};

/// On all threads, by blocks of fixed size that are merged in order: the same bits for any number of threads. The
/// values are finite. O(n).
inline ValueStatistics value_statistics(std::span<const float> values, Environment& environment) {
    constexpr std::size_t kValuesATask = std::size_t{1} << 16;
    std::vector<ValueSums> parts((values.size() + kValuesATask - 1) / kValuesATask);
    parallel_ranges(environment, values.size(), kValuesATask, [&](std::size_t begin, std::size_t end, int) {
        parts[begin / kValuesATask].add(values.subspan(begin, end - begin));
    });
    ValueSums sums;
    for (const ValueSums& part : parts) sums += part;
    return sums.statistics();
}

}  // namespace mf
