// Rows so long that one thread would be busy with one for too long: their systems are sums of pieces.
//
// A row of ten million entries, or one of a few thousand with a thousand factors, takes a second and more; meanwhile no
// cancel would be served and the other threads would wait. The cut depends on the number of factors alone, and
// the pieces are added in order, so that a half-step on any number of threads and a fold-in give the same bits.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "core/base/parallel.hpp"
#include "core/data/csr.hpp"
#include "core/linalg/normal_equations.hpp"
#include "core/training/half_step.hpp"

namespace mf {

/// Adds the n entries of a row to a system that was started: add(equations, first, count) adds some of them. Piece by
/// piece if there are more than a piece, with a look at the interrupt before each; `environment` is null in a worker,
/// where nothing may look.
template <class Add>
void add_entries(NormalEquations& equations, std::size_t n, Environment* environment, const Add& add) {
    const std::size_t piece = piece_entries(equations.factors());
    if (n <= piece) return add(equations, 0, n);
    for (std::size_t first = 0; first < n; first += piece) {
        if (environment != nullptr) check_interrupt(*environment);
        NormalEquations& part = equations.part();
        part.start(nullptr, 0.0f);
        add(part, first, std::min(piece, n - first));
        equations += part;
    }
}

/// Rows of more than a piece, ascending. O(rows).
inline std::vector<std::uint32_t> long_rows(const Csr& matrix, int factors) {
    const std::size_t piece = piece_entries(factors);
    std::vector<std::uint32_t> rows;
    for (std::uint32_t row = 0; row < matrix.rows(); ++row)
        if (matrix.row_size(row) > piece) rows.push_back(row);
    return rows;
}

/// What add_entries does, for many rows and on all threads. For each of the rows, in order:
///   start(equations)                     starts its system
///   add(equations, row, first, count)    adds a piece of its entries to a system; on any thread
///   finish(equations, row)               solves it and returns its parts of the objective
/// Pieces are built in waves, so that few systems are in memory: at most max(32 MB, 4 systems).
template <class Start, class Add, class Finish>
ObjectiveParts solve_long_rows(const Csr& matrix, const std::vector<std::uint32_t>& rows, int factors,
                               Environment& environment, const Start& start, const Add& add, const Finish& finish) {
    ObjectiveParts total;
    if (rows.empty()) return total;
    struct Piece {
        std::uint32_t row;
        std::size_t first;
        std::size_t count;
        bool is_last;
    };
    std::vector<Piece> pieces;
    const std::size_t size = piece_entries(factors);
    for (const std::uint32_t row : rows)
        for (std::size_t n = matrix.row_size(row), first = 0; first < n; first += size)
            pieces.push_back({row, first, std::min(size, n - first), n - first <= size});

    constexpr std::size_t kFloats = std::size_t{8} << 20;
    const std::size_t k = FactorMatrix::padded(factors);
    const std::size_t wave = std::min(pieces.size(), std::clamp<std::size_t>(kFloats / (k * k), 4, 64));
    std::vector<NormalEquations> parts;
    for (std::size_t i = 0; i < wave; ++i) parts.emplace_back(factors);
    NormalEquations equations(factors);
    for (std::size_t begin = 0; begin < pieces.size(); begin += wave) {
        const std::size_t count = std::min(wave, pieces.size() - begin);
        parallel_for(environment, count, [&](std::size_t i, int) {
            const Piece& piece = pieces[begin + i];
            parts[i].start(nullptr, 0.0f);
            add(parts[i], piece.row, piece.first, piece.count);
        });
        for (std::size_t i = 0; i < count; ++i) {
            const Piece& piece = pieces[begin + i];
            if (piece.first == 0) start(equations);
            equations += parts[i];
            if (piece.is_last) total += finish(equations, piece.row);
        }
    }
    return total;
}

}  // namespace mf
