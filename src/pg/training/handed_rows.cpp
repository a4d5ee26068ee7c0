#include "pg/training/handed_rows.hpp"

namespace mf::pg {

HandedRows::Piece::Piece(const Source& source, ScanFor purpose) {
    for (std::size_t i = 0; i < kBatches; ++i) batches.push_back(std::make_unique<RowBatch>(source, purpose));
}

HandedRows::HandedRows(const Source& source, ScanFor purpose, RowSink& sink)
    : sink_(sink), pieces_(Piece(source, purpose), Piece(source, purpose)) {}

void HandedRows::rows(const RowBatch& batch) {
    Piece& piece = pieces_.filled();
    piece.batches[piece.count++]->take_rows(batch);
    if (piece.count == kBatches) hand_over();
}

void HandedRows::finish() {
    hand_over();
    pieces_.finish();
}

void HandedRows::hand_over() {
    pieces_.hand_over([this](const Piece& piece) {
        for (std::size_t i = 0; i < piece.count; ++i) sink_.rows(*piece.batches[i]);
    });
}

}  // namespace mf::pg
