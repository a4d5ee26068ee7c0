#include "core/data/sample.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "unit/generated_data.hpp"

namespace mf {
namespace {

using test::Entry;

IdHashes numbered(std::uint32_t users, std::uint32_t items) {
    IdHashes hashes{Array<std::uint64_t>(users), Array<std::uint64_t>(items)};
    for (std::uint32_t u = 0; u < users; ++u) hashes.users[u] = u;
    for (std::uint32_t i = 0; i < items; ++i) hashes.items[i] = i;
    return hashes;
}

// Cells by the hashes of user and item, which tell what they were before they were renumbered.
std::vector<std::vector<double>> listed(const HashedCells& sample) {
    std::vector<std::vector<double>> cells;
    for (std::uint32_t row = 0; row < sample.cells.rows(); ++row)
        for (std::size_t j = 0; j < sample.cells.row_size(row); ++j)
            cells.push_back({double(sample.hashes.users[row]),
                             double(sample.hashes.items[sample.cells.row_columns(row)[j]]),
                             double(sample.cells.row_values(row)[j])});
    return cells;
}

TEST(SampleRows, AreEvenlySpacedAmongThoseThatHaveEntries) {
    const Csr matrix = test::make_csr({{1, 0, 1}, {2, 1, 2}, {4, 0, 3}, {4, 2, 4}, {5, 1, 5}}, 7, 3);
    const Csr sample = sample_rows(matrix, 2);
    EXPECT_EQ(sample.rows(), 7u);
    EXPECT_EQ(sample.column_count, 3u);
    std::vector<std::uint32_t> occupied;
    for (std::uint32_t row = 0; row < 7; ++row)
        if (sample.row_size(row) > 0) occupied.push_back(row);
    EXPECT_EQ(occupied, (std::vector<std::uint32_t>{1, 4}));
    EXPECT_TRUE(std::ranges::equal(sample.row_columns(4), matrix.row_columns(4)));
    EXPECT_TRUE(std::ranges::equal(sample.row_values(4), matrix.row_values(4)));
    EXPECT_EQ(sample_rows(matrix, 100).entries(), matrix.entries());
    EXPECT_EQ(sample_rows(test::make_csr({}, 3, 3), 2).entries(), 0u);
}

TEST(SampleUsers, KeepWholeHistoriesAndLeaveOutWhatIsEmpty) {
    const Csr cells = test::make_csr({{0, 4, 1}, {0, 6, 2}, {1, 1, 3}, {1, 2, 4}, {2, 6, 5}, {3, 0, 6}}, 4, 8);
    const HashedCells half = sample_users(cells, numbered(4, 8), 3);
    EXPECT_EQ(half.cells.rows(), 2u);
    EXPECT_EQ(half.cells.column_count, 2u);
    EXPECT_EQ(listed(half), (std::vector<std::vector<double>>{{0, 4, 1}, {0, 6, 2}, {2, 6, 5}}));
    EXPECT_EQ(sample_users(cells, numbered(4, 8), 6).cells.entries(), 6u);
    EXPECT_EQ(sample_users(cells, numbered(4, 8), 1).cells.entries(), 2u);  // the first user alone
}

}  // namespace
}  // namespace mf
