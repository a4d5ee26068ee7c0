#include "pg/features/feature_collector.hpp"

#include <algorithm>
#include <limits>

#include "core/base/error.hpp"
#include "pg/sql/arguments.hpp"
#include "pg/sql/quoting.hpp"
#include "pg/wall/guc.hpp"

namespace mf::pg {
namespace {

constexpr std::uint64_t kRowsPerCheck = 4096;

/// A key of an object if it can be written in quotation marks as it is, else something to put a key in place of.
std::string plain_key(std::string_view key) {
    const bool is_plain = !key.empty() && key.size() <= 40 && std::ranges::all_of(key, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == ' ';
    });
    return is_plain ? std::string(key) : "key";
}

}  // namespace

FeatureCollector::FeatureCollector(const FeatureRelation& relation, const Ids* only)
    : relation_(relation), only_(only), builder_(relation.id.kind(), IdKind::Text, false) {
    for (const FeatureColumn& column : relation.columns) {
        const bool has_values = column.form == FeatureForm::Text || column.form == FeatureForm::TextArray ||
                                column.form == FeatureForm::Json;
        columns_.push_back(
            {column.form, column.column.name + (has_values ? "=" : ""), quoted_name(column.column.name)});
    }
}

void FeatureCollector::add(const RawFeature& feature) {
    const Column& column = columns_[feature.column];
    switch (column.form) {
        case FeatureForm::Bool:
        case FeatureForm::Number:
            name_ = column.prefix;
            break;
        case FeatureForm::Name:
            if (feature.text.empty()) return;
            name_ = feature.text;
            break;
        default:
            if (feature.text.empty()) return;
            name_ = column.prefix;
            name_ += feature.text;
    }
    check_name(name_);
    if (column.form == FeatureForm::Number) check_number(column, feature.number);
    if (relation_.weight) {
        check_weight(name_, feature.number);
        if (static_cast<float>(feature.number) == 0.0f) return;
    }
    const std::uint32_t id = id_index();
    builder_.add(id, builder_.items().intern(name_), static_cast<float>(feature.number));
    if (builder_.rows() % kRowsPerCheck == 0) check_memory();
}

std::uint32_t FeatureCollector::id_index() {
    if (!id_index_) {
        const bool is_integer = relation_.id.kind() == IdKind::Integer;
        if (!is_integer && bytes_.size() > kLongestId)
            throw SqlError(ERRCODE_PROGRAM_LIMIT_EXCEEDED,
                           "id " + shown_row_id() + " is too long: it has " + std::to_string(bytes_.size()) +
                               " bytes, the limit is " + std::to_string(kLongestId),
                           "", "Identify by something shorter in a view, such as md5(...), or exclude such rows.");
        id_index_ = is_integer ? builder_.users().intern(integer_) : builder_.users().intern(bytes_);
    }
    return *id_index_;
}

void FeatureCollector::check_name(const std::string& name) const {
    if (name.size() <= kLongestId) return;
    throw SqlError(
        ERRCODE_PROGRAM_LIMIT_EXCEEDED,
        "feature " + shown_id(IdKind::Text, 0, name) + " of id " + shown_row_id() + " is too long: it has " +
            std::to_string(name.size()) + " bytes, the limit is " + std::to_string(kLongestId),
        "Features of a model are keys of a B-tree index.",
        "A feature is something that many ids share. Leave such a text out in a view, or take words out of it.");
}

void FeatureCollector::check_weight(const std::string& name, double weight) {
    const auto refuse = [&](const char* why) {
        throw SqlError(
            ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE,
            "weight " + shown_number(weight) + " of feature " + shown_id(IdKind::Text, 0, name) + " of id " +
                shown_row_id() + why,
            "",
            "Leave such rows out by a view: SELECT * FROM " + relation_.name + " WHERE weight >= 0 AND weight < 1e30.");
    };
    const auto value = static_cast<float>(weight);
    if (!std::isfinite(weight)) refuse(" is not a finite number");
    if (weight < 0) refuse(" is negative");
    if (!std::isfinite(value)) refuse(" is out of range for type real");
    // The weights of equal rows are added; no sum is more than that of all.
    total_weight_ += weight;
    if (total_weight_ > std::numeric_limits<float>::max())
        refuse(" makes the sum of weights go out of range for type real");
}

