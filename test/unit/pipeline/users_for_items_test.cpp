#include "core/pipeline/users_for_items.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

#include "core/training/als.hpp"
#include "core/training/als_fold_in.hpp"
#include "core/training/factor_init.hpp"
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

    FoldIns fold_ins() { return fold_ins(same_items_); }
    FoldIns fold_ins(std::span<const std::uint32_t> items) {
        return {[this] {
                    return std::make_unique<IalsFoldIn>(
                        RankingItems{ranking_.items, {}, GramMatrix(ranking_.items, environment_)},
                        from_numbers<IalsParameters>(ranking_.parameters));
                },
                [this] {
                    return std::make_unique<AlsFoldIn>(RatingItems{rating_.items, rating_.item_bias},
                                                       rating_.scale.mean,
                                                       from_numbers<AlsParameters>(rating_.parameters));
                },
                items};
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
    UsersForItems users(by_user_, kFactors, kFactors, environment_);
    for (std::uint32_t user = 0; user < kUsers; user += 2) users.take(user, stored(user));
    users.fold_in(fold_ins(), environment_);
    expect_same_rows(users.ranking().rows, ranking_.users);
    expect_same_rows(users.rating().rows, rating_.users);
    EXPECT_TRUE(std::ranges::equal(users.rating().bias, rating_.user_bias));
    EXPECT_EQ(users.ranking().count, kUsers);
}

// Other users of the model, more than a block of them, count in the Gram matrix and nowhere else.
TEST_F(UsersForItemsTest, OtherUsersAreInTheGramMatrix) {
    UsersForItems users(by_user_, kFactors, 0, environment_);
    for (std::uint32_t user = 0; user < kUsers; ++user) users.take(user, {ranking_row(user), {}, 0});
    constexpr std::uint32_t kOthers = 2500;
    for (std::uint32_t i = 0; i < kOthers; ++i) users.add_other(ranking_row(i % kUsers));
    users.fold_in({fold_ins().ranking, {}, same_items_}, environment_);
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
    UsersForItems users(now, kFactors, kFactors, environment_);
    users.fold_in(fold_ins(items), environment_);
    Array<float> expected(FactorMatrix::padded(kFactors));
    fold_ins().ranking()->solve(std::vector<HistoryEntry>{{3, 4}}, expected.data());
    EXPECT_TRUE(std::equal(expected.begin(), expected.end(), users.ranking().rows.row(0)));
    for (int f = 0; f < kFactors; ++f) {
        EXPECT_EQ(users.ranking().rows.row(1)[f], 0.0f);
        EXPECT_EQ(users.rating().rows.row(1)[f], 0.0f);
    }
}

/// Centers of all users.
struct SomeCenters {
    FactorMatrix factors{kUsers, kFactors};
    std::vector<float> bias;

    SomeCenters() {
        for (std::size_t user = 0; user < kUsers; ++user) {
            for (std::size_t f = 0; f < kFactors; ++f)
                factors.row(user)[f] = 0.1f * static_cast<float>((user + 3 * f) % 7) - 0.3f;
            bias.push_back(0.1f * static_cast<float>(user % 5));
        }
    }
    UserCenters view() const { return {factors, factors, bias}; }
};

// Who is folded in is drawn to the center, and is the center without any known item.
TEST_F(UsersForItemsTest, UsersAreDrawnToTheirCenters) {
    const SomeCenters centers;
    std::vector<test::Entry> entries = test::planted_ratings(kUsers, kItems, 3, 0.4, 0.3, 9);
    std::erase_if(entries, [](const test::Entry& entry) { return entry.user == 7; });
    entries.push_back({7, kItems, 5});
    const Csr now = test::make_csr(entries, kUsers, kItems + 1);
    std::vector<std::uint32_t> items = same_items_;
    items.push_back(UsersForItems::kUnknown);
    UsersForItems users(now, kFactors, kFactors, environment_);
    users.take(0, stored(0));
    FoldIns drawn = fold_ins(items);
    drawn.centers = centers.view();
    users.fold_in(drawn, environment_);
    Array<float> row(FactorMatrix::padded(kFactors));
    EXPECT_TRUE(std::ranges::equal(ranking_row(0), std::span(users.ranking().rows.row(0), kFactors)));
    for (std::uint32_t user = 1; user < kUsers; ++user) {
        if (user == 7) continue;
        fold_ins().ranking()->solve(test::history_of(now, user), row.data(), nullptr, centers.factors.row(user));
        ASSERT_TRUE(std::equal(row.begin(), row.end(), users.ranking().rows.row(user))) << user;
        float bias;
        fold_ins().rating()->solve(test::history_of(now, user), row.data(), &bias, nullptr,
                                   {centers.factors.row(user), centers.bias[user]});
        ASSERT_TRUE(std::equal(row.begin(), row.end(), users.rating().rows.row(user))) << user;
        ASSERT_EQ(bias, users.rating().bias[user]);
    }
    for (int f = 0; f < kFactors; ++f) EXPECT_EQ(users.ranking().rows.row(7)[f], centers.factors.row(7)[f]);
    for (int f = 0; f < kFactors; ++f) EXPECT_EQ(users.rating().rows.row(7)[f], centers.factors.row(7)[f]);
    EXPECT_EQ(users.rating().bias[7], centers.bias[7]);
}

