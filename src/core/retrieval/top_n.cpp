#include "core/retrieval/top_n.hpp"

#include <Eigen/Core>
#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <utility>

#include "core/base/sums.hpp"
#include "core/linalg/kernels.hpp"
#include "core/retrieval/balanced.hpp"

namespace mf {
namespace {

/// If more than one of this many items is a candidate, ruling items out is cheaper than scoring all candidates.
constexpr std::size_t kManyCandidates = 16;

bool contains(std::span<const std::uint32_t> ascending, std::uint32_t item) {
    return std::binary_search(ascending.begin(), ascending.end(), item);
}

/// Tells whether an item is excluded, for items in ascending order.
class Exclusion {
  public:
    explicit Exclusion(std::span<const std::uint32_t> excluded) : next_(excluded.begin()), end_(excluded.end()) {}
    bool contains(std::uint32_t item) {
        while (next_ != end_ && *next_ < item) ++next_;
        return next_ != end_ && *next_ == item;
    }

  private:
    std::span<const std::uint32_t>::iterator next_;
    std::span<const std::uint32_t>::iterator end_;
};

/// For each query a bit for each item: is it excluded? That costs less than to sort what is excluded.
class ItemMarks {
  public:
    ItemMarks(std::span<const std::span<const std::uint32_t>> excluded, std::size_t items)
        : words_(items / 64 + 1), marks_(words_ * excluded.size()) {
        for (std::size_t query = 0; query < excluded.size(); ++query)
            for (const std::uint32_t item : excluded[query])
                marks_[query * words_ + item / 64] |= std::uint64_t{1} << item % 64;
    }
    bool contains(std::size_t query, std::uint32_t item) const {
        return (marks_[query * words_ + item / 64] >> item % 64 & 1) != 0;
    }

  private:
    std::size_t words_;
    std::vector<std::uint64_t> marks_;
};

/// The codes of a query, and the numbers needed to bound its scores (see item_index.hpp).
class QuantizedQuery {
  public:
    QuantizedQuery(const float* query, std::size_t stride) : codes_(stride) {
        Eigen::ArrayXd balanced(static_cast<Eigen::Index>(stride));
        balance(query, stride, balanced);
        double largest = 0;
        for (const double x : balanced) largest = std::max(largest, std::fabs(x));
        norm_ = std::sqrt(squared_norm(query, stride)) * kUp;
        scale_ = largest / kQueryRange;
        if (!(scale_ > 0) || !std::isfinite(scale_)) scale_ = 1;
        double error = 0;
        for (std::size_t j = 0; j < stride; ++j) {
            const double x = balanced[static_cast<Eigen::Index>(j)];
            double code = std::nearbyint(x / scale_);
            if (!(std::fabs(code) <= kQueryRange)) code = 0;  // only if the query is not finite
            error += (x - scale_ * code) * (x - scale_ * code);
            codes_[j] = static_cast<std::uint8_t>(static_cast<int>(code) + kQueryZero);
        }
        error_ = std::sqrt(error) * kUp;
        // A dot product of k terms in single precision has an error of at most this share of the product of the norms,
        // plus this much if terms underflow.
        rounding_ = static_cast<double>(stride + 8) * 0x1.0p-24;
        underflow_ = static_cast<double>(stride) * 0x1.0p-149;
    }

    const std::uint8_t* codes() const { return codes_.data(); }

    /// True if no item whose norm is at most `norm` can reach the score.
    bool rules_out(float norm, float score) const {
        return static_cast<double>(norm) * norm_ * (1 + rounding_) + underflow_ <
               std::min(static_cast<double>(score), kLargest);
    }

    /// The least integer product with which an item of the group can reach the score.
    std::int32_t threshold(const ItemIndex::Group& group, float score) const {
        // A partial sum may overflow, even if the product itself does not.
        if (static_cast<double>(group.norm) * norm_ >= kLargest) return std::numeric_limits<std::int32_t>::min();
        const double margin = error_ * static_cast<double>(group.code_norm) +
                              norm_ * (static_cast<double>(group.error) + rounding_ * static_cast<double>(group.norm)) +
                              underflow_;
        const double least = (static_cast<double>(score) - margin) / (static_cast<double>(group.scale) * scale_);
        constexpr double kLowest = std::numeric_limits<std::int32_t>::min();
        constexpr double kHighest = std::numeric_limits<std::int32_t>::max();
        // Rounding in this function is far below one unit of the integer. NaN: nothing is ruled out.
        if (!(least > kLowest + 2)) return std::numeric_limits<std::int32_t>::min();
        return static_cast<std::int32_t>(std::min(std::floor(least) - 1, kHighest));
    }

