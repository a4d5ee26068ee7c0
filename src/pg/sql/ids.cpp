#include "pg/sql/ids.hpp"

#include "pg/sql/quoting.hpp"
#include "pg/wall/clipped.hpp"

namespace mf::pg {
namespace {

IdView view_of_datum_unsafe(Datum datum, IdKind kind) {
    IdView view;
    view.null = false;
    view.kind = kind;
    switch (kind) {
        case IdKind::Integer:
            view.integer = DatumGetInt64(datum);
            break;
        case IdKind::Uuid:
            view.data = reinterpret_cast<const char*>(DatumGetUUIDP(datum)->data);
            view.length = UUID_LEN;
            break;
        case IdKind::Text: {
            const text* value = DatumGetTextPP(datum);
            view.data = VARDATA_ANY(value);
            view.length = static_cast<int>(VARSIZE_ANY_EXHDR(value));
            break;
        }
    }
    return view;
}

const char* overload_name(IdKind kind) {
    return kind == IdKind::Integer ? "bigint" : kind == IdKind::Uuid ? "uuid" : "text";
}

}  // namespace

std::string shown_id(IdKind kind, std::int64_t integer, std::string_view bytes) {
    const std::string text = kind == IdKind::Integer ? id_text(integer) : id_text(kind, bytes);
    constexpr std::size_t kShown = 40;
    return '"' + (text.size() > kLongestId ? std::string(clipped(text, kShown)) + "..." : text) + '"';
}

IdKind id_kind_unsafe(Oid type) {
    // A type of a model may be gone, with the source that had it.
    if (!SearchSysCacheExists1(TYPEOID, ObjectIdGetDatum(type)))
        ereport(ERROR,
                (errcode(ERRCODE_UNDEFINED_OBJECT), errmsg("the type of the model's ids does not exist any more"),
                 errhint("Train the model again.")));
    switch (getBaseType(type)) {
        case INT2OID:
        case INT4OID:
        case INT8OID:
            return IdKind::Integer;
        case UUIDOID:
            return IdKind::Uuid;
        default:
            return IdKind::Text;
    }
}

std::string type_name(Oid type) {
    return pg_call([type] { return format_type_be(type); });
}

std::string Id::text() const {
    switch (kind) {
        case IdKind::Integer:
            return std::to_string(integer);
        case IdKind::Uuid:
            return uuid_text(bytes);
        case IdKind::Text:
            break;
    }
    return bytes;
}

IdView id_argument_unsafe(FunctionCallInfo fcinfo, int number, IdKind kind) {
    if (PG_ARGISNULL(number)) return IdView{};
    return view_of_datum_unsafe(PG_GETARG_DATUM(number), kind);
}

IdArrayView id_array_argument_unsafe(FunctionCallInfo fcinfo, int number, IdKind kind) {
    IdArrayView view;
    if (PG_ARGISNULL(number)) return view;
    ArrayType* array = PG_GETARG_ARRAYTYPE_P(number);
    int16 length;
    bool by_value;
    char alignment;
    get_typlenbyvalalign(ARR_ELEMTYPE(array), &length, &by_value, &alignment);
    Datum* datums;
    bool* nulls;
    int count;
    deconstruct_array(array, ARR_ELEMTYPE(array), length, by_value, alignment, &datums, &nulls, &count);
    view.count = count;
    view.elements = static_cast<IdView*>(
        MemoryContextAllocHuge(CurrentMemoryContext, sizeof(IdView) * static_cast<Size>(count + 1)));
    for (int i = 0; i < count; ++i) view.elements[i] = nulls[i] ? IdView{} : view_of_datum_unsafe(datums[i], kind);
    return view;
}

std::optional<Id> convert_id(const IdView& view, IdKind kind) {
    Id id;
    id.kind = kind;
    if (view.kind == kind) {
        id.integer = view.integer;
        if (view.data != nullptr) id.bytes.assign(view.data, static_cast<std::size_t>(view.length));
        return id;
    }
    const std::string_view text(view.data, static_cast<std::size_t>(view.length));
    const bool valid = kind == IdKind::Integer ? parse_integer_id(text, &id.integer) : parse_uuid_id(text, &id.bytes);
    if (!valid) return std::nullopt;
    return id;
}

std::optional<Id> parse_id(std::string_view text, IdKind kind) {
    return convert_id({false, IdKind::Text, 0, text.data(), static_cast<int>(text.size())}, kind);
}

Id stored_id(std::string_view text, IdKind kind, const std::string& role, const std::string& version) {
    if (std::optional<Id> id = parse_id(text, kind)) return std::move(*id);
    throw SqlError(
        ERRCODE_DATA_CORRUPTED,
        role + " id \"" + std::string(text) + "\" of " + version + " is not of the model's " + role + " type", "",
        "Train the model again.");
}

Id id_at(const IdTable& table, std::uint32_t index) {
    Id id;
    id.kind = table.kind();
    if (id.kind == IdKind::Integer)
        id.integer = table.integer(index);
    else
        id.bytes = table.bytes(index);
    return id;
}

std::size_t ids_memory(IdKind kind, std::size_t count, std::size_t bytes) {
    // The Id, the datum, and the element of the array.
    constexpr std::size_t kOfAll = sizeof(Id) + sizeof(Datum) + sizeof(std::int64_t);
    if (kind == IdKind::Integer) return count * kOfAll;
    // What is too long for the Id itself, the datum's value, whose memory has a power of two, and the element.
    constexpr std::size_t kHeaders = 64;
    return count * (kOfAll + kHeaders) + 4 * bytes;
}

std::size_t ids_memory(std::span<const Id> ids) {
    if (ids.empty()) return 0;
    std::size_t bytes = 0;
    for (const Id& id : ids) bytes += id.bytes.size();
    return ids_memory(ids[0].kind, ids.size(), bytes);
}

int array_size_unsafe(std::size_t count) {
    if (count > MaxArraySize)
        ereport(ERROR, (errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
                        errmsg("array size exceeds the maximum allowed (%d)", static_cast<int>(MaxArraySize)),
                        errdetail("A query would need an array of %zu ids.", count)));
    return static_cast<int>(count);
}

void check_overload(IdKind given, IdKind kind, Oid type, const char* what, const char* model) {
    if (given == kind || given == IdKind::Text) return;
    const std::string id = std::string(what) + " id";
    throw SqlError(ERRCODE_DATATYPE_MISMATCH,
                   std::string("model \"") + model + "\" identifies " + what + "s by " + type_name(type) + ", not " +
                       overload_name(given),
                   "",
                   kind == IdKind::Text ? "Cast the id to text: " + std::string(what) + "_id::text."
                                        : "Pass the " + id + " as " + overload_name(kind) + ", or as text.");
}

void check_overload_for_both(IdKind given, IdKind user_kind, Oid user_type, IdKind item_kind, Oid item_type,
                             const char* model) {
    if (user_kind == item_kind) return check_overload(given, user_kind, user_type, "user", model);
    if (given == IdKind::Text) return;
    throw SqlError(ERRCODE_DATATYPE_MISMATCH,
                   std::string("model \"") + model + "\" identifies users by " + type_name(user_type) +
                       " and items by " + type_name(item_type) + ", and no function takes both types",
                   "",
                   "Pass both as text, as in user_id::text, or make functions with these types: SELECT "
                   "mf_create_functions(" +
                       quoted_literal(model) + ");");
}

Datum id_datum_unsafe(IdKind kind, std::int64_t integer, const char* data, int length) {
    switch (kind) {
        case IdKind::Integer:
            return Int64GetDatum(integer);
        case IdKind::Uuid: {
            auto* uuid = static_cast<pg_uuid_t*>(palloc(sizeof(pg_uuid_t)));
            memcpy(uuid->data, data, UUID_LEN);
            return UUIDPGetDatum(uuid);
        }
        case IdKind::Text:
            break;
    }
    return PointerGetDatum(cstring_to_text_with_len(data, length));
}

}  // namespace mf::pg
