#include "pg/interactions_scan.hpp"

#include "core/error.hpp"
#include "core/train.hpp"
#include "pg/environment.hpp"
#include "pg/guc.hpp"
#include "pg/row_receiver.hpp"

namespace mf::pg {
namespace {

/// Bytes in the unit that settings are written in.
std::string megabytes(std::size_t bytes) { return std::to_string((bytes + (1 << 20) - 1) >> 20) + " MB"; }

class BuilderSink : public RowSink {
  public:
    BuilderSink(const Source& source, const TrainOptions& options, int threads, Progress& progress)
        : options_(options),
          progress_(progress),
          threads_(threads),
          limit_(setting_max_memory()),
          with_times_(source.time.has_value()),
          builder_(source.user.kind(), source.item.kind(), with_times_) {}

    void row(const SourceRow& row) override {
        if (row.user_null || row.item_null || row.rating_null) {
            ++skipped_;
            return;
        }
        const std::uint32_t user = intern(builder_.users(), row.user_integer, row.user_bytes);
        const std::uint32_t item = intern(builder_.items(), row.item_integer, row.item_bytes);
        const auto value = static_cast<float>(row.rating);
        if (!std::isfinite(value) || (options_.feedback == Feedback::Implicit && value < 0.0f))
            refuse(user, item, row.rating);
        builder_.add(user, item, value, row.time);
        if (builder_.rows() % kRowsPerCheck == 0) {
            check_memory();
            progress_.rows_read(builder_.rows());
        }
    }

    void check_memory() {
        const std::size_t need =
            memory_needed(builder_.users(), builder_.items(), builder_.rows(), with_times_, options_, threads_);
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

    static std::uint32_t intern(IdTable& table, std::int64_t integer, std::string_view bytes) {
        return table.kind() == IdKind::Integer ? table.intern(integer) : table.intern(bytes);
    }

    [[noreturn]] void refuse(std::uint32_t user, std::uint32_t item, double rating) {
        const std::string where = " of user \"" + builder_.users().text(user) + "\" and item \"" +
                                  builder_.items().text(item) + "\"";
        const bool finite = std::isfinite(static_cast<float>(rating));
        char number[32];
        snprintf(number, sizeof number, "%g", rating);
        const std::string shown = std::isnan(rating) ? "NaN" : std::isinf(rating) ? (rating > 0 ? "Infinity" : "-Infinity") : number;
        throw SqlError(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE,
                       "rating " + shown + where + (finite ? " is negative" : " is not a finite number"),
                       finite ? "With implicit feedback a rating is the weight of an interaction, zero or more." : "",
                       finite ? "Use feedback => 'explicit' for opinions, or leave such rows out by a view."
                              : "Ratings must fit type real. Leave such rows out by a view.");
    }

    const TrainOptions& options_;
    Progress& progress_;
    int threads_;
    std::size_t limit_;
    bool with_times_;
    InteractionsBuilder builder_;
    std::uint64_t skipped_ = 0;
};

}  // namespace

std::size_t memory_needed(const IdTable& users, const IdTable& items, std::uint64_t rows, bool with_times,
                          const TrainOptions& options, int threads) {
    // The estimate allows for short ids and rows without times; what these take beyond that is known here.
    return training_memory(users.size(), items.size(), rows, options, threads) + users.memory() + items.memory() +
           (with_times ? 12 * rows : 0);
}

Dataset read_interactions(const Source& source, const TrainOptions& options, Environment& environment,
                          Progress& progress) {
    progress.phase("reading");
    BuilderSink sink(source, options, environment.threads, progress);
    scan_source(source, sink);
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
