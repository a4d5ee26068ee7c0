// Which steps a distributed training run takes, one after the other: those of the local trainers (als.hpp, ials.hpp),
// with their early stopping, on buckets. The state between two steps is a few numbers and travels as bytes, so that a
// run goes on where it stood.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/parallel.hpp"
#include "core/distributed/step.hpp"
#include "core/pipeline/train.hpp"
#include "core/training/options.hpp"

namespace mf {

/// Which factors travel in 16 bits, which are half of the bytes and have 11 significant bits.
enum class Exchange {
    Steps,  ///< those that only steps of conjugate gradient read, which round them to 16 bits in any case, and that are
            ///< not stored: ranking factors before the last iteration; of items only if no rows are held out, since the
            ///< items of any iteration may be the best ones then
    Single,  ///< none
    Half,    ///< all but the last ones of users, which are exact for the items that are stored
};

/// What a run is about: the same whenever it goes on.
struct DistributedData {
    std::vector<std::uint32_t> user_counts;  ///< users in each bucket
    std::vector<std::uint32_t> item_counts;  ///< items in each bucket
    std::uint64_t entries = 0;               ///< of all users, held-out ones included
    std::uint64_t held_out = 0;              ///< of these
    Exchange exchange = Exchange::Steps;
};

/// Factors of one kind and side, as they are stored.
struct StoredFactors {
    std::uint32_t version = 0;  ///< 0: none yet
    FactorMatrix turn;          ///< what turns them to the basis of the other side; no rows: nothing
};

class Schedule {
  public:
    /// A run from its beginning. options: as train() takes them, for single storage and without a search.
    Schedule(const TrainOptions& options, DistributedData data);
    /// A run that goes on. Throws InvalidData for bytes that are not those of save() of such a run.
    Schedule(const TrainOptions& options, DistributedData data, std::string_view saved);

    std::string save() const;

    /// Before the first step of a run that begins with the factors of an earlier one: items have ranking factors, and
    /// for explicit feedback rating factors, of kStartVersion. gram: GramSums::values() of the ranking factors, added
    /// in the order of buckets. The run takes warm_options().
    void start_with(std::vector<double> gram);
    static constexpr std::uint32_t kStartVersion = 1;

    bool is_done() const { return stage_ == Stage::Done; }
    /// The next step, the same until finish() is called. O(buckets + factors²).
    Step next() const;
    /// After the step that next() gave was run for every bucket of its side that has rows: its sums, added in the order
    /// of buckets. With checkpoints; reports iterations to the environment, which may not end the run.
    void finish(const Step& step, const StepSums& sums, Environment& environment);

    /// Where a run is in the iterations of the factors that it trains.
    struct Position {
        const char* phase = nullptr;  ///< as in Iteration; null: before all iterations
        int done = 0;                 ///< iterations of this phase
        int total = 0;                ///< likewise, at most
        int all_done = 0;             ///< of both phases
    };
    Position position() const;

    /// The versions of factors that may be read once more.
    std::vector<std::uint32_t> kept(FactorKind kind, RowSide side) const;

    /// The options that the run takes.
    const TrainOptions& options() const { return options_; }

    /// The steps done so far.
    std::uint32_t steps() const { return steps_; }

    // Of a run that is done. Users and items of both kinds are in the bases of each other once they are turned.
    const StoredFactors& stored(FactorKind kind, RowSide side) const { return factors_[at(kind)][at(side)]; }
    /// Scale, parameters and iterations, without factors.
    RatingModel rating_model() const;
    RankingModel ranking_model() const;
    const TrainSummary& summary() const { return summary_; }

  private:
    friend struct ScheduleFields;

