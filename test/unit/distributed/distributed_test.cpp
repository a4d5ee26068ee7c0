// Whole training runs by blocks and steps, as engines do them, beside local ones on the same data.
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <numeric>
#include <string>
#include <utility>
#include <vector>

#include "core/base/error.hpp"
#include "core/distributed/pack.hpp"
#include "core/distributed/run_step.hpp"
#include "core/distributed/schedule.hpp"
#include "core/evaluation/metrics.hpp"
#include "core/linalg/eigenbasis.hpp"
#include "core/linalg/gram_matrix.hpp"
#include "core/pipeline/train.hpp"
#include "core/pipeline/warm_start.hpp"
#include "core/training/factor_init.hpp"
#include "unit/generated_data.hpp"

namespace mf {
namespace {

using test::Entry;

/// Ranges of the ids of one side of a dataset, weighed by entries.
std::string ranges_of(const Ids& ids, const std::vector<std::uint64_t>& counts, std::uint32_t buckets) {
    return IdRanges::of_sample(ids, counts, buckets);
}

/// What an engine is, in one process: blocks and factors by bucket, which are bytes.
class Engine {
  public:
    Engine(const Dataset& dataset, const TrainOptions& options, std::uint32_t buckets) : options_(options) {
        std::vector<std::uint64_t> of_user(dataset.users.size()), of_item(dataset.items.size());
        for (std::uint32_t u = 0; u < of_user.size(); ++u) of_user[u] = dataset.by_user.row_size(u);
        for (const std::uint32_t item : dataset.by_user.columns) ++of_item[item];
        const IdRanges users(ranges_of(dataset.users, of_user, buckets));
        const IdRanges items(ranges_of(dataset.items, of_item, buckets));
        pack(dataset, users, items);
    }

    const DistributedData& data() const { return data_; }
    const std::map<std::uint32_t, std::string>& rows(RowSide side) const {
        return rows_[static_cast<std::size_t>(side)];
    }

    /// Runs a step on every bucket, the last one first.
    StepSums run(const Step& given) {
        const Step step = Step::read(given.write());
        OtherSide other_side(step);
        if (step.reads_other != 0)
            for (const auto& [bucket, bytes] : factors_.at({step.of, other(step.side), step.reads_other}))
                other_side.add(bucket, bytes);
        other_side.finish(environment_);
        std::map<std::uint32_t, std::string> results;
        const auto& buckets = rows(step.side);
        for (auto bucket = buckets.rbegin(); bucket != buckets.rend(); ++bucket) {
            std::optional<std::string_view> own;
            if (step.reads_own != 0) own = factors_.at({step.of, step.side, step.reads_own}).at(bucket->first);
            results[bucket->first] =
                run_step(step, bucket->first, RowsView(bucket->second), own, other_side, environment_);
        }
        StepSums sums;
        std::size_t written = 0;
        for (const auto& [bucket, bytes] : results) {
            sums += read_sums(std::string_view(bytes).substr(0, sums_end(bytes)));
            written += bytes.size();
        }
        EXPECT_GE(written, step.written_bytes());  // sums, biases and padding besides
        EXPECT_EQ(step.written_bytes() > 0, step.writes != 0);
        written_ += written;
        if (step.writes != 0) factors_[{step.of, step.side, step.writes}] = std::move(results);
        return sums;
    }

    void forget(const Schedule& schedule) {
        std::erase_if(factors_, [&](const auto& entry) {
            const auto& [kind, side, version] = entry.first;
            return !std::ranges::count(schedule.kept(kind, side), version);
        });
    }
    std::size_t versions() const { return factors_.size(); }
    void exchange(Exchange exchange) { data_.exchange = exchange; }
    /// Bytes of all blocks of factors so far.
    std::size_t written() const { return written_; }

    /// True if the ranking factors that are stored were written in 16 bits.
    bool stores_halves(const Schedule& schedule, RowSide side) const {
        const std::uint32_t version = schedule.stored(FactorKind::Ranking, side).version;
        return FactorBlock(factors_.at({FactorKind::Ranking, side, version}).begin()->second).has_halves();
    }