void FeatureCollector::check_number(const Column& column, double number) const {
    if (std::isfinite(static_cast<float>(number))) return;
    throw SqlError(ERRCODE_NUMERIC_VALUE_OUT_OF_RANGE,
                   "value " + shown_number(number) + " of feature " + shown_id(IdKind::Text, 0, column.prefix) +
                       " of id " + shown_row_id() +
                       (std::isfinite(number) ? " is out of range for type real" : " is not a finite number"),
                   "",
                   "Make it NULL in a view: CASE WHEN abs(" + column.quoted + ") < 1e30 THEN " + column.quoted +
                       " END AS " + column.quoted + ".");
}

void FeatureCollector::refuse_json(std::size_t column, bool is_element, bool is_object, std::string_view key) const {
    const std::string& quoted = columns_[column].quoted;
    const SourceColumn& refused = relation_.columns[column].column;
    const std::string name = plain_key(key);
    // For a column of type json the expression is a cast.
    const std::string remedy = is_element
                                   ? "jsonb_path_query_array(" + refused.expression +
                                         (is_object ? ", '$[*].\"" + name + "\"')" : ", '$[*][*]')") + " AS " + quoted
                                   : quoted + " ->> '" + name + "' AS \"" + name + '"';
    throw SqlError(ERRCODE_DATATYPE_MISMATCH,
                   (is_element ? "an element of column \"" : "column \"") + refused.name + "\" of id " +
                       shown_row_id() + " is a JSON " + (is_object ? "object" : "array"),
                   "What is taken from jsonb is an array of texts, numbers and booleans, or one of these alone.",
                   "Take out what shall be features in a view: " + remedy);
}

void FeatureCollector::check_memory() {
    const IdTable& ids = builder_.users();
    const IdTable& names = builder_.items();
    const std::uint64_t rows = builder_.rows();
    // Rows are sorted and merged beside what was collected: 20 bytes each in all. So are ids, by their text if they
    // have any, one table after the other.
    constexpr double kBytesARow = 20;
    constexpr double kBytesAnId = 32;
    const double bytes = static_cast<double>(ids.memory() + names.memory()) + kBytesARow * static_cast<double>(rows) +
                         kBytesAnId * (static_cast<double>(ids.size()) + static_cast<double>(names.size())) +
                         static_cast<double>(std::max(ids.parts().arena.size(), names.parts().arena.size())) +
                         builder_counter_bytes(ids.size(), names.size(), rows);
    const auto need = static_cast<std::size_t>(bytes);
    if (need <= setting_max_memory()) return;
    throw MemoryLimitExceeded("reading features needs at least " + megabytes(need) +
                                  " of memory, mf_ext.max_memory is " + megabytes(setting_max_memory()),
                              std::to_string(names.size()) + " features of " + std::to_string(ids.size()) + " ids in " +
                                  relation_.name + " read so far.",
                              "Raise mf_ext.max_memory, or leave out what few ids have in common in a view.");
}

FeatureRows FeatureCollector::finish(Environment& environment) && {
    if (builder_.rows() == 0) return no_features(relation_.id.kind());
    check_memory();
    // Of categories without weights the mean is 1, however often a row occurs.
    FeatureRows result{std::move(builder_).finish(relation_.weight ? Duplicates::Sum : Duplicates::Mean, environment),
                       {}};
    result.is_number.resize(result.rows.items.size());
    for (const Column& column : columns_) {
        if (column.form != FeatureForm::Number) continue;
        if (const auto index = result.rows.items.find(column.prefix)) result.is_number[*index] = true;
    }
    return result;
}

}  // namespace mf::pg
