// Rows that the executor gives on one thread and a sink takes on another, since looking ids up takes about as long as
// reading them.
#pragma once

#include <memory>
#include <vector>

#include "pg/sql/row_receiver.hpp"
#include "pg/wall/reading_thread.hpp"

namespace mf::pg {

/// Passes batches of a source on to another sink, on a thread of its own, in their order. That sink calls nothing of
/// PostgreSQL and reads no settings. What it throws reaches the caller with one of the next batches or with finish().
/// Takes two megabytes, or twelve with long ids.
class HandedRows : public RowSink {
  public:
    HandedRows(const Source& source, ScanFor purpose, RowSink& sink);

    void rows(const RowBatch& batch) override;
    /// Waits until the sink has all rows; once, after the last.
    void finish();

  private:
    /// Batches of a piece: so many that waking a thread costs little beside them.
    static constexpr std::size_t kBatches = 64;

    struct Piece {
        Piece(const Source& source, ScanFor purpose);
        void clear() { count = 0; }

        std::vector<std::unique_ptr<RowBatch>> batches;
        std::size_t count = 0;  ///< of batches with rows
    };

    void hand_over();

    RowSink& sink_;
    HandedPieces<Piece> pieces_;  ///< destroyed first
};

}  // namespace mf::pg
