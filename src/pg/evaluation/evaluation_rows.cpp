#include "pg/evaluation/evaluation_rows.hpp"

#include <algorithm>

#include "core/base/error.hpp"
#include "core/base/interruptible_sort.hpp"
#include "pg/wall/environment.hpp"
#include "pg/wall/guc.hpp"

namespace mf::pg {
namespace {

class TestSink : public RowSink {
  public:
    TestSink(const ServingModel& model, TestRows& rows) : model_(model), rows_(rows), limit_(setting_max_memory()) {}

    void rows(const RowBatch& batch) override {
        std::uint32_t users[kBatchRows];
        std::uint32_t items[kBatchRows];
        if (rows_.rows.size() + batch.size() > rows_.rows.capacity()) check_memory(true);
        batch.with_users([&](auto ids) { rows_.users.intern(ids, users); });
        batch.with_items([&](auto ids) { model_.items.ids().find(ids, items); });
        for (std::size_t i = 0; i < batch.size(); ++i) rows_.rows.push_back({users[i], items[i], batch.value(i)});
        check_memory();
    }

  private:
    /// While the vector grows to twice its size, the old memory is still in use.
    void check_memory(bool grows = false) const {
        const std::vector<TestRow>& rows = rows_.rows;
        const std::size_t rooms = grows ? 3 : 1;
        const std::size_t need = rooms * rows.capacity() * sizeof(TestRow) + rows_.users.memory() +
                                 kSortBytes * std::size_t{rows_.users.size()};
        if (need <= limit_) return;
        throw MemoryLimitExceeded(
            "the test rows need at least " + megabytes(need) + " of memory, mf_ext.max_memory is " + megabytes(limit_),
            std::to_string(rows.size()) + " rows of " + std::to_string(rows_.users.size()) + " users read so far.",
            "Raise mf_ext.max_memory, or evaluate on a part of the rows.");
    }

    static constexpr std::size_t kSortBytes = 48;  // a user: keys to sort by, ranks, where rows begin

    const ServingModel& model_;
    TestRows& rows_;
    std::size_t limit_;
};

void check_kind(const ServingModel& model, const SourceColumn& column, IdKind kind, Oid type) {
    if (column.kind() == kind) return;
    throw SqlError(ERRCODE_DATATYPE_MISMATCH,
                   "column \"" + column.name + "\" is of type " + type_name(column.type) + ", model \"" + model.name +
                       "\" has ids of type " + type_name(type),
                   "", "Cast the column in a view.");
}

}  // namespace

TestRows read_test_rows(const ServingModel& model, const Source& test) {
    check_kind(model, test.user, model.user_kind, model.version.user_type);
    check_kind(model, test.item, model.item_kind, model.version.item_type);
    TestRows rows(model.user_kind);
    TestSink sink(model, rows);
    rows.skipped = scan_source(test, sink, ScanFor::Evaluation);
    if (rows.rows.empty())
        throw SqlError(ERRCODE_DATA_EXCEPTION, "there are no rows to evaluate on",
                       test.name + " has no row that the current user can see with user, item and rating.");
    Environment environment = quiet_environment();
    const std::vector<std::uint32_t> rank = rows.users.sort(environment);
    for (TestRow& row : rows.rows) row.user = rank[row.user];
    sort_with_checkpoints(std::span(rows.rows), environment, [](const TestRow& a, const TestRow& b) {
        if (a.user != b.user) return a.user < b.user;
        return a.item != b.item ? a.item < b.item : a.rating < b.rating;
    });
    rows.begins.assign(rows.users.size() + std::size_t{1}, 0);
    for (const TestRow& row : rows.rows) ++rows.begins[row.user + 1];
    for (std::size_t user = 1; user < rows.begins.size(); ++user) rows.begins[user] += rows.begins[user - 1];
    return rows;
}

}  // namespace mf::pg
