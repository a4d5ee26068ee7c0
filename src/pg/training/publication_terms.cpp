#include "pg/training/publication_terms.hpp"

#include <cmath>

#include "core/pipeline/held_out.hpp"
#include "pg/cache/model_cache.hpp"
#include "pg/models/model_locks.hpp"
#include "pg/models/model_rows.hpp"
#include "pg/serving/held_out_figures.hpp"
#include "pg/sql/arguments.hpp"

namespace mf::pg {
namespace {

std::optional<LiveFigures> measure_live(const Catalog& catalog, const TrainArguments& arguments, const Dataset& dataset,
                                        Environment& environment) {
    std::string name;
    const ModelVersion version = find_model(catalog, arguments.model.c_str(), &name, Access::Manage);
    const std::shared_ptr<ServingModel> model = cached_model(catalog, name, version);
    const TrainOptions& options = arguments.options;
    const HoldOut held_out =
        held_out_rows(dataset.by_user, id_hashes(dataset, environment), options.test_fraction, options, environment);
    const std::optional<HeldOutFigures> figures =
        measure_held_out(catalog, *model, dataset.users, dataset.items, held_out, kMeasuredPositions, environment);
    if (!figures) return std::nullopt;
    return LiveFigures{version.version, figures->ndcg, figures->rmse};
}

/// Empty if the term is met.
std::string objection(const char* figure, bool greater_is_better, double reached, double ratio, double live,
                      std::int32_t version) {
    if (std::isnan(ratio)) return "";
    if (std::isnan(reached)) return std::string(figure) + " was not measured, since no row could be held out";
    if (std::isnan(live)) return "";
    const double bound = ratio * live;
    if (greater_is_better ? reached >= bound : reached <= bound) return "";
    return std::string(figure) + " is " + shown_number(reached) + ", and " + shown_number(ratio) +
           " times that of version " + std::to_string(version) + " is " + shown_number(bound);
}

}  // namespace

Verdict compare_with_live(const Catalog& catalog, const TrainArguments& arguments, const Dataset& dataset,
                          const TrainSummary& trained, Environment& environment) {
    lock_model(catalog, arguments.model, ModelLock::Publication);
    if (!find_former_version(catalog, arguments.model)) return {};
    // What was committed last: the call's snapshot may be hours old.
    pg_call([] { PushActiveSnapshot(GetTransactionSnapshot()); });
    Verdict verdict;
    verdict.live = measure_live(catalog, arguments, dataset, environment);
    pg_call([] { PopActiveSnapshot(); });
    if (!verdict.live) return verdict;
    const LiveFigures& live = *verdict.live;
    const PublicationTerms& terms = *arguments.publish_if;
    verdict.objection = objection("test_ndcg", true, trained.test_ndcg, terms.least_ndcg, live.test_ndcg, live.version);
    const std::string other =
        objection("test_rmse", false, trained.test_rmse, terms.most_rmse, live.test_rmse, live.version);
    verdict.objection += (verdict.objection.empty() || other.empty() ? "" : "; ") + other;
    return verdict;
}

}  // namespace mf::pg
