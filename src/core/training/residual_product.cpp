#include "core/training/residual_product.hpp"

#include <algorithm>
#include <cmath>

#include "core/base/array.hpp"
#include "core/linalg/kernels.hpp"

namespace mf {

namespace {

// Floats of factors that a block of rows reads.
constexpr std::size_t kBlockFloats = std::size_t{1} << 22;

// sum += what the entries [first, first + count) of a row contribute.
void add_entries(const Residuals& residuals, FactorView factors, std::uint32_t row, std::size_t first,
                 std::size_t count, float* panel, float* sum) {
    const std::span<const std::uint32_t> columns = residuals.values.columns_from(row);
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

void scale_row(std::size_t n, double exponent, float* row, std::size_t stride) {
    const auto scale = static_cast<float>(n == 0 ? 0.0 : std::pow(static_cast<double>(n), exponent));
    for (std::size_t f = 0; f < stride; ++f) row[f] *= scale;
}

// Entries of a piece.
std::size_t piece_of(std::size_t piece_floats, int factors) {
    return std::max(piece_floats / FactorMatrix::padded(factors), kPanelRows);
}

}  // namespace

void multiply_residuals(const Residuals& residuals, double exponent, FactorView factors, ResidualWorkspace& workspace,
                        MutableFactorView product, std::size_t piece_floats) {
    const std::size_t piece = piece_of(piece_floats, factors.factors());
    const std::size_t stride = product.stride();
    for (std::uint32_t row = 0; row < residuals.values.rows(); ++row) {
        const std::size_t n = residuals.values.row_size(row);
        float* const sum = product.row(row);
        std::fill_n(sum, stride, 0.0f);
        if (n <= piece) {
            add_entries(residuals, factors, row, 0, n, workspace.panel(), sum);
        } else {
            for (std::size_t first = 0; first < n; first += piece) {
                std::fill_n(workspace.part(), stride, 0.0f);
                add_entries(residuals, factors, row, first, std::min(piece, n - first), workspace.panel(),
                            workspace.part());
                for (std::size_t f = 0; f < stride; ++f) sum[f] += workspace.part()[f];
            }
        }
        scale_row(n, exponent, sum, stride);
    }
}

ResidualProduct::ResidualProduct(CsrView matrix, int factors, std::size_t piece_floats) : piece_floats_(piece_floats) {
    const std::size_t piece = piece_of(piece_floats, factors);
    const std::size_t block = kBlockFloats / FactorMatrix::padded(factors);
    std::size_t entries = 0;
    std::uint32_t begin = 0;
    const auto cut = [&](std::uint32_t end) {
        if (begin < end) plan_.blocks.push_back({begin, end});
        begin = end;
        entries = 0;
    };
    for (std::uint32_t row = 0; row < matrix.rows(); ++row) {
        if (matrix.row_size(row) > piece) {
            cut(row);
            plan_.long_rows.push_back(row);
            begin = row + 1;
            continue;
        }
        entries += matrix.row_size(row) + 1;
        if (entries >= block) cut(row + 1);
    }
    cut(matrix.rows());
}

void ResidualProduct::compute(const Residuals& residuals, double exponent, FactorView factors, Environment& environment,
                              FactorMatrix& product) const {
    std::vector<ResidualWorkspace> workspaces;
    for (int i = 0; i < environment.threads; ++i) workspaces.emplace_back(factors.factors());
    parallel_for(environment, plan_.blocks.size(), [&](std::size_t b, int worker) {
        const auto [begin, end] = plan_.blocks[b];
        multiply_residuals(residuals.slice(begin, end), exponent, factors, workspaces[static_cast<std::size_t>(worker)],
                           product.slice(begin, end), piece_floats_);
    });
    const std::size_t piece = piece_of(piece_floats_, factors.factors());
    for (const std::uint32_t row : plan_.long_rows) {
        const std::size_t n = residuals.values.row_size(row);
        FactorMatrix parts((n + piece - 1) / piece, factors.factors());
        parallel_for(environment, parts.rows(), [&](std::size_t part, int worker) {
            const std::size_t first = part * piece;
            add_entries(residuals, factors, row, first, std::min(piece, n - first),
                        workspaces[static_cast<std::size_t>(worker)].panel(), parts.row(part));
        });
        float* const sum = product.row(row);
        std::fill_n(sum, product.stride(), 0.0f);
        for (std::size_t part = 0; part < parts.rows(); ++part)
            for (std::size_t f = 0; f < product.stride(); ++f) sum[f] += parts.row(part)[f];
        scale_row(n, exponent, sum, product.stride());
    }
}

}  // namespace mf
