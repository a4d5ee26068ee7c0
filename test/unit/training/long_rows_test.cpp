// Rows that are cut into pieces: the same bits on any number of threads and by fold-in, and cancels between pieces.
#include "core/base/sums.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <stdexcept>

#include <algorithm>
#include <vector>

#include "core/training/als.hpp"
#include "core/training/als_fold_in.hpp"
#include "core/training/ials.hpp"
#include "core/training/ials_fold_in.hpp"
#include "unit/generated_data.hpp"

namespace mf {
namespace {

using test::Entry;
using test::history_of;
using test::make_csr;
using test::same_bits;

// So many that a piece is a few thousand entries.
constexpr int kFactors = 1024;
constexpr std::uint32_t kItems = 9000;

// Users with 9000, 5, 3800 and 4500 entries: three pieces, one, two and two.
Csr long_histories() {
    std::vector<Entry> entries;
    Random random(1);
    const std::uint32_t sizes[] = {kItems, 5, 3800, 4500};
    for (std::uint32_t u = 0; u < 4; ++u)
        for (std::uint32_t i = 0; i < sizes[u]; ++i)
            entries.push_back({u, i, static_cast<float>(1 + 4 * random.uniform())});
    return make_csr(entries, 4, kItems);
}

FactorMatrix random_items() {
    FactorMatrix items(kItems, kFactors);
    for (std::size_t r = 0; r < items.rows(); ++r) {
        Random random(2, r);
        for (int f = 0; f < kFactors; ++f) items.row(r)[f] = static_cast<float>(0.05 * random.uniform() - 0.02);
    }
    return items;
}

IalsParameters ials_parameters() {
    IalsParameters parameters;
    parameters.unobserved_weight = 0.1;
    parameters.regularization = 2;
    parameters.exponent = 0.5;
    return parameters;
}

RankingModel ranking_model() {
    RankingModel model;
    model.items = random_items();
    model.users = FactorMatrix(4, kFactors);
    model.parameters = to_numbers(ials_parameters());
    return model;
}

IalsFoldIn ranking_fold_in(const FactorMatrix& items) {
    Environment environment;
    return {{items, {}, GramMatrix(items, environment)}, ials_parameters()};
}

TEST(LongRowsTest, PiecesAreWholePanelsAndBounded) {
    for (const int factors : {1, 16, 64, 512, 1024}) {
        EXPECT_EQ(piece_entries(factors) % kPanelRows, 0u);
        EXPECT_GE(piece_entries(factors), kPanelRows);
        EXPECT_LE(piece_entries(factors), std::size_t{1} << 20);
    }
    EXPECT_EQ(plan_rows(long_histories(), kFactors).long_rows, (std::vector<std::uint32_t>{0, 2, 3}));
    EXPECT_TRUE(plan_rows(long_histories(), 64).long_rows.empty());
}

TEST(LongRowsTest, RankingFactorsAreTheSameForAnyThreadsAndByFoldIn) {
    const Csr by_user = long_histories();
    RankingModel expected = ranking_model();
    Environment one;
    solve_users(expected, by_user, nullptr, one);
    RankingModel model = ranking_model();
    for (const int threads : {3}) {  // each takes minutes under a sanitizer; others are for short rows
        Environment environment;
        environment.threads = threads;
        model.users = FactorMatrix(4, kFactors);
        solve_users(model, by_user, nullptr, environment);
        EXPECT_TRUE(same_bits(model.users, expected.users)) << threads;
    }
    IalsFoldIn fold_in = ranking_fold_in(expected.items);
    Array<float> row(FactorMatrix::padded(kFactors));
    for (std::uint32_t u = 0; u < 4; ++u) {
        fold_in.solve(history_of(by_user, u), row.data());
        EXPECT_TRUE(std::equal(row.begin(), row.end(), expected.users.row(u))) << u;
        EXPECT_GT(squared_norm(row.data(), kFactors), 0.0);
    }
}

TEST(LongRowsTest, RatingFactorsAreTheSameForAnyThreadsAndByFoldIn) {
    const Csr by_user = long_histories();
    RatingModel model;
    model.items = random_items();
    model.item_bias = Array<float>(kItems, 0.1f);
    model.users = FactorMatrix(4, kFactors);
    model.user_bias = Array<float>(4, 0.0f);
    model.scale.mean = 3;
    const AlsParameters parameters{1, 0.5, 0.5};
    model.parameters = to_numbers(parameters);
    Environment one;
    solve_users(model, by_user, nullptr, one);
    FactorMatrix expected(4, kFactors);
    std::copy_n(model.users.row(0), 4 * expected.stride(), expected.row(0));
    const std::vector<float> expected_bias(model.user_bias.begin(), model.user_bias.end());
    for (const int threads : {3}) {  // each takes minutes under a sanitizer; others are for short rows
        Environment environment;
        environment.threads = threads;
        model.users = FactorMatrix(4, kFactors);
        solve_users(model, by_user, nullptr, environment);
        EXPECT_TRUE(same_bits(model.users, expected)) << threads;
        EXPECT_TRUE(std::equal(expected_bias.begin(), expected_bias.end(), model.user_bias.begin()));
    }
    AlsFoldIn fold_in({model.items, model.item_bias}, model.scale.mean, parameters);
    Array<float> row(FactorMatrix::padded(kFactors));
    for (std::uint32_t u = 0; u < 4; ++u) {
        float bias;
        fold_in.solve(history_of(by_user, u), row.data(), &bias);
        EXPECT_TRUE(std::equal(row.begin(), row.end(), expected.row(u))) << u;
        EXPECT_EQ(bias, expected_bias[u]);
    }
}

TEST(LongRowsTest, AnInterruptIsServedBetweenPieces) {
    const Csr by_user = make_csr(
        [] {
            std::vector<Entry> entries;
            for (std::uint32_t i = 0; i < kItems; ++i) entries.push_back({0, i, 1.0f});
            return entries;
        }(),
        1, kItems);
    Environment environment;
    environment.interrupted = [] { return true; };
    int served = 0, pieces = 0, served_in_last_piece = 0;
    environment.checkpoint = [&] { ++served; };
    solve_in_pieces(
        by_user, plan_rows(by_user, kFactors).long_rows, kFactors, environment, [](NormalEquations&) {},
        [&](NormalEquations&, std::uint32_t, std::size_t, std::size_t) {
            ++pieces;
            served_in_last_piece = served;
        },
        [](NormalEquations&, std::uint32_t) { return ObjectiveParts{}; });
    EXPECT_EQ(pieces, 3);
    EXPECT_EQ(served_in_last_piece, 3);  // before the first piece, and after each but the last
}

TEST(LongRowsTest, AFoldInServesInterruptsBetweenPieces) {
    const std::vector<HistoryEntry> history = history_of(long_histories(), 0);
    Environment environment;
    environment.interrupted = [] { return true; };
    int served = 0, cancel_at = 0;
    environment.checkpoint = [&] {
        if (++served == cancel_at) throw std::runtime_error("cancelled");
    };
    const RankingModel model = ranking_model();
    const Array<float> bias(kItems, 0.0f);
    AlsParameters parameters;
    parameters.regularization = 1;
    IalsFoldIn ranking = ranking_fold_in(model.items);
    AlsFoldIn rating({model.items, bias}, 0, parameters);
    Array<float> row(FactorMatrix::padded(kFactors)), expected(row.size()), contributions(history.size());
    float user_bias;
    const std::pair<const char*, std::function<void()>> calls[] = {
        {"ranking", [&] { ranking.solve(history, row.data(), &environment); }},
        {"rating", [&] { rating.solve(history, row.data(), &user_bias, &environment); }},
        {"explain", [&] { ranking.explain(history, 1, contributions.data(), &environment); }}};
    for (const auto& [name, call] : calls) {
        served = cancel_at = 0;
        call();
        const int all = served;
        EXPECT_GE(all, 3) << name;  // one for each piece
        served = 0;
        cancel_at = all;
        EXPECT_THROW(call(), std::runtime_error) << name;
    }
    // A fold-in that was left in the middle has no influence on the next.
    cancel_at = served = 0;
    ranking.solve(history, row.data(), &environment);
    ranking_fold_in(model.items).solve(history, expected.data());
    EXPECT_TRUE(std::equal(row.begin(), row.end(), expected.begin()));
}

}  // namespace
}  // namespace mf
