// Ids of a batch of rows: looked up together, their cache misses overlap. One by one, each would wait for its own, in a
// cache that the executor has filled with other things since the row before.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "core/data/id_text.hpp"

namespace mf::pg {

constexpr std::size_t kBatchRows = 256;
/// Bytes of ids after which a batch should be handed on.
constexpr std::size_t kBatchBytes = std::size_t{64} << 10;

/// The ids of one column, copied: what a row points to is gone when the next one comes.
class IdBatch {
  public:
    explicit IdBatch(IdKind kind) : kind_(kind) {}

    /// The id of row 0, 1, … in turn, below kBatchRows.
    void set(std::size_t row, std::int64_t integer, std::string_view bytes) {
        if (kind_ == IdKind::Integer) {
            integers_[row] = integer;
            return;
        }
        bytes_.append(bytes);
        ends_[row] = bytes_.size();
    }

    /// Bytes copied so far.
    std::size_t bytes() const { return bytes_.size(); }

    /// Passes the ids of the first `rows` rows as a span of std::int64_t or of std::string_view, and forgets them.
    template <class F>
    void take(std::size_t rows, F&& f) {
        if (kind_ == IdKind::Integer) {
            f(std::span<const std::int64_t>(integers_, rows));
            return;
        }
        std::string_view ids[kBatchRows];
        std::size_t begin = 0;
        for (std::size_t row = 0; row < rows; begin = ends_[row++])
            ids[row] = std::string_view(bytes_).substr(begin, ends_[row] - begin);
        f(std::span<const std::string_view>(ids, rows));
        bytes_.clear();
    }

  private:
    IdKind kind_;
    std::int64_t integers_[kBatchRows];
    std::size_t ends_[kBatchRows];
    std::string bytes_;
};

}  // namespace mf::pg
