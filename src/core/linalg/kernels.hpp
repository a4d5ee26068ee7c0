// The hot loops of training, each compiled for several instruction sets and chosen once at run time.
//
// All of them work on matrices in column blocks: the columns are cut into blocks of kLanes = 16, and each block is
// stored by itself, row after row, 16 floats a row. A register tile then reads 64-byte lines that follow each other,
// whatever the number of columns; in plain row-major order the rows of a wide matrix would fall on the same cache
// sets. With K = 16·blocks columns:
//
//   panel   up to kPanelRows gathered factor rows:  element (t, j) at panel[(j/16)·kPanelStride + t·16 + j%16]
//   system  the K×K normal equations of one row:    element (i, j) at system[(j/16)·system_stride(blocks) + i·16 +
//   j%16]
//           only the 16×16 tiles on and above the diagonal are used
//
// The variants sum in the same order, lane by lane, so those with fused multiply-add (AVX2, AVX-512) give the same
// bits on every machine; the portable one, without it, differs in rounding.
//
// They stand beside Eigen, which the rest of the linear algebra uses, for what they gain over it. The build is
// portable, so Eigen has SSE2 there; kernels_bench.cpp compares them. Times as fast as Eigen on an Intel Sapphire
// Rapids, for k = 32, 64, 128, 256:
//
//                                                   AVX2                 AVX-512
//   add_outer_products   rankUpdate, 64 rows        3.0  2.8  2.8  3.0   7.2  6.0  6.7  5.9
//   factorize, solve_*   LLT, solve                 3.5  4.1  3.7  3.5   4.7  6.0  5.8  7.0
//   add_combination      product by a vector        2.4  2.1  2.0  1.8   3.1  4.8  5.0  2.8
//   subtract_products    product by a vector        2.1  1.9  2.3  1.5   3.3  3.2  3.4  2.2
//   multiply             16 rows by 64 columns      3.9  3.2  3.6  3.8   8.2  7.5  8.1  8.9
//   dot                  dot                        0.5  0.7  1.4  1.4   0.5  0.7  1.1  1.2
//
// dot is here for its order of sums, which those of subtract_products share. gather, gather_columns and
// add_bfloat16_rows prefetch rows, which Eigen does not; count_above has no counterpart. rotate_columns (in double
// precision) applies rotations of columns to 16 rows at a time, where Eigen takes two whole columns. The loops over
// single vectors from weighted_square to sum_of_magnitudes run between those over rows, some of them for each step of
// each row; with SSE2 they were a tenth of an iteration of conjugate gradient.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/linalg/bfloat16_rows.hpp"

namespace mf {

/// Columns of a block: one cache line of floats, one AVX-512 register.
inline constexpr std::size_t kLanes = 16;

/// Rows gathered before the system is updated: 16 kB at k = 64, so that panel and system stay in the first-level
/// cache together. Part of the result's bits, since each panel is summed by itself before it is added.
inline constexpr std::size_t kPanelRows = 64;

/// Floats from one block to the next; one line more than the rows need keeps blocks on different cache sets.
inline constexpr std::size_t kPanelStride = (kPanelRows + 1) * kLanes;
constexpr std::size_t system_stride(std::size_t blocks) { return (blocks * kLanes + 1) * kLanes; }
constexpr std::size_t panel_size(std::size_t blocks) { return blocks * kPanelStride; }
constexpr std::size_t system_size(std::size_t blocks) { return blocks * system_stride(blocks); }

/// Below this share of its diagonal element a pivot has no correct digit left in single precision.
inline constexpr float kPivotTolerance = 0x1.0p-22f;

/// Floats of 16 rows of a block.
inline constexpr std::size_t kTile = kLanes * kLanes;

/// Rows of a row-major matrix that will be gathered next.
struct NextRows {
    const float* rows = nullptr;
    std::size_t stride = 0;
    const std::uint32_t* indices = nullptr;
    std::size_t count = 0;
};

/// A rotation of a column and the one after it: new left = cosine · left − sine · right, new right = sine · left +
/// cosine · right.
struct Rotation {
    double cosine;
    double sine;
    std::size_t column;  ///< the left one
};

/// What values are compared with; low ≤ high.
struct Bounds {
    float low;
    float high;
};

/// So many that registers hold them and what is counted.
inline constexpr std::size_t kMostBounds = 4;

/// Sums over the residuals of rows, and over their squares, in single precision: good for some thousand rows.
struct Bfloat16Sums {
    float residuals = 0;
    float squares = 0;
};

/// All pointers to floats are aligned to 64 bytes. No function allocates or throws.
struct Kernels {
    const char* name;  ///< "avx512", "avx2" or "portable"

