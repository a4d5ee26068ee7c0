#include "core/linalg/eigenbasis.hpp"

#include <Eigen/Eigenvalues>
#include <algorithm>
#include <cmath>
#include <numeric>
#include <stdexcept>
#include <vector>

#include "core/base/error.hpp"
#include "core/base/half_floats.hpp"
#include "core/linalg/tridiagonal_qr.hpp"

namespace mf {

namespace {

// Element (row, column) of column blocks.
std::size_t vector_index(std::size_t row, std::size_t column, std::size_t blocks) {
    return column / kLanes * system_stride(blocks) + row * kLanes + column % kLanes;
}

}  // namespace

Eigenbasis::Eigenbasis(int factors)
    : factors_(factors), vectors_(system_size(FactorMatrix::padded(factors) / kLanes), 0.0f) {}

Eigenbasis::Eigenbasis(const GramMatrix& gram, int factors, Environment& environment) : Eigenbasis(factors) {
    const Eigen::Index k = factors;
    const auto size = static_cast<std::size_t>(factors);
    const Eigen::MatrixXd matrix = Eigen::MatrixXd::NullaryExpr(k, k, [&](Eigen::Index i, Eigen::Index j) {
        return static_cast<double>(gram.at(static_cast<std::size_t>(i), static_cast<std::size_t>(j)));
    });
    // In its steps, each of which takes some tenths of a second with a thousand factors.
    const Eigen::Tridiagonalization<Eigen::MatrixXd> tridiagonal(matrix);
    check_interrupt(environment);
    RotatedRows vectors(size);
    {
        const Eigen::MatrixXd reflections = tridiagonal.matrixQ();
        for (Eigen::Index j = 0; j < k; ++j)
            for (Eigen::Index i = 0; i < k; ++i)
                vectors.at(static_cast<std::size_t>(i), static_cast<std::size_t>(j)) = reflections(i, j);
    }
    check_interrupt(environment);
    Eigen::VectorXd values = tridiagonal.diagonal();
    Eigen::VectorXd beside = tridiagonal.subDiagonal();
    if (!diagonalize({values.data(), size}, {beside.data(), size - 1}, vectors, environment))
        throw NumericalFailure("the factors have no finite Gram matrix", {}, "Raise regularization.");
    std::vector<std::size_t> order(size);  // the largest eigenvalue first
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::ranges::stable_sort(order, [&](std::size_t a, std::size_t b) {
        return values(static_cast<Eigen::Index>(a)) > values(static_cast<Eigen::Index>(b));
    });

    const std::size_t blocks = FactorMatrix::padded(factors) / kLanes;
    for (std::size_t column = 0; column < size; ++column)
        for (std::size_t i = 0; i < size; ++i)
            vectors_[vector_index(i, column, blocks)] = static_cast<float>(vectors.at(i, order[column]));
}

Eigenbasis::Eigenbasis(FactorView images) : Eigenbasis(images.factors()) {
    const std::size_t blocks = FactorMatrix::padded(factors_) / kLanes;
    const auto size = static_cast<std::size_t>(factors_);
    if (images.rows() != size) throw std::logic_error("a rotation has as many images as factors");
    for (std::size_t row = 0; row < size; ++row)
        for (std::size_t column = 0; column < size; ++column)
            vectors_[vector_index(row, column, blocks)] = images.row(row)[column];
}

FactorMatrix images_of(const Eigenbasis& basis, int factors, Environment& environment) {
    FactorMatrix images(static_cast<std::size_t>(factors), factors);
    for (std::size_t i = 0; i < images.rows(); ++i) images.row(i)[i] = 1.0f;
    basis.rotate(images, environment);
    return images;
}

Eigenbasis Eigenbasis::inverse() const {
    const auto size = static_cast<std::size_t>(factors_);
    const std::size_t blocks = FactorMatrix::padded(factors_) / kLanes;
    Eigenbasis result(factors_);
    for (std::size_t column = 0; column < size; ++column)
        for (std::size_t row = 0; row < size; ++row)
            result.vectors_[vector_index(column, row, blocks)] = vectors_[vector_index(row, column, blocks)];
    return result;
}

void Eigenbasis::rotate(MutableFactorView rows, Environment& environment) const {
    const std::size_t blocks = FactorMatrix::padded(factors_) / kLanes;
    const std::size_t size = blocks * kLanes;
    constexpr std::size_t kRowsATask = 512;
    struct Scratch {
        Array<float> rows, products;
    };
    std::vector<Scratch> scratch(static_cast<std::size_t>(std::max(environment.threads, 1)));
    const Kernels& kernel = kernels();
    parallel_ranges(environment, rows.rows(), kRowsATask, [&](std::size_t begin, std::size_t end, int worker) {
        Scratch& own = scratch[static_cast<std::size_t>(worker)];
        if (own.rows.empty()) {
            own.rows = Array<float>(size * kLanes, 0.0f);
            own.products = Array<float>(size * kLanes);
        }
        for (std::size_t first = begin; first < end; first += kLanes) {
            const std::size_t count = std::min(kLanes, end - first);
            for (std::size_t r = 0; r < count; ++r) {
                const float* row = rows.row(first + r);
                for (std::size_t t = 0; t < size; ++t) own.rows[t * kLanes + r] = row[t];
            }
            kernel.multiply(own.rows.data(), vectors_.data(), system_stride(blocks), size, blocks, own.products.data());
            for (std::size_t r = 0; r < count; ++r)
                for (std::size_t b = 0; b < blocks; ++b)
                    std::copy_n(own.products.data() + b * kTile + r * kLanes, kLanes, rows.row(first + r) + b * kLanes);
        }
    });
}

namespace {

// True if the features were rounded to 16 bits, as some of the rows tell: others have bits after those.
bool has_halves(FactorView features) {
    constexpr std::size_t kRows = 16;
    const auto k = static_cast<std::size_t>(features.factors());
    const std::size_t step = std::max<std::size_t>(features.rows() / kRows, 1);
    for (std::size_t r = 0; r < features.rows(); r += step)
        if (!std::all_of(features.row(r), features.row(r) + k,
                         [](float value) { return from_half(to_half(value)) == value; }))
            return false;
    return true;
}

}  // namespace

// share: what rounding to 16 bits has left of two dimensions, as a share of the root of their product.
static bool is_diagonal(const GramMatrix& gram, int factors, double share) {
    // Rounding leaves about 1e-7 of the largest eigenvalue; a matrix in another basis has far more. Where factors were
    // rounded to 16 bits, it leaves 2^-12 divided by the root of the number of rows of what the two dimensions have. In
    // double precision, in which no product of two floats is too large or too small.
    constexpr double kTolerance = 0x1.0p-18;
    const auto k = static_cast<std::size_t>(factors);
    double largest = 0;
    for (std::size_t i = 0; i < k; ++i) {
        if (!std::isfinite(gram.at(i, i))) return false;
        largest = std::max(largest, double{gram.at(i, i)});
    }
    for (std::size_t i = 0; i < k; ++i)
        for (std::size_t j = i + 1; j < k; ++j) {
            const double element = gram.at(i, j);
            const double square = double{gram.at(i, i)} * double{gram.at(j, j)};
            if (!(std::abs(element) <= kTolerance * largest) && !(element * element <= share * share * square))
                return false;
        }
    return true;
}

bool is_diagonal(const GramMatrix& gram, FactorView features) {
    constexpr double kShareOfHalves = 0x1.0p-14;
    return is_diagonal(gram, features.factors(), has_halves(features) ? kShareOfHalves : 0.0);
}

bool is_diagonal(const GramMatrix& gram, int factors) { return is_diagonal(gram, factors, 0.0); }

SharedDiagonal::SharedDiagonal(const GramMatrix& gram, FactorView features, float unobserved_weight) {
    if (!is_diagonal(gram, features)) return;
    const auto k = static_cast<std::size_t>(features.factors());
    values_ = Array<float>(FactorMatrix::padded(features.factors()), 0.0f);
    for (std::size_t i = 0; i < k; ++i) values_[i] = unobserved_weight * gram.at(i, i);
}

}  // namespace mf
