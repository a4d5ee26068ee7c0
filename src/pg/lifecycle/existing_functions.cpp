#include "pg/lifecycle/existing_functions.hpp"

#include <algorithm>

#include "pg/sql/quoting.hpp"

extern "C" {
#include "catalog/pg_language.h"
#include "catalog/pg_proc.h"
#include "utils/catcache.h"
}

namespace mf::pg {
namespace {

/// The body of a function in SQL, null for one in another language. Memory of the current context.
const char* sql_body_unsafe(HeapTuple function, TupleDesc descriptor) {
    if (reinterpret_cast<Form_pg_proc>(GETSTRUCT(function))->prolang != SQLlanguageId) return nullptr;
    bool null;
    const Datum source = heap_getattr(function, Anum_pg_proc_prosrc, descriptor, &null);
    return null ? nullptr : TextDatumGetCString(source);
}

}  // namespace

std::vector<ExistingFunction> existing_functions(Oid schema, const std::string& name, const std::string& model,
                                                 const TypedModel* types) {
    struct Found {
        Oid oid;
        const char* body;
    };
    struct FoundList {
        int count;
        Found* functions;
    };
    const auto found = pg_call([schema, name = name.c_str()] {
        CatCList* list = SearchSysCacheList1(PROCNAMEARGSNSP, CStringGetDatum(name));
        FoundList result{0, static_cast<Found*>(palloc(sizeof(Found) * static_cast<Size>(list->n_members + 1)))};
        Relation functions = table_open(ProcedureRelationId, AccessShareLock);
        for (int i = 0; i < list->n_members; ++i) {
            HeapTuple tuple = &list->members[i]->tuple;
            const auto* form = reinterpret_cast<Form_pg_proc>(GETSTRUCT(tuple));
            if (form->pronamespace != schema) continue;
            result.functions[result.count++] = {form->oid, sql_body_unsafe(tuple, RelationGetDescr(functions))};
        }
        table_close(functions, AccessShareLock);
        ReleaseCatCacheList(list);
        return result;
    });
    std::vector<ExistingFunction> existing;
    for (int i = 0; i < found.count; ++i) {
        const std::string_view body = found.functions[i].body != nullptr ? found.functions[i].body : "";
        existing.push_back({found.functions[i].oid, is_typed_body(body), is_body_for_model(body, model),
                            types != nullptr && is_body_for_types(body, *types)});
    }
    return existing;
}

std::string calls_for_functions_of(const std::string& model, const char* function, const std::string& new_name) {
    constexpr int kMost = 5;
    std::vector<std::string> calls;
    ExceptionHolder exception;
    // One function of each group stands for it.
    const std::string first = typed_function_names().front();
    const auto take = [&](const char* schema, std::string_view name, const char* body) {
        if (!name.ends_with(first) || !is_body_for_model(body, model)) return;
        const std::string prefix(name.substr(0, name.size() - first.size()));
        calls.push_back("SELECT " + std::string(function) + "(" + quoted_literal(new_name) + ", " +
                        quoted_literal(schema) + ", " + quoted_literal(prefix) + ");");
    };
    pg_call([take = &take, exception = &exception] {
        Relation functions = table_open(ProcedureRelationId, AccessShareLock);
        SysScanDesc scan = systable_beginscan(functions, InvalidOid, false, nullptr, 0, nullptr);
        for (HeapTuple tuple = systable_getnext(scan); HeapTupleIsValid(tuple); tuple = systable_getnext(scan)) {
            CHECK_FOR_INTERRUPTS();
            const char* body = sql_body_unsafe(tuple, RelationGetDescr(functions));
            if (body == nullptr) continue;
            const auto* form = reinterpret_cast<Form_pg_proc>(GETSTRUCT(tuple));
            const char* schema = get_namespace_name(form->pronamespace);
            if (schema == nullptr) continue;
            if (!exception->run([&] { (*take)(schema, NameStr(form->proname), body); })) break;
        }
        systable_endscan(scan);
        table_close(functions, AccessShareLock);
    });
    exception.rethrow();
    std::ranges::sort(calls);
    std::string text;
    for (std::size_t i = 0; i < calls.size() && i < kMost; ++i) text += (i > 0 ? " " : "") + calls[i];
    if (calls.size() > kMost) text += " And " + std::to_string(calls.size() - kMost) + " more.";
    return text;
}

}  // namespace mf::pg
