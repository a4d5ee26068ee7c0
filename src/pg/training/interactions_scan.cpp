#include "pg/training/interactions_scan.hpp"

#include "core/base/error.hpp"
#include "core/pipeline/train.hpp"
#include "pg/sql/id_batch.hpp"
#include "pg/sql/row_receiver.hpp"
#include "pg/wall/clipped.hpp"
#include "pg/wall/environment.hpp"
#include "pg/wall/guc.hpp"

namespace mf::pg {
namespace {

/// Bytes of the longest id that the primary keys of the factor tables hold. A page of a B-tree has room for three
/// entries; an entry is a header, the version's number, and the text with its length. Longer ids that compress well
/// could be stored, but what compresses well is nothing that the owner of the ids could know.
constexpr std::size_t kPageHeader = MAXALIGN(SizeOfPageHeaderData + 3 * (sizeof(ItemIdData) + sizeof(ItemPointerData)));
constexpr std::size_t kPageEnd = 16;  // BTPageOpaqueData
constexpr std::size_t kLongestEntry = MAXALIGN_DOWN((BLCKSZ - kPageHeader - kPageEnd) / 3);
constexpr std::size_t kLongestId =
    kLongestEntry - MAXALIGN(sizeof(IndexTupleData)) - MAXALIGN(sizeof(std::int64_t)) - VARHDRSZ;

/// Collects rows in batches, so that the cache misses of interning overlap: one by one, each would wait for its own, in
/// a cache that the executor has filled with other things since the row before.
class BuilderSink : public RowSink {
  public:
    BuilderSink(const Source& source, const TrainOptions& options, int threads, int copies, Progress& progress)
        : options_(options),
          progress_(progress),
          threads_(threads),
          copies_(copies),
          limit_(setting_max_memory()),
          with_times_(source.time.has_value()),
          users_(source.user.kind()),
          items_(source.item.kind()),
          builder_(source.user.kind(), source.item.kind(), with_times_) {}

    void row(const SourceRow& row) override {
        if (row.user_null || row.item_null || row.rating_null) {
            ++skipped_;
            return;
        }
        if (row.user_bytes.size() > kLongestId) refuse_id("user", row.user_bytes);
        if (row.item_bytes.size() > kLongestId) refuse_id("item", row.item_bytes);
        const auto value = static_cast<float>(row.rating);
        users_.set(batched_, row.user_integer, row.user_bytes);
        items_.set(batched_, row.item_integer, row.item_bytes);
        values_[batched_] = value;
        times_[batched_] = row.time;
        ++batched_;
        const bool bad = !std::isfinite(value) || (options_.feedback == Feedback::Implicit && value < 0.0f) ||
                         (with_times_ && std::isnan(row.time));
        if (bad || batched_ == kBatchRows || users_.bytes() + items_.bytes() > kBatchBytes) {
            const auto [user, item] = flush(bad ? batched_ - 1 : batched_);
            if (bad) refuse(user, item, row);
        }
    }

    /// Hands what is batched to the builder; to be called after the last row.
    void flush() { flush(batched_); }

    void check_memory() {
        const std::size_t need = memory_needed(builder_.users(), builder_.items(), builder_.rows(), with_times_,
                                               options_, threads_, copies_);
        if (need <= limit_) return;
        throw MemoryLimitExceeded(
            "training needs at least " + megabytes(need) + " of memory, mf_ext.max_memory is " + megabytes(limit_),
            std::to_string(builder_.rows()) + " interactions of " + std::to_string(builder_.users().size()) +
                " users and " + std::to_string(builder_.items().size()) + " items read so far.",
            "Raise mf_ext.max_memory, use fewer factors or threads, or train on a part of the rows.");
    }

    InteractionsBuilder& builder() { return builder_; }
    std::uint64_t skipped() const { return skipped_; }

  private:
    static constexpr std::uint64_t kRowsPerCheck = 4096;

