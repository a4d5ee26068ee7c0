#include "pg/sql/json_entries.hpp"

namespace mf::pg {
namespace {

void take_value_unsafe(const JsonbValue& value, JsonEntry* entry) {
    entry->type = value.type;
    switch (value.type) {
        case jbvNumeric:
            // What no double can hold becomes infinite: then the option that it is meant for refuses it by name.
            entry->number =
                DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow, NumericGetDatum(value.val.numeric)));
            break;
        case jbvString:
            entry->word = {value.val.string.val, static_cast<std::size_t>(value.val.string.len)};
            break;
        case jbvBool:
            entry->boolean = value.val.boolean;
            break;
        case jbvBinary:
            entry->inner = value.val.binary.data;
            break;
        default:
            break;
    }
}

}  // namespace

JsonEntries json_entries_unsafe(JsonbContainer* container) {
    JsonEntries result{};
    if (JsonContainerIsScalar(container)) return result;
    result.is_object = JsonContainerIsObject(container);
    result.is_array = JsonContainerIsArray(container);
    result.entries = static_cast<JsonEntry*>(palloc0(sizeof(JsonEntry) * (JsonContainerSize(container) + 1)));
    JsonbIterator* iterator = JsonbIteratorInit(container);
    JsonbValue value;
    JsonbIteratorToken token;
    while ((token = JsonbIteratorNext(&iterator, &value, true)) != WJB_DONE) {
        if (token == WJB_KEY)
            result.entries[result.count].key = {value.val.string.val, static_cast<std::size_t>(value.val.string.len)};
        else if (token == WJB_VALUE || token == WJB_ELEM)
            take_value_unsafe(value, &result.entries[result.count++]);
    }
    return result;
}

}  // namespace mf::pg
