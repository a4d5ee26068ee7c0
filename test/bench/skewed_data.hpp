// Generated ratings for the benchmarks: users of very different activity, items of very different popularity.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "core/interactions.hpp"
#include "core/random.hpp"

namespace mf::bench {

struct Shape {
    std::uint32_t users;
    std::uint32_t items;
    std::uint64_t ratings;  ///< wanted; a few percent fewer are made, since repeated pairs count once
};

/// The standard sets: S1, S20.
inline constexpr Shape kMillion{7000, 3700, 1000000};
inline constexpr Shape kTwentyMillion{138493, 26744, 20000000};

/// Rows by user. The activity of users is log-normal, the popularity of items falls like a power of their rank, and a
/// rating is 3.5 plus a planted product of 8 factors plus noise, in steps of a half from 0.5 to 5. Deterministic.
inline Csr skewed_ratings(const Shape& shape) {
    constexpr int kRank = 8;
    Csr matrix;
    matrix.column_count = shape.items;
    matrix.offsets = Array<std::uint64_t>(std::size_t{shape.users} + 1);
    std::vector<std::uint32_t> columns;
    std::vector<float> values;
    columns.reserve(shape.ratings);
    values.reserve(shape.ratings);

    std::vector<float> item_factors(std::size_t{shape.items} * kRank);
    std::vector<std::uint32_t> shuffled(shape.items);  // popularity does not follow the index
    for (std::uint32_t i = 0; i < shape.items; ++i) {
        Random random(2, i);
        for (int f = 0; f < kRank; ++f) item_factors[i * kRank + f] = static_cast<float>(random.normal());
        shuffled[i] = i;
    }
    Random shuffle(3);
    for (std::uint32_t i = shape.items; i > 1; --i) std::swap(shuffled[i - 1], shuffled[shuffle.next() % i]);

    const double mean_activity = static_cast<double>(shape.ratings) / shape.users;
    std::vector<std::uint32_t> row;
    for (std::uint32_t u = 0; u < shape.users; ++u) {
        matrix.offsets[u] = columns.size();
        Random random(1, u);
        float factors[kRank];
        for (float& factor : factors) factor = static_cast<float>(random.normal());
        const double wanted = mean_activity * std::exp(random.normal() - 0.5) * 1.15;
        const auto draws = static_cast<std::size_t>(std::clamp(wanted, 1.0, 0.5 * shape.items));
        row.clear();
        for (std::size_t d = 0; d < draws; ++d) {
            const double x = random.uniform();
            row.push_back(shuffled[static_cast<std::size_t>(shape.items * x * x * x)]);
        }
        std::sort(row.begin(), row.end());
        row.erase(std::unique(row.begin(), row.end()), row.end());
        for (const std::uint32_t i : row) {
            double rating = 3.5 + 0.6 * random.normal();
            for (int f = 0; f < kRank; ++f)
                rating += 0.25 * static_cast<double>(factors[f]) * static_cast<double>(item_factors[i * kRank + f]);
            columns.push_back(i);
            values.push_back(static_cast<float>(std::clamp(std::round(rating * 2) / 2, 0.5, 5.0)));
        }
    }
    matrix.offsets[shape.users] = columns.size();
    matrix.columns = Array<std::uint32_t>(columns.size());
    matrix.values = Array<float>(values.size());
    std::copy(columns.begin(), columns.end(), matrix.columns.begin());
    std::copy(values.begin(), values.end(), matrix.values.begin());
    return matrix;
}

}  // namespace mf::bench
