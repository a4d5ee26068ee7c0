#include "core/distributed/pack.hpp"

#include <algorithm>
#include <numeric>

#include "core/base/hash.hpp"
#include "core/data/split.hpp"

namespace mf {

namespace {

std::string bytes_of_ids(const Ids& ids) {
    WireWriter writer;
    write_ids(ids, writer);
    return writer.take();
}

std::string bytes_of_rows(const IdList& ids) {
    std::vector<std::uint32_t> all(ids.size());
    std::iota(all.begin(), all.end(), 0u);
    WireWriter writer;
    ids.write(all, writer);
    return writer.take();
}

// Sorts the entries of each row by column.
void sort_rows(Csr& matrix) {
    std::vector<std::pair<std::uint32_t, float>> row_entries;
    for (std::uint32_t row = 0; row < matrix.rows(); ++row) {
        const std::size_t begin = matrix.offsets[row], size = matrix.row_size(row);
        if (std::is_sorted(matrix.columns.begin() + begin, matrix.columns.begin() + begin + size)) continue;
        row_entries.clear();
        for (std::size_t j = begin; j < begin + size; ++j)
            row_entries.emplace_back(matrix.columns[j], matrix.values[j]);
        std::ranges::sort(row_entries, {}, &std::pair<std::uint32_t, float>::first);
        for (std::size_t j = 0; j < size; ++j)
            std::tie(matrix.columns[begin + j], matrix.values[begin + j]) = row_entries[j];
    }
}

}  // namespace

RowNumbers::RowNumbers(std::span<const std::uint32_t> counts) : firsts_{0} {
    std::uint64_t sum = 0;
    for (const std::uint32_t count : counts) {
        sum += count;
        if (sum > IdTable::kMaximumSize) throw InvalidData("there are too many users or items for one model");
        firsts_.push_back(static_cast<std::uint32_t>(sum));
    }
}

std::uint32_t RowNumbers::first(std::uint32_t bucket) const {
    if (bucket >= firsts_.size()) throw InvalidData("a block of a training run belongs to no bucket");
    return firsts_[bucket];
}

std::string PackArguments::write() const {
    WireWriter writer;
    writer.value(std::uint32_t{weighting.has_value()});
    writer.value(static_cast<std::uint32_t>(counts.size()));
    writer.array(std::span<const std::uint32_t>(counts));
    if (weighting)
        IalsParameters(*weighting).each_field([&](const char*, double& value, const NumberRange&) {
            writer.value(value);
        });
    return writer.take();
}

PackArguments PackArguments::read(std::string_view bytes) {
    WireReader reader(bytes);
    PackArguments result;
    const bool has_weighting = reader.value<std::uint32_t>() != 0;
    const auto size = reader.value<std::uint32_t>();
    const Array<std::uint32_t> counts = reader.array<std::uint32_t>(size);
    result.counts.assign(counts.begin(), counts.end());
    if (has_weighting)
        result.weighting.emplace().each_field(
            [&](const char*, double& value, const NumberRange&) { value = reader.value<double>(); });
    reader.finish();
    return result;
}

std::string pack_users(const Dataset& bucket, double test_fraction, std::uint64_t seed, Environment& environment) {
    const IdHashes hashes = id_hashes(bucket, environment);
    const Csr& cells = bucket.by_user;
    RowsBlock block;
    block.ids = bytes_of_ids(bucket.users);
    block.column_ids = bytes_of_ids(bucket.items);
    block.interactions = Array<std::uint32_t>(cells.rows());
    block.marks = history_digests(cells, hashes, environment);
    block.column_marks = copy_of(bucket.repeated);
    for (std::uint32_t user = 0; user < cells.rows(); ++user)
        block.interactions[user] = static_cast<std::uint32_t>(cells.row_size(user));
    if (test_fraction > 0) {
        HoldOut parts = hold_out(cells, hashes, test_fraction, seed, environment);
        block.train = std::move(parts.train);
        block.test = std::move(parts.test);
    } else {
        block.train = copy_of(cells, cells.column_count);
        block.test = without_entries(cells.rows(), cells.column_count);
    }
    return block.write();
}

std::vector<BucketBlock> split_by_column(const RowsView& users, const IdRanges& items, const IalsParameters* weighting,
                                         Environment& environment) {
    if (!users.has_column_ids() || users.column_ids().kind() != items.kind())
        throw InvalidData("a block of a training run has no ids of columns");
    Csr train = copy_of(users.train(), users.columns());
    if (weighting != nullptr) train.values = user_weights(train, *weighting, environment);
    const Csr by_column = transpose(train, environment);
    std::vector<std::uint32_t> held_out(users.columns());
    const CsrView test = users.test();
    for (std::uint32_t user = 0; user < test.rows(); ++user)
        for (const std::uint32_t column : test.row_columns(user)) ++held_out[column];

    std::vector<std::vector<std::uint32_t>> columns(items.size());
    for (std::uint32_t column = 0; column < users.columns(); ++column)
        columns[items.find(users.column_ids(), column)].push_back(column);
    std::vector<BucketBlock> parts;
    for (std::uint32_t b = 0; b < items.size(); ++b) {
        if (columns[b].empty()) continue;
        check_interrupt(environment);
        RowsBlock part;
        WireWriter ids;
        users.column_ids().write(columns[b], ids);
        part.ids = ids.take();
        const std::size_t rows = columns[b].size();
        part.interactions = Array<std::uint32_t>(rows);
        part.marks = Array<std::uint64_t>(rows);
        part.train.column_count = users.rows();
        part.train.offsets = Array<std::uint64_t>(rows + 1);
        std::size_t entries = 0;
        for (std::size_t r = 0; r < rows; ++r) {
            const std::uint32_t column = columns[b][r];
            part.train.offsets[r] = entries;
            entries += by_column.row_size(column);
            part.interactions[r] = static_cast<std::uint32_t>(by_column.row_size(column)) + held_out[column];
            part.marks[r] = users.column_marks()[column];
        }
        part.train.offsets[rows] = entries;
        part.train.columns = Array<std::uint32_t>(entries);
        part.train.values = Array<float>(entries);
        for (std::size_t r = 0; r < rows; ++r) {
            std::ranges::copy(by_column.row_columns(columns[b][r]), part.train.columns.data() + part.train.offsets[r]);
            std::ranges::copy(by_column.row_values(columns[b][r]), part.train.values.data() + part.train.offsets[r]);
        }
        part.test = without_entries(static_cast<std::uint32_t>(rows), users.rows());
        part.has_weights = weighting != nullptr;
        parts.push_back({b, part.write()});
    }
    return parts;
}

std::string join_parts(std::vector<BucketBytes> parts, const RowNumbers& users, Environment& environment) {
    if (parts.empty()) throw InvalidData("a bucket of items has no parts");
    std::ranges::sort(parts, {}, &BucketBytes::bucket);  // so that the numbers of users ascend
    std::vector<RowsView> views;
    for (const BucketBytes& part : parts) {
        views.emplace_back(part.bytes);
        const RowsView& view = views.back();
        const bool is_second = views.size() > 1 && part.bucket == parts[views.size() - 2].bucket;
        if (is_second || view.has_column_ids() || view.columns() != users.count(part.bucket) ||
            view.ids().kind() != views.front().ids().kind() || view.has_weights() != views.front().has_weights())
            throw InvalidData("the parts of a bucket of items do not fit the buckets of users");
        check_interrupt(environment);
    }
    IdTable ids(views.front().ids().kind());
    std::vector<std::vector<std::uint32_t>> rows_of(views.size());
    for (std::size_t p = 0; p < views.size(); ++p)
        for (std::uint32_t row = 0; row < views[p].rows(); ++row)
            rows_of[p].push_back(views[p].ids().intern_in(ids, row));
    const std::vector<std::uint32_t> rank = ids.sort(environment);

    RowsBlock block;
    block.ids = bytes_of_ids(ids);
    block.interactions = Array<std::uint32_t>(ids.size(), 0u);
    block.marks = Array<std::uint64_t>(ids.size(), 0u);
    block.train.column_count = users.rows();
    block.train.offsets = Array<std::uint64_t>(std::size_t{ids.size()} + 1, 0u);
    for (std::size_t p = 0; p < views.size(); ++p)
        for (std::uint32_t row = 0; row < views[p].rows(); ++row) {
            const std::uint32_t own = rows_of[p][row] = rank[rows_of[p][row]];
            block.interactions[own] += views[p].interactions()[row];
            block.marks[own] += views[p].marks()[row];
            block.train.offsets[own + std::size_t{1}] += views[p].train().row_size(row);
        }
    for (std::size_t row = 0; row < ids.size(); ++row) block.train.offsets[row + 1] += block.train.offsets[row];
    block.train.columns = Array<std::uint32_t>(block.train.offsets[ids.size()]);
    block.train.values = Array<float>(block.train.columns.size());
    std::vector<std::uint64_t> next(block.train.offsets.begin(), block.train.offsets.end());
    for (std::size_t p = 0; p < views.size(); ++p) {
        check_interrupt(environment);
        const std::uint32_t first = users.first(parts[p].bucket);
        const CsrView train = views[p].train();
        for (std::uint32_t row = 0; row < views[p].rows(); ++row) {
            std::uint64_t& to = next[rows_of[p][row]];
            const auto columns = train.row_columns(row);
            std::ranges::copy(train.row_values(row), block.train.values.data() + to);
            for (const std::uint32_t column : columns) block.train.columns[to++] = first + column;
        }
    }
    block.test = without_entries(ids.size(), users.rows());
    block.has_weights = views.front().has_weights();
    return block.write();
}

std::string number_columns(const RowsView& users, std::span<const BucketBytes> heads_of_items, const RowNumbers& items,
                           const IalsParameters* weighting, Environment& environment) {
    if (!users.has_column_ids()) throw InvalidData("a block of a training run has no ids of columns");
    IdTable own(users.column_ids().kind());
    for (std::uint32_t column = 0; column < users.columns(); ++column)
        if (users.column_ids().intern_in(own, column) != column)
            throw InvalidData("a block of a training run has an id twice");
    std::vector<std::uint32_t> number(users.columns(), Ids::kUnknown);
    for (const BucketBytes& list : heads_of_items) {
        check_interrupt(environment);
        const RowHeads heads(list.bytes);
        const IdList& of_bucket = heads.ids();
        if (of_bucket.size() != items.count(list.bucket) || of_bucket.kind() != own.kind())
            throw InvalidData("the ids of a bucket of items do not fit the numbers of items");
        for (std::uint32_t i = 0; i < of_bucket.size(); ++i)
            if (const auto column = of_bucket.find_in(own, i)) number[*column] = items.first(list.bucket) + i;
    }
    if (std::ranges::find(number, Ids::kUnknown) != number.end())
        throw InvalidData("an item of a training run is in no bucket");
    const auto numbered = [&](CsrView matrix) {
        Csr result = copy_of(matrix, items.rows());
        for (std::uint32_t& column : result.columns) column = number[column];
        sort_rows(result);
        return result;
    };
    RowsBlock block;
    block.ids = bytes_of_rows(users.ids());
    block.interactions = copy_of(users.interactions());
    block.marks = copy_of(users.marks());
    block.train = numbered(users.train());
    block.test = numbered(users.test());
    block.has_weights = weighting != nullptr && block.test.entries() == 0;
    if (block.has_weights) block.train.values = user_weights(block.train, *weighting, environment);
    return block.write();
}

}  // namespace mf
