#include "core/retrieval/diverse.hpp"

#include <algorithm>
#include <utility>

#include "core/linalg/kernels.hpp"

namespace mf {
namespace {

double cosine(const ItemIndex& items, std::uint32_t a, std::uint32_t b) {
    const auto dot = kernels().dot;
    const std::size_t blocks = items.stride() / kLanes;
    const auto product = [&](std::uint32_t x, std::uint32_t y) {
        return static_cast<double>(dot(items.row(x), items.row(y), blocks));
    };
    const double norms = std::sqrt(product(a, a) * product(b, b));
    return norms > 0 ? product(a, b) / norms : 0;
}

}  // namespace

std::vector<ScoredItem> diverse_list(const ItemIndex& items, std::vector<ScoredItem> choices, std::size_t n,
                                     double diversity, Environment& environment) {
    if (diversity == 0 || choices.size() < 3) {
        choices.resize(std::min(n, choices.size()));
        return choices;
    }
    const double first = static_cast<double>(choices.front().score);
    const double range = first - static_cast<double>(choices.back().score);
    struct Choice {
        ScoredItem item;
        double relevance;
        double nearest;  ///< greatest cosine with an item of the list
    };
    std::vector<Choice> left;
    for (const ScoredItem& item : choices)
        left.push_back({item, range > 0 ? 1 - (first - static_cast<double>(item.score)) / range : 1, -1});
    std::vector<ScoredItem> list;
    std::size_t chosen = 0;
    while (list.size() < n) {
        check_interrupt(environment);
        const ScoredItem item = left[chosen].item;
        list.push_back(item);
        left.erase(left.begin() + static_cast<std::ptrdiff_t>(chosen));
        if (left.empty()) break;
        double best = 0;
        for (std::size_t i = 0; i < left.size(); ++i) {
            Choice& choice = left[i];
            choice.nearest = std::max(choice.nearest, cosine(items, choice.item.item, item.item));
            const double value = (1 - diversity) * choice.relevance - diversity * choice.nearest;
            if (i > 0 && !(value > best)) continue;
            best = value;
            chosen = i;
        }
    }
    return list;
}

}  // namespace mf
