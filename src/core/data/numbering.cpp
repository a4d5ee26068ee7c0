#include "core/data/numbering.hpp"

#include <utility>

namespace mf {

Numbering::Numbering(const std::vector<bool>& occupied) : number(occupied.size(), kNone) {
    for (std::size_t i = 0; i < occupied.size(); ++i)
        if (occupied[i]) number[i] = count++;
}

Array<std::uint64_t> Numbering::take(const Array<std::uint64_t>& values) const {
    Array<std::uint64_t> taken(count);
    for (std::size_t i = 0; i < number.size(); ++i)
        if (number[i] != kNone) taken[number[i]] = values[i];
    return taken;
}

Numbering users_of(const Csr& cells) {
    std::vector<bool> occupied(cells.rows());
    for (std::uint32_t user = 0; user < cells.rows(); ++user) occupied[user] = cells.row_size(user) > 0;
    return Numbering(occupied);
}

Numbering items_of(const Csr& cells) {
    std::vector<bool> occupied(cells.column_count);
    for (const std::uint32_t item : cells.columns) occupied[item] = true;
    return Numbering(occupied);
}

void renumber(Csr& cells, const Numbering& users, const Numbering& items) {
    for (std::uint32_t& column : cells.columns) column = items.number[column];
    Array<std::uint64_t> offsets(std::size_t{users.count} + 1, 0);
    for (std::uint32_t user = 0; user < cells.rows(); ++user)
        if (users.number[user] != Numbering::kNone)
            offsets[users.number[user] + std::size_t{1}] = cells.offsets[user + 1];
    cells.offsets = std::move(offsets);
    cells.column_count = items.count;
}

}  // namespace mf
