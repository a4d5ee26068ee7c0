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

    void add(float value) {
        last_ = value;
        sum_ += static_cast<double>(value);
        ++count_;
    }

    /// Sums are taken in double precision and may leave the range of float. A value alone stays as it is; NaN without
    /// any. Duplicates::Error has no value for several.
    float value() const {
        if (count_ <= 1 || rule_ == Duplicates::Last) return last_;
        return static_cast<float>(rule_ == Duplicates::Mean ? sum_ / static_cast<double>(count_) : sum_);
    }

  private:
    Duplicates rule_;
    std::uint64_t count_ = 0;
    double sum_ = 0;
    float last_ = std::numeric_limits<float>::quiet_NaN();
};

}  // namespace mf
