#include "core/data/recency.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>
#include <vector>

#include "core/base/error.hpp"
#include "core/data/interactions.hpp"
#include "core/data/sample.hpp"
#include "core/data/split.hpp"

namespace mf {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();
constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();

TEST(Recency, HalvesWithEachHalfLife) {
    const Recency recency{10, 0, 100};
    EXPECT_EQ(recency.weight(100), 1.0f);
    EXPECT_EQ(recency.weight(90), 0.5f);
    EXPECT_EQ(recency.weight(70), 0.125f);
    EXPECT_FLOAT_EQ(recency.weight(95), std::sqrt(0.5f));
}

TEST(Recency, HasBounds) {
    const Recency recency{10, 0, 100};
    EXPECT_EQ(recency.weight(1000), 1.0f);
    EXPECT_EQ(recency.weight(kInfinity), 1.0f);
    EXPECT_EQ(recency.weight(-1e300), Recency::kLeastWeight);
    EXPECT_EQ(recency.weight(-kInfinity), Recency::kLeastWeight);
}

TEST(Recency, IsOneWithoutAHalfLife) {
    EXPECT_FALSE(Recency{}.weighs());
    EXPECT_EQ(Recency{}.weight(-kInfinity), 1.0f);
}

struct Row {
    std::uint32_t user, item;
    float value;
    double time;
};

Dataset dataset_of(const std::vector<Row>& rows, Duplicates rule, const Recency& recency, int threads = 1) {
    Environment environment;
    environment.threads = threads;
    InteractionsBuilder builder(IdKind::Integer, IdKind::Integer, true);
    for (const Row& row : rows)
        builder.add(builder.users().intern(std::int64_t{row.user}), builder.items().intern(std::int64_t{row.item}),
                    row.value, row.time);
    return std::move(builder).finish(rule, environment, {recency});
}

std::vector<float> weights_of(const Csr& matrix) { return {matrix.weights.begin(), matrix.weights.end()}; }

const std::vector<Row> kRows = {{1, 1, 2, 90}, {1, 2, 5, 100}, {1, 2, 3, 80}, {2, 1, 1, -kInfinity}, {1, 2, 1, 90}};

TEST(Recency, OfSeveralRowsOfACellIsTheMean) {
    const Dataset data = dataset_of(kRows, Duplicates::Sum, {10, 0, kUnknown});
    EXPECT_EQ(data.recency.newest, 100);
    EXPECT_EQ(weights_of(data.by_user),
              (std::vector<float>{0.5f, static_cast<float>((1.0 + 0.5 + 0.25) / 3), Recency::kLeastWeight}));
}

TEST(Recency, IsThatOfTheRowThatCounts) {
    const Dataset data = dataset_of(kRows, Duplicates::Last, {10, 0, kUnknown});
    EXPECT_EQ(weights_of(data.by_user), (std::vector<float>{0.5f, 1.0f, Recency::kLeastWeight}));
    EXPECT_EQ(data.by_user.values[1], 5);
}

TEST(Recency, CountsFromAGivenTime) {
    const Dataset data = dataset_of(kRows, Duplicates::Last, {10, 0, 120});
    EXPECT_EQ(weights_of(data.by_user), (std::vector<float>{0.125f, 0.25f, Recency::kLeastWeight}));
}

TEST(Recency, GivesItemsTheirPopularity) {
    for (const int threads : {1, 2}) {
        const Dataset data = dataset_of(kRows, Duplicates::Last, {0, 10, kUnknown}, threads);
        EXPECT_TRUE(data.by_user.weights.empty());
        EXPECT_EQ((std::vector<float>{data.popularity.begin(), data.popularity.end()}),
                  (std::vector<float>{0.5f + Recency::kLeastWeight, 1.0f}));
    }
    EXPECT_NEAR(dataset_of(kRows, Duplicates::Sum, {10, 20, kUnknown}).popularity[1], (1.0 + std::sqrt(0.5) + 0.5) / 3,
                1e-6);
    EXPECT_TRUE(dataset_of(kRows, Duplicates::Sum, {10, 0, kUnknown}).popularity.empty());
}

TEST(Recency, NeedsTimes) {
    EXPECT_THROW(dataset_of({{1, 1, 1, -kInfinity}, {2, 1, 1, kInfinity}}, Duplicates::Sum, {10, 0, kUnknown}),
                 InvalidData);
    EXPECT_TRUE(dataset_of(kRows, Duplicates::Sum, {}).by_user.weights.empty());
}

/// A weight by which entries can be told apart goes with its entry wherever a matrix is cut, sampled or turned.
TEST(Recency, GoesWithItsEntry) {
    std::mt19937 random(3);
    std::vector<Row> rows;
    for (std::uint32_t user = 0; user < 300; ++user)
        for (std::uint32_t item = 0; item < 40; ++item)
            if (random() % 3 == 0) rows.push_back({user, item, 1, static_cast<double>(40 * user + item)});
    std::shuffle(rows.begin(), rows.end(), random);
    Environment environment;
    environment.threads = 2;
    const Recency recency{100000, 0, kUnknown};
    const Dataset data = dataset_of(rows, Duplicates::Error, recency, 2);
    const auto expect = [&](const Csr& matrix, bool by_item) {
        ASSERT_EQ(matrix.weights.size(), matrix.columns.size());
        for (std::uint32_t row = 0; row < matrix.rows(); ++row)
            for (std::uint64_t i = matrix.offsets[row]; i < matrix.offsets[row + 1]; ++i) {
                const std::uint32_t user = by_item ? matrix.columns[i] : row;
                const std::uint32_t item = by_item ? row : matrix.columns[i];
                ASSERT_EQ(matrix.weights[i], data.recency.weight(static_cast<double>(40 * data.users.integer(user)) +
                                                                 static_cast<double>(data.items.integer(item))));
            }
    };
    expect(data.by_user, false);
    expect(transpose(data.by_user, environment), true);
    const IdHashes hashes = id_hashes(data, environment);
    for (const HoldOut& parts : {hold_out(data.by_user, hashes, 0.3, 1, environment),
                                 hold_out_fold(data.by_user, hashes, 1, 3, 1, environment)}) {
        expect(parts.train, false);
        expect(parts.test, false);
    }
    expect(sample_rows(data.by_user, 50), false);
}

TEST(Recency, IsPartOfTheDigest) {
    Environment environment;
    const auto digests = [&](const Recency& recency) {
        const Dataset data = dataset_of(kRows, Duplicates::Last, recency);
        const Array<std::uint64_t> result = history_digests(data.by_user, id_hashes(data, environment), environment);
        return std::vector<std::uint64_t>(result.begin(), result.end());
    };
    EXPECT_EQ(digests({10, 0, kUnknown}), digests({10, 0, 100}));
    EXPECT_NE(digests({10, 0, kUnknown})[0], digests({10, 0, 101})[0]);
    EXPECT_NE(digests({10, 0, kUnknown})[0], digests({})[0]);
}

}  // namespace
}  // namespace mf
