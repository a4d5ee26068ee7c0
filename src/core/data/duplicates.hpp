// The rule for several interactions of the same user with the same item.
#pragma once

#include <compare>
#include <cstdint>
#include <limits>

namespace mf {

/// How rows of the same user and item become one.
enum class Duplicates { Mean, Sum, Last, Error };

/// The order in which rows of a cell are merged: by time, then by value. What a training refuses may be in a history:
/// NaN has a place in this order, so that no sort goes astray.
inline std::weak_ordering merge_order(double time_a, float value_a, double time_b, float value_b) {
    const auto by_time = std::weak_order(time_a, time_b);
    return by_time != 0 ? by_time : std::weak_order(value_a, value_b);
}

/// Merges the values of a cell. A training and the histories that are compared with it by their digests go through this
/// class, in merge_order(), so that the same rows give the same bits.
class MergedValue {
  public:
    explicit MergedValue(Duplicates rule) : rule_(rule) {}

    /// weight: by the age of the row (recency.hpp).
    void add(float value, float weight = 1.0f) {
        last_ = value;
        sum_ += static_cast<double>(value);
        last_weight_ = weight;
        weight_sum_ += static_cast<double>(weight);
        ++count_;
    }

    /// Sums are taken in double precision and may leave the range of float. A value alone stays as it is; NaN without
    /// any. Duplicates::Error has no value for several.
    float value() const {
        if (count_ <= 1 || rule_ == Duplicates::Last) return last_;
        return static_cast<float>(rule_ == Duplicates::Mean ? sum_ / static_cast<double>(count_) : sum_);
    }

    /// The weight of the cell: the mean of its rows' weights, or that of the row whose value it takes.
    float weight() const {
        if (count_ <= 1 || rule_ == Duplicates::Last) return last_weight_;
        return static_cast<float>(weight_sum_ / static_cast<double>(count_));
    }

  private:
    Duplicates rule_;
    std::uint64_t count_ = 0;
    double sum_ = 0;
    double weight_sum_ = 0;
    float last_weight_ = 1.0f;
    float last_ = std::numeric_limits<float>::quiet_NaN();
};

}  // namespace mf
