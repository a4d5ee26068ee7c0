// A user's factors from a history and the item factors: the last half-step of the training, for one row.
// With the same history and items the result has the same bits as the stored row.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/linalg/normal_equations.hpp"
#include "core/training/model.hpp"

namespace mf {

/// One item of a history: its index in the model and its (merged) value. Histories are ascending by item.
struct HistoryEntry {
    std::uint32_t item;
    float value;
};

class AlsFoldIn {
  public:
    /// Refers to the arguments; they must outlive this object. item_bias has one entry per row of items.
    AlsFoldIn(FactorView items, std::span<const float> item_bias, const AlsParameters& parameters);

    /// factors has FactorMatrix::padded(k) floats, 64-byte aligned. An empty history gives zeros. Throws
    /// NumericalFailure if the history's equations have no unique solution. With an environment, which no worker may
    /// give, a long history has checkpoints; the object can be used again after an exception of one. O(n·k² + k³).
    void solve(std::span<const HistoryEntry> history, float* factors, float* bias, Environment* environment = nullptr);

  private:
    FactorView items_;
    std::span<const float> item_bias_;
    const AlsParameters& parameters_;
    NormalEquations workspace_;
    std::vector<std::uint32_t> columns_;  // the history as two arrays
    std::vector<float> values_;
};

class IalsFoldIn {
  public:
    /// Refers to the arguments; they must outlive this object. Computes the Gram matrix of the items:
    /// O(items · k²); keep the object for many calls.
    IalsFoldIn(FactorView items, const IalsParameters& parameters, Environment& environment);

    /// The same with a Gram matrix at hand and with the factors of item i in row row_of[i].
    IalsFoldIn(FactorView rows, std::span<const std::uint32_t> row_of, GramMatrix gram,
               const IalsParameters& parameters);

    /// As AlsFoldIn::solve.
    void solve(std::span<const HistoryEntry> history, float* factors, Environment* environment = nullptr);

    /// What each entry of the history contributes to the score of an item: the factors of a user solve A x = Σ_j w_j
    /// y_j, so the score y·x is Σ_j w_j y_j·z with A z = y (Hu, Koren, Volinsky: "Collaborative Filtering for Implicit
    /// Feedback Datasets", ICDM 2008, section 5). The contributions sum to the score of the factors that solve() gives,
    /// but for rounding in single precision. contributions has an element for each entry. O(n·k² + k³).
    void explain(std::span<const HistoryEntry> history, std::uint32_t item, float* contributions,
                 Environment* environment = nullptr);

    /// Bytes that an object takes of its own, or two of them with a history beyond piece_entries().
    static std::size_t bytes(int factors) { return NormalEquations::bytes(factors); }

  private:
    std::size_t row_of(std::uint32_t item) const { return row_of_.empty() ? item : row_of_[item]; }

    FactorView items_;
    std::span<const std::uint32_t> row_of_;  // empty: item i is row i
    const IalsParameters& parameters_;
    GramMatrix gram_;
    NormalEquations workspace_;
    std::vector<std::uint32_t> columns_;
    std::vector<float> values_;
    std::vector<float> weights_;
    Array<float> solution_;  // of explain()
};

}  // namespace mf
