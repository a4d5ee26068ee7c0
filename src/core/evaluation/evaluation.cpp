#include "core/evaluation/evaluation.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <utility>

#include "core/base/array.hpp"
#include "core/base/sums.hpp"
#include "core/evaluation/list_metrics.hpp"
#include "core/linalg/kernels.hpp"
#include "core/retrieval/top_n.hpp"

namespace mf {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

/// Items that are counted at a time, several groups of the index; their products with a thousand users and their
/// factors stay in a core's second-level cache.
constexpr std::size_t kCounted = 4 * kScanItems;
constexpr std::size_t kCountedBlocks = kCounted / kLanes;

/// What is ranked: all positions of an index, or some of them. Ascending in either case, so that norms descend.
class RankedPositions {
  public:
    explicit RankedPositions(const ItemIndex& items) : size_(items.items()) {}
    explicit RankedPositions(const ItemSubset& subset) : size_(subset.size()), some_(subset.positions().data()) {}

    std::size_t size() const { return size_; }
    std::size_t operator[](std::size_t i) const { return some_ == nullptr ? i : some_[i]; }

    /// The number i of a position that is among these.
    std::uint32_t number_of(std::uint32_t position) const {
        if (some_ == nullptr) return position;
        return static_cast<std::uint32_t>(std::lower_bound(some_, some_ + size_, position) - some_);
    }

  private:
    std::size_t size_;
    const std::uint32_t* some_ = nullptr;
};

/// Relevant items of one user, and how many of other items come before them.
class RankCounter {
  public:
    RankCounter() = default;
    RankCounter(const float* query, const TestUser& user, const ItemIndex& items, const RankedPositions& ranked)
        : query_(query), items_(&items), ranked_(&ranked), norm_(std::sqrt(squared_norm(query, items.stride()))) {
        for (const std::uint32_t item : user.relevant) relevant_.push_back(scored(items.positions()[item]));
        std::sort(relevant_.begin(), relevant_.end(), better);
        for (const std::uint32_t item : user.seen) seen_.push_back(ranked.number_of(items.positions()[item]));
        std::sort(seen_.begin(), seen_.end());
    }

    /// Adds to counts[r] how many of `count` ranked items from number `begin` on come before relevant item r, best
    /// first, and were not seen. products: row of Kernels::multiply, of those items with the query, followed by
    /// -infinity up to kCounted; those of items that were seen become that, too.
    void count(std::size_t begin, std::size_t count, float* products, std::uint32_t* counts) const {
        const auto seen = std::lower_bound(seen_.begin(), seen_.end(), begin);
        for (auto next = seen; next != seen_.end() && *next < begin + count; ++next)
            products[place_of(*next - begin)] = -kInfinity;
        // The sums of multiply and of dot are off from the exact product by at most this share of the product of the
        // norms, of which the first is the greatest: multiply adds one term after the other, dot 16 side by side. A
        // few units more than the sum of both leave room for the rounding of the margins themselves.
        const auto stride = static_cast<double>(items_->stride());
        const double reach = norm_ * static_cast<double>(items_->group((*ranked_)[begin] / kScanItems).norm);
        const double margin = (stride + stride / kLanes + 16) * 0x1.0p-24 * reach + 3 * stride * 0x1.0p-149;
        // Otherwise a sum on the way may have overflowed.
        if (!(reach < 0x1.0p126)) {
            for (std::size_t r = 0; r < relevant_.size(); ++r)
                for (std::size_t i = 0; i < count; ++i)
                    counts[r] += !std::binary_search(seen, seen_.end(), begin + i) && is_before(begin + i, r);
            return;
        }
        // From the last one upwards: what is not before it is not before those above it either.
        for (std::size_t r = relevant_.size(); r-- > 0;) {
            const double score = static_cast<double>(relevant_[r].score);
            const double either_side = margin + std::min(std::fabs(score), 0x1.0p127) * 0x1.0p-22;  // finite
            const Bounds bounds{static_cast<float>(score - either_side), static_cast<float>(score + either_side)};
            const Above above = count_above(products, kCountedBlocks, bounds);
            if (above.low == 0) break;
            counts[r] += above.high;
            if (above.low > above.high) counts[r] += count_close(begin, products, bounds, r);
        }
    }