    enum class Stage : std::uint32_t {
        Values,
        ItemBiases,
        UserBiases,
        WarmRatingUsers,  ///< from the items of an earlier run
        RandomItems,
        StartUsers,
        StartItems,
        ItemBasis,
        ScaleUsers,
        RatingItems,
        RatingUsers,
        RatingTest,       ///< of an iteration
        RatingLastUsers,  ///< exactly
        RatingErrors,     ///< at the end
        BaselineItems,
        BaselineErrors,
        Weights,
        Items,
        RandomUsers,
        WarmRankingUsers,  ///< from the items of an earlier run
        RankingItems,
        RankingUsers,
        RankingTest,
        RankingLastUsers,  ///< exactly
        Lists,             ///< at the end
        PopularItems,
        PopularLists,
        AllRatingUsers,  ///< by all of their entries
        AllRankingUsers,
        Done,
    };

    static std::size_t at(FactorKind kind) { return static_cast<std::size_t>(kind); }
    static std::size_t at(RowSide side) { return static_cast<std::size_t>(side); }
    bool has_test() const { return data_.held_out > 0; }
    bool is_explicit() const { return options_.feedback == Feedback::Explicit; }
    double entries() const { return static_cast<double>(std::max<std::uint64_t>(data_.entries - data_.held_out, 1)); }

    StoredFactors& of(FactorKind kind, RowSide side) { return factors_[at(kind)][at(side)]; }
    const StoredFactors& of(FactorKind kind, RowSide side) const { return factors_[at(kind)][at(side)]; }
    Step step_of(StepKind kind, RowSide side, FactorKind of) const;
    Step measure(StepKind kind, FactorKind of) const;
    /// A step with one factor, which writes the items of a baseline, or measures the users beside them.
    Step baseline(StepKind kind, RowSide side, FactorKind of) const;
    Step solve_rating(RowSide side, bool exactly) const;
    Step solve_ranking(RowSide side, bool exactly) const;
    bool is_last_iteration(FactorKind kind) const { return static_cast<int>(iteration_) == iterations(kind); }
    int iterations(FactorKind kind) const {
        return kind == FactorKind::Rating ? options_.als.iterations : options_.ials.iterations;
    }
    bool solves_by_steps() const { return options_.solver != Solver::Cholesky; }
    /// What solve_ranking() writes travels in 16 bits.
    bool halves_ranking(RowSide side, bool exactly) const;
    void turn_to_eigenbasis(RowSide side, Environment& environment);
    /// Ends an iteration; true if training goes on.
    bool ends_iteration(FactorKind kind, double metric, Environment& environment);
    void begin(FactorKind kind, Environment& environment);
    /// After the last iteration: back to the items of the best one. True if they were others.
    bool restore_best(FactorKind kind);
    /// The same; true if the users are the exact solution for the items that this leaves.
    bool keeps_last_users(FactorKind kind);
    void begin_ranking(Environment& environment);
    void end_ranking_iterations();

    TrainOptions options_;
    DistributedData data_;

    // What save() keeps.
    Stage stage_;
    std::uint32_t steps_ = 0;
    std::uint32_t pass_ = 0;       ///< of the first factors
    std::uint32_t iteration_ = 0;  ///< of the kind of factors that is trained, from 1
    std::uint32_t best_iteration_ = 0;
    std::uint32_t is_warm_ = 0;   ///< begins with the factors of an earlier run
    std::uint32_t baseline_ = 0;  ///< version of the items of the baseline that is measured next; 0: none
    double penalty_ = 0;          ///< of the items' half-step
    double loss_ = 0;             ///< of the iteration, for each entry
    double start_squares_ = 0;
    RatingScale scale_;
    AlsParameters als_;
    IalsParameters ials_;
    IalsStatistics statistics_;
    std::array<std::array<StoredFactors, 2>, 2> factors_;  ///< [kind][side]
    StoredFactors best_items_;                             ///< of the kind that is trained
    std::array<std::vector<double>, 2> grams_;             ///< [side] of the ranking factors, in the basis of both
    std::vector<double> best_gram_;                        ///< of best_items_
    std::vector<double> metrics_;                          ///< of each iteration
    int rating_iterations_ = 0;                            ///< after which the factors were reached
    int ranking_iterations_ = 0;
    TrainSummary summary_;
};

}  // namespace mf
