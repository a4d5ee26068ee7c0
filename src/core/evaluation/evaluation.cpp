#include "core/evaluation/evaluation.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <numeric>
#include <utility>

#include "core/base/array.hpp"
#include "core/base/sums.hpp"
#include "core/evaluation/list_metrics.hpp"
#include "core/linalg/kernels.hpp"
#include "core/retrieval/top_n.hpp"

namespace mf {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

/// Items that are counted at a time, several groups of the index; their factors stay in a core's second-level cache,
/// and their products with 16 users in the first-level cache.
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

/// The items that the users of a block have seen, or that are relevant to them, by the chunk of kCounted ranked items
/// that they are in.
class LeftOutInChunks {
  public:
    /// O(items left out + ranked / kCounted).
    LeftOutInChunks(std::span<const TestUser> users, const ItemIndex& items, const RankedPositions& ranked)
        : begin_(ranked.size() / kCounted + 2) {
        const auto number_of = [&](std::uint32_t item) { return ranked.number_of(items.positions()[item]); };
        const auto each = [&](const auto& take) {
            for (std::uint32_t user = 0; user < users.size(); ++user)
                for (const auto* const items : {&users[user].seen, &users[user].relevant})
                    for (const std::uint32_t item : *items) take(user, number_of(item));
        };
        each([&](std::uint32_t, std::uint32_t number) { ++begin_[number / kCounted + 1]; });
        std::partial_sum(begin_.begin(), begin_.end(), begin_.begin());
        left_out_.resize(begin_.back());
        std::vector<std::size_t> next(begin_.begin(), begin_.end() - 1);
        each([&](std::uint32_t user, std::uint32_t number) {
            left_out_[next[number / kCounted]++] = {user, static_cast<std::uint32_t>(number % kCounted)};
        });
    }

    struct LeftOut {
        std::uint32_t user;
        std::uint32_t place;  ///< in the chunk
    };
    /// Those of the chunk that begins with a ranked item.
    std::span<const LeftOut> of(std::size_t begin) const {
        const std::size_t chunk = begin / kCounted;
        return std::span(left_out_).subspan(begin_[chunk], begin_[chunk + 1] - begin_[chunk]);
    }

  private:
    std::vector<std::size_t> begin_;
    std::vector<LeftOut> left_out_;
};

/// Where the product with item i of a chunk is in a row of Kernels::multiply.
std::size_t place_of(std::size_t i) { return i / kLanes * kTile + i % kLanes; }

/// Relevant items of one user, and how many of other items come before them.
class RankCounter {
  public:
    RankCounter() = default;
    /// relevant: room for the relevant items of the user, which must outlive this object as everything else.
    RankCounter(const float* query, const TestUser& user, const ItemIndex& items, const RankedPositions& ranked,
                std::span<ScoredItem> relevant)
        : query_(query),
          user_(&user),
          items_(&items),
          ranked_(&ranked),
          norm_(std::sqrt(squared_norm(query, items.stride()))),
          relevant_(relevant) {
        for (std::size_t r = 0; r < relevant.size(); ++r) relevant[r] = scored(items.positions()[user.relevant[r]]);
        std::sort(relevant.begin(), relevant.end(), better);
    }

    /// bounds[r] for relevant item r, best first, and products with items whose norms are `norm` at most: between them
    /// a product may be on either side of the item's score, outside it is on one.
    void set_bounds(double norm, Bounds* bounds) const {
        // The sums of multiply and of dot are off from the exact product by at most this share of the product of the
        // norms: multiply adds one term after the other, dot 16 side by side. A few units more than the sum of both
        // leave room for the rounding of the margins themselves.
        const auto stride = static_cast<double>(items_->stride());
        const double margin = (stride + stride / kLanes + 16) * 0x1.0p-24 * norm_ * norm + 3 * stride * 0x1.0p-149;
        for (std::size_t r = 0; r < relevant_.size(); ++r) {
            const double score = static_cast<double>(relevant_[r].score);
            const double either_side = margin + std::min(std::fabs(score), 0x1.0p127) * 0x1.0p-22;  // finite
            bounds[r] = {static_cast<float>(score - either_side), static_cast<float>(score + either_side)};
        }
    }

