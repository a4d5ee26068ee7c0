#include "pg/training/interactions_scan.hpp"

#include <limits>
#include <optional>
#include <utility>

#include "core/base/error.hpp"
#include "core/pipeline/train.hpp"
#include "pg/sql/row_users.hpp"
#include "pg/sql/source_query.hpp"
#include "pg/training/handed_rows.hpp"
#include "pg/wall/environment.hpp"
#include "pg/wall/guc.hpp"

namespace mf::pg {
namespace {

/// What is short of memory, and what to do about that.
struct Task {
    const char* name;
    const char* hint;
};
constexpr Task kTraining{"training",
                         "Raise mf_ext.max_memory, use fewer factors or threads, or train on a part of the rows."};
constexpr Task kRefresh{"the refresh", "Raise mf_ext.max_memory, or use fewer threads."};

constexpr std::uint64_t kRowsPerCheck = 4096;

void require_memory(const Task& task, std::size_t need, std::size_t limit, std::uint64_t rows, const IdTable& users,
                    const IdTable& items, const char* read) {
    if (need <= limit) return;
    throw MemoryLimitExceeded(std::string(task.name) + " needs at least " + megabytes(need) +
                                  " of memory, mf_ext.max_memory is " + megabytes(limit),
                              std::to_string(rows) + " interactions of " + std::to_string(users.size()) +
                                  " users and " + std::to_string(items.size()) + " items" + read,
                              task.hint);
}

/// Once it is made, calls nothing of PostgreSQL and reads no settings (HandedRows).
class BuilderSink : public RowSink {
  public:
    BuilderSink(const Task& task, const Source& source, const TrainOptions& options, int threads, int copies,
                std::size_t taken = 0)
        : task_(task),
          options_(options),
          threads_(threads),
          copies_(copies),
          taken_(taken),
          with_times_(source.time.has_value()),
          builder_(source.user.kind(), source.item.kind(), with_times_) {}

    void rows(const RowBatch& batch) override {
        std::uint32_t users[kBatchRows];
        std::uint32_t items[kBatchRows];
        float values[kBatchRows];
        batch.with_users([&](auto ids) { builder_.users().intern(ids, users); });
        batch.with_items([&](auto ids) { builder_.items().intern(ids, items); });
        for (std::size_t i = 0; i < batch.size(); ++i) values[i] = batch.value(i);
        const std::uint64_t before = builder_.rows();
        builder_.add(batch.size(), users, items, values, batch.times().data());
        if (builder_.rows() / kRowsPerCheck != before / kRowsPerCheck) check_memory();
    }

    void check_memory() {
        const std::size_t need = memory_needed(builder_.users(), builder_.items(), builder_.rows(), with_times_,
                                               options_, threads_, copies_) +
                                 taken_;
        require_memory(task_, need, limit_, builder_.rows(), builder_.users(), builder_.items(), " read so far.");
    }

    InteractionsBuilder& builder() { return builder_; }

  private:
    const Task& task_;
    const TrainOptions& options_;
    int threads_;
    int copies_;
    std::size_t taken_;  ///< bytes of what the caller holds meanwhile
    std::size_t limit_ = setting_max_memory();
    bool with_times_;
    InteractionsBuilder builder_;
};

/// Reports how many rows have passed.
class ReportedRows : public RowSink {
  public:
    ReportedRows(RowSink& to, Progress& progress) : to_(to), progress_(progress) {}

    void rows(const RowBatch& batch) override {
        to_.rows(batch);
        const std::uint64_t before = std::exchange(rows_, rows_ + batch.size());
        if (rows_ / kRowsPerCheck != before / kRowsPerCheck) progress_.rows_read(rows_);
    }
    void finish() { progress_.rows_read(rows_); }

