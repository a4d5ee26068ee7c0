// Runs a step of a distributed training run for one bucket: a pure function of the step, the bucket's rows and factors,
// and the factors of the other side.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/parallel.hpp"
#include "core/distributed/rows_block.hpp"
#include "core/distributed/step.hpp"
#include "core/linalg/biased_conjugate_gradient.hpp"
#include "core/linalg/gram_matrix.hpp"
#include "core/linalg/bfloat16_matrix.hpp"

namespace mf {

/// The factors of the other side, in the order of its numbers, in the basis of the step. One for all buckets that run
/// where it is.
class OtherSide {
  public:
    explicit OtherSide(const Step& step);

    bool has(std::uint32_t bucket) const { return bucket < present_.size() && present_[bucket]; }
    /// Takes a FactorBlock over. Throws InvalidData if it does not fit.
    void add(std::uint32_t bucket, std::string_view bytes);
    /// Once all are there, or InvalidData; before the first bucket is run. O(rows · k²).
    void finish(Environment& environment);

    const FactorMatrix& factors() const { return factors_; }
    const Array<float>& bias() const { return bias_; }
    const GramMatrix& gram() const { return gram_; }
    /// What steps of conjugate gradient read, of ranking factors and of rating factors; null for exact solutions.
    const Bfloat16Matrix* rounded() const { return by_steps_ ? &rounded_ : nullptr; }
    const StepFeatures* step_features() const { return by_steps_ ? &step_features_ : nullptr; }

    /// For a model that measures, while no other bucket is run.
    class Lent;

  private:
    RowNumbers numbers_;
    std::vector<bool> present_;
    bool is_read_;
    bool by_steps_;
    double unit_;  ///< of rating factors
    FactorMatrix turn_;
    FactorMatrix factors_;
    Array<float> bias_;
    GramMatrix gram_;
    Bfloat16Matrix rounded_;
    StepFeatures step_features_;
};

/// Runs the step for a bucket and returns a FactorBlock, without factors if the step writes none. own: what the step
/// reads of the bucket, where it reads any. Throws InvalidData if something does not fit, NumericalFailure as the
/// trainers do.
std::string run_step(const Step& step, std::uint32_t bucket, const RowsView& rows, std::optional<std::string_view> own,
                     OtherSide& other, Environment& environment);

}  // namespace mf