    /// Adds to counts[r] how many of `count` ranked items from number `begin` on come before relevant item r and were
    /// not seen and are not relevant. products: row of Kernels::multiply, of those items with the query, but -infinity
    /// for those that were left out and from `count` up to kCounted. bounds: of the same norm.
    void count(std::size_t begin, std::size_t count, const float* products, double norm, const Bounds* bounds,
               std::uint32_t* counts) const {
        // Otherwise a sum on the way may have overflowed.
        if (!(norm_ * norm < 0x1.0p126)) {
            for (std::size_t r = 0; r < relevant_.size(); ++r)
                for (std::size_t i = begin; i < begin + count; ++i) counts[r] += !is_left_out(i) && is_before(i, r);
            return;
        }
        // From the last one upwards: what is not before it is not before those above it either.
        for (std::size_t last = relevant_.size(), first; last > 0; last = first) {
            first = last - std::min(last, kMostBounds);
            std::uint32_t above[kMostBounds];
            kernels().count_above(products, kCountedBlocks, bounds + first, last - first, above);
            for (std::size_t r = last; r-- > first;) {
                const Above one(above[r - first]);
                if (one.low == 0) return;
                counts[r] += one.high;
                if (one.low > one.high) counts[r] += count_close(begin, products, bounds[r], r);
            }
        }
    }

  private:
    /// Numbers of products that are at least `low`, and above `high`.
    struct Above {
        explicit Above(std::uint32_t both) : low(both & 0xffff), high(both >> 16) {}
        std::uint32_t low, high;
    };

    /// Of the items whose products are within the bounds, how many come before relevant item r.
    std::uint32_t count_close(std::size_t begin, const float* products, const Bounds& bounds, std::size_t r) const {
        constexpr std::size_t kAtOnce = 4;
        std::uint32_t before = 0;
        const auto has_some = [&](std::size_t block, std::size_t blocks) {
            std::uint32_t both;
            kernels().count_above(products + block * kTile, blocks, &bounds, 1, &both);
            const Above above(both);
            return above.low > above.high;
        };
        for (std::size_t first = 0; first < kCountedBlocks; first += kAtOnce) {
            if (!has_some(first, kAtOnce)) continue;
            for (std::size_t block = first; block < first + kAtOnce; ++block) {
                if (!has_some(block, 1)) continue;
                for (std::size_t i = block * kLanes; i < (block + 1) * kLanes; ++i) {
                    const float product = products[place_of(i)];
                    // -infinity is that of no item here, or of one that was left out.
                    const bool is_close = product > -kInfinity && product >= bounds.low && product <= bounds.high;
                    before += is_close && is_before(begin + i, r);
                }
            }
        }
        return before;
    }

    bool is_left_out(std::size_t number) const {
        const std::uint32_t item = items_->item_at((*ranked_)[number]);
        return std::ranges::binary_search(user_->seen, item) || std::ranges::binary_search(user_->relevant, item);
    }

    bool is_before(std::size_t number, std::size_t r) const { return better(scored((*ranked_)[number]), relevant_[r]); }

    ScoredItem scored(std::size_t position) const {
        return {items_->item_at(position),
                ordered_score(kernels().dot(query_, items_->row_at(position), items_->stride() / kLanes))};
    }