    /// panel row t = scales[t] · (row indices[t] of a row-major matrix with `stride` floats a row), t < count ≤
    /// kPanelRows. indices has `readable` ≥ count entries; those after count are only used to prefetch.
    void (*gather)(const float* rows, std::size_t stride, const std::uint32_t* indices, std::size_t count,
                   std::size_t readable, const float* scales, std::size_t blocks, float* panel);

    /// The same rows as columns, in panels of kPanelRows elements of theirs one after the other: element t of row
    /// indices[j], times scales[j] and element_scales[t], at column j of panel row t % kPanelRows of panel
    /// t / kPanelRows, t < 16·blocks. Each panel has as many blocks as `count` columns need; columns after count are
    /// zero. Any count.
    void (*gather_columns)(const float* rows, std::size_t stride, const std::uint32_t* indices, std::size_t count,
                           std::size_t readable, const float* scales, const float* element_scales, std::size_t blocks,
                           float* panels);

    /// system += panelᵀ · panel: count·K·(K + 1) useful flops. Meanwhile the first `count` of the next rows are brought
    /// into the cache, one line a step, so that the gather that follows does not wait for memory.
    void (*add_outer_products)(const float* panel, std::size_t count, std::size_t blocks, float* system,
                               const NextRows& next);

    /// vector += Σ_t coefficients[t] · panel row t.
    void (*add_combination)(const float* panel, std::size_t count, std::size_t blocks, const float* coefficients,
                            float* vector);

    /// residuals[t] = targets[t] − panel row t · vector, t < count, followed by zeros up to a multiple of 16. Whole
    /// groups of 16 panel rows are read, whatever the last of them holds. Sums lane by lane, then the lanes pairwise,
    /// as dot.
    void (*subtract_products)(const float* panel, std::size_t count, std::size_t blocks, const float* vector,
                              const float* targets, float* residuals);

    /// Cholesky factorization system = UᵀU in place, left-looking, by 16 columns. The tiles above the diagonal become
    /// those of U; a diagonal tile becomes the inverse of Uᵀ's, which is all that the substitutions need. False if a
    /// pivot is not greater than `tolerance` times the element of the diagonal it started from, or is NaN.
    bool (*factorize)(float* system, std::size_t blocks, float tolerance);

    /// vector = U⁻ᵀ · vector and vector = U⁻¹ · vector, for a factorized system.
    void (*solve_lower)(const float* system, std::size_t blocks, float* vector);
    void (*solve_upper)(const float* system, std::size_t blocks, float* vector);

    /// Dot product of two vectors of 16·blocks floats; sums lane by lane, then the lanes pairwise.
    float (*dot)(const float* a, const float* b, std::size_t blocks);

    /// Σ_i vector_i² / inverse_weights_i, summed as dot.
    float (*weighted_square)(const float* vector, const float* inverse_weights, std::size_t blocks);

    /// product = inverse · residual, element by element; returns residual · product, summed as dot.
    float (*precondition)(const float* inverse, const float* residual, std::size_t blocks, float* product);

    /// product = scale · a · b, element by element.
    void (*multiply_elements)(float scale, const float* a, const float* b, std::size_t blocks, float* product);

