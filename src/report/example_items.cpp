#include "report/example_items.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace mf {
namespace {

double dot(std::span<const float> a, std::span<const float> b) {
    return std::transform_reduce(a.begin(), a.end(), b.begin(), 0.0, std::plus<>(),
                                 [](float x, float y) { return static_cast<double>(x) * static_cast<double>(y); });
}

}  // namespace

void ExampleItems::offer(std::string_view id, std::uint32_t interactions, std::span<const float> factors) {
    if (items_.size() == kItems && interactions <= items_.back().interactions) return;
    const auto place = std::ranges::find_if(
        items_, [interactions](const ExampleItem& item) { return item.interactions < interactions; });
    items_.insert(place, {std::string(id), interactions, {factors.begin(), factors.end()}, {}});
    if (items_.size() > kItems) items_.pop_back();
}

void ExampleItems::compare(std::string_view id, std::span<const float> factors) {
    const double squared_length = dot(factors, factors);
    for (ExampleItem& item : items_) {
        if (item.factors.size() != factors.size() || item.id == id) continue;
        const double lengths = std::sqrt(squared_length * dot(item.factors, item.factors));
        if (!(lengths > 0)) continue;
        const double cosine = std::clamp(dot(item.factors, factors) / lengths, -1.0, 1.0);
        std::vector<Neighbour>& nearest = item.nearest;
        if (nearest.size() == kNearest && cosine <= nearest.back().cosine) continue;
        const auto place =
            std::ranges::find_if(nearest, [cosine](const Neighbour& other) { return other.cosine < cosine; });
        nearest.insert(place, {std::string(id), cosine});
        if (nearest.size() > kNearest) nearest.pop_back();
    }
}

}  // namespace mf
