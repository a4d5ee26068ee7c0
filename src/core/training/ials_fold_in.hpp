// The fold-in of the ranking factors of ials.hpp.
#pragma once

#include <vector>

#include "core/base/array.hpp"
#include "core/linalg/eigenbasis.hpp"
#include "core/training/fold_in.hpp"
#include "core/training/ials_half_step.hpp"

namespace mf {

class IalsFoldIn final : public RankingFoldIn {
  public:
    IalsFoldIn(RankingItems items, const IalsParameters& parameters);

    void solve(std::span<const HistoryEntry> history, float* factors, Environment* environment = nullptr,
               const float* center = nullptr) override;

    /// The factors of a user solve A x = Σ_j w_j y_j, so the score y·x is Σ_j w_j y_j·z with A z = y (Hu, Koren,
    /// Volinsky: "Collaborative Filtering for Implicit Feedback Datasets", ICDM 2008, section 5).
    void explain(std::span<const HistoryEntry> history, std::uint32_t item, float* contributions,
                 Environment* environment = nullptr) override;

    /// The mean of the training ratings, 1 for implicit feedback.
    float neutral_value() const override;

  private:
    RankingItems items_;
    IalsParameters parameters_;
    SharedDiagonal shared_;
    IalsWorkspace workspace_;
    SplitHistory history_;
    std::vector<float> weights_;
    Array<float> solution_;  // of explain()
};

}  // namespace mf
