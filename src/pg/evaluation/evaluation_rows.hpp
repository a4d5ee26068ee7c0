// The rows of a test relation, by user.
#pragma once

#include "core/data/ids.hpp"
#include "pg/cache/serving_model.hpp"
#include "pg/sql/row_receiver.hpp"

namespace mf::pg {

struct TestRow {
    std::uint32_t user;
    std::uint32_t item;  ///< SortedIds::kUnknown if the model does not know the item
    float rating;
};

/// The rows sorted by user, item and rating, so that the order in which they were read has no influence.
struct TestRows {
    explicit TestRows(IdKind kind) : users(kind) {}

    std::uint32_t user_count() const { return users.size(); }
    /// The rows of one user.
    std::span<const TestRow> of(std::uint32_t user) const {
        return std::span(rows).subspan(begins[user], begins[user + 1] - begins[user]);
    }

    IdTable users;  ///< sorted
    std::vector<TestRow> rows;
    std::vector<std::size_t> begins;  ///< user_count() + 1
    std::uint64_t skipped = 0;        ///< rows with a NULL or a rating that is not finite
};

/// Reads the rows under the active snapshot with the caller's rights. Takes 12 bytes per row, 36 while the vector
/// grows, and some 100 bytes per user. Throws as describe_source(), datatype_mismatch if users or items are of another
/// kind than the model's, MemoryLimitExceeded before it takes more than mf_ext.max_memory, and data_exception for an
/// empty relation.
TestRows read_test_rows(const ServingModel& model, const Source& test);

}  // namespace mf::pg