    /// Keeps the items of a start as blocks, one factor matrix after the other, and returns their Gram sums.
    std::vector<double> start(const WarmStart& start, int factors) {
        GramSums gram(factors);
        std::uint32_t first = 0;
        for (std::uint32_t b = 0; b < data_.item_counts.size(); first += data_.item_counts[b], ++b) {
            const std::uint32_t count = data_.item_counts[b];
            const FactorView items = FactorView(start.ranking.items).slice(first, first + count);
            GramSums of_bucket(factors);
            of_bucket.add(items);
            gram += of_bucket;
            factors_[{FactorKind::Ranking, RowSide::Items, Schedule::kStartVersion}][b] =
                FactorBlock::write({}, items, {});
            if (start.rating)
                factors_[{FactorKind::Rating, RowSide::Items, Schedule::kStartVersion}][b] =
                    FactorBlock::write({}, FactorView(start.rating->items).slice(first, first + count),
                                       std::span<const float>(start.rating->item_bias).subspan(first, count));
        }
        return {gram.values().begin(), gram.values().end()};
    }

    /// Factors in the basis of both sides.
    FactorMatrix turned(const Schedule& schedule, FactorKind kind, RowSide side, int factors, Array<float>* bias) {
        const StoredFactors& stored = schedule.stored(kind, side);
        const auto& counts = side == RowSide::Users ? data_.user_counts : data_.item_counts;
        const RowNumbers numbers(counts);
        FactorMatrix result(numbers.rows(), factors);
        if (bias != nullptr) *bias = Array<float>(numbers.rows());
        for (const auto& [bucket, bytes] : factors_.at({kind, side, stored.version})) {
            const std::uint32_t first = numbers.first(bucket);
            FactorBlock(bytes).copy_to(result.slice(first, first + counts[bucket]),
                                       bias != nullptr ? bias->data() + first : nullptr);
        }
        if (stored.turn.rows() > 0) Eigenbasis(stored.turn).rotate(result, environment_);
        return result;
    }

  private:
    void pack(const Dataset& dataset, const IdRanges& users, const IdRanges& items) {
        std::map<std::uint32_t, InteractionsBuilder> builders;
        for (std::uint32_t u = 0; u < dataset.users.size(); ++u) {
            auto& builder =
                builders.try_emplace(users.find(dataset.users.integer(u)), IdKind::Integer, IdKind::Integer, false)
                    .first->second;
            const std::uint32_t user = builder.users().intern(dataset.users.integer(u));
            for (std::size_t j = 0; j < dataset.by_user.row_size(u); ++j)
                builder.add(user, builder.items().intern(dataset.items.integer(dataset.by_user.row_columns(u)[j])),
                            dataset.by_user.row_values(u)[j]);
        }
        std::map<std::uint32_t, std::string> raw;
        data_.user_counts.assign(users.size(), 0);
        for (auto& [bucket, builder] : builders) {
            const Dataset own = std::move(builder).finish(Duplicates::Error, environment_);
            raw[bucket] = pack_users(own, options_.test_fraction, options_.seed, environment_);
            const RowsView view(raw[bucket]);
            data_.user_counts[bucket] = view.rows();
            data_.entries += view.train().entries() + view.test().entries();
            data_.held_out += view.test().entries();
        }
        const IalsParameters weighting = ials_weighting(options_, {});
        const IalsParameters* const weights = options_.feedback == Feedback::Implicit ? &weighting : nullptr;
        std::map<std::uint32_t, std::vector<std::pair<std::uint32_t, std::string>>> parts;
        for (const auto& [bucket, bytes] : raw)
            for (BucketBlock& part : split_by_column(RowsView(bytes), items, weights, environment_))
                parts[part.bucket].emplace_back(bucket, std::move(part.bytes));
        data_.item_counts.assign(items.size(), 0);
        std::map<std::uint32_t, std::string> heads;
        const RowNumbers user_numbers(data_.user_counts);
        for (const auto& [bucket, of_users] : parts) {
            std::vector<BucketBytes> views;
            for (const auto& [user_bucket, bytes] : of_users) views.push_back({user_bucket, bytes});
            std::ranges::reverse(views);
            const std::string block = join_parts(views, user_numbers, environment_);
            const RowHeads::Place place = RowHeads::find(std::string_view(block).substr(0, RowHeads::kPrefix));
            heads[bucket] = block.substr(place.begin, place.size);
            data_.item_counts[bucket] = RowHeads(heads[bucket]).rows();
            rows_[1][bucket] = block;
        }
        std::vector<BucketBytes> head_views;
        for (const auto& [bucket, bytes] : heads) head_views.push_back({bucket, bytes});
        const RowNumbers item_numbers(data_.item_counts);
        for (const auto& [bucket, bytes] : raw)
            rows_[0][bucket] = number_columns(RowsView(bytes), head_views, item_numbers, weights, environment_);
    }

