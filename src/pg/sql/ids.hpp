// Identifiers at the SQL surface: bigint, uuid and text arguments ↔ the core's ids.
#pragma once

#include "core/data/ids.hpp"
#include "pg/wall/guard.hpp"

namespace mf::pg {

/// Bytes of the longest id that the primary keys of the factor tables hold. A page of a B-tree has room for three
/// entries; an entry is a header, the version's number, and the text with its length. Longer ids that compress well
/// could be stored, but what compresses well is nothing that the owner of the ids could know.
constexpr std::size_t kPageHeader = MAXALIGN(SizeOfPageHeaderData + 3 * (sizeof(ItemIdData) + sizeof(ItemPointerData)));
constexpr std::size_t kPageEnd = 16;  // BTPageOpaqueData
constexpr std::size_t kLongestEntry = MAXALIGN_DOWN((BLCKSZ - kPageHeader - kPageEnd) / 3);
constexpr std::size_t kLongestId =
    kLongestEntry - MAXALIGN(sizeof(IndexTupleData)) - MAXALIGN(sizeof(std::int64_t)) - VARHDRSZ;

/// An id in quotation marks for a message, by its beginning where no index could hold it.
std::string shown_id(IdKind kind, std::int64_t integer, std::string_view bytes);

/// How ids of a column's type are interned. Domains count as their base type.
IdKind id_kind_unsafe(Oid type);

/// A type as messages name it.
std::string type_name(Oid type);

/// One id in the form that an IdTable or SortedIds of `kind` takes.
struct Id {
    IdKind kind = IdKind::Integer;
    std::int64_t integer = 0;  // kind Integer
    std::string bytes;         // kinds Uuid, Text

    std::string text() const;
    template <class Ids>
    std::optional<std::uint32_t> find_in(const Ids& table) const {
        return kind == IdKind::Integer ? table.find(integer) : table.find(std::string_view(bytes));
    }
    std::uint32_t intern_in(IdTable& table) const {
        return kind == IdKind::Integer ? table.intern(integer) : table.intern(std::string_view(bytes));
    }
};

/// Plain view of an id argument; points into the call's memory.
struct IdView {
    bool null = true;
    IdKind kind = IdKind::Integer;
    std::int64_t integer = 0;
    const char* data = nullptr;
    int length = 0;
};

/// Argument `number` of a function overload whose ids are of `kind`.
IdView id_argument_unsafe(FunctionCallInfo fcinfo, int number, IdKind kind);

/// Elements of an array argument; count -1 if the argument is NULL. NULL elements are marked as such.
struct IdArrayView {
    int count = -1;
    IdView* elements = nullptr;
};
IdArrayView id_array_argument_unsafe(FunctionCallInfo fcinfo, int number, IdKind kind);

/// The argument as an id of the model's kind; nothing if it is text that no id of that kind prints as.
/// Calls with an overload that does not fit must be refused before (check_overload).
std::optional<Id> convert_id(const IdView& view, IdKind kind);

/// A stored id, text, as one of the kind; nothing if no id of that kind prints so.
std::optional<Id> parse_id(std::string_view text, IdKind kind);

/// The same of a version's row, whose `role` is "user" or "item"; throws data_corrupted instead of giving nothing.
Id stored_id(std::string_view text, IdKind kind, const std::string& role, const std::string& version);

/// The id at an index of a table.
Id id_at(const IdTable& table, std::uint32_t index);

/// Bytes that ids take as Ids and as the array that a query's parameter is, beside each other: `count` ids of the kind
/// whose bytes are `bytes` in all. An estimate from above.
std::size_t ids_memory(IdKind kind, std::size_t count, std::size_t bytes);
inline std::size_t ids_memory(const Ids& ids) { return ids_memory(ids.kind(), ids.size(), ids.parts().arena.size()); }
std::size_t ids_memory(std::span<const Id> ids);

/// `count` as the number of elements of an array; raises program_limit_exceeded for more than an array can have.
int array_size_unsafe(std::size_t count);

/// Throws datatype_mismatch, with a call that works as hint, unless ids of `given` kind can name ids of `kind`, a
/// user's or an item's (`what`).
void check_overload(IdKind given, IdKind kind, Oid type, const char* what, const char* model);

/// The same for calls that name users and items, which one overload takes by one type.
void check_overload_for_both(IdKind given, IdKind user_kind, Oid user_type, IdKind item_kind, Oid item_type,
                             const char* model);

/// Datum of id number `index` in the type of the overload `kind`.
Datum id_datum_unsafe(IdKind kind, std::int64_t integer, const char* data, int length);

}  // namespace mf::pg
