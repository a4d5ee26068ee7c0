#include "core/data/sample.hpp"

#include <algorithm>
#include <limits>
#include <utility>
#include <vector>

namespace mf {

Csr sample_rows(const Csr& matrix, std::size_t limit) {
    const std::size_t step = std::max<std::size_t>((occupied_rows(matrix) + limit - 1) / limit, 1);
    Csr sample;
    sample.column_count = matrix.column_count;
    sample.offsets = Array<std::uint64_t>(std::size_t{matrix.rows()} + 1);
    std::uint64_t entries = 0;
    std::size_t index = 0;
    for (std::uint32_t row = 0; row < matrix.rows(); ++row) {
        sample.offsets[row] = entries;
        if (matrix.row_size(row) > 0 && index++ % step == 0) entries += matrix.row_size(row);
    }
    sample.offsets[matrix.rows()] = entries;
    sample.columns = Array<std::uint32_t>(entries);
    sample.values = Array<float>(entries);
    for (std::uint32_t row = 0; row < matrix.rows(); ++row) {
        if (sample.row_size(row) == 0) continue;
        std::ranges::copy(matrix.row_columns(row), sample.columns.data() + sample.offsets[row]);
        std::ranges::copy(matrix.row_values(row), sample.values.data() + sample.offsets[row]);
    }
    return sample;
}

HashedCells sample_users(const Csr& cells, const IdHashes& hashes, std::uint64_t most) {
    constexpr std::uint32_t kNone = std::numeric_limits<std::uint32_t>::max();
    const auto step = static_cast<std::uint32_t>(
        std::clamp<std::uint64_t>((cells.entries() + most - 1) / most, 1, std::max(cells.rows(), 1u)));
    std::vector<std::uint32_t> users;
    std::vector<std::uint32_t> item_numbers(cells.column_count, kNone);
    std::uint64_t entries = 0;
    for (std::uint32_t user = 0; user < cells.rows(); user += std::min(step, cells.rows() - user)) {
        if (cells.row_size(user) == 0) continue;
        users.push_back(user);
        entries += cells.row_size(user);
        for (const std::uint32_t item : cells.row_columns(user)) item_numbers[item] = 0;
    }
    std::vector<std::uint32_t> items;
    for (std::uint32_t item = 0; item < cells.column_count; ++item) {
        if (item_numbers[item] == kNone) continue;
        item_numbers[item] = static_cast<std::uint32_t>(items.size());
        items.push_back(item);
    }

    HashedCells sample;
    sample.cells.column_count = static_cast<std::uint32_t>(items.size());
    sample.cells.offsets = Array<std::uint64_t>(users.size() + 1);
    sample.cells.columns = Array<std::uint32_t>(entries);
    sample.cells.values = Array<float>(entries);
    sample.hashes.users = Array<std::uint64_t>(users.size());
    sample.hashes.items = Array<std::uint64_t>(items.size());
    for (std::size_t i = 0; i < items.size(); ++i) sample.hashes.items[i] = hashes.items[items[i]];
    std::uint64_t position = 0;
    for (std::size_t row = 0; row < users.size(); ++row) {
        const std::uint32_t user = users[row];
        sample.hashes.users[row] = hashes.users[user];
        sample.cells.offsets[row] = position;
        const auto values = cells.row_values(user);
        for (std::size_t j = 0; j < values.size(); ++j, ++position) {
            sample.cells.columns[position] = item_numbers[cells.row_columns(user)[j]];
            sample.cells.values[position] = values[j];
        }
    }
    sample.cells.offsets[users.size()] = position;
    return sample;
}

}  // namespace mf
