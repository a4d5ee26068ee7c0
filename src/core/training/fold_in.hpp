// A user's factors from a history and the item factors: the last half-step of the training run, for one row.
// With the same history and items the result has the same bits as the stored row.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/base/parallel.hpp"
#include "core/linalg/factor_matrix.hpp"
#include "core/linalg/gram_matrix.hpp"

namespace mf {

/// One item of a history: its index in the model, its (merged) value and its weight in ranking factors by its age.
/// Histories are ascending by item.
struct HistoryEntry {
    std::uint32_t item;
    float value;
    float weight = 1.0f;
};

/// A history as two arrays, kept from one to the next.
struct SplitHistory {
    std::vector<std::uint32_t> items;
    std::vector<float> values;

    void assign(std::span<const HistoryEntry> history) {
        items.clear();
        values.clear();
        for (const HistoryEntry& entry : history) {
            items.push_back(entry.item);
            values.push_back(entry.value);
        }
    }
};

/// What the ridges draw a row of rating factors to; null factors: to zero.
struct BiasedCenter {
    const float* factors = nullptr;
    float bias = 0;
};

/// The items that rating factors are folded in by: item i is row i, with bias[i].
struct RatingItems {
    FactorView rows;
    std::span<const float> bias;
};

/// The items that ranking factors are folded in by.
struct RankingItems {
    FactorView rows;
    std::span<const std::uint32_t> row_of;  ///< the factors of item i are in row row_of[i]; empty: in row i
    GramMatrix gram;                        ///< of all rows

    std::size_t row(std::uint32_t item) const { return row_of.empty() ? item : row_of[item]; }
};

/// Solves users of rating factors, one after the other. Refers to the items; they must outlive it.
class RatingFoldIn {
  public:
    virtual ~RatingFoldIn() = default;

    /// The user is drawn to `center`. factors and those of the center have FactorMatrix::padded(k) floats, 64-byte
    /// aligned. An empty history gives zeros. Throws NumericalFailure if the history's equations have no unique
    /// solution. With an environment, which no worker may give, a long history has checkpoints; the object can be used
    /// again after an exception of one. O(n·k² + k³).
    virtual void solve(std::span<const HistoryEntry> history, float* factors, float* bias,
                       Environment* environment = nullptr, const BiasedCenter& center = {}) = 0;
};

/// Solves users of ranking factors, likewise.
class RankingFoldIn {
  public:
    virtual ~RankingFoldIn() = default;

    /// As RatingFoldIn::solve; a null center is zero.
    virtual void solve(std::span<const HistoryEntry> history, float* factors, Environment* environment = nullptr,
                       const float* center = nullptr) = 0;

    /// What each entry of the history contributes to the score of an item. The contributions sum to the score of the
    /// factors that solve() gives without a center, but for rounding in single precision; with one, the rest of the
    /// score is the center's. contributions has an element for each entry.
    /// O(n·k² + k³).
    virtual void explain(std::span<const HistoryEntry> history, std::uint32_t item, float* contributions,
                         Environment* environment = nullptr) = 0;

    /// The value of an interaction that came without one.
    virtual float neutral_value() const = 0;
};

}  // namespace mf
