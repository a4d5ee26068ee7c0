// Rows of a source, a batch at a time: ids that are looked up together have their cache misses overlap. One by one,
// each would wait for its own, in a cache that the executor has filled with other things since the row before.
#pragma once

#include <algorithm>

#include "pg/sql/source.hpp"

namespace mf::pg {

constexpr std::size_t kBatchRows = 256;

/// One row of a source, decoded. Pointers are valid until the executor goes on.
struct SourceRow {
    bool is_null = false;  ///< the user, the item or the rating is
    std::int64_t user_integer = 0;
    std::int64_t item_integer = 0;
    std::string_view user_bytes;
    std::string_view item_bytes;
    double rating = 1.0;
    double time = 0.0;
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
    RowBatch(const Source& source, ScanFor purpose)
        : source_(source), purpose_(purpose), users_(source.user.kind()), items_(source.item.kind()) {}

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

    /// For whoever fills the batch: adds a copy of the row, skips it, or throws numeric_value_out_of_range or
    /// program_limit_exceeded.
    void add(const SourceRow& row) {
        const auto value = static_cast<float>(row.rating);
        const bool finite = std::isfinite(value);
        if (row.is_null || (!finite && purpose_ == ScanFor::Evaluation)) {
            ++skipped_;
            return;
        }
        if (purpose_ == ScanFor::Ratings || purpose_ == ScanFor::Weights) {
            const bool negative = purpose_ == ScanFor::Weights && value < 0.0f;
            const std::size_t longest = std::max(row.user_bytes.size(), row.item_bytes.size());
            if (!finite || negative || std::isnan(row.time) || longest > kLongestId) refuse(row);
        }
        users_.set(size_, row.user_integer, row.user_bytes);
        items_.set(size_, row.item_integer, row.item_bytes);
        ratings_[size_] = row.rating;
        times_[size_] = row.time;
        ++size_;
    }

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
        explicit Ids(IdKind kind) : kind_(kind) {}

        void set(std::size_t row, std::int64_t integer, std::string_view bytes) {
            if (kind_ == IdKind::Integer) {
                integers_[row] = integer;
                return;
            }
            bytes_.append(bytes);
            ends_[row] = bytes_.size();
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
            std::size_t begin = 0;
            for (std::size_t row = 0; row < rows; begin = ends_[row++])
                ids[row] = std::string_view(bytes_).substr(begin, ends_[row] - begin);
            f(std::span<const std::string_view>(ids, rows));
        }

      private:
        IdKind kind_;
        std::int64_t integers_[kBatchRows];
        std::size_t ends_[kBatchRows];
        std::string bytes_;
    };

    [[noreturn]] void refuse(const SourceRow& row) const;

    const Source& source_;
    ScanFor purpose_;
    std::size_t size_ = 0;
    std::uint64_t skipped_ = 0;
    Ids users_;
    Ids items_;
    double ratings_[kBatchRows];
    double times_[kBatchRows];
};

}  // namespace mf::pg
