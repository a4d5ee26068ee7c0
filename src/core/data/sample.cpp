#include "core/data/sample.hpp"

#include <algorithm>

#include "core/data/numbering.hpp"

namespace mf {
namespace {

/// The rows for which keep(row) is true; the others are empty. keep is called once for each row, in order.
template <class Keep>
Csr rows_to_keep(const Csr& matrix, const Keep& keep) {
    Csr kept;
    kept.column_count = matrix.column_count;
    kept.offsets = Array<std::uint64_t>(std::size_t{matrix.rows()} + 1, 0);
    for (std::uint32_t row = 0; row < matrix.rows(); ++row)
        kept.offsets[row + std::size_t{1}] = kept.offsets[row] + (keep(row) ? matrix.row_size(row) : 0);
    const std::uint64_t entries = kept.offsets[matrix.rows()];
    kept.columns = Array<std::uint32_t>(entries);
    kept.values = Array<float>(entries);
    kept.allocate_weights_as(matrix);
    for (std::uint32_t row = 0; row < matrix.rows(); ++row) {
        if (kept.row_size(row) == 0) continue;
        std::ranges::copy(matrix.row_columns(row), kept.columns.data() + kept.offsets[row]);
        std::ranges::copy(matrix.row_values(row), kept.values.data() + kept.offsets[row]);
        std::ranges::copy(matrix.row_weights(row), kept.weights.data() + kept.offsets[row]);
    }
    return kept;
}

}  // namespace

Csr sample_rows(const Csr& matrix, std::size_t limit) {
    const std::size_t step = std::max<std::size_t>((occupied_rows(matrix) + limit - 1) / limit, 1);
    std::size_t index = 0;
    return rows_to_keep(matrix, [&](std::uint32_t row) { return matrix.row_size(row) > 0 && index++ % step == 0; });
}

HashedCells sample_users(const Csr& cells, const IdHashes& hashes, std::uint64_t most) {
    const std::uint64_t step = std::max<std::uint64_t>((cells.entries() + most - 1) / most, 1);
    HashedCells sample{rows_to_keep(cells, [&](std::uint32_t user) { return user % step == 0; }), {}};
    const Numbering users = users_of(sample.cells), items = items_of(sample.cells);
    sample.hashes = {users.take(hashes.users), items.take(hashes.items)};
    renumber(sample.cells, users, items);
    return sample;
}

}  // namespace mf
