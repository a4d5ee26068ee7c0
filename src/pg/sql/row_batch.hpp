// Rows of a source, a batch at a time: ids that are looked up together have their cache misses overlap. One by one,
// each would wait for its own, in a cache that the executor has filled with other things since the row before.
#pragma once

#include <algorithm>
#include <limits>

#include "pg/sql/source.hpp"

namespace mf::pg {

constexpr std::size_t kBatchRows = 256;

/// One row of a source as the executor gives it. Pointers are valid until the executor goes on.
struct SourceRow {
    /// Of the user unless all rows are of one, the item, and the rating and the time if the source has them.
    const Datum* values;
    const bool* nulls;
    std::string_view user_bytes;  ///< of an id that is no integer
    std::string_view item_bytes;
};

/// What a source is read for, and with that what becomes of rows that no model can be trained on: their rating is no
/// finite number in type real, or, for Weights, negative; their time is NaN; an id is too long for an index.
enum class ScanFor {
    Ratings,     ///< training on explicit feedback: such a row is an error that names it
    Weights,     ///< the same on implicit feedback
    Estimate,    ///< of a training run: the row is passed on
    Histories,   ///< serving: the row is passed on
    Evaluation,  ///< of a model that serves: a row is skipped if its rating is not finite in type real
};

/// At most kBatchRows rows without NULLs. Row i of the spans of users and items, of ratings and of times is the same.
class RowBatch {
  public:
    /// with_users false: all rows are of one user.
    RowBatch(const Source& source, ScanFor purpose, bool with_users = true);

    std::size_t size() const { return size_; }

    /// Becomes a copy of the rows of another batch of the same source.
    void take_rows(const RowBatch& other) {
        size_ = other.size_;
        users_.copy(other.users_, size_);
        items_.copy(other.items_, size_);
        std::copy_n(other.ratings_, size_, ratings_);
        std::copy_n(other.times_, size_, times_);
    }

    /// Calls f with the ids of all rows as a span of std::int64_t or of std::string_view, whichever their kind is. Not
    /// for the users of a scan of one user's rows.
    template <class F>
    void with_users(F&& f) const {
        users_.pass(size_, f);
    }
    template <class F>
    void with_items(F&& f) const {
        items_.pass(size_, f);
    }

    std::span<const double> ratings() const { return {ratings_, size_}; }
    /// The rating as models have it.
    float value(std::size_t row) const { return static_cast<float>(ratings_[row]); }
    /// -Infinity for NULL; 0 in sources without a time.
    std::span<const double> times() const { return {times_, size_}; }

    /// Rows that were left out so far, in all batches.
    std::uint64_t skipped() const { return skipped_; }

    /// For whoever fills the batch: adds a copy of the row, or skips it. What is not kept as it came is decoded by
    /// decode(), a column at a time, which takes a fraction of the time that row by row it would.
    void add(const SourceRow& row) {
        for (int column = 0; column < not_null_; ++column) {
            if (!row.nulls[column]) continue;
            ++skipped_;
            return;
        }
        if (purpose_ == ScanFor::Evaluation && !is_finite(row)) {
            ++skipped_;
            return;
        }
        if (item_column_ > 0) users_.set(size_, row.values[0], row.user_bytes);
        items_.set(size_, row.values[item_column_], row.item_bytes);
        if (source_.rating) rating_datums_[size_] = row.values[item_column_ + 1];
        // A row without a time is older than any that has one.
        if (source_.time)
            times_[size_] =
                row.nulls[not_null_] ? -std::numeric_limits<double>::infinity() : DatumGetFloat8(row.values[not_null_]);
        ++size_;
    }

    /// To be called once after the last add(), before the rows are passed on. Throws numeric_value_out_of_range or
    /// program_limit_exceeded for a row that cannot be trained on.
    void decode();

    /// True if the batch should be passed on and cleared before more rows come.
    bool is_full() const {
        constexpr std::size_t kMostBytes = std::size_t{64} << 10;
        return size_ == kBatchRows || users_.bytes() + items_.bytes() > kMostBytes;
    }
    void clear() {
        size_ = 0;
        users_.clear();
        items_.clear();
    }

  private:
    /// The ids of one column, copied: what a row points to is freed when the next one comes.
    class Ids {
      public:
        explicit Ids(const SourceColumn& column) : form_(column.form), kind_(column.kind()) {}

        void set(std::size_t row, Datum datum, std::string_view bytes) {
            if (kind_ == IdKind::Integer) {
                integers_[row] = static_cast<std::int64_t>(datum);
                return;
            }
            bytes_.append(bytes);
            ends_[row] = bytes_.size();
        }

        void decode(std::size_t rows);

        /// The parts of one id, of which one is empty.
        std::int64_t integer(std::size_t row) const { return kind_ == IdKind::Integer ? integers_[row] : 0; }
        std::string_view bytes(std::size_t row) const {
            if (kind_ == IdKind::Integer) return {};
            const std::size_t begin = row == 0 ? 0 : ends_[row - 1];
            return std::string_view(bytes_).substr(begin, ends_[row] - begin);
        }

        void copy(const Ids& other, std::size_t rows) {
            if (kind_ == IdKind::Integer) {
                std::copy_n(other.integers_, rows, integers_);
                return;
            }
            bytes_ = other.bytes_;
            std::copy_n(other.ends_, rows, ends_);
        }

        std::size_t bytes() const { return bytes_.size(); }
        void clear() { bytes_.clear(); }

        template <class F>
        void pass(std::size_t rows, F&& f) const {
            if (kind_ == IdKind::Integer) {
                f(std::span<const std::int64_t>(integers_, rows));
                return;
            }
            std::string_view ids[kBatchRows];
            for (std::size_t row = 0; row < rows; ++row) ids[row] = bytes(row);
            f(std::span<const std::string_view>(ids, rows));
        }

      private:
        ColumnForm form_;
        IdKind kind_;
        std::int64_t integers_[kBatchRows];  ///< datums until they are decoded
        std::size_t ends_[kBatchRows];
        std::string bytes_;
    };

    bool is_finite(const SourceRow& row) const;
    bool cannot_be_trained_on(std::size_t row) const;
    [[noreturn]] void refuse(std::size_t row) const;

    const Source& source_;
    ScanFor purpose_;
    int item_column_;
    int not_null_;  ///< columns before that of the time; a row with NULL in one of these is skipped
    std::size_t size_ = 0;
    std::uint64_t skipped_ = 0;
    Ids users_;
    Ids items_;
    Datum rating_datums_[kBatchRows];
    double ratings_[kBatchRows];
    double times_[kBatchRows];
};

}  // namespace mf::pg
