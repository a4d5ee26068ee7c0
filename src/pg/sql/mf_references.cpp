// mf_relation, mf_role, mf_grantee, mf_id_type: the types by which the extension's tables refer to relations, roles and
// types. They differ from regclass, regrole and regtype where an object is missing: one that was dropped is not written
// as its number, which in another database would be another object's, and one that a restore does not find is a
// WARNING, so that all other models are restored.
#include "pg/wall/boundary.hpp"

extern "C" {
#include "commands/trigger.h"
#include "common/hashfn.h"
#include "replication/logicalworker.h"
#include "utils/builtins.h"
#include "utils/hsearch.h"
#include "utils/syscache.h"
}

namespace mf::pg {
namespace {

constexpr const char* kNone = "-";

/// A grantee that is missing; no role has this number. 0 is PUBLIC.
constexpr Oid kMissingGrantee = 0xffffffff;

Datum name_of_unsafe(Oid object, int cache, PGFunction output) {
    const bool exists = SearchSysCacheExists1(cache, ObjectIdGetDatum(object));
    return exists ? DirectFunctionCall1(output, ObjectIdGetDatum(object)) : CStringGetDatum(pstrdup(kNone));
}

/// Calls to_regclass or one of its kind, which give NULL for what does not exist.
Oid find_unsafe(const char* name, PGFunction find) {
    LOCAL_FCINFO(call, 1);
    InitFunctionCallInfoData(*call, nullptr, 1, InvalidOid, nullptr, nullptr);
    call->args[0].value = CStringGetTextDatum(name);
    call->args[0].isnull = false;
    const Datum found = find(call);
    return call->isnull ? InvalidOid : DatumGetObjectId(found);
}

/// True once per name in a statement: COPY calls the function for all its rows with the same `function`, and every
/// version of a model names the same objects.
bool is_new_unsafe(FmgrInfo* function, const char* name) {
    if (function->fn_extra == nullptr) {
        HASHCTL control{};
        control.keysize = control.entrysize = sizeof(std::uint64_t);
        control.hcxt = function->fn_mcxt;
        function->fn_extra = hash_create("mf_ext missing names", 64, &control, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
    }
    // By a hash of 64 bits: were two names to share one, the second would lack its warning.
    const std::uint64_t key =
        hash_bytes_extended(reinterpret_cast<const unsigned char*>(name), static_cast<int>(strlen(name)), 0);
    bool found;
    hash_search(static_cast<HTAB*>(function->fn_extra), &key, HASH_ENTER, &found);
    return !found;
}

/// The object of the name, or number, that is the argument. If it does not exist, says so and what that means, and
/// gives InvalidOid. Raises instead where rows are replicated: replication waits, and goes on once the object is there.
Oid object_named_unsafe(FunctionCallInfo fcinfo, PGFunction input, PGFunction find, int sqlstate, const char* kind,
                        const char* detail, const char* hint) {
    const char* name = PG_GETARG_CSTRING(0);
    const bool is_number = strspn(name, "0123456789") == strlen(name);
    if (is_number || strcmp(name, kNone) == 0 || IsLogicalWorker())
        return DatumGetObjectId(DirectFunctionCall1(input, CStringGetDatum(name)));
    const Oid found = find_unsafe(name, find);
    if (!OidIsValid(found) && is_new_unsafe(fcinfo->flinfo, name))
        ereport(WARNING, (errcode(sqlstate), errmsg("%s %s does not exist", kind, name), errdetail("%s", detail),
                          errhint("%s", hint)));
    return found;
}

}  // namespace

MF_FUNCTION(mf_relation_in) {
    return pg_call([fcinfo] {
        return ObjectIdGetDatum(object_named_unsafe(
            fcinfo, regclassin, to_regclass, ERRCODE_UNDEFINED_TABLE, "relation",
            "Every model that was trained on it is restored without it.", "Train the model on another relation."));
    });
}

MF_FUNCTION(mf_role_in) {
    return pg_call([fcinfo] {
        return ObjectIdGetDatum(
            object_named_unsafe(fcinfo, regrolein, to_regrole, ERRCODE_UNDEFINED_OBJECT, "role",
                                "Every model that it owned is restored without an owner.",
                                "A superuser can give the model to another role with mf_set_owner."));
    });
}

MF_FUNCTION(mf_id_type_in) {
    return pg_call([fcinfo] {
        return ObjectIdGetDatum(object_named_unsafe(fcinfo, regtypein, to_regtype, ERRCODE_UNDEFINED_OBJECT, "type",
                                                    "Every model whose ids are of that type is restored without it.",
                                                    "Train the model again."));
    });
}

MF_FUNCTION(mf_grantee_in) {
    return pg_call([fcinfo] {
        const char* name = PG_GETARG_CSTRING(0);
        if (strcmp(name, "public") == 0) return ObjectIdGetDatum(InvalidOid);
        const Oid role =
            strcmp(name, kNone) == 0
                ? InvalidOid
                : object_named_unsafe(fcinfo, regrolein, to_regrole, ERRCODE_UNDEFINED_OBJECT, "role",
                                      "What was granted to it is left out.", "Create the role and use mf_grant.");
        return ObjectIdGetDatum(OidIsValid(role) ? role : kMissingGrantee);
    });
}

MF_FUNCTION(mf_relation_out) {
    return pg_call([fcinfo] { return name_of_unsafe(PG_GETARG_OID(0), RELOID, regclassout); });
}

MF_FUNCTION(mf_role_out) {
    return pg_call([fcinfo] { return name_of_unsafe(PG_GETARG_OID(0), AUTHOID, regroleout); });
}

MF_FUNCTION(mf_id_type_out) {
    return pg_call([fcinfo] { return name_of_unsafe(PG_GETARG_OID(0), TYPEOID, regtypeout); });
}

MF_FUNCTION(mf_grantee_out) {
    return pg_call([fcinfo] {
        const Oid role = PG_GETARG_OID(0);
        return OidIsValid(role) ? name_of_unsafe(role, AUTHOID, regroleout) : CStringGetDatum(pstrdup("public"));
    });
}

/// BEFORE INSERT trigger on the table of grants: leaves out those to a role that is missing.
MF_FUNCTION(mf_skip_missing_grantee) {
    return pg_call([fcinfo] {
        const auto* data = reinterpret_cast<TriggerData*>(fcinfo->context);
        constexpr int kGrantee = 2;  // column
        // The owner of the extension could put it on another table.
        const bool fits = CALLED_AS_TRIGGER(fcinfo) && TRIGGER_FIRED_BEFORE(data->tg_event) &&
                          TRIGGER_FIRED_FOR_ROW(data->tg_event) && TRIGGER_FIRED_BY_INSERT(data->tg_event) &&
                          data->tg_relation->rd_att->natts >= kGrantee &&
                          TupleDescAttr(data->tg_relation->rd_att, kGrantee - 1)->attbyval;
        if (!fits)
            ereport(ERROR, (errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
                            errmsg("mf_skip_missing_grantee is for inserts into mf_grant_data only")));
        bool null;
        const Datum grantee = heap_getattr(data->tg_trigtuple, kGrantee, data->tg_relation->rd_att, &null);
        const bool is_missing = !null && DatumGetObjectId(grantee) == kMissingGrantee;
        return PointerGetDatum(is_missing ? nullptr : data->tg_trigtuple);
    });
}

}  // namespace mf::pg
