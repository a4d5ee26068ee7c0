#include "pg/evaluation/bias_baseline.hpp"

#include "core/base/descending_order.hpp"
#include "pg/serving/user_scan.hpp"
#include "pg/wall/environment.hpp"

namespace mf::pg {
namespace {

/// Rows of the mean that a bias is shrunk by.
constexpr double kUserShrinkage = 10;
constexpr double kItemShrinkage = 25;

}  // namespace

BiasBaseline::BiasBaseline(const ServingModel& model, const Source& source)
    : model_(model), items_(model.items.size()) {
    scan_source(source, *this, ScanFor::Serving, model.version.owner);
    mean_ = all_.count > 0 ? all_.total / static_cast<double>(all_.count) : 0;
    for (Sum& item : items_) {
        const auto count = static_cast<double>(item.count);
        item.total = (item.total - count * mean_) / (count + kItemShrinkage);
    }
}

void BiasBaseline::row(const SourceRow& row) {
    if (row.user_null || row.item_null || row.rating_null || !std::isfinite(row.rating)) return;
    const std::optional<std::uint32_t> item = find_item(model_.items.ids(), row);
    if (!item) return;
    // Sums of ratings in float steps are exact in double for any order of up to a billion rows of stars or counts.
    items_[*item].total += row.rating;
    ++items_[*item].count;
    all_.total += row.rating;
    ++all_.count;
}

double BiasBaseline::user(std::span<const HistoryEntry> history) const {
    double sum = 0;
    for (const HistoryEntry& entry : history) sum += static_cast<double>(entry.value) - mean_ - item(entry.item);
    return sum / (static_cast<double>(history.size()) + kUserShrinkage);
}

std::vector<std::uint32_t> BiasBaseline::order() const {
    std::vector<std::uint32_t> order(items_.size());
    Environment environment = quiet_environment();
    descending_order(order, environment, [this](std::uint32_t item) { return items_[item].total; });
    return order;
}

}  // namespace mf::pg
