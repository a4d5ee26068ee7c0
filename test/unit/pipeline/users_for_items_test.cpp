#include "core/pipeline/users_for_items.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "core/training/als.hpp"
#include "core/training/als_fold_in.hpp"
#include "core/training/ials.hpp"
#include "core/training/ials_fold_in.hpp"
#include "unit/generated_data.hpp"

namespace mf {
namespace {

constexpr std::uint32_t kUsers = 90, kItems = 70;
constexpr int kFactors = 12;

/// A trained model, and its users as they are collected.
class UsersForItemsTest : public ::testing::Test {
  protected:
    UsersForItemsTest() {
        environment_.threads = 3;
        TrainOptions options;
        options.factors = kFactors;
        by_user_ = test::make_csr(test::planted_ratings(kUsers, kItems, 3, 0.4, 0.3, 9), kUsers, kItems);
        const Csr by_item = transpose(by_user_);
        rating_ = train_als({by_user_, by_item}, options, environment_);
        ranking_ = train_ials({by_user_, by_item}, options, environment_);
        same_items_.resize(kItems);
        std::iota(same_items_.begin(), same_items_.end(), 0u);
    }

    FoldIns fold_ins() {
        return {[this] {
                    return std::make_unique<IalsFoldIn>(
                        RankingItems{ranking_.items, {}, GramMatrix(ranking_.items, environment_)},
                        from_numbers<IalsParameters>(ranking_.parameters));
                },
                [this] {
                    return std::make_unique<AlsFoldIn>(RatingItems{rating_.items, rating_.item_bias},
                                                       rating_.scale.mean,
                                                       from_numbers<AlsParameters>(rating_.parameters));
                }};
    }
    std::span<const float> ranking_row(std::uint32_t user) const { return {ranking_.users.row(user), kFactors}; }
    StoredUser stored(std::uint32_t user) const {
        return {ranking_row(user), {rating_.users.row(user), kFactors}, rating_.user_bias[user]};
    }

    Environment environment_;
    Csr by_user_;
    RatingModel rating_;
    RankingModel ranking_;
    std::vector<std::uint32_t> same_items_;
};

void expect_same_rows(FactorView a, FactorView b) {
    ASSERT_EQ(a.rows(), b.rows());
    for (std::size_t r = 0; r < a.rows(); ++r) ASSERT_TRUE(std::equal(a.row(r), a.row(r) + a.stride(), b.row(r))) << r;
}

// What is folded in and what is taken from the model are the same where histories are.
TEST_F(UsersForItemsTest, FoldedInAndTakenUsersAreTheSame) {
    UsersForItems users(by_user_, same_items_, kFactors, kFactors, environment_);
    for (std::uint32_t user = 0; user < kUsers; user += 2) users.take(user, stored(user));
    users.fold_in(fold_ins(), environment_);
    expect_same_rows(users.ranking().rows, ranking_.users);
    expect_same_rows(users.rating().rows, rating_.users);
    EXPECT_TRUE(std::ranges::equal(users.rating().bias, rating_.user_bias));
    EXPECT_EQ(users.ranking().count, kUsers);
}

// Other users of the model, more than a block of them, count in the Gram matrix and nowhere else.
TEST_F(UsersForItemsTest, OtherUsersAreInTheGramMatrix) {
    UsersForItems users(by_user_, same_items_, kFactors, 0, environment_);
    for (std::uint32_t user = 0; user < kUsers; ++user) users.take(user, {ranking_row(user), {}, 0});
    constexpr std::uint32_t kOthers = 2500;
    for (std::uint32_t i = 0; i < kOthers; ++i) users.add_other(ranking_row(i % kUsers));
    users.fold_in({fold_ins().ranking, {}}, environment_);
    const RankingUsers result = users.ranking();
    EXPECT_EQ(result.rows.rows(), kUsers);
    EXPECT_EQ(result.count, kUsers + kOthers);
    EXPECT_EQ(users.rating().rows.rows(), 0u);
    for (std::size_t i = 0; i < kFactors; ++i)
        for (std::size_t j = i; j < kFactors; ++j) {
            double expected = 0;
            for (std::uint32_t row = 0; row < kUsers + kOthers; ++row) {
                const float* user = ranking_.users.row((row < kUsers ? row : row - kUsers) % kUsers);
                expected += static_cast<double>(user[i]) * static_cast<double>(user[j]);
            }
            ASSERT_NEAR(static_cast<double>(result.gram.at(i, j)), expected, 1e-4 * (1 + std::abs(expected)));
        }
}

// Items that the model does not know have no part in a history; a user of such items alone has no factors.
TEST_F(UsersForItemsTest, UnknownItemsAreLeftOut) {
    const Csr now = test::make_csr({{0, 3, 4}, {0, 70, 5}, {0, 71, 1}, {1, 71, 5}}, 2, 72);
    std::vector<std::uint32_t> items = same_items_;
    items.resize(72, UsersForItems::kUnknown);
    UsersForItems users(now, items, kFactors, kFactors, environment_);
    users.fold_in(fold_ins(), environment_);
    Array<float> expected(FactorMatrix::padded(kFactors));
    fold_ins().ranking()->solve(std::vector<HistoryEntry>{{3, 4}}, expected.data());
    EXPECT_TRUE(std::equal(expected.begin(), expected.end(), users.ranking().rows.row(0)));
    for (int f = 0; f < kFactors; ++f) {
        EXPECT_EQ(users.ranking().rows.row(1)[f], 0.0f);
        EXPECT_EQ(users.rating().rows.row(1)[f], 0.0f);
    }
}

}  // namespace
}  // namespace mf
