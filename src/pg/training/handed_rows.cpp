#include "pg/training/handed_rows.hpp"

#include <utility>

namespace mf::pg {

HandedRows::HandedRows(const Source& source, ScanFor purpose, RowSink& sink) : sink_(sink) {
    for (Piece& piece : pieces_)
        for (std::size_t i = 0; i < kBatches; ++i) piece.batches.push_back(std::make_unique<RowBatch>(source, purpose));
}

void HandedRows::rows(const RowBatch& batch) {
    Piece& piece = pieces_[filled_];
    piece.batches[piece.count++]->take_rows(batch);
    if (piece.count == kBatches) hand_over();
}

void HandedRows::finish() {
    hand_over();
    beside_.wait();
}

void HandedRows::hand_over() {
    const int full = std::exchange(filled_, 1 - filled_);
    beside_.start([this, &piece = pieces_[full]] {
        for (std::size_t i = 0; i < piece.count; ++i) sink_.rows(*piece.batches[i]);
    });
    // The sink is done with the other one now.
    pieces_[filled_].count = 0;
}

}  // namespace mf::pg
