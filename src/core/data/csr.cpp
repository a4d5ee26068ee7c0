#include "core/data/csr.hpp"

#include <algorithm>
#include <utility>
#include <vector>

namespace mf {

Csr without_entries(std::uint32_t rows, std::uint32_t columns) {
    Csr matrix;
    matrix.offsets = Array<std::uint64_t>(std::size_t{rows} + 1, 0u);
    matrix.column_count = columns;
    return matrix;
}

std::vector<bool> occupied(CsrView matrix) {
    std::vector<bool> result(matrix.rows());
    for (std::uint32_t row = 0; row < matrix.rows(); ++row) result[row] = matrix.row_size(row) > 0;
    return result;
}

std::vector<bool> occupied_columns(const Csr& matrix) {
    std::vector<bool> result(matrix.column_count);
    for (const std::uint32_t column : matrix.columns) result[column] = true;
    return result;
}
namespace {

/// Visits the rows of a matrix once, in stripes with about the same number of entries, one for each thread: calls
/// body(stripe, first row, end row) for one piece of each stripe after the other, so that it can be cancelled.
class Stripes {
  public:
    Stripes(const Csr& matrix, std::size_t count) : matrix_(matrix) {
        for (std::size_t stripe = 0; stripe <= count; ++stripe) {
            const std::uint64_t entry = matrix.entries() / count * stripe;
            const auto* row = std::lower_bound(matrix.offsets.begin(), matrix.offsets.end() - 1, entry);
            begins_.push_back(stripe == count ? matrix.rows()
                                              : static_cast<std::uint32_t>(row - matrix.offsets.begin()));
        }
    }

    std::size_t count() const { return begins_.size() - 1; }

    template <class Body>
    void walk(Environment& environment, const Body& body) const {
        constexpr std::uint64_t kPieceEntries = std::uint64_t{1} << 20;
        std::vector<std::uint32_t> next(begins_.begin(), begins_.end() - 1);
        const auto piece = [&](std::size_t stripe, int) {
            const std::uint32_t begin = next[stripe];
            std::uint32_t& end = next[stripe];
            while (end < begins_[stripe + 1] && matrix_.offsets[end] - matrix_.offsets[begin] < kPieceEntries) ++end;
            body(stripe, begin, end);
        };
        while (!std::equal(next.begin(), next.end(), begins_.begin() + 1)) parallel_for(environment, count(), piece);
    }

  private:
    const Csr& matrix_;
    std::vector<std::uint32_t> begins_;
};

}  // namespace

Csr transpose(const Csr& matrix, Environment& environment) {
    Csr result;
    result.column_count = matrix.rows();
    const std::size_t columns = matrix.column_count;
    result.offsets = Array<std::uint64_t>(columns + 1, 0);
    if (matrix.entries() == 0) return result;

    // Each stripe has cursors of its own; they must not cost more memory than the entries.
    const auto threads = static_cast<std::size_t>(std::max(environment.threads, 1));
    const Stripes stripes(matrix, std::clamp<std::size_t>(matrix.entries() / columns / 4, 1, threads));
    Array<std::uint64_t> cursors(stripes.count() * columns, 0);
    stripes.walk(environment, [&](std::size_t stripe, std::uint32_t begin, std::uint32_t end) {
        std::uint64_t* counts = cursors.data() + stripe * columns;
        for (std::uint64_t i = matrix.offsets[begin]; i < matrix.offsets[end]; ++i) ++counts[matrix.columns[i]];
    });
    std::uint64_t position = 0;
    for (std::size_t column = 0; column < columns; ++column) {
        for (std::size_t stripe = 0; stripe < stripes.count(); ++stripe)
            position += std::exchange(cursors[stripe * columns + column], position);
        result.offsets[column + 1] = position;
    }

    result.columns = Array<std::uint32_t>(matrix.entries());
    result.values = Array<float>(matrix.entries());
    result.allocate_weights_as(matrix);
    stripes.walk(environment, [&](std::size_t stripe, std::uint32_t begin, std::uint32_t end) {
        std::uint64_t* own = cursors.data() + stripe * columns;
        for (std::uint32_t row = begin; row < end; ++row) {
            for (std::uint64_t i = matrix.offsets[row]; i < matrix.offsets[row + 1]; ++i) {
                const std::uint64_t to = own[matrix.columns[i]]++;
                result.columns[to] = row;
                result.values[to] = matrix.values[i];
                if (!matrix.weights.empty()) result.weights[to] = matrix.weights[i];
            }
        }
    });
    return result;
}

Csr transpose(const Csr& matrix) {
    Environment environment;
    return transpose(matrix, environment);
}

Csr rows_of_columns(const Csr& matrix, std::span<const float> values, std::span<const std::uint32_t> columns,
                    Environment& environment) {
    constexpr std::uint32_t kNone = 0xFFFFFFFF;
    std::vector<std::uint32_t> row_of(matrix.column_count, kNone);
    for (std::size_t row = 0; row < columns.size(); ++row) row_of[columns[row]] = static_cast<std::uint32_t>(row);
    Csr result;
    result.column_count = matrix.rows();
    result.offsets = Array<std::uint64_t>(columns.size() + 1, 0);
    if (matrix.entries() == 0) return result;

    const Stripes whole(matrix, 1);
    whole.walk(environment, [&](std::size_t, std::uint32_t begin, std::uint32_t end) {
        for (std::uint64_t i = matrix.offsets[begin]; i < matrix.offsets[end]; ++i)
            if (const std::uint32_t row = row_of[matrix.columns[i]]; row != kNone) ++result.offsets[row + 1];
    });
    for (std::size_t row = 0; row < columns.size(); ++row) result.offsets[row + 1] += result.offsets[row];

    result.columns = Array<std::uint32_t>(result.offsets[columns.size()]);
    result.values = Array<float>(result.columns.size());
    std::vector<std::uint64_t> cursors(result.offsets.begin(), result.offsets.end() - 1);
    whole.walk(environment, [&](std::size_t, std::uint32_t begin, std::uint32_t end) {
        for (std::uint32_t user = begin; user < end; ++user)
            for (std::uint64_t i = matrix.offsets[user]; i < matrix.offsets[user + 1]; ++i) {
                const std::uint32_t row = row_of[matrix.columns[i]];
                if (row == kNone) continue;
                const std::uint64_t to = cursors[row]++;
                result.columns[to] = user;
                result.values[to] = values[i];
            }
    });
    return result;
}

}  // namespace mf
