#include "pg/serving/user_lists.hpp"

#include "pg/wall/guard.hpp"

namespace mf::pg {
namespace {

constexpr std::size_t kBatch = 4096;

}  // namespace

void UserListWriter::put_rows_unsafe(FunctionCallInfo fcinfo, IdKind overload, const Row* rows, std::size_t count,
                                     const std::string* texts) {
    CHECK_FOR_INTERRUPTS();
    auto* result = reinterpret_cast<ReturnSetInfo*>(fcinfo->resultinfo);
    const auto datum = [overload, texts](std::int64_t id) {
        if (overload == IdKind::Integer) return Int64GetDatum(id);
        const std::string& text = texts[id];
        return id_datum_unsafe(overload, 0, text.data(), static_cast<int>(text.size()));
    };
    for (std::size_t i = 0; i < count; ++i) {
        Datum values[4] = {datum(rows[i].user), datum(rows[i].item), Float4GetDatum(rows[i].score),
                           Int32GetDatum(rows[i].rank)};
        bool nulls[4] = {};
        tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
        if (overload == IdKind::Integer) continue;
        pfree(DatumGetPointer(values[0]));
        pfree(DatumGetPointer(values[1]));
    }
}

void UserListWriter::put(const Id& user, std::span<const ScoredItem> list) {
    if (list.empty()) return;
    const bool integer = overload_ == IdKind::Integer, uuid = overload_ == IdKind::Uuid;
    const std::int64_t user_value = integer ? user.integer : add_text(uuid ? user.bytes : user.text());
    std::int32_t rank = 0;
    for (const auto& [item, score] : list) {
        const std::int64_t item_value = integer ? items_.integer(item)
                                        : uuid  ? add_text(std::string(items_.bytes(item)))
                                                : add_text(items_.text(item));
        rows_.push_back({user_value, item_value, score, ++rank});
    }
    if (rows_.size() >= kBatch) flush();
}

void UserListWriter::flush() {
    pg_call([this] { put_rows_unsafe(fcinfo_, overload_, rows_.data(), rows_.size(), texts_.data()); });
    rows_.clear();
    texts_.clear();
}

}  // namespace mf::pg
