#include "core/retrieval/subset_index.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace mf {
namespace {

constexpr std::uint32_t kNone = std::numeric_limits<std::uint32_t>::max();

FactorMatrix rows_of(const ItemIndex& all, const std::vector<std::uint32_t>& items) {
    FactorMatrix rows(items.size(), all.factors());
    for (std::size_t i = 0; i < items.size(); ++i) std::copy_n(all.row(items[i]), all.stride(), rows.row(i));
    return rows;
}

}  // namespace

std::size_t SubsetIndex::bytes(const ItemIndex& all, std::size_t items) {
    return ItemIndex::bytes(items, all.factors()) + items * (all.stride() * sizeof(float) + sizeof(std::uint32_t)) +
           all.items() * sizeof(std::uint32_t);
}

SubsetIndex::SubsetIndex(const ItemIndex& all, std::vector<std::uint32_t> items, Environment& environment)
    : items_(std::move(items)), position_of_(all.items(), kNone), index_(rows_of(all, items_), environment) {
    for (std::uint32_t position = 0; position < items_.size(); ++position) position_of_[items_[position]] = position;
}

void SubsetIndex::to_positions(std::vector<std::uint32_t>& items) const {
    for (std::uint32_t& item : items) item = position_of_[item];
    std::erase(items, kNone);
}

void SubsetIndex::to_items(std::vector<ScoredItem>& list) const {
    for (ScoredItem& scored : list) scored.item = items_[scored.item];
}

}  // namespace mf
