// A step of a distributed training run: what is done with every bucket of one side, as plain numbers that travel with
// the factors. The schedule (schedule.hpp) says which step comes next, an engine runs it where the rows are.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/data/value_statistics.hpp"
#include "core/distributed/pack.hpp"
#include "core/evaluation/metrics.hpp"
#include "core/linalg/factor_matrix.hpp"
#include "core/training/als_half_step.hpp"
#include "core/training/half_step.hpp"
#include "core/training/ials_weights.hpp"
#include "core/training/model.hpp"

namespace mf {

enum class RowSide : std::uint32_t { Users, Items };
inline RowSide other(RowSide side) { return side == RowSide::Users ? RowSide::Items : RowSide::Users; }

enum class FactorKind : std::uint32_t { Rating, Ranking };

enum class StepKind : std::uint32_t {
    // Sums alone.
    CountValues,     ///< of users: statistics of the values
    CountWeights,    ///< of users: statistics of the weights, by Step::ials
    CountItems,      ///< of items
    MeasureRatings,  ///< of users: errors of predictions
    MeasureLists,    ///< of users: metrics of lists of 10
    // Baselines: what is measured is beside blocks of items with one factor each.
    CountPopularity,    ///< of items: the factor is the number of entries to train on
    MeasurePopularity,  ///< of users: metrics of lists of 10 by that
    ItemBiases,         ///< of items: biases of the baseline (bias_baseline.hpp)
    MeasureBiases,      ///< of users: errors of predictions by these
    // First rating factors (als_start.hpp).
    Biases,       ///< factors are zeros
    RandomItems,  ///< balanced; biases as they are
    StartRows,    ///< products with residuals; biases as they are
    StartItems,   ///< items by the basis of Step::gram
    ScaleUsers,   ///< users times Step::factor, or random ones if that is 0
    // First ranking factors.
    RandomUsers,
    // Half-steps.
    SolveRating,
    SolveRanking,
};

struct Step {
    StepKind kind = StepKind::CountValues;
    RowSide side = RowSide::Users;       ///< whose buckets are worked on
    FactorKind of = FactorKind::Rating;  ///< which factors are read and written
    std::uint32_t factors = 0;           ///< of this kind
    std::uint32_t reads_own = 0;         ///< version of the own side's factors; 0: not read
    std::uint32_t reads_other = 0;       ///< likewise of the other side
    std::uint32_t writes = 0;            ///< version; 0: sums alone
    std::uint32_t takes_all = 0;         ///< entries to train on and held-out ones; else those that the step is about
    std::uint32_t by_steps = 0;          ///< of conjugate gradient
    std::uint32_t sums_gram = 0;         ///< of what is written
    std::uint32_t halves = 0;            ///< factors are written in 16 bits
    double factor = 0;                   ///< of ScaleUsers; of MeasureLists the share of users that are measured
    std::uint64_t seed = 0;
    RatingScale scale;
    AlsParameters als;
    IalsParameters ials;
    std::vector<std::uint32_t> own_counts;    ///< rows in each bucket
    std::vector<std::uint32_t> other_counts;  ///< likewise
    std::vector<double> gram;                 ///< GramSums::values() of the other side's factors, turned; or of the own
    FactorMatrix own_turn;                    ///< what turns the factors as stored to this step's basis; or no rows
    FactorMatrix other_turn;

    /// Bytes of the factors that the step writes for all buckets together.
    std::size_t written_bytes() const;

    /// As bytes, and back. read() throws InvalidData.
    std::string write() const;
    static Step read(std::string_view bytes);
};

/// What a step learns, of one bucket or of several together.
struct StepSums {
    std::uint64_t rows = 0;
    ObjectiveParts objective;
    ValueSums values;
    IalsStatistics statistics;
    PredictionErrors train_errors;
    PredictionErrors test_errors;
    ListMetrics lists;
    std::vector<double> gram;           ///< empty, or GramSums::values()
    std::vector<std::uint64_t> listed;  ///< a bit for each item that is in a list; or empty

    /// Those of another bucket. In the order of buckets: sums of doubles depend on it.
    StepSums& operator+=(const StepSums& other);
};

/// What a step writes for a bucket, read where it lies: sums, factors and, for rating factors, biases.
class FactorBlock {
  public:
    /// Throws InvalidData for bytes that are no such block.
    explicit FactorBlock(std::string_view bytes);

    /// halves: in 16-bit floats, scaled by a power of two; half of the bytes, with 11 significant bits.
    static std::string write(const StepSums& sums, FactorView factors, std::span<const float> bias,
                             bool halves = false);

    const StepSums& sums() const { return sums_; }
    std::size_t rows() const { return rows_; }
    int factors() const { return factors_; }
    bool has_bias() const { return has_bias_; }
    bool has_halves() const { return !halves_.empty(); }
    /// Copies all rows to `out`, which is as large, and their biases.
    void copy_to(MutableFactorView out, float* bias) const;

  private:
    StepSums sums_;
    std::size_t rows_ = 0;
    int factors_ = 0;
    bool has_bias_ = false;
    std::span<const float> values_;          ///< in 32 bits
    std::span<const std::uint16_t> halves_;  ///< or in 16
    float unit_ = 1;                         ///< of halves
    std::span<const float> bias_;
};

/// So many of the first bytes of a block say where its sums end.
inline constexpr std::size_t kSumsPrefix = 16;
/// Throws InvalidData for bytes with which no block begins.
std::size_t sums_end(std::string_view prefix);
/// The sums of a block, of which only the bytes before their end are needed. Throws InvalidData.
StepSums read_sums(std::string_view bytes);

}  // namespace mf
