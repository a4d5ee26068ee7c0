#include "core/linalg/gram_matrix.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

#include "core/base/error.hpp"
#include "core/linalg/normal_equations.hpp"

namespace mf {

namespace {

// Parts of the rows that are summed apart: enough to occupy the threads, few enough to hold a system each.
std::size_t gram_parts(std::size_t rows, std::size_t system_floats) {
    constexpr std::size_t kFloats = std::size_t{8} << 20;
    constexpr std::size_t kRowsWorthAPart = 1024;
    const std::size_t affordable = std::clamp<std::size_t>(kFloats / system_floats, 4, 64);
    return std::clamp<std::size_t>(rows / kRowsWorthAPart, 1, affordable);
}

// Element (i, j), i ≤ j, of a system of that many blocks.
std::size_t system_index(std::size_t i, std::size_t j, std::size_t blocks) {
    return j / kLanes * system_stride(blocks) + i * kLanes + j % kLanes;
}

// system += Σ y yᵀ over the rows. panel is scratch.
void add_to_system(FactorView rows, float* panel, float* system) {
    const Kernels& kernel = kernels();
    const std::size_t blocks = rows.stride() / kLanes;
    float ones[kPanelRows];
    std::uint32_t indices[kPanelRows];
    std::fill_n(ones, kPanelRows, 1.0f);
    std::iota(indices, indices + kPanelRows, 0u);
    for (std::size_t first = 0; first < rows.rows(); first += kPanelRows) {
        const std::size_t count = std::min(kPanelRows, rows.rows() - first);
        kernel.gather(rows.row(first), rows.stride(), indices, count, count, ones, blocks, panel);
        kernel.add_outer_products(panel, count, blocks, system, {});
    }
}

}  // namespace

GramSums::GramSums(int factors, std::span<const double> values) : factors_(factors) {
    if (factors < 1 || values.size() != size(factors))
        throw InvalidArgument("a Gram matrix of " + std::to_string(factors) + " factors has not " +
                              std::to_string(values.size()) + " sums");
    values_.assign(values.begin(), values.end());
}

void GramSums::add(FactorView rows) {
    if (rows.factors() != factors_)
        throw InvalidArgument("rows of " + std::to_string(rows.factors()) + " factors do not fit a Gram matrix of " +
                              std::to_string(factors_));
    const std::size_t blocks = rows.stride() / kLanes;
    Array<float> panel(panel_size(blocks));
    Array<float> system(system_size(blocks));
    const std::size_t piece = piece_entries(factors_);
    for (std::size_t begin = 0; begin < rows.rows(); begin += piece) {
        std::fill(system.begin(), system.end(), 0.0f);
        add_to_system(rows.slice(begin, std::min(rows.rows(), begin + piece)), panel.data(), system.data());
        add_system(system.data());
    }
}

GramSums& GramSums::operator+=(const GramSums& other) {
    if (other.factors_ != factors_)
        throw InvalidArgument("Gram matrices of " + std::to_string(factors_) + " and of " +
                              std::to_string(other.factors_) + " factors have no sum");
    for (std::size_t i = 0; i < values_.size(); ++i) values_[i] += other.values_[i];
    return *this;
}

void GramSums::add_system(const float* system) {
    const auto k = static_cast<std::size_t>(factors_);
    const std::size_t blocks = FactorMatrix::padded(factors_) / kLanes;
    double* value = values_.data();
    for (std::size_t i = 0; i < k; ++i)
        for (std::size_t j = i; j < k; ++j) *value++ += static_cast<double>(system[system_index(i, j, blocks)]);
}

GramMatrix::GramMatrix(const GramSums& sums)
    : blocks_(FactorMatrix::padded(sums.factors()) / kLanes), owned_(system_size(blocks_), 0.0f), data_(owned_.data()) {
    const auto k = static_cast<std::size_t>(sums.factors());
    const double* value = sums.values().data();
    for (std::size_t i = 0; i < k; ++i)
        for (std::size_t j = i; j < k; ++j) {
            const auto sum = static_cast<float>(*value++);
            owned_[system_index(i, j, blocks_)] = sum;
            // Diagonal tiles are whole.
            if (i / kLanes == j / kLanes) owned_[system_index(j, i, blocks_)] = sum;
        }
}

GramMatrix::GramMatrix(FactorView matrix, Environment& environment) {
    const std::size_t blocks = matrix.stride() / kLanes;
    const std::size_t size = system_size(blocks);
    const std::size_t parts = gram_parts(matrix.rows(), size);
    // Parts begin at whole panels.
    const std::size_t rows_a_part = ((matrix.rows() + parts - 1) / parts + kPanelRows - 1) / kPanelRows * kPanelRows;
    Array<float> systems(checked_multiply(parts, size), 0.0f);
    std::vector<Array<float>> panels(std::min(parts, static_cast<std::size_t>(std::max(environment.threads, 1))));
    for (Array<float>& panel : panels) panel = Array<float>(panel_size(blocks));

    // All parts advance by a piece at a time: a part of ten million rows takes seconds.
    const std::size_t piece = piece_entries(matrix.factors());
    for (std::size_t done = 0; done < rows_a_part; done += piece)
        parallel_for(environment, parts, [&](std::size_t part, int worker) {
            const std::size_t begin = std::min(matrix.rows(), part * rows_a_part + done);
            const std::size_t end = std::min(matrix.rows(), part * rows_a_part + std::min(rows_a_part, done + piece));
            add_to_system(matrix.slice(begin, std::max(begin, end)), panels[static_cast<std::size_t>(worker)].data(),
                          systems.data() + part * size);
        });

    GramSums sums(matrix.factors());
    for (std::size_t part = 0; part < parts; ++part) sums.add_system(systems.data() + part * size);
    *this = GramMatrix(sums);
}

float GramMatrix::at(std::size_t row, std::size_t column) const {
    if (row > column) std::swap(row, column);
    return data_[system_index(row, column, blocks_)];
}

}  // namespace mf
