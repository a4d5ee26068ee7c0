// mf_estimate
#include <algorithm>
#include <chrono>

#include "core/base/error.hpp"
#include "core/pipeline/find_options.hpp"
#include "core/pipeline/training_time.hpp"
#include "pg/sql/results.hpp"
#include "pg/sql/row_receiver.hpp"
#include "pg/training/interactions_scan.hpp"
#include "pg/training/training_features.hpp"
#include "pg/training/train_arguments.hpp"
#include "pg/wall/boundary.hpp"
#include "pg/wall/environment.hpp"
#include "pg/wall/guc.hpp"

namespace mf::pg {
namespace {

struct Estimate {
    std::uint64_t users = 0;
    std::uint64_t items = 0;
    std::uint64_t ratings = 0;  ///< rows with user, item and rating; duplicates are not merged
    std::size_t memory = 0;     ///< bytes that mf_ext.max_memory must allow
    double seconds = 0;         ///< wall, reading and storing included
};

/// Wall seconds beside the scan and the trainers, as measured on a present-day server: they are a small part of the
/// whole, so that a guess is good enough.
constexpr double kSortSeconds = 60e-9;   // a rating and thread
constexpr double kStoreSeconds = 12e-6;  // a user or item

/// Time of the trainers with a search for what was not given, at most, beside the time without.
constexpr double kMostOfSearch = 3;

/// Counts what a training run would read. Ids need memory of their own, which is limited alike.
class CountingSink : public RowSink {
  public:
    explicit CountingSink(const Source& source)
        : users_(source.user.kind()), items_(source.item.kind()), limit_(setting_max_memory()) {}

    void rows(const RowBatch& batch) override {
        std::uint32_t indices[kBatchRows];
        rows_ += batch.size();
        batch.with_users([&](auto ids) { users_.intern(ids, indices); });
        batch.with_items([&](auto ids) { items_.intern(ids, indices); });
        if (users_.memory() + items_.memory() > limit_)
            throw MemoryLimitExceeded(
                "the ids alone need more than mf_ext.max_memory",
                std::to_string(users_.size()) + " users and " + std::to_string(items_.size()) + " items found so far.",
                "Raise mf_ext.max_memory.");
    }

    const IdTable& users() const { return users_; }
    const IdTable& items() const { return items_; }
    std::uint64_t row_count() const { return rows_; }

  private:
    IdTable users_;
    IdTable items_;
    std::size_t limit_;
    std::uint64_t rows_ = 0;
};

/// Reads the source as the training would, but keeps the ids only, and tries the trainers on a small sample. Throws
/// what reading throws; a source without rows gives zeros.
Estimate estimate_training(const TrainArguments& arguments) {
    const auto begin = std::chrono::steady_clock::now();
    CountingSink sink(arguments.source);
    scan_source(arguments.source, sink, ScanFor::Estimate);
    const double scan_seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    Environment environment = quiet_environment();
    Estimate estimate;
    estimate.users = sink.users().size();
    estimate.items = sink.items().size();
    estimate.ratings = sink.row_count();
    if (estimate.ratings == 0) return estimate;
    TrainOptions options = arguments.options;
    double search_factor = 1;
    if (needs_search(options)) {
        const std::size_t ids = sink.users().memory() + sink.items().memory();
        options.search.memory -= std::min(options.search.memory, ids);
        const auto open = open_options(options);
        if (std::ranges::any_of(open, [](const OpenOption& option) { return option.name == "factors"; })) {
            options.rating_factors = options.rating_factors_or_default();
            options.factors =
                most_factors(estimate.users, estimate.items, estimate.ratings, options, environment.threads);
        }
        search_factor = kMostOfSearch;
    }
    estimate.memory = memory_needed(sink.users(), sink.items(), sink.row_count(), arguments.source.time.has_value(),
                                    options, environment.threads) +
                      TrainingFeatures(arguments, environment).memory(options, estimate.users, estimate.items);
    const double trainers = training_seconds(estimate.users, estimate.items, estimate.ratings, options, environment);
    estimate.seconds = scan_seconds + kSortSeconds * static_cast<double>(sink.row_count()) / environment.threads +
                       std::min(search_factor * trainers, trainers + options.search.seconds) +
                       kStoreSeconds * static_cast<double>(estimate.users + estimate.items);
    return estimate;
}

}  // namespace

MF_FUNCTION(mf_estimate) {
    pg_call([fcinfo] { begin_rows_unsafe(fcinfo); });
    const RawTrainArguments raw = pg_call([fcinfo] { return read_train_arguments_unsafe(fcinfo); });
    const Estimate estimate = estimate_training(check_train_arguments(raw));
    pg_call([fcinfo, &estimate] {
        put_row_unsafe(fcinfo,
                       {Int64GetDatum(static_cast<std::int64_t>(estimate.users)),
                        Int64GetDatum(static_cast<std::int64_t>(estimate.items)),
                        Int64GetDatum(static_cast<std::int64_t>(estimate.ratings)),
                        Int64GetDatum(static_cast<std::int64_t>(estimate.memory))},
                       {estimate.seconds});
    });
    return Datum{0};
}

}  // namespace mf::pg
