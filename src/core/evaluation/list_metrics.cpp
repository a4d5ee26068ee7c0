#include "core/evaluation/list_metrics.hpp"

#include <algorithm>
#include <cmath>

namespace mf {
namespace {

std::size_t hits_in(const ListHits& list, std::size_t k) {
    return static_cast<std::size_t>(std::lower_bound(list.positions.begin(), list.positions.end(), k) -
                                    list.positions.begin());
}

double discounted_gain(std::size_t position) { return 1.0 / std::log2(static_cast<double>(position) + 2.0); }

double ratio(std::size_t part, std::size_t whole) { return static_cast<double>(part) / static_cast<double>(whole); }

}  // namespace

double precision_at(const ListHits& list, std::size_t k) { return ratio(hits_in(list, k), k); }

double recall_at(const ListHits& list, std::size_t k) { return ratio(hits_in(list, k), list.relevant); }

double hit_rate_at(const ListHits& list, std::size_t k) { return hits_in(list, k) > 0 ? 1.0 : 0.0; }

double ndcg_at(const ListHits& list, std::size_t k) {
    double gain = 0;
    double ideal = 0;
    for (const std::uint32_t position : list.positions.first(hits_in(list, k))) gain += discounted_gain(position);
    for (std::size_t position = 0; position < std::min(k, list.relevant); ++position)
        ideal += discounted_gain(position);
    return gain / ideal;
}

double average_precision_at(const ListHits& list, std::size_t k) {
    double sum = 0;
    const std::size_t hits = hits_in(list, k);
    for (std::size_t hit = 0; hit < hits; ++hit) sum += ratio(hit + 1, std::size_t{list.positions[hit]} + 1);
    return sum / static_cast<double>(std::min(k, list.relevant));
}

double reciprocal_rank(const ListHits& list) {
    return list.positions.empty() ? 0.0 : ratio(1, std::size_t{list.positions.front()} + 1);
}

}  // namespace mf