    /// Interns all that is batched and adds the first `rows` rows. Returns the user and item of the last row.
    std::pair<std::uint32_t, std::uint32_t> flush(std::size_t rows) {
        if (batched_ == 0) return {};
        std::uint32_t users[kBatchRows];
        std::uint32_t items[kBatchRows];
        users_.take(batched_, [&](auto ids) { builder_.users().intern(ids, users); });
        items_.take(batched_, [&](auto ids) { builder_.items().intern(ids, items); });
        const std::uint64_t before = builder_.rows();
        builder_.add(rows, users, items, values_, times_);
        const std::size_t last = std::exchange(batched_, 0) - 1;
        if (builder_.rows() / kRowsPerCheck != before / kRowsPerCheck) {
            check_memory();
            progress_.rows_read(builder_.rows());
        }
        return {users[last], items[last]};
    }

    [[noreturn]] static void refuse_id(const std::string& role, std::string_view id) {
        constexpr std::size_t kShown = 40;
        throw SqlError(
            ERRCODE_PROGRAM_LIMIT_EXCEEDED,
            role + " id \"" + std::string(clipped(id, kShown)) + "...\" is too long: it has " +
                std::to_string(id.size()) + " bytes, the limit is " + std::to_string(kLongestId),
            "Ids of a model are keys of a B-tree index.",
            "Identify " + role + "s by something shorter in a view, such as md5(...), or leave such rows out.");
    }

    [[noreturn]] void refuse(std::uint32_t user, std::uint32_t item, const SourceRow& row) {
        const std::string where =
            " of user \"" + builder_.users().text(user) + "\" and item \"" + builder_.items().text(item) + "\"";
        if (with_times_ && std::isnan(row.time))
            throw SqlError(
                ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE, "time NaN" + where + " is before and after nothing", "",
                "Leave such rows out by a view, or make their time NULL, which counts as older than all others.");
        const double rating = row.rating;
        const bool finite = std::isfinite(static_cast<float>(rating));
        char number[32];
        snprintf(number, sizeof number, "%g", rating);
        const std::string shown = std::isnan(rating)   ? "NaN"
                                  : std::isinf(rating) ? (rating > 0 ? "Infinity" : "-Infinity")
                                                       : number;
        throw SqlError(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE,
                       "rating " + shown + where + (finite ? " is negative" : " is not a finite number"),
                       finite ? "With implicit feedback a rating is the weight of an interaction, zero or more." : "",
                       finite ? "Use feedback => 'explicit' for opinions, or leave such rows out by a view."
                              : "Ratings must fit type real. Leave such rows out by a view.");
    }

    const TrainOptions& options_;
    Progress& progress_;
    int threads_;
    int copies_;
    std::size_t limit_;
    bool with_times_;
    std::size_t batched_ = 0;
    IdBatch users_;
    IdBatch items_;
    float values_[kBatchRows];
    double times_[kBatchRows];
    InteractionsBuilder builder_;
    std::uint64_t skipped_ = 0;
};

}  // namespace

std::size_t memory_needed(const IdTable& users, const IdTable& items, std::uint64_t rows, bool with_times,
                          const TrainOptions& options, int threads, int copies) {
    constexpr std::uint64_t kBytesACopy = 8;
    // Times are needed while rows are read and sorted only, beside 20 bytes a row.
    return training_memory(users.size(), items.size(), rows, users.memory() + items.memory(), options, threads) +
           rows * static_cast<std::uint64_t>(copies) * kBytesACopy + (with_times ? 12 * rows : 0);
}

Dataset read_interactions(const Source& source, const TrainOptions& options, Environment& environment,
                          Progress& progress, int copies) {
    progress.phase("reading");
    BuilderSink sink(source, options, environment.threads, copies, progress);
    scan_source(source, sink);
    sink.flush();
    progress.rows_read(sink.builder().rows());
    if (sink.skipped() > 0)
        report(NOTICE, "skipped " + std::to_string(sink.skipped()) + (sink.skipped() == 1 ? " row" : " rows") + " of " +
                           source.name + " with a NULL user" + (source.rating ? ", item or rating" : " or item"));
    if (sink.builder().rows() == 0)
        throw SqlError(ERRCODE_DATA_EXCEPTION, "there are no interactions to train on",
                       source.name + " has no row that the current user can see with user" +
                           (source.rating ? ", item and rating." : " and item."),
                       "Check the source's rows, the NULLs in them, and row-level security.");
    sink.check_memory();
    progress.phase("sorting");
    return std::move(sink.builder()).finish(options.duplicates_rule(), environment);
}

}  // namespace mf::pg