  private:
    static constexpr double kLargest = std::numeric_limits<float>::max();
    static constexpr double kUp = 1 + 0x1.0p-40;  // more than the rounding errors of double precision
    std::vector<std::uint8_t> codes_;
    double norm_;
    double scale_;
    double error_;
    double rounding_;
    double underflow_;
};

/// A search for the n best items, group by group.
class Search {
  public:
    Search(const float* query, const ItemIndex& items, std::size_t n)
        : query_(query), items_(&items), codes_(query, items.stride()), best_(n) {}

    /// True if no item of group g or after it can be among the best.
    bool ends_before(std::size_t g) const {
        return best_.full() && codes_.rules_out(items_->group(g).norm, best_.worst().score);
    }

    /// The condition that an item of group g has to meet to be among the best.
    ScanQuery scan(std::size_t g) const {
        return {codes_.codes(), best_.full() ? codes_.threshold(items_->group(g), best_.worst().score)
                                             : std::numeric_limits<std::int32_t>::min()};
    }

    /// Scores the items of group g that were found and for which allowed(item) is true.
    template <class Allowed>
    void score(std::size_t g, std::uint64_t found, const Allowed& allowed) {
        const std::size_t begin = g * kScanItems, count = std::min(kScanItems, items_->items() - begin);
        if (count < kScanItems) found &= (std::uint64_t{1} << count) - 1;
        for (; found != 0; found &= found - 1) {
            const std::size_t position = begin + static_cast<std::size_t>(std::countr_zero(found));
            const ScoredItem scored{items_->item_at(position),
                                    ordered_score(dot_(query_, items_->row_at(position), items_->stride() / kLanes))};
            if ((!best_.full() || better(scored, best_.worst())) && allowed(scored.item)) best_.push(scored);
        }
    }

    std::vector<ScoredItem> take_sorted() { return best_.take_sorted(); }

