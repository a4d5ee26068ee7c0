#include "pg/sql/row_batch.hpp"

#include "pg/sql/arguments.hpp"

namespace mf::pg {

void RowBatch::refuse(const SourceRow& row) const {
    const std::string user = shown_id(source_.user.kind(), row.user_integer, row.user_bytes);
    const std::string item = shown_id(source_.item.kind(), row.item_integer, row.item_bytes);
    const std::string rating = shown_number(row.rating);
    const auto refuse_id = [&](const std::string& role, const std::string& id, std::size_t bytes,
                               const std::string& other) {
        throw SqlError(
            ERRCODE_PROGRAM_LIMIT_EXCEEDED,
            role + " id " + id + " is too long: it has " + std::to_string(bytes) + " bytes, the limit is " +
                std::to_string(kLongestId),
            "Ids of a model are keys of a B-tree index. The row has " + other +
                (source_.rating ? " and rating " + rating : "") + ".",
            "Identify " + role + "s by something shorter in a view, such as md5(...), or exclude such rows in a view.");
    };
    if (row.user_bytes.size() > kLongestId) refuse_id("user", user, row.user_bytes.size(), "item " + item);
    if (row.item_bytes.size() > kLongestId) refuse_id("item", item, row.item_bytes.size(), "user " + user);
    const std::string where = " of user " + user + " and item " + item;
    if (std::isnan(row.time))
        throw SqlError(
            ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE, "time NaN" + where + " cannot be ordered",
            source_.rating ? "The row has rating " + rating + "." : "",
            "Leave such rows out by a view, or make their time NULL, which counts as older than all others.");
    if (std::isfinite(static_cast<float>(row.rating)))
        throw SqlError(
            ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE, "rating " + rating + where + " is negative",
            "With implicit feedback a rating is the weight of an interaction, zero or more.",
            "Use feedback => 'explicit' for opinions, options => '{\"negative\": \"dislike\"}' for what a user "
            "does not want, or exclude such rows in a view.");
    throw SqlError(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE,
                   "rating " + rating + where +
                       (std::isfinite(row.rating) ? " is out of range for type real" : " is not a finite number"),
                   "", "Leave such rows out by a view.");
}

}  // namespace mf::pg
