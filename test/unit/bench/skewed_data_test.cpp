// The generator of the benchmarks' data: its sizes, its skew, and the very bytes that it writes.
#include "bench/rating_stream.hpp"

#include <gtest/gtest.h>

#include <numeric>
#include <set>

namespace mf::bench {
namespace {

constexpr Shape kSmall{300, 200, 6000};

std::string written(const Shape& shape, IdType ids, CopyFormat format, RowOrder order = RowOrder::User,
                    std::uint64_t seed = 1, std::size_t window = kWindowRows) {
    SkewedRatings ratings(shape, seed);
    std::string all;
    write_ratings(
        ratings, CopyEncoder(ids, format), order, seed, [&](std::string_view bytes) { all += bytes; }, window);
    return all;
}

std::vector<std::string> lines(const std::string& text) {
    std::vector<std::string> result;
    for (std::size_t start = 0, end; (end = text.find('\n', start)) != std::string::npos; start = end + 1)
        result.push_back(text.substr(start, end - start));
    return result;
}

TEST(SkewedData, HasTheRatingsAskedFor) {
    for (const Shape& shape : {kSmall, kMillion, Shape{100, 50, 100}, Shape{100, 50, 2500}, Shape{1, 2, 1}}) {
        SkewedRatings ratings(shape);
        EXPECT_NEAR(static_cast<double>(ratings.count()), static_cast<double>(shape.ratings),
                    0.001 * static_cast<double>(shape.ratings));
    }
    EXPECT_EQ(skewed_ratings(kSmall).entries(), SkewedRatings(kSmall).count());
}

TEST(SkewedData, RefusesWhatCannotBe) {
    for (const Shape& shape : {Shape{0, 10, 0}, Shape{10, 1, 10}, Shape{10, 10, 9}, Shape{10, 10, 51}})
        EXPECT_THROW(SkewedRatings{shape}, std::invalid_argument);
}

TEST(SkewedData, RowsAreDistinctAscendingAndIndependentOfEachOther) {
    SkewedRatings forward(kSmall), backward(kSmall);
    std::vector<std::vector<Rating>> rows;
    for (std::uint32_t u = 0; u < kSmall.users; ++u) {
        const auto row = forward.row(u);
        ASSERT_EQ(row.size(), forward.count(u));
        for (std::size_t j = 0; j < row.size(); ++j) {
            EXPECT_LT(row[j].item, kSmall.items);
            EXPECT_TRUE(j == 0 || row[j - 1].item < row[j].item);
        }
        rows.emplace_back(row.begin(), row.end());
    }
    for (std::uint32_t u = kSmall.users; u-- > 0;) {
        const auto row = backward.row(u);
        EXPECT_TRUE(
            std::equal(row.begin(), row.end(), rows[u].begin(), rows[u].end(),
                       [](const Rating& a, const Rating& b) { return a.item == b.item && a.value == b.value; }));
    }
}

TEST(SkewedData, IsSkewedAsRealRatingsAre) {
    const Csr matrix = skewed_ratings(kMillion);
    std::vector<double> by_user, by_item(kMillion.items, 0.0);
    double sum = 0, squares = 0;
    for (std::uint32_t u = 0; u < matrix.rows(); ++u) by_user.push_back(static_cast<double>(matrix.row_size(u)));
    for (std::uint64_t e = 0; e < matrix.entries(); ++e) {
        const double value = static_cast<double>(matrix.values[e]);
        ASSERT_TRUE(value >= 0.5 && value <= 5.0 && value * 2 == std::round(value * 2));
        ++by_item[matrix.columns[e]];
        sum += value;
        squares += value * value;
    }
    const auto share_of_first_tenth = [](std::vector<double> counts) {
        std::sort(counts.rbegin(), counts.rend());
        const auto tenth = counts.begin() + static_cast<std::ptrdiff_t>(counts.size() / 10);
        return std::accumulate(counts.begin(), tenth, 0.0) / std::accumulate(counts.begin(), counts.end(), 0.0);
    };
    // A log-normal with deviation 1 has 39% in its first tenth. The power law would have 46%, but active users run out
    // of popular items.
    EXPECT_NEAR(share_of_first_tenth(by_user), 0.39, 0.02);
    EXPECT_NEAR(share_of_first_tenth(by_item), 0.36, 0.02);
    const auto n = static_cast<double>(matrix.entries());
    EXPECT_NEAR(sum / n, 3.5, 0.1);
    EXPECT_NEAR(std::sqrt(squares / n - sum / n * sum / n), 0.9, 0.1);
    // Popularity does not follow the index.
    const double first_half = std::accumulate(by_item.begin(), by_item.begin() + kMillion.items / 2, 0.0);
    EXPECT_NEAR(first_half / n, 0.5, 0.05);
}

TEST(SkewedData, WritesTheSameBytesForTheSameSeed) {
    for (const IdType ids : {IdType::Int, IdType::Bigint, IdType::Uuid, IdType::Text})
        for (const CopyFormat format : {CopyFormat::Csv, CopyFormat::Binary})
            for (const RowOrder order : {RowOrder::User, RowOrder::Random}) {
                EXPECT_EQ(written(kSmall, ids, format, order), written(kSmall, ids, format, order));
                EXPECT_NE(written(kSmall, ids, format, order), written(kSmall, ids, format, order, 2));
            }
}

TEST(SkewedData, WritesKnownBytes) {
    EXPECT_EQ(id_hash(written(kSmall, IdType::Int, CopyFormat::Csv)), 6288330531133605333u);
    EXPECT_EQ(id_hash(written(kSmall, IdType::Uuid, CopyFormat::Csv)), 16938898838316870187u);
    EXPECT_EQ(id_hash(written(kSmall, IdType::Text, CopyFormat::Binary)), 3695712019416104635u);
    EXPECT_EQ(id_hash(written(kSmall, IdType::Bigint, CopyFormat::Binary, RowOrder::Random)), 13483718948378011027u);
}

TEST(SkewedData, RandomOrderHasTheSameRows) {
    const std::vector<std::string> ordered = lines(written(kSmall, IdType::Int, CopyFormat::Csv));
    for (const std::size_t window : {std::size_t{1}, std::size_t{1000}, kWindowRows}) {
        const std::vector<std::string> shuffled =
            lines(written(kSmall, IdType::Int, CopyFormat::Csv, RowOrder::Random, 1, window));
        EXPECT_EQ(shuffled.front(), "user_id,item_id,rating");
        EXPECT_NE(shuffled, ordered);
        EXPECT_EQ(std::multiset<std::string>(shuffled.begin(), shuffled.end()),
                  std::multiset<std::string>(ordered.begin(), ordered.end()));
    }
}

TEST(SkewedData, IdsAreDistinct) {
    for (const IdType ids : {IdType::Bigint, IdType::Uuid, IdType::Text}) {
        std::set<std::string> users, items;
        for (const std::string& line : lines(written(kSmall, ids, CopyFormat::Csv))) {
            const std::size_t first = line.find(','), second = line.find(',', first + 1);
            users.insert(line.substr(0, first));
            items.insert(line.substr(first + 1, second - first - 1));
        }
        EXPECT_EQ(users.size(), kSmall.users + 1);  // and the header
        EXPECT_GT(items.size(), kSmall.items / 2);
        EXPECT_LE(items.size(), kSmall.items + 1);
    }
}

TEST(CopyFormat, BinaryRowsAreThoseOfTheProtocol) {
    const CopyEncoder encoder(IdType::Int, CopyFormat::Binary);
    std::string out;
    encoder.begin(out);
    EXPECT_EQ(out, std::string("PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0", 19));
    out.clear();
    encoder.row(out, 0, 0x10203, 3.5f);
    EXPECT_EQ(out, std::string("\0\3\0\0\0\4\0\0\0\1\0\0\0\4\0\1\2\4\0\0\0\4\x40\x60\0\0", 26));
    out.clear();
    encoder.end(out);
    EXPECT_EQ(out, "\xff\xff");
}

}  // namespace
}  // namespace mf::bench