  private:
    struct Bounds {
        float low, high;
    };
    /// Numbers of products that are at least `low`, and above `high`.
    struct Above {
        std::uint32_t low, high;
    };

    static std::size_t place_of(std::size_t i) { return i / kLanes * kTile + i % kLanes; }

    static Above count_above(const float* products, std::size_t blocks, const Bounds& bounds) {
        const std::uint32_t above = kernels().count_above(products, blocks, bounds.low, bounds.high);
        return {above & 0xffff, above >> 16};
    }

    /// Of the items whose products are within the bounds, how many come before relevant item r.
    std::uint32_t count_close(std::size_t begin, const float* products, const Bounds& bounds, std::size_t r) const {
        constexpr std::size_t kAtOnce = 4;
        std::uint32_t before = 0;
        const auto has_some = [&](std::size_t block, std::size_t blocks) {
            const Above above = count_above(products + block * kTile, blocks, bounds);
            return above.low > above.high;
        };
        for (std::size_t first = 0; first < kCountedBlocks; first += kAtOnce) {
            if (!has_some(first, kAtOnce)) continue;
            for (std::size_t block = first; block < first + kAtOnce; ++block) {
                if (!has_some(block, 1)) continue;
                for (std::size_t i = block * kLanes; i < (block + 1) * kLanes; ++i) {
                    const float product = products[place_of(i)];
                    // -infinity is that of no item here, or of one that was seen.
                    const bool is_close = product > -kInfinity && product >= bounds.low && product <= bounds.high;
                    before += is_close && is_before(begin + i, r);
                }
            }
        }
        return before;
    }

    bool is_before(std::size_t number, std::size_t r) const { return better(scored((*ranked_)[number]), relevant_[r]); }

    ScoredItem scored(std::size_t position) const {
        return {items_->item_at(position),
                ordered_score(kernels().dot(query_, items_->row_at(position), items_->stride() / kLanes))};
    }

    const float* query_ = nullptr;
    const ItemIndex* items_ = nullptr;
    const RankedPositions* ranked_ = nullptr;
    double norm_ = 0;
    std::vector<ScoredItem> relevant_;  // best first
    std::vector<std::uint32_t> seen_;   // numbers among what is ranked, ascending
};

/// Floats of 16 vectors of `stride` in the layout of Kernels::multiply; a line more keeps them on different cache sets.
std::size_t block_size(std::size_t stride) { return (stride + 1) * kLanes; }

/// Writes the vectors row(0), row(1), ... to blocks of that size, the rest of the last one as it is.
template <class Row>
void transpose_vectors(const Row& row, std::size_t count, std::size_t stride, float* blocks) {
    for (std::size_t i = 0; i < count; ++i) {
        const float* vector = row(i);
        float* column = blocks + i / kLanes * block_size(stride) + i % kLanes;
        for (std::size_t j = 0; j < stride; ++j) column[j * kLanes] = vector[j];
    }
}

void rank_positions(const float* queries, std::span<const TestUser> users, const ItemIndex& items,
                    const RankedPositions& ranked, Environment& environment,
                    std::vector<std::vector<std::uint32_t>>& ranks) {
    const std::size_t stride = items.stride();
    std::vector<RankCounter> counters(users.size());
    parallel_for(environment, users.size(),
                 [&](std::size_t u, int) { counters[u] = RankCounter(queries + u * stride, users[u], items, ranked); });
    std::vector<std::size_t> first(users.size() + 1, 0);
    for (std::size_t u = 0; u < users.size(); ++u) first[u + 1] = first[u] + users[u].relevant.size();
    std::vector<std::vector<std::uint32_t>> counts(static_cast<std::size_t>(environment.threads),
                                                   std::vector<std::uint32_t>(first.back()));
    const std::size_t block = block_size(stride), user_blocks = (users.size() + kLanes - 1) / kLanes;
    Array<float> transposed(user_blocks * block, 0.0f);
    transpose_vectors([&](std::size_t u) { return queries + u * stride; }, users.size(), stride, transposed.data());
    parallel_ranges(environment, ranked.size(), kCounted, [&](std::size_t begin, std::size_t end, int worker) {
        Array<float> columns(kCountedBlocks * block, 0.0f), products(user_blocks * kCounted * kLanes);
        transpose_vectors([&](std::size_t i) { return items.row_at(ranked[begin + i]); }, end - begin, stride,
                          columns.data());
        // Few columns at a time stay in the first-level cache.
        for (std::size_t b = 0; b < kCountedBlocks; b += 4)
            for (std::size_t u = 0; u < user_blocks; ++u)
                kernels().multiply(transposed.data() + u * block, columns.data() + b * block, block, stride, 4,
                                   products.data() + (u * kCountedBlocks + b) * kTile);
        std::uint32_t* before = counts[static_cast<std::size_t>(worker)].data();
        for (std::size_t u = 0; u < users.size(); ++u) {
            float* row = products.data() + u / kLanes * kCountedBlocks * kTile + u % kLanes * kLanes;
            for (std::size_t i = end - begin; i < kCounted; ++i) row[i / kLanes * kTile + i % kLanes] = -kInfinity;
            counters[u].count(begin, end - begin, row, before + first[u]);
        }
    });
    ranks.resize(users.size());
    for (std::size_t u = 0; u < users.size(); ++u) {
        ranks[u].assign(users[u].relevant.size(), 0);
        for (std::size_t r = 0; r < ranks[u].size(); ++r)
            for (const auto& before : counts) ranks[u][r] += before[first[u] + r];
    }
}

}  // namespace

