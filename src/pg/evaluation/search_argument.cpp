#include "pg/evaluation/search_argument.hpp"

#include <optional>

#include "pg/sql/json_entries.hpp"

namespace mf::pg {
namespace {

[[noreturn]] void refuse(const std::string& message) {
    throw SqlError(
        ERRCODE_INVALID_PARAMETER_VALUE, message, "",
        R"(Write a list, {"factors": [32, 64]}, or a range, {"regularization": {"min": 0.1, "max": 2, "log": true}}.)");
}

std::optional<OptionValue> scalar(const JsonEntry& entry) {
    if (entry.type == jbvNumeric) return entry.number;
    if (entry.type == jbvString) return std::string(entry.word);
    return std::nullopt;
}

void read_list(const JsonEntries& list, SearchDimension& dimension) {
    if (list.count == 0) refuse("the list of values of option \"" + dimension.name + "\" is empty");
    for (const JsonEntry& entry : list.span()) {
        const std::optional<OptionValue> value = scalar(entry);
        if (!value) refuse("the values of option \"" + dimension.name + "\" must be numbers or words");
        dimension.values.push_back(*value);
    }
}

void read_range(const JsonEntries& range, SearchDimension& dimension) {
    bool has_minimum = false, has_maximum = false;
    for (const JsonEntry& entry : range.span()) {
        if (entry.key == "min") {
            dimension.minimum = entry.number;
            has_minimum = entry.type == jbvNumeric;
        } else if (entry.key == "max") {
            dimension.maximum = entry.number;
            has_maximum = entry.type == jbvNumeric;
        } else if (entry.key == "log" && entry.type == jbvBool) {
            dimension.is_logarithmic = entry.boolean;
        } else if (entry.key == "log") {
            refuse("\"log\" in the range of option \"" + dimension.name + "\" must be true or false");
        } else {
            refuse("the range of option \"" + dimension.name + "\" has no use for \"" + std::string(entry.key) + "\"");
        }
    }
    if (!has_minimum || !has_maximum)
        refuse("the range of option \"" + dimension.name + "\" must have \"min\" and \"max\", two numbers");
}

SearchDimension read_dimension(const JsonEntry& entry) {
    SearchDimension dimension;
    dimension.name = entry.key;
    if (const std::optional<OptionValue> value = scalar(entry)) {
        dimension.values.push_back(*value);
        return dimension;
    }
    if (entry.type != jbvBinary) refuse("option \"" + dimension.name + "\" has no values to search");
    const JsonEntries inner = pg_call([container = entry.inner] { return json_entries_unsafe(container); });
    if (inner.is_array)
        read_list(inner, dimension);
    else
        read_range(inner, dimension);
    return dimension;
}

}  // namespace

SearchSpace read_search(Jsonb* json, Feedback feedback) {
    if (json == nullptr) return default_space(feedback);
    const JsonEntries all = pg_call([json] { return json_entries_unsafe(&json->root); });
    if (!all.is_object) refuse("the search space must be a JSON object");
    if (all.count == 0) return default_space(feedback);
    SearchSpace space;
    for (const JsonEntry& entry : all.span()) space.push_back(read_dimension(entry));
    return space;
}

}  // namespace mf::pg