/// The model is said to know the first kKnown items. The others and item 3 are solved, as their trained rows here, and
/// item 5 has no interactions in the model.
class ItemsForUsersTest : public UsersForItemsTest {
  protected:
    static constexpr std::uint32_t kKnown = 60;

    ItemsForUsersTest() {
        known_ = copy_of(ranking_.items, environment_);
        for (int f = 0; f < kFactors; ++f) known_.row(3)[f] += 0.5f;
        std::fill(model_items_.begin() + kKnown, model_items_.end(), UsersForItems::kUnknown);
        columns_.push_back(3);
        for (std::uint32_t column = kKnown; column < kItems; ++column) columns_.push_back(column);
        interactions_[5] = 0;
        for (const std::uint32_t column : columns_) {
            std::copy_n(ranking_.items.row(column), kFactors, solved_.row(solved_bias_.size()));
            std::copy_n(rating_.items.row(column), kFactors, solved_rating_.row(solved_bias_.size()));
            solved_bias_.push_back(rating_.item_bias[column]);
        }
    }

    ItemsForUsers items() {
        FactorMatrix counted = copy_of(known_, environment_);
        std::fill_n(counted.row(5), kFactors, 0.0f);
        const ModelItems model{
            {known_, {}, GramMatrix(FactorView(counted).slice(0, kKnown), environment_)},
            {FactorView(rating_.items).slice(0, kKnown), std::span<const float>(rating_.item_bias).first(kKnown)},
            interactions_};
        return {model, model_items_, {columns_, solved_, {solved_rating_, solved_bias_}}, environment_};
    }

    FoldIns fold_ins_by(const ItemsForUsers& items) {
        return {[this, &items] {
                    return std::make_unique<IalsFoldIn>(items.ranking(),
                                                        from_numbers<IalsParameters>(ranking_.parameters));
                },
                [this, &items] {
                    return std::make_unique<AlsFoldIn>(items.rating(), rating_.scale.mean,
                                                       from_numbers<AlsParameters>(rating_.parameters));
                },
                items.indices()};
    }

    FactorMatrix known_;
    std::vector<std::uint32_t> model_items_ = same_items_;
    std::vector<std::uint32_t> columns_;
    std::vector<std::uint32_t> interactions_ = std::vector<std::uint32_t>(kKnown, 1u);
    FactorMatrix solved_{kItems - kKnown + 1, kFactors};
    FactorMatrix solved_rating_{kItems - kKnown + 1, kFactors};
    std::vector<float> solved_bias_;
};

