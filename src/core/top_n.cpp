#include "core/top_n.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "core/kernels.hpp"

namespace mf {
namespace {

/// Items scored before any is compared: the scores stay in L1, and the loop over dot products is free of
/// branches.
constexpr std::size_t kBlockItems = 128;

/// Walks along the excluded items while the indices asked for ascend.
class Exclusion {
  public:
    explicit Exclusion(std::span<const std::uint32_t> excluded)
        : next_(excluded.begin()), end_(excluded.end()) {}
    bool contains(std::uint32_t item) {
        while (next_ != end_ && *next_ < item) ++next_;
        return next_ != end_ && *next_ == item;
    }

  private:
    std::span<const std::uint32_t>::iterator next_;
    std::span<const std::uint32_t>::iterator end_;
};

}  // namespace

BestN::BestN(std::size_t n) : n_(n) {}

void BestN::push(ScoredItem item) {
    // `better` as the heap's "less" puts the worst entry on top.
    if (heap_.size() < n_) {
        if (std::isnan(item.score)) item.score = -std::numeric_limits<float>::infinity();
        heap_.push_back(item);
        std::push_heap(heap_.begin(), heap_.end(), better);
    } else if (n_ > 0 && better(item, heap_.front())) {
        std::pop_heap(heap_.begin(), heap_.end(), better);
        heap_.back() = item;
        std::push_heap(heap_.begin(), heap_.end(), better);
    }
}

std::vector<ScoredItem> BestN::take_sorted() {
    std::sort_heap(heap_.begin(), heap_.end(), better);
    return std::exchange(heap_, {});
}

std::vector<ScoredItem> top_n(const float* query, const FactorMatrix& items, std::size_t n,
                              std::span<const std::uint32_t> excluded) {
    if (n == 0) return {};
    BestN best(n);
    Exclusion exclusion(excluded);
    const auto dot = kernels().dot;
    const std::size_t blocks = items.stride() / kLanes;
    float scores[kBlockItems];
    for (std::size_t first = 0; first < items.rows(); first += kBlockItems) {
        const std::size_t count = std::min(kBlockItems, items.rows() - first);
        for (std::size_t i = 0; i < count; ++i) scores[i] = dot(query, items.row(first + i), blocks);
        for (std::size_t i = 0; i < count; ++i) {
            const auto item = static_cast<std::uint32_t>(first + i);
            if (!exclusion.contains(item)) best.push({item, scores[i]});
        }
    }
    return best.take_sorted();
}

std::vector<ScoredItem> top_n_of(const float* query, const FactorMatrix& items, std::size_t n,
                                 std::span<const std::uint32_t> candidates,
                                 std::span<const std::uint32_t> excluded) {
    BestN best(n);
    Exclusion exclusion(excluded);
    const auto dot = kernels().dot;
    const std::size_t blocks = items.stride() / kLanes;
    for (const std::uint32_t item : candidates) {
        if (!exclusion.contains(item)) best.push({item, dot(query, items.row(item), blocks)});
    }
    return best.take_sorted();
}

}  // namespace mf
