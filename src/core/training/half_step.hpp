// What the half-steps of all trainers share: the loop over blocks of rows, the parts of the objective, and rows so long
// that their systems are sums of pieces.
//
// A row of ten million entries, or one of a few thousand with a thousand factors, takes a second and more; meanwhile no
// cancel would be served and the other threads would wait. The cut depends on the number of factors alone, and
// the pieces are added in order, so that a half-step on any number of threads and a fold-in give the same bits.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "core/base/parallel.hpp"
#include "core/data/csr.hpp"
#include "core/linalg/normal_equations.hpp"
#include "core/training/row_blocks.hpp"

namespace mf {

/// Parts of the training objective that a half-step learns while it solves its rows. Those of blocks are added.
struct ObjectiveParts {
    double fit = 0;      ///< Σ over rows of the smallest value of the row's own least-squares problem, ridge included
    double penalty = 0;  ///< Σ over rows of the ridge terms alone

    ObjectiveParts& operator+=(const ObjectiveParts& other) {
        fit += other.fit;
        penalty += other.penalty;
        return *this;
    }
};

/// Row r of the centers that the rows are drawn to; null if there are none, which means zero.
inline const float* center_of(FactorView centers, std::size_t r) {
    return centers.rows() > 0 ? centers.row(r) : nullptr;
}

/// The rows of a block, or none if there are no centers.
inline FactorView slice_of(FactorView centers, RowBlock block) {
    return centers.rows() > 0 ? centers.slice(block.begin, block.end) : FactorView();
}

/// Bytes of the systems of all threads, two each if there are long rows, and of the partial sums of those.
inline double solver_bytes(int factors, int threads) {
    const double k = static_cast<double>(FactorMatrix::padded(factors));
    return 2.0 * threads * static_cast<double>(NormalEquations::bytes(factors)) +
           std::max(32.0 * (1 << 20), 16 * k * k + 320 * k);
}

/// One workspace per thread, each made from the number of factors.
template <class Workspace>
std::vector<Workspace> make_workspaces(int factors, const Environment& environment) {
    std::vector<Workspace> workspaces;
    workspaces.reserve(static_cast<std::size_t>(environment.threads));
    for (int i = 0; i < environment.threads; ++i) workspaces.emplace_back(factors);
    return workspaces;
}

/// Calls solve(block, workspace) for every block on all threads and adds up what it returns in the blocks' order, so
/// that the sums do not depend on the number of threads.
template <class Workspace, class Solve>
ObjectiveParts solve_blocks(std::span<const RowBlock> blocks, std::span<Workspace> workspaces, Environment& environment,
                            const Solve& solve) {
    std::vector<ObjectiveParts> parts(blocks.size());
    parallel_for(environment, blocks.size(), [&](std::size_t b, int worker) {
        parts[b] = solve(blocks[b], workspaces[static_cast<std::size_t>(worker)]);
    });
    ObjectiveParts total;
    for (const ObjectiveParts& part : parts) total += part;
    return total;
}

/// Adds the n entries of a row to a system that was started: add(equations, first, count) adds some of them. Piece by
/// piece if there are more than a piece, with an interrupt check before each; `environment` is null in a worker,
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

/// What add_entries does, for many rows and on all threads. For each of the rows, in order:
///   start(equations)                     starts its system
///   add(equations, row, first, count)    adds a piece of its entries to a system; on any thread
///   finish(equations, row)               solves it and returns its parts of the objective
/// Pieces are built in waves, so that few systems are in memory: at most max(32 MB, 4 systems).
template <class Start, class Add, class Finish>
ObjectiveParts solve_in_pieces(CsrView matrix, std::span<const std::uint32_t> rows, int factors,
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
