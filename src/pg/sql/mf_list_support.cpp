// mf_list_support: tells the planner how many rows a list has and what it costs.
#include <algorithm>

#include "pg/wall/boundary.hpp"

extern "C" {
#include "catalog/pg_proc.h"
#include "funcapi.h"
#include "nodes/nodeFuncs.h"
#include "nodes/supportnodes.h"
#include "optimizer/cost.h"
#include "optimizer/optimizer.h"
}

namespace mf::pg {
namespace {

/// The length that the functions' ROWS and COST labels are for.
constexpr double kLabelled = 10;

/// A greater n means "all there are", and the planner should not expect billions.
constexpr double kLongest = 10000;

/// Position of the argument n of a function, -1 if it has none.
int position_of_n_unsafe(Oid function) {
    HeapTuple tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
    if (!HeapTupleIsValid(tuple)) elog(ERROR, "cache lookup failed for function %u", function);
    bool no_names, no_modes;
    const Datum names = SysCacheGetAttr(PROCOID, tuple, Anum_pg_proc_proargnames, &no_names);
    const Datum modes = SysCacheGetAttr(PROCOID, tuple, Anum_pg_proc_proargmodes, &no_modes);
    char** inputs;
    const int count = no_names ? 0 : get_func_input_arg_names(names, no_modes ? Datum{0} : modes, &inputs);
    ReleaseSysCache(tuple);
    for (int i = 0; i < count; ++i)
        if (inputs[i] != nullptr && strcmp(inputs[i], "n") == 0) return i;
    return -1;
}

/// The argument n of a call; without a value at planning time the labelled length.
double length_unsafe(PlannerInfo* root, Node* call) {
    if (call == nullptr || !IsA(call, FuncExpr)) return kLabelled;
    const auto* function = castNode(FuncExpr, call);
    const int position = position_of_n_unsafe(function->funcid);
    if (position < 0 || position >= list_length(function->args)) return kLabelled;
    Node* argument = estimate_expression_value(root, static_cast<Node*>(list_nth(function->args, position)));
    if (!IsA(argument, Const) || exprType(argument) != INT8OID) return kLabelled;
    if (castNode(Const, argument)->constisnull) return 0;
    return std::clamp(static_cast<double>(DatumGetInt64(castNode(Const, argument)->constvalue)), 0.0, kLongest);
}

struct Labels {
    double cost;
    double rows;
};

Labels labels_unsafe(Oid function) {
    HeapTuple tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
    if (!HeapTupleIsValid(tuple)) elog(ERROR, "cache lookup failed for function %u", function);
    const auto* form = reinterpret_cast<Form_pg_proc>(GETSTRUCT(tuple));
    const Labels labels{form->procost, form->prorows};
    ReleaseSysCache(tuple);
    return labels;
}

Node* answer_unsafe(Node* request) {
    if (IsA(request, SupportRequestRows)) {
        auto* rows = castNode(SupportRequestRows, request);
        rows->rows = labels_unsafe(rows->funcid).rows / kLabelled * length_unsafe(rows->root, rows->node);
        return request;
    }
    if (IsA(request, SupportRequestCost)) {
        // Half of a call is spent before the first row of the list, whatever its length.
        auto* cost = castNode(SupportRequestCost, request);
        const double length = length_unsafe(cost->root, cost->node);
        cost->startup = 0;
        cost->per_tuple = labels_unsafe(cost->funcid).cost * cpu_operator_cost * (0.5 + 0.5 * length / kLabelled);
        return request;
    }
    return nullptr;
}

}  // namespace

MF_FUNCTION(mf_list_support) {
    auto* request = reinterpret_cast<Node*>(PG_GETARG_POINTER(0));
    return PointerGetDatum(pg_call([request] { return answer_unsafe(request); }));
}

}  // namespace mf::pg
