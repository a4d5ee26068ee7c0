#include "pg/serving/recommendations.hpp"

#include <algorithm>
#include <limits>

#include "core/retrieval/diverse.hpp"
#include "pg/cache/model_for_call.hpp"
#include "pg/sql/results.hpp"
#include "pg/wall/environment.hpp"

namespace mf::pg {
namespace {

std::vector<std::uint32_t> merged(const std::vector<std::uint32_t>& a, const std::vector<std::uint32_t>& b) {
    std::vector<std::uint32_t> all;
    all.reserve(a.size() + b.size());
    std::set_union(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(all));
    return all;
}

bool contains(const std::vector<std::uint32_t>& sorted, std::uint32_t item) {
    return std::binary_search(sorted.begin(), sorted.end(), item);
}

/// The n most popular items that are not excluded, among the candidates if there is such a list.
std::vector<ScoredItem> most_popular(const ServingModel& model, std::size_t n,
                                     const std::vector<std::uint32_t>* candidates,
                                     const std::vector<std::uint32_t>& excluded) {
    std::vector<ScoredItem> list;
    for (const std::uint32_t item : model.items.by_popularity()) {
        if (list.size() == n) break;
        if (contains(excluded, item) || (candidates != nullptr && !contains(*candidates, item))) continue;
        list.push_back({item, static_cast<float>(model.items.interactions()[item])});
    }
    return list;
}

}  // namespace

std::vector<ScoredItem> best_items(const ServingModel& model, const UserState& user, std::size_t n,
                                   const std::vector<std::uint32_t>* candidates,
                                   const std::vector<std::uint32_t>& excluded) {
    if (user.basis == Basis::Popular) return most_popular(model, n, candidates, excluded);
    const float* query = user.ranking_factors.data();
    if (candidates != nullptr) return top_n_of(query, model.items.ranking(), n, *candidates, excluded);
    return top_n(query, model.items.ranking(), n, excluded);
}

std::vector<ScoredItem> best_items(const ServingModel& model, const UserState& user, std::size_t n,
                                   const SubsetIndex* only, std::vector<std::uint32_t> excluded) {
    if (only == nullptr || user.basis == Basis::Popular)
        return best_items(model, user, n, only != nullptr ? &only->items() : nullptr, excluded);
    only->to_positions(excluded);
    std::vector<ScoredItem> list = top_n(user.ranking_factors.data(), only->index(), n, excluded);
    only->to_items(list);
    return list;
}

double checked_diversity(double diversity, std::size_t n) {
    constexpr std::size_t kLongest = 1000;
    if (!(diversity >= 0 && diversity <= 1))
        throw SqlError(ERRCODE_INVALID_PARAMETER_VALUE,
                       "diversity must be from 0 to 1, not " + shown_number(diversity));
    if (diversity > 0 && n > kLongest)
        throw SqlError(ERRCODE_INVALID_PARAMETER_VALUE,
                       "a list of more than " + std::to_string(kLongest) + " items has no diversity",
                       "Its time grows with the square of n.", "Pass a smaller n, or diversity => 0.");
    return diversity;
}

void put_recommendations(FunctionCallInfo fcinfo, IdKind overload, const ServingModel& model, const UserState& user,
                         std::size_t n, const ListFilter& filter) {
    std::vector<std::uint32_t> excluded = known_items(model, filter.exclude);
    if (filter.exclude_seen) excluded = merged(excluded, user.history.seen);
    std::optional<std::vector<std::uint32_t>> candidates;
    if (filter.candidates.count >= 0) candidates = known_items(model, filter.candidates);
    const std::size_t choices = filter.diversity > 0 ? kChoicesAPlace * n : n;
    std::vector<ScoredItem> list = best_items(model, user, choices, candidates ? &*candidates : nullptr, excluded);
    if (filter.diversity > 0) {
        Environment environment = quiet_environment();
        list = diverse_list(model.items.ranking(), std::move(list), n, filter.diversity, environment);
    }

    std::vector<ListRow> rows;
    rows.reserve(list.size());
    for (const ScoredItem& item : list)
        rows.push_back(
            {item.item, item.score,
             model.rating ? predict_item_rating(model, user, item.item) : std::numeric_limits<float>::quiet_NaN()});
    put_list(fcinfo, overload, model.items.ids(), rows, basis_name(user.basis));
}

}  // namespace mf::pg
