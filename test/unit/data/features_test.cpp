// Features meet the items of a training run.
#include "core/data/features.hpp"

#include <gtest/gtest.h>

#include <string>
#include <tuple>
#include <vector>

namespace mf {
namespace {

using Row = std::tuple<std::int64_t, const char*, float>;

FeatureRows features_of(const std::vector<Row>& rows, Environment& environment) {
    InteractionsBuilder builder(IdKind::Integer, IdKind::Text, false);
    for (const auto& [id, name, value] : rows)
        builder.add(builder.users().intern(id), builder.items().intern(std::string_view(name)), value);
    FeatureRows result{std::move(builder).finish(Duplicates::Mean, environment), {}};
    result.is_number.assign(result.rows.items.size(), false);
    return result;
}

// Users 1 and 2; items 10, 20 and 30, of which 20 has a repeated row.
Dataset dataset_of(Environment& environment) {
    InteractionsBuilder builder(IdKind::Integer, IdKind::Integer, false);
    const auto add = [&](std::int64_t user, std::int64_t item) {
        builder.add(builder.users().intern(user), builder.items().intern(item), static_cast<float>(item));
    };
    add(1, 30), add(1, 10), add(2, 20), add(2, 20), add(2, 30);
    return std::move(builder).finish(Duplicates::Mean, environment);
}

TEST(FeaturesTest, NewItemsAreAddedInTheOrderOfIds) {
    Environment environment;
    Dataset dataset = dataset_of(environment);
    const FeatureRows features = features_of({{5, "a", 1}, {20, "a", 1}, {25, "b", 1}, {40, "b", 1}}, environment);
    EXPECT_EQ(add_items(dataset, features.rows.users, environment), 3u);
    std::vector<std::int64_t> ids;
    for (std::uint32_t item = 0; item < dataset.items.size(); ++item) ids.push_back(dataset.items.integer(item));
    EXPECT_EQ(ids, (std::vector<std::int64_t>{5, 10, 20, 25, 30, 40}));
    EXPECT_EQ(dataset.by_user.column_count, 6u);
    for (std::uint32_t user = 0; user < 2; ++user)
        for (std::size_t j = 0; j < dataset.by_user.row_size(user); ++j)
            EXPECT_EQ(static_cast<float>(ids[dataset.by_user.row_columns(user)[j]]),
                      dataset.by_user.row_values(user)[j]);
    EXPECT_EQ(std::vector<std::uint64_t>(dataset.repeated.begin(), dataset.repeated.end()),
              (std::vector<std::uint64_t>{0, 0, 1, 0, 0, 0}));
    EXPECT_EQ(add_items(dataset, features.rows.users, environment), 0u);
}

TEST(FeaturesTest, ValuesFollowTheItems) {
    Environment environment;
    const Dataset dataset = dataset_of(environment);
    const FeatureRows features =
        features_of({{20, "b", 2}, {20, "a", 1}, {25, "b", 7}, {30, "c", 3}, {99, "c", 8}}, environment);
    const FeatureValues values = values_of_ids(features, dataset.items, environment);
    ASSERT_EQ(values.rows.rows(), 3u);
    EXPECT_EQ(values.rows.column_count, 3u);
    EXPECT_EQ(values.rows.row_size(0), 0u);
    ASSERT_EQ(values.rows.row_size(1), 2u);
    EXPECT_EQ(values.rows.row_columns(1)[1], 1u);
    EXPECT_EQ(values.rows.row_values(1)[1], 2.0f);
    ASSERT_EQ(values.rows.row_size(2), 1u);
    EXPECT_EQ(values.rows.row_columns(2)[0], 2u);

    // Items 1 and 2 are the only ones that a part of the rows has.
    const FeatureValues taken = take_rows(values, {Ids::kUnknown, 0, 1}, 2, environment);
    ASSERT_EQ(taken.rows.rows(), 2u);
    EXPECT_EQ(taken.rows.row_size(0), 2u);
    EXPECT_EQ(taken.rows.row_values(1)[0], 3.0f);
}

}  // namespace
}  // namespace mf