    const float* query_ = nullptr;
    const TestUser* user_ = nullptr;
    const ItemIndex* items_ = nullptr;
    const RankedPositions* ranked_ = nullptr;
    double norm_ = 0;
    std::span<const ScoredItem> relevant_;  // best first
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
    std::vector<std::size_t> first(users.size() + 1, 0);
    for (std::size_t u = 0; u < users.size(); ++u) first[u + 1] = first[u] + users[u].relevant.size();
    std::vector<ScoredItem> relevant(first.back());
    std::vector<RankCounter> counters(users.size());
    parallel_for(environment, users.size(), [&](std::size_t u, int) {
        counters[u] = RankCounter(queries + u * stride, users[u], items, ranked,
                                  std::span(relevant).subspan(first[u], first[u + 1] - first[u]));
    });
    const LeftOutInChunks left_out(users, items, ranked);
    struct Counts {
        std::vector<std::uint32_t> before;
        std::vector<Bounds> bounds;
        double norm = std::numeric_limits<double>::infinity();  // of the bounds
    };
    std::vector<Counts> workers(static_cast<std::size_t>(environment.threads));
    for (Counts& counts : workers) {
        counts.before.resize(first.back());
        counts.bounds.resize(first.back());
    }
    const std::size_t block = block_size(stride), user_blocks = (users.size() + kLanes - 1) / kLanes;
    Array<float> transposed(user_blocks * block, 0.0f);
    transpose_vectors([&](std::size_t u) { return queries + u * stride; }, users.size(), stride, transposed.data());
    parallel_ranges(environment, ranked.size(), kCounted, [&](std::size_t begin, std::size_t end, int worker) {
        Array<float> columns(kCountedBlocks * block, 0.0f), products(kCountedBlocks * kTile);
        transpose_vectors([&](std::size_t i) { return items.row_at(ranked[begin + i]); }, end - begin, stride,
                          columns.data());
        Counts& counts = workers[static_cast<std::size_t>(worker)];
        // Of the first item of a chunk the norm is the greatest. Bounds that are a little wider serve several chunks.
        constexpr double kNarrow = 0.8;
        const auto norm = static_cast<double>(items.group(ranked[begin] / kScanItems).norm);
        if (!(norm <= counts.norm && norm >= kNarrow * counts.norm)) {
            counts.norm = norm;
            for (std::size_t u = 0; u < users.size(); ++u)
                counters[u].set_bounds(norm, counts.bounds.data() + first[u]);
        }
        // Products of 16 users at a time stay in the first-level cache until they are counted.
        std::span<const LeftOutInChunks::LeftOut> rest = left_out.of(begin);
        for (std::size_t u = 0; u < users.size(); u += kLanes) {
            for (std::size_t b = 0; b < kCountedBlocks; b += 4)
                kernels().multiply(transposed.data() + u / kLanes * block, columns.data() + b * block, block, stride, 4,
                                   products.data() + b * kTile);
            const auto row_of = [&](std::size_t user) { return products.data() + (user - u) * kLanes; };
            for (; !rest.empty() && rest.front().user < u + kLanes; rest = rest.subspan(1))
                row_of(rest.front().user)[place_of(rest.front().place)] = -kInfinity;
            for (std::size_t user = u; user < std::min(u + kLanes, users.size()); ++user) {
                for (std::size_t i = end - begin; i < kCounted; ++i) row_of(user)[place_of(i)] = -kInfinity;
                counters[user].count(begin, end - begin, row_of(user), counts.norm, counts.bounds.data() + first[user],
                                     counts.before.data() + first[user]);
            }
        }
    });
    ranks.resize(users.size());
    for (std::size_t u = 0; u < users.size(); ++u) {
        ranks[u].resize(users[u].relevant.size());
        for (std::size_t r = 0; r < ranks[u].size(); ++r) {
            ranks[u][r] = static_cast<std::uint32_t>(r);  // those of the relevant items that are better
            for (const Counts& counts : workers) ranks[u][r] += counts.before[first[u] + r];
        }
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
    seen.reserve(user.seen.size());
    for (const std::uint32_t item : user.seen) seen.push_back(place[item]);
    // Comparing all with all, 16 at a time, takes less than sorting for all but very long lists.
    constexpr std::size_t kFew = 64;
    const bool sorts = user.relevant.size() > kFew;
    if (sorts) std::sort(seen.begin(), seen.end());
    std::vector<std::uint32_t> ranks;
    ranks.reserve(user.relevant.size());
    for (const std::uint32_t item : user.relevant) {
        const std::uint32_t own = place[item];
        const auto before = sorts ? std::lower_bound(seen.begin(), seen.end(), own) - seen.begin()
                                  : std::ranges::count_if(seen, [own](std::uint32_t other) { return other < own; });
        ranks.push_back(own - static_cast<std::uint32_t>(before));
    }
    std::sort(ranks.begin(), ranks.end());
    return ranks;
}

}  // namespace mf
