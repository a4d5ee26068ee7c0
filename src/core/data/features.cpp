#include "core/data/features.hpp"

#include <algorithm>
#include <optional>
#include <utility>

namespace mf {

namespace {

constexpr std::size_t kStepsALookup = 16;

/// Rows of a matrix, one after the other: of_row(r) is the row that row r of the result is, or nothing if it has no
/// entries.
template <class OfRow>
Csr rows_of(const Csr& matrix, std::uint32_t count, const OfRow& of_row, Environment& environment) {
    SmallSteps steps(environment);
    Csr result;
    result.column_count = matrix.column_count;
    result.offsets = Array<std::uint64_t>(std::size_t{count} + 1, 0u);
    for (std::uint32_t r = 0; r < count; ++r) {
        const std::optional<std::uint32_t> row = of_row(r);
        result.offsets[r + 1] = result.offsets[r] + (row ? matrix.row_size(*row) : 0);
    }
    result.columns = Array<std::uint32_t>(result.offsets[count]);
    result.values = Array<float>(result.offsets[count]);
    for (std::uint32_t r = 0; r < count; ++r) {
        steps.done(result.offsets[r + 1] - result.offsets[r] + 1);
        if (const std::optional<std::uint32_t> row = of_row(r)) {
            std::ranges::copy(matrix.row_columns(*row), result.columns.data() + result.offsets[r]);
            std::ranges::copy(matrix.row_values(*row), result.values.data() + result.offsets[r]);
        }
    }
    return result;
}

}  // namespace

std::uint32_t add_items(Dataset& dataset, const Ids& ids, Environment& environment) {
    const std::uint32_t before = dataset.items.size();
    SmallSteps steps(environment);
    for (std::uint32_t i = 0; i < ids.size(); ++i) {
        dataset.items.intern(ids, i);
        steps.done(kStepsALookup);
    }
    const std::uint32_t added = dataset.items.size() - before;
    if (added == 0) return 0;
    // The items that were there stay in their order, and so do the columns of every row.
    const std::vector<std::uint32_t> rank = dataset.items.sort(environment);
    constexpr std::size_t kEntriesATask = std::size_t{1} << 18;
    parallel_ranges(environment, dataset.by_user.columns.size(), kEntriesATask,
                    [&](std::size_t begin, std::size_t end, int) {
                        for (std::size_t j = begin; j < end; ++j)
                            dataset.by_user.columns[j] = rank[dataset.by_user.columns[j]];
                    });
    dataset.by_user.column_count = dataset.items.size();
    Array<std::uint64_t> repeated(dataset.items.size(), 0u);
    for (std::uint32_t item = 0; item < before; ++item) repeated[rank[item]] = dataset.repeated[item];
    dataset.repeated = std::move(repeated);
    return added;
}

FeatureValues values_of_ids(const FeatureRows& features, const Ids& side, Environment& environment) {
    SmallSteps steps(environment);
    const Ids& ids = features.rows.users;
    std::vector<std::uint32_t> row_of(side.size(), Ids::kUnknown);
    for (std::uint32_t row = 0; row < ids.size(); ++row) {
        if (const std::optional<std::uint32_t> index = side.find(ids, row)) row_of[*index] = row;
        steps.done(kStepsALookup);
    }
    const auto known = [&](std::uint32_t index) {
        return row_of[index] == Ids::kUnknown ? std::nullopt : std::optional(row_of[index]);
    };
    return {rows_of(features.rows.by_user, side.size(), known, environment), features.is_number};
}

Csr with_columns(const Csr& rows, const Ids& names, const Ids& to, Environment& environment) {
    SmallSteps steps(environment);
    std::vector<std::uint32_t> column_of(names.size(), Ids::kUnknown);
    for (std::uint32_t column = 0; column < names.size(); ++column) {
        if (const std::optional<std::uint32_t> found = to.find(names, column)) column_of[column] = *found;
        steps.done(kStepsALookup);
    }
    Csr result;
    result.column_count = to.size();
    result.offsets = Array<std::uint64_t>(std::size_t{rows.rows()} + 1, 0u);
    for (std::uint32_t r = 0; r < rows.rows(); ++r) {
        result.offsets[r + 1] = result.offsets[r];
        for (const std::uint32_t column : rows.row_columns(r))
            result.offsets[r + 1] += column_of[column] != Ids::kUnknown;
        steps.done(rows.row_size(r) + 1);
    }
    result.columns = Array<std::uint32_t>(result.offsets[rows.rows()]);
    result.values = Array<float>(result.offsets[rows.rows()]);
    std::size_t next = 0;
    for (std::size_t j = 0; j < rows.columns.size(); ++j) {
        steps.done(1);
        if (column_of[rows.columns[j]] == Ids::kUnknown) continue;
        result.columns[next] = column_of[rows.columns[j]];
        result.values[next++] = rows.values[j];
    }
    return result;
}

FeatureValues take_rows(const FeatureValues& values, const std::vector<std::uint32_t>& numbers, std::uint32_t count,
                        Environment& environment) {
    std::vector<std::uint32_t> row_of(count);
    for (std::uint32_t row = 0; row < numbers.size(); ++row)
        if (numbers[row] < count) row_of[numbers[row]] = row;
    const auto of_row = [&](std::uint32_t r) { return std::optional(row_of[r]); };
    return {rows_of(values.rows, count, of_row, environment), values.is_number};
}

}  // namespace mf