// Users are those of a fold-in against all items as they are now, whether they were taken before or not.
TEST_F(ItemsForUsersTest, UsersAreFoldedInByOldAndSolvedItems) {
    UsersForItems users(by_user_, kFactors, kFactors, environment_);
    for (std::uint32_t user = 0; user < kUsers; user += 2) users.take(user, stored(user));
    users.add_other(ranking_row(1));
    users.fold_in(fold_ins(model_items_), environment_);
    const ItemsForUsers now = items();
    users.fold_in_again(now, fold_ins_by(now), environment_);

    FactorMatrix counted = copy_of(ranking_.items, environment_);
    std::fill_n(counted.row(5), kFactors, 0.0f);
    IalsFoldIn ranking({ranking_.items, {}, GramMatrix(counted, environment_)},
                       from_numbers<IalsParameters>(ranking_.parameters));
    AlsFoldIn rating({rating_.items, rating_.item_bias}, rating_.scale.mean,
                     from_numbers<AlsParameters>(rating_.parameters));
    Array<float> row(FactorMatrix::padded(kFactors));
    double first = std::pow(double{ranking_row(1)[0]}, 2);
    for (std::uint32_t user = 0; user < kUsers; ++user) {
        const std::vector<HistoryEntry> history = test::history_of(by_user_, user);
        ranking.solve(history, row.data());
        for (int f = 0; f < kFactors; ++f) ASSERT_NEAR(users.ranking().rows.row(user)[f], row[f], 1e-4) << user;
        first += std::pow(double{users.ranking().rows.row(user)[0]}, 2);
        float bias;
        rating.solve(history, row.data(), &bias);
        ASSERT_TRUE(std::equal(row.begin(), row.end(), users.rating().rows.row(user))) << user;
        ASSERT_EQ(users.rating().bias[user], bias);
    }
    EXPECT_EQ(users.ranking().count, kUsers + 1);
    EXPECT_NEAR(users.ranking().gram.at(0, 0), first, 1e-4 * first);
}

// Centers are where the factors of the model are, whatever basis the users are solved in.
TEST_F(ItemsForUsersTest, UsersAreDrawnToTheirCentersAgain) {
    const SomeCenters centers;
    UsersForItems users(by_user_, kFactors, kFactors, environment_);
    users.fold_in(fold_ins(model_items_), environment_);
    const ItemsForUsers now = items();
    FoldIns drawn = fold_ins_by(now);
    drawn.centers = centers.view();
    users.fold_in_again(now, drawn, environment_);
    FactorMatrix counted = copy_of(ranking_.items, environment_);
    std::fill_n(counted.row(5), kFactors, 0.0f);
    IalsFoldIn ranking({ranking_.items, {}, GramMatrix(counted, environment_)},
                       from_numbers<IalsParameters>(ranking_.parameters));
    Array<float> row(FactorMatrix::padded(kFactors));
    for (std::uint32_t user = 0; user < kUsers; ++user) {
        ranking.solve(test::history_of(by_user_, user), row.data(), nullptr, centers.factors.row(user));
        for (int f = 0; f < kFactors; ++f) ASSERT_NEAR(users.ranking().rows.row(user)[f], row[f], 1e-4) << user;
    }
}

// Short histories are solved by systems of their own size, which takes a diagonal Gram matrix.
TEST_F(ItemsForUsersTest, ItemsAreInTheirEigenbasis) {
    const ItemsForUsers now = items();
    EXPECT_TRUE(is_diagonal(now.ranking().gram, now.ranking().rows));
    FactorMatrix back(kItems, kFactors);
    std::copy_n(now.ranking().rows.row(0), kItems * back.stride(), back.row(0));
    now.rotate_back(back, environment_);
    for (std::uint32_t item = 0; item < kItems; ++item)
        for (int f = 0; f < kFactors; ++f) ASSERT_NEAR(back.row(item)[f], ranking_.items.row(item)[f], 1e-5) << item;
}

// A column that is neither known nor solved is in no history.
TEST_F(ItemsForUsersTest, OtherColumnsAreUnknown) {
    columns_.pop_back();
    solved_ = FactorMatrix(columns_.size(), kFactors);
    const ItemsForUsers now = items();
    EXPECT_EQ(now.indices()[kItems - 1], UsersForItems::kUnknown);
    EXPECT_EQ(now.indices()[kItems - 2], kItems - 2);
}

TEST_F(ItemsForUsersTest, ThreadsDoNotMatter) {
    std::vector<FactorMatrix> results;
    for (const int threads : {1, 2, 7}) {
        environment_.threads = threads;
        UsersForItems users(by_user_, kFactors, kFactors, environment_);
        users.fold_in(fold_ins(model_items_), environment_);
        const ItemsForUsers now = items();
        users.fold_in_again(now, fold_ins_by(now), environment_);
        FactorMatrix copy(kUsers, kFactors);
        std::copy_n(users.ranking().rows.row(0), kUsers * copy.stride(), copy.row(0));
        results.push_back(std::move(copy));
    }
    expect_same_rows(results[1], results[0]);
    expect_same_rows(results[2], results[0]);
}

}  // namespace
}  // namespace mf
