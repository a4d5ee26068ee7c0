// Generated ratings for the benchmarks: users of very different activity, items of very different popularity.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <span>
#include <stdexcept>
#include <vector>

#include "core/base/random.hpp"
#include "core/data/interactions.hpp"

namespace mf::bench {

struct Shape {
    std::uint32_t users;
    std::uint32_t items;
    std::uint64_t ratings;  ///< from users to users · items / 2
};

/// The standard sets S1, S20 and S100.
inline constexpr Shape kMillion{6924, 3706, 1000000};
inline constexpr Shape kTwentyMillion{138493, 26744, 20000000};
inline constexpr Shape kHundredMillion{692465, 26744, 100000000};

struct Rating {
    std::uint32_t item;
    float value;
};

/// Ratings user by user, each a function of the shape, the seed and the user alone.
///
/// The activity of users is log-normal (σ = 1), cut at half the items, and scaled so that the ratings are as many as
/// asked for but for rounding. The popularity of items is a power law: p(rank) ~ rank^(−2/3). A value is 3.5 plus a
/// planted product of 8 factors (deviation 0.7) plus noise (0.6), in steps of a half from 0.5 to 5.
/// Memory O(users + items); a row costs O(ratings of the user), with all draws that repeat an item.
class SkewedRatings {
  public:
    /// std::invalid_argument if so many ratings cannot be.
    explicit SkewedRatings(const Shape& shape, std::uint64_t seed = 1)
        : shape_(shape),
          seed_(seed),
          item_factors_(std::size_t{shape.items} * kRank),
          by_popularity_(shape.items),
          counts_(shape.users),
          is_drawn_(shape.items, false) {
        if (shape.users == 0 || shape.items < 2 || shape.ratings < shape.users ||
            shape.ratings > std::uint64_t{shape.users} * most())
            throw std::invalid_argument("ratings must be from users to users * (items / 2)");
        Random shuffle(seed, kShuffleStream);
        for (std::uint32_t i = 0; i < shape.items; ++i) {
            Random random(seed, kItemStream + i);
            for (int f = 0; f < kRank; ++f) item_factors_[i * kRank + f] = static_cast<float>(random.normal());
            const std::uint64_t other = shuffle.next() % (i + 1);  // popularity does not follow the index
            by_popularity_[i] = by_popularity_[other];
            by_popularity_[other] = i;
        }
        count_ratings();
    }

    const Shape& shape() const { return shape_; }
    std::uint32_t count(std::uint32_t user) const { return counts_[user]; }
    std::uint64_t count() const {
        std::uint64_t sum = 0;
        for (const std::uint32_t count : counts_) sum += count;
        return sum;
    }

    /// The ratings of a user, by item; valid until the next call.
    std::span<const Rating> row(std::uint32_t user) {
        Random random(seed_, kUserStream + user);
        float factors[kRank];
        for (float& factor : factors) factor = static_cast<float>(random.normal());
        row_.clear();
        while (row_.size() < counts_[user]) {
            const double x = random.uniform();
            const auto rank = static_cast<std::uint32_t>(shape_.items * x * x * x);
            const std::uint32_t item = by_popularity_[std::min(rank, shape_.items - 1)];  // x may round to 1
            if (is_drawn_[item]) continue;
            is_drawn_[item] = true;
            row_.push_back({item, 0.0f});
        }
        std::sort(row_.begin(), row_.end(), [](const Rating& a, const Rating& b) { return a.item < b.item; });
        for (Rating& rating : row_) {
            is_drawn_[rating.item] = false;
            double value = 3.5 + 0.6 * random.normal();
            for (int f = 0; f < kRank; ++f)
                value += 0.25 * static_cast<double>(factors[f]) *
                         static_cast<double>(item_factors_[std::size_t{rating.item} * kRank + f]);
            rating.value = static_cast<float>(std::clamp(std::round(value * 2) / 2, 0.5, 5.0));
        }
        return row_;
    }

  private:
    static constexpr int kRank = 8;
    static constexpr std::uint64_t kUserStream = std::uint64_t{1} << 32;
    static constexpr std::uint64_t kItemStream = std::uint64_t{2} << 32;
    static constexpr std::uint64_t kActivityStream = std::uint64_t{3} << 32;
    static constexpr std::uint64_t kShuffleStream = std::uint64_t{4} << 32;

    std::uint32_t most() const { return shape_.items / 2; }

    // Half the interval at a time, the scale of all activities at which the counts add up.
    void count_ratings() {
        std::vector<float> activity(shape_.users);
        for (std::uint32_t u = 0; u < shape_.users; ++u)
            activity[u] = static_cast<float>(std::exp(Random(seed_, kActivityStream + u).normal()));
        double low = 0, high = 1;
        const auto set_counts = [&](double scale) {
            std::uint64_t sum = 0;
            for (std::uint32_t u = 0; u < shape_.users; ++u) {
                const double wanted = std::round(scale * static_cast<double>(activity[u]));
                counts_[u] = static_cast<std::uint32_t>(std::clamp(wanted, 1.0, static_cast<double>(most())));
                sum += counts_[u];
            }
            return sum;
        };
        while (set_counts(high) < shape_.ratings) high *= 2;
        for (int step = 0; step < 50; ++step) {
            const double middle = (low + high) / 2;
            (set_counts(middle) < shape_.ratings ? low : high) = middle;
        }
        set_counts(high);
    }

    Shape shape_;
    std::uint64_t seed_;
    std::vector<float> item_factors_;
    std::vector<std::uint32_t> by_popularity_;
    std::vector<std::uint32_t> counts_;  // ratings of each user
    std::vector<bool> is_drawn_;         // all false between rows
    std::vector<Rating> row_;
};

/// The same as sparse rows by user.
inline Csr skewed_ratings(const Shape& shape) {
    SkewedRatings source(shape);
    Csr matrix;
    matrix.column_count = shape.items;
    matrix.offsets = Array<std::uint64_t>(std::size_t{shape.users} + 1);
    matrix.columns = Array<std::uint32_t>(source.count());
    matrix.values = Array<float>(source.count());
    std::uint64_t entry = 0;
    for (std::uint32_t u = 0; u < shape.users; ++u) {
        matrix.offsets[u] = entry;
        for (const Rating& rating : source.row(u)) {
            matrix.columns[entry] = rating.item;
            matrix.values[entry] = rating.value;
            ++entry;
        }
    }
    matrix.offsets[shape.users] = entry;
    return matrix;
}

}  // namespace mf::bench