ItemSubset::ItemSubset(std::vector<std::uint32_t> items, const ItemIndex& index)
    : items_(std::move(items)), contains_(index.items()) {
    positions_.reserve(items_.size());
    for (const std::uint32_t item : items_) contains_[item] = true;
    for (std::uint32_t position = 0; position < index.items(); ++position)
        if (contains_[index.item_at(position)]) positions_.push_back(position);
}

TestUser ItemSubset::restricted(const TestUser& user) const {
    const auto ranked = [this](std::uint32_t item) { return contains(item); };
    TestUser result;
    std::ranges::copy_if(user.seen, std::back_inserter(result.seen), ranked);
    std::ranges::copy_if(user.relevant, std::back_inserter(result.relevant), ranked);
    return result;
}

RankingMetrics ranking_metrics(std::span<const std::uint32_t> ranks, std::uint64_t ranked, std::size_t k) {
    const ListHits hits{ranks, ranks.size()};
    RankingMetrics metrics{precision_at(hits, k),
                           recall_at(hits, k),
                           ndcg_at(hits, k),
                           average_precision_at(hits, k),
                           reciprocal_rank(hits),
                           hit_rate_at(hits, k),
                           0};
    double misplaced = 0;
    for (std::size_t i = 0; i < ranks.size(); ++i) misplaced += static_cast<double>(ranks[i]) - static_cast<double>(i);
    const double others = static_cast<double>(ranked) - static_cast<double>(ranks.size());
    metrics.auc = others > 0 ? 1 - misplaced / (others * static_cast<double>(ranks.size()))
                             : std::numeric_limits<double>::quiet_NaN();
    return metrics;
}

void rank_by_factors(const float* queries, std::span<const TestUser> users, const ItemIndex& items,
                     Environment& environment, std::vector<std::vector<std::uint32_t>>& ranks) {
    rank_positions(queries, users, items, RankedPositions(items), environment, ranks);
}

void rank_by_factors(const float* queries, std::span<const TestUser> users, const ItemIndex& items,
                     const ItemSubset& ranked, Environment& environment,
                     std::vector<std::vector<std::uint32_t>>& ranks) {
    rank_positions(queries, users, items, RankedPositions(ranked), environment, ranks);
}

std::vector<std::uint32_t> ranks_in_order(const TestUser& user, std::span<const std::uint32_t> place) {
    std::vector<std::uint32_t> seen;
    for (const std::uint32_t item : user.seen) seen.push_back(place[item]);
    std::sort(seen.begin(), seen.end());
    std::vector<std::uint32_t> ranks;
    for (const std::uint32_t item : user.relevant) {
        const auto before = std::lower_bound(seen.begin(), seen.end(), place[item]) - seen.begin();
        ranks.push_back(place[item] - static_cast<std::uint32_t>(before));
    }
    std::sort(ranks.begin(), ranks.end());
    return ranks;
}

}  // namespace mf
