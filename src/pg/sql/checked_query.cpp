#include "pg/sql/checked_query.hpp"

extern "C" {
#include "nodes/nodeFuncs.h"
#include "nodes/parsenodes.h"
#include "nodes/pg_list.h"
#include "parser/analyze.h"
#include "rewrite/rewriteDefine.h"
}

namespace mf::pg {
namespace {

post_parse_analyze_hook_type next_hook = nullptr;

/// Called by the parser for $1. It also is what these queries are recognized by.
Node* parameter(ParseState* state, ParamRef* reference) {
    const auto* query = static_cast<const CheckedQuery*>(state->p_ref_hook_state);
    if (reference->number != 1 || !OidIsValid(query->parameter)) return nullptr;
    Param* param = makeNode(Param);
    param->paramkind = PARAM_EXTERN;
    param->paramid = 1;
    param->paramtype = query->parameter;
    param->paramtypmod = -1;
    param->paramcollid = get_typcollation(query->parameter);
    param->location = reference->location;
    return reinterpret_cast<Node*>(param);
}

/// Called before the analysis.
void begin_analysis(ParseState* state, void* argument) {
    auto* query = static_cast<CheckedQuery*>(argument);
    state->p_ref_hook_state = query;
    state->p_paramref_hook = parameter;
    GetUserIdAndSecContext(&query->caller, &query->caller_context);
    if (OidIsValid(query->reader))
        SetUserIdAndSecContext(query->reader, query->caller_context | SECURITY_LOCAL_USERID_CHANGE);
}

/// True if a query, or one within it, reads another relation than that at `relation`.
bool names_another(Node* node, void* relation) {
    if (node == nullptr) return false;
    if (IsA(node, RangeTblEntry)) {
        const auto* entry = reinterpret_cast<const RangeTblEntry*>(node);
        return entry->rtekind == RTE_RELATION && entry->relid != *static_cast<const Oid*>(relation);
    }
    if (IsA(node, Query))
        return query_tree_walker(reinterpret_cast<Query*>(node), tree_walker(names_another), relation,
                                 QTW_EXAMINE_RTES_BEFORE);
    return expression_tree_walker(node, tree_walker(names_another), relation);
}

/// Called after the analysis, before the rewriting, which adds policies for whoever is checked. Looks at what the query
/// names: a schema can be renamed between the look-up of the relation's name and the analysis.
void end_analysis_unsafe(const CheckedQuery& checked, Query* query) {
    SetUserIdAndSecContext(checked.caller, checked.caller_context);
    Oid relation = checked.relation;
    if (names_another(reinterpret_cast<Node*>(query), &relation))
        ereport(ERROR, (errcode(ERRCODE_UNDEFINED_TABLE),
                        errmsg("relation with OID %u was renamed while a query on it was prepared", checked.relation),
                        errhint("Repeat the call.")));
    if (OidIsValid(checked.reader)) setRuleCheckAsUser(reinterpret_cast<Node*>(query), checked.reader);
}

void after_analysis(ParseState* state, Query* query, JumbleState* jumble) {
    if (state->p_paramref_hook == parameter)
        end_analysis_unsafe(*static_cast<const CheckedQuery*>(state->p_ref_hook_state), query);
    if (next_hook != nullptr) next_hook(state, query, jumble);
}

}  // namespace

SPIPlanPtr prepare_checked_unsafe(const char* sql, CheckedQuery* query, int cursor_options) {
    SPIPlanPtr plan = SPI_prepare_params(sql, begin_analysis, query, cursor_options);
    if (plan == nullptr) elog(ERROR, "SPI_prepare_params failed: %s", SPI_result_code_string(SPI_result));
    return plan;
}

KeptQuery::KeptQuery(const std::string& sql, const CheckedQuery& query) : query_(query) {
    const CallerRole caller;
    plan_ = pg_call([text = sql.c_str(), query = &query_] {
        connect_unsafe();
        SPIPlanPtr plan = prepare_checked_unsafe(text, query, 0);
        SPI_keepplan(plan);
        SPI_finish();
        return plan;
    });
}

KeptQuery::~KeptQuery() {
    try {
        pg_call([plan = plan_] { SPI_freeplan(plan); });
    } catch (const PgError&) {
    }
}

void install_checked_queries() {
    next_hook = post_parse_analyze_hook;
    post_parse_analyze_hook = after_analysis;
}

}  // namespace mf::pg
