// mf_precision_at, mf_recall_at, mf_hit_rate_at, mf_ndcg_at, mf_average_precision_at, mf_reciprocal_rank
#include <limits>

#include "core/evaluation/list_metrics.hpp"
#include "pg/wall/boundary.hpp"
#include "pg/evaluation/list_hits.hpp"

namespace mf::pg {
namespace {

/// The metric of the two array arguments; NULL, for avg() to leave out, if nothing is relevant. Functions are strict.
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
    const std::int32_t argument = PG_GETARG_INT32(2);
    if (argument < 1)
        throw SqlError(ERRCODE_INVALID_PARAMETER_VALUE, "k must be at least 1, it is " + std::to_string(argument), "",
                       "k is how many items at the top of the list count.");
    const auto k = static_cast<std::size_t>(argument);
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
