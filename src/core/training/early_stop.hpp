// When further iterations are unlikely to improve a metric of held-out rows.
#pragma once

namespace mf {

/// Watches the metric on held-out rows: the best iteration so far, and whether further ones are unlikely to improve
/// it.
class EarlyStop {
  public:
    /// Iterations without a better metric that are tolerated: the metric of alternating least squares is smooth, but
    /// that of a small test part is not.
    static constexpr int kPatience = 2;

    explicit EarlyStop(bool greater_is_better) : sign_(greater_is_better ? 1.0 : -1.0) {}

    /// True if this metric is the best so far; NaN never is, except that the first iteration always counts.
    bool improves(int iteration, double metric) {
        const bool better = best_iteration_ == 0 || sign_ * metric > sign_ * best_;
        if (better) {
            best_ = metric;
            best_iteration_ = iteration;
        }
        last_iteration_ = iteration;
        return better;
    }
    bool exhausted() const { return last_iteration_ - best_iteration_ >= kPatience; }
    int best_iteration() const { return best_iteration_; }

  private:
    double sign_;
    double best_ = 0;
    int best_iteration_ = 0;
    int last_iteration_ = 0;
};

}  // namespace mf