    TrainOptions options_;
    Environment environment_;
    DistributedData data_;
    std::size_t written_ = 0;
    std::map<std::uint32_t, std::string> rows_[2];
    std::map<std::tuple<FactorKind, RowSide, std::uint32_t>, std::map<std::uint32_t, std::string>> factors_;
};

/// Runs a schedule to its end; saved and loaded again after each step.
Schedule run(Engine& engine, const TrainOptions& options, Schedule schedule) {
    Environment environment;
    while (!schedule.is_done()) {
        const Step step = schedule.next();
        schedule.finish(step, engine.run(step), environment);
        engine.forget(schedule);
        EXPECT_LE(engine.versions(), 7u);
        schedule = Schedule(options, engine.data(), schedule.save());
    }
    return schedule;
}

Schedule run(Engine& engine, const TrainOptions& options) {
    return run(engine, options, Schedule(options, engine.data()));
}

TrainOptions options_for(Feedback feedback, double test_fraction) {
    TrainOptions options;
    options.feedback = feedback;
    options.factors = 12;
    options.test_fraction = test_fraction;
    options.als.iterations = 3;
    options.ials.iterations = 4;
    return options;
}

Dataset positive_data(Environment& environment) {
    std::vector<Entry> entries = test::planted_ratings(180, 130, 3, 0.3, 0.3, 5);
    for (Entry& entry : entries) entry.value = std::abs(entry.value) + 0.1f;
    return test::make_dataset(entries, environment);
}

void expect_same_curve(const std::vector<double>& a, const std::vector<double>& b, double tolerance) {
    ASSERT_EQ(a.size(), b.size());
    for (std::size_t i = 0; i < a.size(); ++i) EXPECT_NEAR(a[i], b[i], tolerance * std::abs(b[i])) << i;
}

double dot(const float* a, const float* b, int n) { return std::inner_product(a, a + n, b, 0.0); }

TEST(DistributedTest, GivesTheModelOfALocalRun) {
    Environment environment;
    const Dataset dataset = positive_data(environment);
    for (const Feedback feedback : {Feedback::Explicit, Feedback::Implicit})
        for (const double test_fraction : {0.0, 0.2})
            for (const auto solver : {Solver::Cholesky, Solver::ConjugateGradient})
                for (const std::uint32_t buckets : {1u, 5u}) {
                    SCOPED_TRACE(testing::Message()
                                 << "feedback " << static_cast<int>(feedback) << ", held out " << test_fraction
                                 << ", solver " << static_cast<int>(solver) << ", " << buckets << " buckets");
                    TrainOptions options = options_for(feedback, test_fraction);
                    options.solver = solver;
                    const TrainResult local = train(dataset, options, environment);
                    Engine engine(dataset, options, buckets);
                    engine.exchange(Exchange::Single);
                    ASSERT_EQ(engine.data().user_counts.size(), buckets);
                    ASSERT_EQ(engine.data().item_counts.size(), buckets);
                    const Schedule schedule = run(engine, options);
                    const TrainSummary& summary = schedule.summary();
                    // Steps round the rows that they read to 8 bits, and which of two sums is greater may end them.
                    const bool is_exact = solver == Solver::Cholesky;
                    EXPECT_EQ(summary.users, local.summary.users);
                    EXPECT_EQ(summary.items, local.summary.items);
                    EXPECT_EQ(summary.ratings, local.summary.ratings);
                    EXPECT_EQ(summary.test_ratings, local.summary.test_ratings);
                    expect_same_curve(summary.rating_curve.loss, local.summary.rating_curve.loss, 1e-5);
                    expect_same_curve(summary.ranking_curve.loss, local.summary.ranking_curve.loss, 1e-4);
                    if (test_fraction > 0) {
                        EXPECT_NEAR(summary.test_ndcg, local.summary.test_ndcg, is_exact ? 1e-5 : 1e-3);
                        EXPECT_NEAR(summary.test_coverage, local.summary.test_coverage, 0.02);
                        EXPECT_NEAR(summary.test_popularity_ndcg, local.summary.test_popularity_ndcg, 1e-9);
                    }
                    if (feedback == Feedback::Explicit) {
                        EXPECT_NEAR(summary.train_rmse, local.summary.train_rmse, 1e-4);
                        if (test_fraction > 0) {
                            EXPECT_NEAR(summary.test_rmse, local.summary.test_rmse, 1e-4);
                            EXPECT_NEAR(summary.test_bias_rmse, local.summary.test_bias_rmse, 1e-6);
                        }
                        Array<float> user_bias, item_bias;
                        const FactorMatrix users =
                            engine.turned(schedule, FactorKind::Rating, RowSide::Users, 12, &user_bias);
                        const FactorMatrix items =
                            engine.turned(schedule, FactorKind::Rating, RowSide::Items, 12, &item_bias);
                        const RatingModel& model = *local.model.rating;
                        for (std::uint32_t u = 0; u < users.rows(); ++u) {
                            ASSERT_NEAR(user_bias[u], model.user_bias[u], is_exact ? 1e-4 : 1e-3);
                            for (std::uint32_t i = 0; i < items.rows(); ++i)
                                ASSERT_NEAR(dot(users.row(u), items.row(i), 12),
                                            dot(model.users.row(u), model.items.row(i), 12), is_exact ? 1e-3 : 1e-2);
                        }
                    }
                    const FactorMatrix users =
                        engine.turned(schedule, FactorKind::Ranking, RowSide::Users, 12, nullptr);
                    const FactorMatrix items =
                        engine.turned(schedule, FactorKind::Ranking, RowSide::Items, 12, nullptr);
                    const RankingModel& model = local.model.ranking;
                    ASSERT_EQ(schedule.ranking_model().iterations, model.iterations);
                    for (std::uint32_t u = 0; u < users.rows(); ++u)
                        for (std::uint32_t i = 0; i < items.rows(); ++i)
                            ASSERT_NEAR(dot(users.row(u), items.row(i), 12),
                                        dot(model.users.row(u), model.items.row(i), 12), is_exact ? 1e-4 : 2e-3);
                }
}

TEST(DistributedTest, BeginsWithTheFactorsOfAnEarlierRun) {
    Environment environment;
    const Dataset dataset = positive_data(environment);
    for (const Feedback feedback : {Feedback::Explicit, Feedback::Implicit})
        for (const double test_fraction : {0.0, 0.2}) {
            TrainOptions options = options_for(feedback, test_fraction);
            options.als.iterations = 7;
            options.ials.iterations = 8;
            const Model earlier = train(dataset, options, environment).model;
            const auto start_of = [&] {
                WarmStart start{{}, {copy_of(earlier.ranking.items, environment)}};
                if (earlier.rating)
                    start.rating =
                        RatingStart{copy_of(earlier.rating->items, environment), copy_of(earlier.rating->item_bias)};
                // An item that the start does not know.
                std::fill_n(start.ranking.items.row(7), start.ranking.items.stride(), 0.0f);
                if (start.rating) std::fill_n(start.rating->items.row(7), start.rating->items.stride(), 0.0f);
                return start;
            };
            WarmStart of_local = start_of();
            const TrainResult local = train(dataset, warm_options(options), environment, &of_local);
            WarmStart start = start_of();
            complete_item(start.ranking.items, 7, options.seed, kRankingStartStream);
            if (start.rating) complete_item(start.rating->items, 7, options.seed, kRatingStartStream);
            Engine engine(dataset, options, 4);
            engine.exchange(Exchange::Single);
            Schedule schedule(options, engine.data());
            schedule.start_with(engine.start(start, 12));
            const Schedule done = run(engine, options, std::move(schedule));
            EXPECT_EQ(done.ranking_model().iterations, local.model.ranking.iterations);
            EXPECT_LE(done.ranking_model().iterations, 3);
            expect_same_curve(done.summary().rating_curve.loss, local.summary.rating_curve.loss, 1e-5);
            expect_same_curve(done.summary().ranking_curve.loss, local.summary.ranking_curve.loss, 1e-4);
            if (test_fraction > 0) {
                EXPECT_NEAR(done.summary().test_ndcg, local.summary.test_ndcg, 1e-3);
            }
        }
}

TEST(DistributedTest, FactorsThatStepsReadTravelInHalves) {
    Environment environment;
    const Dataset dataset = positive_data(environment);
    for (const double test_fraction : {0.0, 0.2}) {
        const TrainOptions options = options_for(Feedback::Implicit, test_fraction);
        Engine engine(dataset, options, 3);
        engine.exchange(Exchange::Single);
        const Schedule single = run(engine, options);
        Engine steps(dataset, options, 3);
        const Schedule by_steps = run(steps, options);
        EXPECT_LT(steps.written(), engine.written() * (test_fraction > 0 ? 9 : 8) / 10);
        expect_same_curve(by_steps.summary().ranking_curve.loss, single.summary().ranking_curve.loss, 1e-3);
        for (const RowSide side : {RowSide::Users, RowSide::Items}) EXPECT_FALSE(steps.stores_halves(by_steps, side));
    }
    // An exact solver reads all bits.
    TrainOptions options = options_for(Feedback::Implicit, 0);
    options.solver = Solver::Cholesky;
    Engine exact(dataset, options, 3), single(dataset, options, 3);
    single.exchange(Exchange::Single);
    run(exact, options);
    run(single, options);
    EXPECT_EQ(exact.written(), single.written());
}

TEST(DistributedTest, AnExchangeInHalvesHardlyChangesTheModel) {
    Environment environment;
    const Dataset dataset = positive_data(environment);
    for (const Feedback feedback : {Feedback::Explicit, Feedback::Implicit}) {
        const TrainOptions options = options_for(feedback, 0.2);
        Engine engine(dataset, options, 3);
        engine.exchange(Exchange::Single);
        const Schedule single = run(engine, options);
        Engine halves(dataset, options, 3);
        halves.exchange(Exchange::Half);
        const Schedule half = run(halves, options);
        expect_same_curve(half.summary().ranking_curve.loss, single.summary().ranking_curve.loss, 1e-3);
        EXPECT_NEAR(half.summary().test_ndcg, single.summary().test_ndcg, 5e-3 * single.summary().test_ndcg);
        if (feedback == Feedback::Explicit) {
            EXPECT_NEAR(half.summary().test_rmse, single.summary().test_rmse, 1e-3);
        } else {
            EXPECT_LT(halves.written(), engine.written() * 4 / 5);
        }
        EXPECT_FALSE(halves.stores_halves(half, RowSide::Users));
        EXPECT_TRUE(halves.stores_halves(half, RowSide::Items));
    }
}

TEST(DistributedTest, BlocksHaveTheCountsAndDigestsOfALocalRun) {
    Environment environment;
    const Dataset dataset = positive_data(environment);
    const TrainOptions options = options_for(Feedback::Explicit, 0.2);
    const Model local = train(dataset, options, environment).model;
    const Engine engine(dataset, options, 4);
    std::uint32_t user = 0, item = 0;
    for (const auto& [bucket, bytes] : engine.rows(RowSide::Users)) {
        const RowsView rows(bytes);
        for (std::uint32_t r = 0; r < rows.rows(); ++r, ++user) {
            EXPECT_EQ(rows.ids().text(r), dataset.users.text(user));
            EXPECT_EQ(rows.interactions()[r], local.user_interactions[user]);
            EXPECT_EQ(rows.marks()[r], local.user_history[user]);
        }
    }
    for (const auto& [bucket, bytes] : engine.rows(RowSide::Items)) {
        const RowsView rows(bytes);
        for (std::uint32_t r = 0; r < rows.rows(); ++r, ++item) {
            EXPECT_EQ(rows.ids().text(r), dataset.items.text(item));
            EXPECT_EQ(rows.interactions()[r], local.item_interactions[item]);
        }
    }
    EXPECT_EQ(user, dataset.users.size());
    EXPECT_EQ(item, dataset.items.size());
}

TEST(DistributedTest, DamagedBytesAreRefused) {
    Environment environment;
    const Dataset dataset = positive_data(environment);
    const TrainOptions options = options_for(Feedback::Implicit, 0.2);
    Engine engine(dataset, options, 3);
    Schedule schedule(options, engine.data());
    const std::string saved = schedule.save();
    const std::string step = schedule.next().write();
    const std::string rows = engine.rows(RowSide::Users).begin()->second;
    for (const std::string* bytes : {&saved, &step, &rows}) {
        for (std::size_t size = 0; size < bytes->size(); size += 1 + bytes->size() / 97) {
            const std::string part = bytes->substr(0, size);
            if (bytes == &saved) {
                EXPECT_THROW(Schedule(options, engine.data(), part), InvalidData) << size;
            }
            if (bytes == &step) {
                EXPECT_THROW(Step::read(part), InvalidData) << size;
            }
            if (bytes == &rows) {
                EXPECT_THROW(RowsView{part}, InvalidData) << size;
            }
        }
    }
    // Whatever a byte says, nothing is read or written beyond what there is; the sanitizers watch.
    for (std::size_t at = 0; at < rows.size(); at += 7) {
        std::string wrong = rows;
        wrong[at] = static_cast<char>(wrong[at] ^ 0x55);
        try {
            const RowsView view(wrong);
            OtherSide other(schedule.next());
            run_step(schedule.next(), 0, view, {}, other, environment);
        } catch (const Error&) {
        }
    }
    // Nor for sums of rows that were lost.
    const Step whole = schedule.next();
    StepSums sums = engine.run(whole);
    --sums.rows;
    EXPECT_THROW(schedule.finish(whole, sums, environment), InvalidData);
}

TEST(DistributedTest, RangesHoldAboutAsManyRows) {
    IdTable ids(IdKind::Text);
    for (const char* id : {"d", "a", "c", "b", "e"}) ids.intern(std::string_view(id));
    ids.sort();
    const std::vector<std::uint64_t> counts{1, 1, 10, 1, 1};
    const IdRanges ranges(IdRanges::of_sample(ids, counts, 3));
    ASSERT_EQ(ranges.size(), 3u);
    EXPECT_EQ(ranges.find(std::string_view("")), 0u);
    EXPECT_EQ(ranges.find(std::string_view("c")), 0u);
    EXPECT_EQ(ranges.find(std::string_view("d")), 1u);
    EXPECT_EQ(ranges.find(std::string_view("zebra")), 2u);
    EXPECT_EQ(IdRanges(IdRanges::of_sample(ids, counts, 1)).size(), 1u);
}

}  // namespace
}  // namespace mf