  private:
    RowSink& to_;
    Progress& progress_;
    std::uint64_t rows_ = 0;
};

/// Reads rows by scan(sink), which returns how many were skipped, and builds from them beside, if there are threads.
template <class Scan>
std::uint64_t read_rows(const Source& source, ScanFor purpose, int threads, BuilderSink& sink, Progress& progress,
                        const Scan& scan) {
    std::optional<HandedRows> handed;
    if (threads > 1) handed.emplace(source, purpose, sink);
    ReportedRows reported(handed ? static_cast<RowSink&>(*handed) : sink, progress);
    const std::uint64_t skipped = scan(reported);
    if (handed) handed->finish();
    reported.finish();
    return skipped;
}

/// By the newest row, whichever that is.
Counting counting_of(const TrainOptions& options) {
    constexpr double kOfRows = std::numeric_limits<double>::quiet_NaN();
    return {{options.half_life, options.popular_half_life, kOfRows}, options.dislikes};
}

constexpr std::uint64_t kBytesACopy = 8;

}  // namespace

ScanFor purpose(const TrainOptions& options) {
    return options.feedback == Feedback::Implicit && !options.dislikes ? ScanFor::Weights : ScanFor::Ratings;
}

void tell_of_skipped(const Source& source, std::uint64_t skipped) {
    if (skipped > 0)
        report(NOTICE, "skipped " + std::to_string(skipped) + (skipped == 1 ? " row of " : " rows of ") +
                           source.label() + " with a NULL user" + (source.rating ? ", item or rating" : " or item"));
}

void report_read(const Source& source, std::uint64_t rows, std::uint64_t skipped) {
    tell_of_skipped(source, skipped);
    if (rows == 0)
        throw SqlError(ERRCODE_DATA_EXCEPTION, "there are no interactions to train on",
                       source.label() + " has no row that the current user can see with user" +
                           (source.rating ? ", item and rating." : " and item."),
                       "Check the source's rows, the NULLs in them, and row-level security.");
}

void require_refresh_memory(std::size_t bytes, std::uint64_t count, const char* what) {
    if (bytes <= setting_max_memory()) return;
    throw MemoryLimitExceeded("the refresh needs more than " + megabytes(bytes) + " of memory, mf_ext.max_memory is " +
                                  megabytes(setting_max_memory()),
                              std::to_string(count) + " " + what + ".", kRefresh.hint);
}

std::size_t memory_needed(const IdTable& users, const IdTable& items, std::uint64_t rows, bool with_times,
                          const TrainOptions& options, int threads, int copies) {
    // Times are needed while rows are read and sorted only, beside 20 bytes a row.
    return training_memory(users.size(), items.size(), rows, users.memory() + items.memory(), options, threads) +
           rows * static_cast<std::uint64_t>(copies) * kBytesACopy + (with_times ? 12 * rows : 0);
}

void require_training_memory(const Dataset& dataset, const TrainOptions& options, int threads, int copies,
                             std::size_t other_bytes) {
    const std::uint64_t rows = dataset.by_user.entries();
    require_memory(kTraining,
                   memory_needed(dataset.users, dataset.items, rows, false, options, threads, copies) + other_bytes,
                   setting_max_memory(), rows, dataset.users, dataset.items, ", with features.");
}

void limit_search(TrainOptions& options, const Dataset& dataset, int copies, std::size_t other_bytes) {
    const std::size_t taken = dataset.users.memory() + dataset.items.memory() + other_bytes +
                              dataset.by_user.entries() * static_cast<std::size_t>(copies) * kBytesACopy;
    options.search.memory = setting_max_memory() - std::min(setting_max_memory(), taken);
}

Dataset read_interactions(const Source& source, const TrainOptions& options, Environment& environment,
                          Progress& progress, int copies, std::size_t other_bytes) {
    progress.phase("reading");
    BuilderSink sink(kTraining, source, options, environment.threads, copies, other_bytes);
    const std::uint64_t skipped = read_rows(source, purpose(options), environment.threads, sink, progress,
                                            [&](RowSink& rows) { return scan_source(source, rows, purpose(options)); });
    report_read(source, sink.builder().rows(), skipped);
    sink.check_memory();
    progress.phase("sorting");
    return std::move(sink.builder()).finish(options.duplicates_rule(), environment, counting_of(options));
}

Dataset read_tenant(TenantScan& scan, const Source& source, const TrainOptions& options, Environment& environment,
                    std::uint64_t* skipped) {
    BuilderSink sink(kTraining, source, options, environment.threads, 0);
    *skipped += scan.read(sink);
    if (sink.builder().rows() == 0) {
        Source tenant = source;
        tenant.tenant->value = scan.value();
        report_read(tenant, 0, 0);
    }
    sink.check_memory();
    return std::move(sink.builder()).finish(options.duplicates_rule(), environment, counting_of(options));
}

namespace {

/// Bytes of users, of the list that is made of them, and of the parameter that this becomes.
std::size_t listed_memory(const IdTable& users) { return users.memory() + ids_memory(users); }

std::vector<Id> listed(const IdTable& users) {
    std::vector<Id> ids;
    ids.reserve(users.size());
    for (std::uint32_t user = 0; user < users.size(); ++user) ids.push_back(id_at(users, user));
    return ids;
}

/// Nothing if there were no rows.
std::optional<Dataset> finished(BuilderSink& sink, const TrainOptions& options, const Recency& recency,
                                Environment& environment, Progress& progress) {
    if (sink.builder().rows() == 0) return std::nullopt;
    sink.check_memory();
    progress.phase("sorting");
    return std::move(sink.builder()).finish(options.duplicates_rule(), environment, {recency, options.dislikes});
}

}  // namespace

std::optional<Dataset> read_users_of_items(const Source& source, std::span<const Id> items, Oid reader,
                                           const TrainOptions& options, const Recency& recency,
                                           Environment& environment, Progress& progress) {
    progress.phase("reading");
    // Two queries: with the users at hand, the planner knows how many they are.
    const std::size_t taken = ids_memory(items);
    RowUsers found(source.user.kind(), [taken](const IdTable& users) {
        require_refresh_memory(taken + listed_memory(users), users.size(), "users read so far");
    });
    scan_items(ids_of(source), items, found, ScanFor::Estimate, reader);
    const std::vector<Id> users = listed(found.users());
    BuilderSink sink(kRefresh, source, options, environment.threads, 0, taken + listed_memory(found.users()));
    read_rows(source, purpose(options), environment.threads, sink, progress,
              [&](RowSink& rows) { return scan_users(source, users, rows, purpose(options), reader); });
    return finished(sink, options, recency, environment, progress);
}

std::optional<Dataset> read_all_users(const Source& source, Oid reader, const TrainOptions& options,
                                      const Recency& recency, Environment& environment, Progress& progress) {
    progress.phase("reading");
    BuilderSink sink(kRefresh, source, options, environment.threads, 0);
    read_rows(source, purpose(options), environment.threads, sink, progress,
              [&](RowSink& rows) { return scan_source(source, rows, purpose(options), reader); });
    return finished(sink, options, recency, environment, progress);
}

}  // namespace mf::pg