  private:
    const float* query_;
    const ItemIndex* items_;
    QuantizedQuery codes_;
    BestN best_;
    decltype(Kernels::dot) dot_ = kernels().dot;
};

/// Looks at group g for all of the searches, at most kScanQueries. allowed(search, item): whether the item may be in
/// its list.
template <class Allowed>
void visit(const ItemIndex& items, std::size_t g, std::span<Search* const> searches, const Allowed& allowed) {
    ScanQuery queries[kScanQueries];
    std::uint64_t found[kScanQueries];
    for (std::size_t q = 0; q < searches.size(); ++q) queries[q] = searches[q]->scan(g);
    scan_kernels().at_least(items.codes(g), items.corrections(g), items.stride() / 4, queries, searches.size(), found);
    for (std::size_t q = 0; q < searches.size(); ++q)
        searches[q]->score(g, found[q], [&](std::uint32_t item) { return allowed(*searches[q], item); });
}

template <class Allowed>
std::vector<ScoredItem> search(const float* query, const ItemIndex& items, std::size_t n, const Allowed& allowed) {
    if (n == 0) return {};
    Search search(query, items, n);
    Search* const searches[] = {&search};
    for (std::size_t g = 0; g < items.groups() && !search.ends_before(g); ++g)
        visit(items, g, searches, [&](const Search&, std::uint32_t item) { return allowed(item); });
    return search.take_sorted();
}

/// The same for each row of `queries`; allowed(query, item): whether the item may be in that query's list.
template <class Allowed>
void search_each(FactorView queries, const ItemIndex& items, std::size_t n, std::span<std::vector<ScoredItem>> lists,
                 const Allowed& allowed) {
    if (n == 0) {
        for (std::vector<ScoredItem>& list : lists) list.clear();
        return;
    }
    std::vector<Search> searches;
    searches.reserve(queries.rows());
    std::vector<Search*> active;
    for (std::size_t q = 0; q < queries.rows(); ++q) active.push_back(&searches.emplace_back(queries.row(q), items, n));
    const auto allowed_in = [&](const Search& search, std::uint32_t item) {
        return allowed(static_cast<std::size_t>(&search - searches.data()), item);
    };
    for (std::size_t g = 0; g < items.groups(); ++g) {
        std::erase_if(active, [g](const Search* search) { return search->ends_before(g); });
        if (active.empty()) break;
        for (std::size_t first = 0; first < active.size(); first += kScanQueries)
            visit(items, g, std::span(active).subspan(first, std::min(kScanQueries, active.size() - first)),
                  allowed_in);
    }
    for (std::size_t q = 0; q < queries.rows(); ++q) lists[q] = searches[q].take_sorted();
}

bool many(std::span<const std::uint32_t> candidates, const ItemIndex& items) {
    return candidates.size() > items.items() / kManyCandidates;
}

std::vector<bool> flags(std::span<const std::uint32_t> candidates, const ItemIndex& items) {
    std::vector<bool> flags(items.items());
    for (const std::uint32_t item : candidates) flags[item] = true;
    return flags;
}

}  // namespace

BestN::BestN(std::size_t n) : n_(n) {}

void BestN::push(ScoredItem item) {
    item.score = ordered_score(item.score);
    // With `better` as the heap's "less", the worst entry is on top.
    if (heap_.size() < n_) {
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

std::vector<ScoredItem> top_n(const float* query, const ItemIndex& items, std::size_t n,
                              std::span<const std::uint32_t> excluded) {
    return search(query, items, n, [&](std::uint32_t item) { return !contains(excluded, item); });
}

void top_n_each(FactorView queries, const ItemIndex& items, std::size_t n,
                std::span<const std::span<const std::uint32_t>> excluded, std::span<std::vector<ScoredItem>> lists) {
    const ItemMarks marks(excluded, items.items());
    search_each(queries, items, n, lists,
                [&](std::size_t query, std::uint32_t item) { return !marks.contains(query, item); });
}

std::vector<ScoredItem> top_n_of(const float* query, const ItemIndex& items, std::size_t n,
                                 std::span<const std::uint32_t> candidates, std::span<const std::uint32_t> excluded) {
    if (many(candidates, items)) {
        const std::vector<bool> allowed = flags(candidates, items);
        return search(query, items, n, [&](std::uint32_t item) { return allowed[item] && !contains(excluded, item); });
    }
    BestN best(n);
    Exclusion exclusion(excluded);
    const auto dot = kernels().dot;
    const std::size_t blocks = items.stride() / kLanes;
    for (const std::uint32_t item : candidates)
        if (!exclusion.contains(item)) best.push({item, dot(query, items.row(item), blocks)});
    return best.take_sorted();
}

void top_n_each_of(FactorView queries, const ItemIndex& items, std::size_t n, std::span<const std::uint32_t> candidates,
                   std::span<const std::span<const std::uint32_t>> excluded, std::span<std::vector<ScoredItem>> lists) {
    if (!many(candidates, items)) {
        for (std::size_t q = 0; q < queries.rows(); ++q)
            lists[q] = top_n_of(queries.row(q), items, n, candidates, excluded[q]);
        return;
    }
    const std::vector<bool> allowed = flags(candidates, items);
    search_each(queries, items, n, lists, [&](std::size_t query, std::uint32_t item) {
        return allowed[item] && !contains(excluded[query], item);
    });
}

std::vector<ScoredItem> top_n_by_scan(const float* query, const FactorMatrix& items, std::size_t n,
                                      std::span<const std::uint32_t> excluded) {
    if (n == 0) return {};
    BestN best(n);
    Exclusion exclusion(excluded);
    const auto dot = kernels().dot;
    const std::size_t blocks = items.stride() / kLanes;
    for (std::size_t i = 0; i < items.rows(); ++i) {
        const auto item = static_cast<std::uint32_t>(i);
        if (!exclusion.contains(item)) best.push({item, dot(query, items.row(item), blocks)});
    }
    return best.take_sorted();
}

}  // namespace mf
