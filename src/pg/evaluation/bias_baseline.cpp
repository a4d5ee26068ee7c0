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
    scan_source(source, *this, ScanFor::Evaluation, model.version.owner);
    mean_ = all_.count > 0 ? all_.total / static_cast<double>(all_.count) : 0;
    for (Sum& item : items_) {
        const auto count = static_cast<double>(item.count);
        item.total = (item.total - count * mean_) / (count + kItemShrinkage);
    }
}

void BiasBaseline::rows(const RowBatch& batch) {
    std::uint32_t items[kBatchRows];
    batch.with_items([&](auto ids) { model_.items.ids().find(ids, items); });
    for (std::size_t i = 0; i < batch.size(); ++i) {
        if (items[i] == SortedIds::kUnknown) continue;
        // Sums of ratings in float steps are exact in double for any order of up to a billion rows of stars or counts.
        items_[items[i]].total += batch.ratings()[i];
        ++items_[items[i]].count;
        all_.total += batch.ratings()[i];
        ++all_.count;
    }
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