    /// vector += scale · addend, and vector = addend + scale · vector.
    void (*add_scaled)(float scale, const float* addend, std::size_t blocks, float* vector);
    void (*scale_and_add)(float scale, const float* addend, std::size_t blocks, float* vector);

    /// diagonal = shared + ridge and inverse = 1 / diagonal, element by element.
    void (*add_ridge)(const float* shared, float ridge, std::size_t blocks, float* diagonal, float* inverse);

    /// Σ_i |values_i|, in double precision. Any count and alignment.
    double (*sum_of_magnitudes)(const float* values, std::size_t count);

    /// halves = scale · values, rounded to the nearest 16-bit float, ties to even; zero for what is below 2^-14 in
    /// magnitude. Nothing is above kLargestHalf. 16·blocks numbers, of which the halves are aligned to 32 bytes.
    void (*to_halves)(const float* values, std::size_t blocks, float scale, std::uint16_t* halves);

    /// words = scale · values in `rows` rows of 16·blocks numbers, each rounded to the nearest bfloat16 number as
    /// bfloat16_rows.hpp has it. Scaled values are less than 2^64 in magnitude.
    void (*to_bfloat16)(const float* values, std::size_t rows, std::size_t blocks, float scale, std::uint32_t* words);

    /// sum += Σ_t |weights[t]| · (target_t − y_t·vector) · y_t, where y_t is row indices[t], t < count, and target_t is
    /// 0 where the weight is negative, else the target. Returns Σ_t |weights[t]| · (target_t − y_t·vector)², in single
    /// precision: good for some thousand rows. Products sum lane by lane, then the lanes pairwise, as dot. indices has
    /// `readable` ≥ count entries, of which those after count are prefetched; weights have any alignment.
    float (*add_bfloat16_rows)(const Bfloat16Rows& matrix, const std::uint32_t* indices, std::size_t count,
                               std::size_t readable, const float* weights, float target, std::size_t blocks,
                               const float* vector, float* sum);

    /// sum += Σ_t (targets[t] − y_t·vector) · y_t and row_sum += Σ_t y_t, where y_t is row indices[t], t < count.
    /// Otherwise as add_bfloat16_rows; returns both sums of its residuals.
    Bfloat16Sums (*add_bfloat16_residuals)(const Bfloat16Rows& matrix, const std::uint32_t* indices, std::size_t count,
                                           std::size_t readable, const float* targets, std::size_t blocks,
                                           const float* vector, float* sum, float* row_sum);

    /// products(r, c) = Σ_t rows(t, r) · columns(t, c), t < count, for 16 rows r and 16·blocks columns c: rows(t, r) at
    /// rows[16·t + r], columns(t, c) at columns[(c/16)·stride + 16·t + c%16], products(r, c) at
    /// products[(c/16)·kTile + 16·r + c%16]. Summed one t after the other, unlike dot.
    void (*multiply)(const float* rows, const float* columns, std::size_t stride, std::size_t count, std::size_t blocks,
                     float* products);

    /// counts[n] = how many values of one row of such products are ≥ bounds[n].low, plus 2^16 times how many are >
    /// bounds[n].high, n < count ≤ kMostBounds; no NaN is either. At most 2^15 values.
    void (*count_above)(const float* row, std::size_t blocks, const Bounds* bounds, std::size_t count,
                        std::uint32_t* counts);

    /// Applies rotations, one after the other, to 16 rows of doubles, column by column: element (r, c) at
    /// rows[16·c + r], aligned to 64 bytes. Those of neighbouring columns that follow each other are fastest.
    void (*rotate_columns)(double* rows, const Rotation* rotations, std::size_t count);
};

/// The fastest variant this processor has, or the one that MF_EXT_KERNELS in the environment names.
const Kernels& kernels();

/// A named variant, for tests and benchmarks, or null if this processor does not have it; without a name the fastest.
const Kernels* kernels_named(const char* name);

}  // namespace mf
