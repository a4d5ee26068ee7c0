#include "core/training/residual_product.hpp"

#include <algorithm>
#include <cmath>

#include "core/base/array.hpp"
#include "core/linalg/kernels.hpp"
#include "core/training/half_step.hpp"

namespace mf {

namespace {

// Floats of factors that a block of rows reads.
constexpr std::size_t kBlockFloats = std::size_t{1} << 22;

// sum += what the entries [first, first + count) of a row contribute.
void add_entries(const Residuals& residuals, FactorView factors, std::uint32_t row, std::size_t first,
                 std::size_t count, float* panel, float* sum) {
    const std::span<const std::uint32_t> columns = columns_from(residuals.values, row);
    const std::span<const float> values = residuals.values.row_values(row);
    const std::size_t blocks = factors.stride() / kLanes;
    const double center = residuals.mean + static_cast<double>(residuals.row_bias[row]);
    const double inverse_unit = 1.0 / residuals.unit;
    float ones[kPanelRows];
    float targets[kPanelRows];
    std::fill_n(ones, kPanelRows, 1.0f);
    for (const std::size_t end = first + count; first < end; first += kPanelRows) {
        const std::size_t n = std::min(kPanelRows, end - first);
        for (std::size_t j = 0; j < n; ++j) {
            const double bias = static_cast<double>(residuals.column_bias[columns[first + j]]);
            targets[j] = static_cast<float>((static_cast<double>(values[first + j]) - center - bias) * inverse_unit);
        }
        kernels().gather(factors.row(0), factors.stride(), columns.data() + first, n, columns.size() - first, ones,
                         blocks, panel);
        kernels().add_combination(panel, n, blocks, targets, sum);
    }
}

void scale_row(std::size_t n, double exponent, FactorMatrix& product, std::uint32_t row) {
    const auto scale = static_cast<float>(n == 0 ? 0.0 : std::pow(static_cast<double>(n), exponent));
    for (std::size_t f = 0; f < product.stride(); ++f) product.row(row)[f] *= scale;
}

}  // namespace

ResidualProduct::ResidualProduct(const Csr& matrix, int factors, std::size_t piece_floats)
    : matrix_(matrix), piece_(std::max(piece_floats / FactorMatrix::padded(factors), kPanelRows)) {
    const std::size_t block = kBlockFloats / FactorMatrix::padded(factors);
    std::size_t entries = 0;
    for (std::uint32_t row = 0, begin = 0; row < matrix.rows(); ++row) {
        if (matrix.row_size(row) > piece_)
            long_rows_.push_back(row);
        else
            entries += matrix.row_size(row) + 1;
        if (entries < block && row + 1 < matrix.rows()) continue;
        blocks_.push_back({begin, row + 1});
        begin = row + 1;
        entries = 0;
    }
}

void ResidualProduct::compute(const Residuals& residuals, double exponent, FactorView factors, Environment& environment,
                              FactorMatrix& product) const {
    std::vector<Array<float>> panels(static_cast<std::size_t>(environment.threads));
    for (Array<float>& panel : panels) panel = Array<float>(panel_size(factors.stride() / kLanes));
    const auto panel_of = [&](int worker) { return panels[static_cast<std::size_t>(worker)].data(); };

    parallel_for(environment, blocks_.size(), [&](std::size_t b, int worker) {
        for (std::uint32_t row = blocks_[b].begin; row < blocks_[b].end; ++row) {
            const std::size_t n = matrix_.row_size(row);
            if (n > piece_) continue;
            std::fill_n(product.row(row), product.stride(), 0.0f);
            add_entries(residuals, factors, row, 0, n, panel_of(worker), product.row(row));
            scale_row(n, exponent, product, row);
        }
    });
    for (const std::uint32_t row : long_rows_) {
        const std::size_t n = matrix_.row_size(row);
        FactorMatrix parts((n + piece_ - 1) / piece_, factors.factors());
        parallel_for(environment, parts.rows(), [&](std::size_t part, int worker) {
            const std::size_t first = part * piece_;
            add_entries(residuals, factors, row, first, std::min(piece_, n - first), panel_of(worker), parts.row(part));
        });
        std::fill_n(product.row(row), product.stride(), 0.0f);
        for (std::size_t part = 0; part < parts.rows(); ++part)
            for (std::size_t f = 0; f < product.stride(); ++f) product.row(row)[f] += parts.row(part)[f];
        scale_row(n, exponent, product, row);
    }
}

}  // namespace mf
