// How much less an interaction counts than a newer one.
#pragma once

#include <algorithm>
#include <cmath>

namespace mf {

/// Weights of interactions by their age, which halve with each half-life. Plain numbers; times are in any unit.
struct Recency {
    double half_life = 0;          ///< of the weight of an interaction in ranking factors; 0: all weigh 1
    double popular_half_life = 0;  ///< of its weight in the popularity of its item; 0: likewise
    double newest = 0;             ///< time of the newest interaction of the training run

    /// Of interactions that are older than twenty half-lives, and of those without a time: a user who has no others
    /// still has a direction.
    static constexpr float kLeastWeight = 0x1.0p-20f;

    bool weighs() const { return half_life > 0; }
    bool weighs_popularity() const { return popular_half_life > 0; }
    bool needs_times() const { return weighs() || weighs_popularity(); }

    /// 2^(-age / half_life), with an age of 0 for what is newer than the newest; at least kLeastWeight. The time is not
    /// NaN. The same bits wherever it is called in a process.
    float weight(double time) const { return weight(time, half_life); }
    float popularity(double time) const { return weight(time, popular_half_life); }

  private:
    float weight(double time, double half) const {
        if (half == 0) return 1.0f;
        const double age = std::max(newest - time, 0.0);
        return std::max(static_cast<float>(std::exp2(-age / half)), kLeastWeight);
    }
};

}  // namespace mf
