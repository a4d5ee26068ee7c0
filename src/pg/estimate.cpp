#include "pg/estimate.hpp"

#include <chrono>

#include "core/error.hpp"
#include "core/training_time.hpp"
#include "pg/environment.hpp"
#include "pg/guc.hpp"
#include "pg/interactions_scan.hpp"
#include "pg/row_receiver.hpp"

namespace mf::pg {
namespace {

/// Wall seconds beside the scan and the trainers, as measured on a present-day server: they are a small part of the
/// whole, so that a guess is good enough.
constexpr double kSortSeconds = 60e-9;    // a rating and thread
constexpr double kStoreSeconds = 12e-6;   // a user or item

/// Counts what a training would read. Ids need memory of their own, which is limited alike.
class CountingSink : public RowSink {
  public:
    explicit CountingSink(const Source& source)
        : users_(source.user.kind()), items_(source.item.kind()), limit_(setting_max_memory()) {}

    void row(const SourceRow& row) override {
        if (row.user_null || row.item_null || row.rating_null) return;
        intern(users_, row.user_integer, row.user_bytes);
        intern(items_, row.item_integer, row.item_bytes);
        if (++rows_ % 4096 == 0 && users_.memory() + items_.memory() > limit_)
            throw MemoryLimitExceeded(
                "the ids alone need more than mf_ext.max_memory",
                std::to_string(users_.size()) + " users and " + std::to_string(items_.size()) + " items found so far.",
                "Raise mf_ext.max_memory.");
    }

    const IdTable& users() const { return users_; }
    const IdTable& items() const { return items_; }
    std::uint64_t rows() const { return rows_; }

  private:
    static void intern(IdTable& table, std::int64_t integer, std::string_view bytes) {
        if (table.kind() == IdKind::Integer)
            table.intern(integer);
        else
            table.intern(bytes);
    }

    IdTable users_;
    IdTable items_;
    std::size_t limit_;
    std::uint64_t rows_ = 0;
};

}  // namespace

Estimate estimate_training(const TrainArguments& arguments) {
    const auto begin = std::chrono::steady_clock::now();
    CountingSink sink(arguments.source);
    scan_source(arguments.source, sink);
    const double scan_seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    Environment environment = quiet_environment();
    Estimate estimate;
    estimate.users = sink.users().size();
    estimate.items = sink.items().size();
    estimate.ratings = sink.rows();
    if (estimate.ratings == 0) return estimate;
    estimate.memory = memory_needed(sink.users(), sink.items(), sink.rows(), arguments.source.time.has_value(),
                                    arguments.options, environment.threads);
    estimate.seconds = scan_seconds + kSortSeconds * static_cast<double>(sink.rows()) / environment.threads +
                       training_seconds(estimate.users, estimate.items, estimate.ratings, arguments.options, environment) +
                       kStoreSeconds * static_cast<double>(estimate.users + estimate.items);
    return estimate;
}

}  // namespace mf::pg
