#include "core/distributed/rows_block.hpp"

#include <algorithm>
#include <numeric>

namespace mf {

namespace {

constexpr std::uint32_t kMagic = 0x3142666d;  // "mfB1"

void write_matrix(const Csr& matrix, WireWriter& writer) {
    std::vector<std::uint32_t> sizes(matrix.rows());
    for (std::uint32_t row = 0; row < matrix.rows(); ++row)
        sizes[row] = static_cast<std::uint32_t>(matrix.row_size(row));
    writer.value(std::uint64_t{matrix.entries()});
    writer.array(std::span<const std::uint32_t>(sizes));
    writer.array(std::span<const std::uint32_t>(matrix.columns));
    writer.array(std::span<const float>(matrix.values));
}

IdList read_ids(WireReader& reader) {
    const auto size = reader.value<std::uint64_t>();
    WireReader ids(reader.raw<char>(size));
    IdList list(ids);
    ids.finish();
    return list;
}

}  // namespace

std::string RowsBlock::write() const {
    WireWriter heads;
    heads.value(std::uint64_t{ids.size()});
    heads.array(std::span<const char>(ids));
    heads.array(std::span<const std::uint32_t>(interactions));
    heads.array(std::span<const std::uint64_t>(marks));
    const std::string head_bytes = heads.take();
    WireWriter writer;
    writer.reserve(head_bytes.size() + column_ids.size() + 8 * (train.entries() + test.entries()) +
                   8 * (interactions.size() + column_marks.size()) + 256);
    writer.value(kMagic);
    writer.value(std::uint32_t{train.column_count});
    writer.value(std::uint64_t{has_weights});
    writer.value(std::uint64_t{head_bytes.size()});
    writer.array(std::span<const char>(head_bytes));
    writer.value(std::uint64_t{column_ids.size()});
    writer.array(std::span<const char>(column_ids));
    writer.array(std::span<const std::uint64_t>(column_marks));
    write_matrix(train, writer);
    write_matrix(test, writer);
    return writer.take();
}

RowHeads::RowHeads(std::string_view bytes) {
    WireReader reader(bytes);
    ids_ = read_ids(reader);
    interactions_ = reader.in_place<std::uint32_t>(rows());
    marks_ = reader.array<std::uint64_t>(rows());
    reader.finish();
}

RowHeads::Place RowHeads::find(std::string_view prefix) {
    WireReader reader(prefix);
    if (reader.value<std::uint32_t>() != kMagic) throw InvalidData("these bytes are no rows of a training run");
    reader.value<std::uint32_t>();
    reader.value<std::uint64_t>();
    return {kPrefix, reader.value<std::uint64_t>()};
}

RowsView::RowsView(std::string_view bytes) {
    WireReader reader(bytes);
    if (reader.value<std::uint32_t>() != kMagic) throw InvalidData("these bytes are no rows of a training run");
    columns_ = reader.value<std::uint32_t>();
    has_weights_ = reader.value<std::uint64_t>() != 0;
    const auto head_bytes = reader.value<std::uint64_t>();
    heads_ = RowHeads(reader.raw<char>(head_bytes));
    const auto column_bytes = reader.value<std::uint64_t>();
    WireReader columns(reader.raw<char>(column_bytes));
    has_column_ids_ = column_bytes > 0;
    if (has_column_ids_) {
        column_ids_ = IdList(columns);
        columns.finish();
        if (column_ids_.size() != columns_) throw InvalidData("a block of a training run lacks ids of its columns");
    }
    column_marks_ = reader.array<std::uint64_t>(has_column_ids_ ? columns_ : 0);
    train_ = read_matrix(reader);
    test_ = read_matrix(reader);
    reader.finish();
}

RowsView::Matrix RowsView::read_matrix(WireReader& reader) const {
    Matrix matrix;
    const auto entries = reader.value<std::uint64_t>();
    const auto sizes = reader.in_place<std::uint32_t>(rows());
    matrix.columns = reader.in_place<std::uint32_t>(entries);
    matrix.values = reader.in_place<float>(entries);
    matrix.offsets = Array<std::uint64_t>(std::size_t{rows()} + 1);
    matrix.offsets[0] = 0;
    for (std::uint32_t row = 0; row < rows(); ++row) matrix.offsets[row + 1] = matrix.offsets[row] + sizes[row];
    if (matrix.offsets[rows()] != entries) throw InvalidData("a block of a training run has rows of wrong lengths");
    const std::uint32_t largest = std::accumulate(matrix.columns.begin(), matrix.columns.end(), std::uint32_t{0},
                                                  [](std::uint32_t a, std::uint32_t b) { return std::max(a, b); });
    if (entries > 0 && largest >= columns_) throw InvalidData("a block of a training run has columns out of range");
    return matrix;
}

Csr all_entries(const RowsView& rows) {
    const CsrView train = rows.train(), test = rows.test();
    Csr all;
    all.column_count = rows.columns();
    all.offsets = Array<std::uint64_t>(std::size_t{rows.rows()} + 1);
    all.columns = Array<std::uint32_t>(train.entries() + test.entries());
    all.values = Array<float>(all.columns.size());
    std::size_t end = 0;
    for (std::uint32_t row = 0; row < rows.rows(); ++row) {
        all.offsets[row] = end;
        const auto columns = train.row_columns(row), others = test.row_columns(row);
        const auto values = train.row_values(row), other_values = test.row_values(row);
        for (std::size_t i = 0, j = 0; i < columns.size() || j < others.size(); ++end) {
            const bool first = j == others.size() || (i < columns.size() && columns[i] < others[j]);
            all.columns[end] = first ? columns[i] : others[j];
            all.values[end] = first ? values[i++] : other_values[j++];
        }
    }
    all.offsets[rows.rows()] = end;
    return all;
}

Csr copy_of(CsrView matrix, std::uint32_t columns) {
    Csr copy;
    copy.column_count = columns;
    copy.offsets = Array<std::uint64_t>(std::size_t{matrix.rows()} + 1);
    copy.columns = Array<std::uint32_t>(matrix.entries());
    copy.values = Array<float>(matrix.entries());
    copy.offsets[0] = 0;
    for (std::uint32_t row = 0; row < matrix.rows(); ++row) {
        std::ranges::copy(matrix.row_columns(row), copy.columns.data() + copy.offsets[row]);
        std::ranges::copy(matrix.row_values(row), copy.values.data() + copy.offsets[row]);
        copy.offsets[row + std::size_t{1}] = copy.offsets[row] + matrix.row_size(row);
    }
    return copy;
}

}  // namespace mf
