#include "core/evaluation/evaluation.hpp"

#include <algorithm>
#include <limits>

#include "core/evaluation/list_metrics.hpp"
#include "core/linalg/kernels.hpp"
#include "core/retrieval/top_n.hpp"

namespace mf {
namespace {

/// Users that a thread takes at a time: their codes and those of a block of items stay in its cache.
constexpr std::size_t kUsersATask = 64;

/// Counts, block by block of the items' positions, what comes before the relevant items of one user.
class RankCounter {
  public:
    /// The query's codes are written. ranks: one for each relevant item, best first.
    RankCounter(const float* query, const TestUser& user, const RankCodes& codes, std::int16_t* query_codes,
                std::vector<std::uint32_t>& ranks)
        : query_(query), codes_(codes), bounds_(query, codes.items().stride(), query_codes), ranks_(ranks) {
        for (const std::uint32_t item : user.relevant) wanted_.push_back(scored(codes.items().positions()[item]));
        std::sort(wanted_.begin(), wanted_.end(), better);
        ranks_.assign(wanted_.size(), 0);
        for (const std::uint32_t item : user.seen) seen_.push_back(codes.items().positions()[item]);
        std::sort(seen_.begin(), seen_.end());
    }

    /// values: of the next block, from RankKernels::products; they are overwritten, undecided is room for as many.
    void count(std::int32_t* values, std::int32_t* undecided) {
        const RankCodes::Block& block = codes_.block(block_);
        const std::size_t begin = block_++ * kRankBlock;
        std::size_t left = std::min(kRankBlock, codes_.items().items() - begin);
        for (; next_seen_ < seen_.size() && seen_[next_seen_] < begin + left; ++next_seen_)
            values[seen_[next_seen_] - begin] = std::numeric_limits<std::int32_t>::min();
        // From the last one upwards: what is not before it is not before those above it either.
        for (std::size_t r = wanted_.size(); r-- > 0 && left > 0;) {
            const RankQuery::Limits limits = bounds_.limits(block, wanted_[r].score);
            std::size_t unsure = 0;
            left = rank_kernels().keep(values, left, limits.low, limits.high, undecided, &unsure);
            ranks_[r] += static_cast<std::uint32_t>(left - unsure);
            for (std::size_t i = 0; i < unsure; ++i) prefetch(begin + item_of(undecided[i]));
            for (std::size_t i = 0; i < unsure; ++i)
                ranks_[r] += better(scored(begin + item_of(undecided[i])), wanted_[r]);
        }
    }

  private:
    static std::size_t item_of(std::int32_t value) { return static_cast<std::size_t>(value & kRankItemMask); }

    /// Rows that are scored lie apart: waiting for one after the other would take longer than all the products.
    void prefetch(std::size_t position) const {
        const float* row = codes_.items().row_at(position);
        for (std::size_t j = 0; j < codes_.items().stride(); j += kLanes) __builtin_prefetch(row + j);
    }

    ScoredItem scored(std::size_t position) const {
        const ItemIndex& items = codes_.items();
        return {items.item_at(position),
                ordered_score(kernels().dot(query_, items.row_at(position), items.stride() / kLanes))};
    }

    const float* query_;
    const RankCodes& codes_;
    RankQuery bounds_;
    std::vector<std::uint32_t>& ranks_;
    std::vector<ScoredItem> wanted_;
    std::vector<std::uint32_t> seen_;  // positions
    std::size_t next_seen_ = 0;
    std::size_t block_ = 0;
};

}  // namespace

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

void rank_by_factors(const float* queries, std::span<const TestUser> users, const RankCodes& codes,
                     Environment& environment, std::vector<std::vector<std::uint32_t>>& ranks) {
    ranks.resize(users.size());
    const std::size_t stride = codes.items().stride();
    parallel_ranges(environment, users.size(), kUsersATask, [&](std::size_t begin, std::size_t end, int) {
        Array<std::int16_t> query_codes(kUsersATask * stride, 0);
        Array<std::int32_t> values(kRankQueries * kRankBlock), undecided(kRankBlock);
        std::vector<RankCounter> counters;
        counters.reserve(end - begin);
        for (std::size_t u = begin; u < end; ++u)
            counters.emplace_back(queries + u * stride, users[u], codes, query_codes.data() + (u - begin) * stride,
                                  ranks[u]);
        for (std::size_t block = 0; block < codes.blocks(); ++block) {
            const std::size_t first = block * kRankBlock;
            const std::size_t count = std::min(kRankBlock, codes.items().items() - first);
            for (std::size_t u = 0; u < counters.size(); u += kRankQueries) {
                for (std::size_t i = 0; i < count; i += kRankPanel)
                    rank_kernels().products(codes.panel((first + i) / kRankPanel), query_codes.data() + u * stride,
                                            stride, stride / 2, static_cast<std::int32_t>(i), values.data() + i);
                for (std::size_t q = 0; q < std::min(kRankQueries, counters.size() - u); ++q)
                    counters[u + q].count(values.data() + q * kRankBlock, undecided.data());
            }
        }
    });
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
