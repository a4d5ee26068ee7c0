// mf_precision_at, mf_recall_at, mf_hit_rate_at, mf_ndcg_at, mf_average_precision_at, mf_reciprocal_rank
#include <limits>

#include "core/evaluation/list_metrics.hpp"
#include "pg/sql/arguments.hpp"
#include "pg/wall/boundary.hpp"

namespace mf::pg {
namespace {

/// Positions (from 0, ascending) of the hits, and the number of distinct relevant items.
struct HitsView {
    const std::uint32_t* positions;
    std::size_t count;
    std::size_t relevant;
};

struct Elements {
    Datum* values;
    int count;
};

/// The elements that are not NULL, in the order of the array.
Elements elements_unsafe(ArrayType* array, const TypeCacheEntry* type) {
    Elements elements;
    bool* nulls;
    int all;
    deconstruct_array(array, type->type_id, type->typlen, type->typbyval, type->typalign, &elements.values, &nulls,
                      &all);
    elements.count = 0;
    for (int i = 0; i < all; ++i)
        if (!nulls[i]) elements.values[elements.count++] = elements.values[i];
    return elements;
}

struct Comparison {
    FmgrInfo* function;  ///< three-way comparison, or equality if the type has no order
    bool ordered;
    Oid collation;
};

Comparison comparison_unsafe(TypeCacheEntry* type, Oid collation) {
    if (OidIsValid(type->cmp_proc_finfo.fn_oid)) return {&type->cmp_proc_finfo, true, collation};
    if (OidIsValid(type->eq_opr_finfo.fn_oid)) return {&type->eq_opr_finfo, false, collation};
    ereport(ERROR, (errcode(ERRCODE_UNDEFINED_FUNCTION),
                    errmsg("could not identify an equality operator for type %s", format_type_be(type->type_id)),
                    errhint("Compare items by ids of another type, or cast them to text.")));
    pg_unreachable();
}

int compare(const void* left, const void* right, void* argument) {
    const auto* comparison = static_cast<const Comparison*>(argument);
    return DatumGetInt32(FunctionCall2Coll(comparison->function, comparison->collation,
                                           *static_cast<const Datum*>(left), *static_cast<const Datum*>(right)));
}

/// Index of the item among the relevant ones, or -1.
int find_unsafe(Datum item, const Elements& relevant, const Comparison& comparison) {
    if (!comparison.ordered) {
        for (int i = 0; i < relevant.count; ++i)
            if (DatumGetBool(FunctionCall2Coll(comparison.function, comparison.collation, relevant.values[i], item)))
                return i;
        return -1;
    }
    int begin = 0;
    int end = relevant.count;
    while (begin < end) {
        const int middle = begin + (end - begin) / 2;
        const int order = compare(&relevant.values[middle], &item, const_cast<Comparison*>(&comparison));
        if (order == 0) return middle;
        if (order < 0)
            begin = middle + 1;
        else
            end = middle;
    }
    return -1;
}

/// Removes duplicates, and sorts the items if the type has an order.
void make_distinct_unsafe(Elements& items, Comparison& comparison) {
    Elements distinct = {items.values, 0};
    if (comparison.ordered) {
        qsort_arg(items.values, static_cast<size_t>(items.count), sizeof(Datum), compare, &comparison);
        for (int i = 0; i < items.count; ++i) {
            const bool repeated =
                i > 0 && compare(&distinct.values[distinct.count - 1], &items.values[i], &comparison) == 0;
            if (!repeated) distinct.values[distinct.count++] = items.values[i];
        }
    } else {
        for (int i = 0; i < items.count; ++i) {
            CHECK_FOR_INTERRUPTS();
            if (find_unsafe(items.values[i], distinct, comparison) < 0)
                distinct.values[distinct.count++] = items.values[i];
        }
    }
    items = distinct;
}

/// Compares elements as the type's own ORDER BY does, under the collation; types without an order, such as xid, by
/// their equality. Ignores NULL elements, which take up no position. An item that is recommended again takes up a
/// position, but is no hit there. Ignores positions from k on. Both arrays have the same element type; raises
/// undefined_function if the type has no equality. O((recommended + relevant) · log(relevant)) comparisons, or
/// recommended · relevant for types without an order.
HitsView list_hits_unsafe(ArrayType* recommended, ArrayType* relevant, std::size_t k, Oid collation) {
    TypeCacheEntry* type = lookup_type_cache(ARR_ELEMTYPE(relevant), TYPECACHE_CMP_PROC_FINFO | TYPECACHE_EQ_OPR_FINFO);
    Comparison comparison = comparison_unsafe(type, collation);
    Elements goal = elements_unsafe(relevant, type);
    make_distinct_unsafe(goal, comparison);
    const Elements list = elements_unsafe(recommended, type);

    auto* found = static_cast<bool*>(palloc0(static_cast<Size>(goal.count) + 1));
    auto* positions = static_cast<std::uint32_t*>(palloc(sizeof(std::uint32_t) * (static_cast<Size>(goal.count) + 1)));
    std::size_t hits = 0;
    for (int i = 0; i < list.count && static_cast<std::size_t>(i) < k; ++i) {
        CHECK_FOR_INTERRUPTS();
        const int item = find_unsafe(list.values[i], goal, comparison);
        if (item < 0 || found[item]) continue;
        found[item] = true;
        positions[hits++] = static_cast<std::uint32_t>(i);
    }
    return {positions, hits, static_cast<std::size_t>(goal.count)};
}

/// The metric of the two array arguments; NULL, which avg() ignores, if nothing is relevant. The SQL functions are
/// strict.
template <class Metric>
Datum metric_of(FunctionCallInfo fcinfo, std::size_t k, const Metric& metric) {
    const HitsView hits = pg_call([fcinfo, k] {
        return list_hits_unsafe(PG_GETARG_ARRAYTYPE_P(0), PG_GETARG_ARRAYTYPE_P(1), k, PG_GET_COLLATION());
    });
    if (hits.relevant == 0) {
        fcinfo->isnull = true;
        return Datum{0};
    }
    const double value = metric(ListHits{{hits.positions, hits.count}, hits.relevant});
    return pg_call([value] { return Float8GetDatum(value); });
}

Datum metric_at(FunctionCallInfo fcinfo, double (*metric)(const ListHits&, std::size_t)) {
    const std::size_t k = at_least("k", 1, PG_GETARG_INT64(2), "k is how many items at the top of the list count.");
    return metric_of(fcinfo, k, [metric, k](const ListHits& list) { return metric(list, k); });
}

}  // namespace

MF_FUNCTION(mf_precision_at) { return metric_at(fcinfo, precision_at); }
MF_FUNCTION(mf_recall_at) { return metric_at(fcinfo, recall_at); }
MF_FUNCTION(mf_hit_rate_at) { return metric_at(fcinfo, hit_rate_at); }
MF_FUNCTION(mf_ndcg_at) { return metric_at(fcinfo, ndcg_at); }
MF_FUNCTION(mf_average_precision_at) { return metric_at(fcinfo, average_precision_at); }
MF_FUNCTION(mf_reciprocal_rank) { return metric_of(fcinfo, std::numeric_limits<std::size_t>::max(), reciprocal_rank); }

}  // namespace mf::pg
