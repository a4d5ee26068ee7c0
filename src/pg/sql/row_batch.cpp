#include "pg/sql/row_batch.hpp"

#include <cmath>
#include <type_traits>

#include "pg/sql/arguments.hpp"
#include "pg/sql/column_values.hpp"

namespace mf::pg {

namespace {

/// Calls f with the form as a constant.
template <class F>
void with_form(ColumnForm form, const F& f) {
    switch (form) {
        case ColumnForm::Int2:
            return f(std::integral_constant<ColumnForm, ColumnForm::Int2>());
        case ColumnForm::Int4:
            return f(std::integral_constant<ColumnForm, ColumnForm::Int4>());
        case ColumnForm::Int8:
            return f(std::integral_constant<ColumnForm, ColumnForm::Int8>());
        case ColumnForm::Float4:
            return f(std::integral_constant<ColumnForm, ColumnForm::Float4>());
        case ColumnForm::Bool:
            return f(std::integral_constant<ColumnForm, ColumnForm::Bool>());
        default:
            return f(std::integral_constant<ColumnForm, ColumnForm::Float8>());
    }
}

}  // namespace

RowBatch::RowBatch(const Source& source, ScanFor purpose, bool with_users)
    : source_(source),
      purpose_(purpose),
      item_column_(with_users ? 1 : 0),
      not_null_(item_column_ + (source.rating ? 2 : 1)),
      users_(source.user),
      items_(source.item) {
    if (!source.rating) std::fill_n(ratings_, kBatchRows, 1.0);
    if (!source.time) std::fill_n(times_, kBatchRows, 0.0);
}

void RowBatch::Ids::decode(std::size_t rows) {
    if (kind_ != IdKind::Integer) return;
    with_form(form_, [&](auto form) {
        for (std::size_t row = 0; row < rows; ++row)
            integers_[row] = decode_integer(static_cast<Datum>(integers_[row]), form);
    });
}

void RowBatch::decode() {
    if (item_column_ > 0) users_.decode(size_);
    items_.decode(size_);
    if (source_.rating)
        with_form(source_.rating->form, [&](auto form) {
            for (std::size_t row = 0; row < size_; ++row) ratings_[row] = decode_number(rating_datums_[row], form);
        });
    if (purpose_ != ScanFor::Ratings && purpose_ != ScanFor::Weights) return;
    for (std::size_t row = 0; row < size_; ++row)
        if (cannot_be_trained_on(row)) refuse(row);
}

bool RowBatch::is_finite(const SourceRow& row) const {
    if (!source_.rating) return true;
    return std::isfinite(static_cast<float>(decode_number(row.values[item_column_ + 1], source_.rating->form)));
}

bool RowBatch::cannot_be_trained_on(std::size_t row) const {
    const float value = this->value(row);
    const bool negative = purpose_ == ScanFor::Weights && value < 0.0f;
    const std::size_t longest = std::max(users_.bytes(row).size(), items_.bytes(row).size());
    return !std::isfinite(value) || negative || std::isnan(times_[row]) || longest > kLongestId;
}

void RowBatch::refuse(std::size_t row) const {
    const std::string_view user_bytes = users_.bytes(row), item_bytes = items_.bytes(row);
    const std::string user = shown_id(source_.user.kind(), users_.integer(row), user_bytes);
    const std::string item = shown_id(source_.item.kind(), items_.integer(row), item_bytes);
    const std::string rating = shown_number(ratings_[row]);
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
    if (user_bytes.size() > kLongestId) refuse_id("user", user, user_bytes.size(), "item " + item);
    if (item_bytes.size() > kLongestId) refuse_id("item", item, item_bytes.size(), "user " + user);
    const std::string where = " of user " + user + " and item " + item;
    if (std::isnan(times_[row]))
        throw SqlError(
            ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE, "time NaN" + where + " cannot be ordered",
            source_.rating ? "The row has rating " + rating + "." : "",
            "Leave such rows out by a view, or make their time NULL, which counts as older than all others.");
    if (std::isfinite(static_cast<float>(ratings_[row])))
        throw SqlError(
            ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE, "rating " + rating + where + " is negative",
            "With implicit feedback a rating is the weight of an interaction, zero or more.",
            "Use feedback => 'explicit' for opinions, options => '{\"negative\": \"dislike\"}' for what a user "
            "does not want, or exclude such rows in a view.");
    throw SqlError(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE,
                   "rating " + rating + where +
                       (std::isfinite(ratings_[row]) ? " is out of range for type real" : " is not a finite number"),
                   "", "Leave such rows out by a view.");
}

}  // namespace mf::pg
