// The rows of a test relation, by user.
#pragma once

#include "core/data/ids.hpp"
#include "pg/cache/serving_model.hpp"
#include "pg/sql/row_receiver.hpp"

namespace mf::pg {

struct TestRow {
    std::uint32_t user;
    std::uint32_t item;  ///< SortedIds::kUnknown: not in the model
    float rating;
};

/// Rows in order of user, item and rating, so that the order in which they were read has no influence.
struct TestRows {
    explicit TestRows(IdKind kind) : users(kind) {}

    std::uint32_t user_count() const { return users.size(); }
    /// Rows of one user.
    std::span<const TestRow> of(std::uint32_t user) const {
        return std::span(rows).subspan(begins[user], begins[user + 1] - begins[user]);
    }

    IdTable users;  ///< sorted
    std::vector<TestRow> rows;
    std::vector<std::size_t> begins;  ///< user_count() + 1
    std::uint64_t skipped = 0;        ///< rows with a NULL or a rating that is not finite
};

/// Reads them under the active snapshot as the caller. Takes 12 bytes a row, 36 while they grow, and some 100 bytes a
/// user. Throws as describe_source(), and datatype_mismatch if users or items are of another kind than the model's;
/// MemoryLimitExceeded before more than mf_ext.max_memory is taken. An empty relation is data_exception.
TestRows read_test_rows(const ServingModel& model, const Source& test);

}  // namespace mf::pg
