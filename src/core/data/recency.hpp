// How much less an interaction counts than a newer one.
#pragma once

#include <algorithm>
#include <cmath>

namespace mf {

/// Weights of interactions by their age, which halve with each half-life. Plain numbers.
struct Recency {
    double half_life = 0;  ///< in the unit of times; 0: all interactions weigh 1
    double newest = 0;     ///< time of the newest interaction of the training run

    /// Of interactions that are older than twenty half-lives, and of those without a time: a user who has no others
    /// still has a direction.
    static constexpr float kLeastWeight = 0x1.0p-20f;

    bool is_used() const { return half_life > 0; }

    /// 2^(-age / half_life), with an age of 0 for what is newer than the newest; at least kLeastWeight. The time is not
    /// NaN. The same bits wherever it is called in a process.
    float weight(double time) const {
        if (!is_used()) return 1.0f;
        const double age = std::max(newest - time, 0.0);
        return std::max(static_cast<float>(std::exp2(-age / half_life)), kLeastWeight);
    }
};

}  // namespace mf
