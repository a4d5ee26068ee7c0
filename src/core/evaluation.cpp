#include "core/evaluation.hpp"

#include <algorithm>
#include <limits>
#include <numeric>

#include "core/kernels.hpp"
#include "core/list_metrics.hpp"
#include "core/top_n.hpp"

namespace mf {
namespace {

/// Users whose scores are computed from one gathered panel of items.
constexpr std::size_t kUsersATask = 32;

/// Items of a panel that come before `than`.
std::uint32_t count_better(const float* scores, const std::uint32_t* items, const ScoredItem& than) {
    std::uint32_t greater = 0, equal = 0;
    for (std::size_t i = 0; i < kPanelRows; ++i) {
        greater += scores[i] > than.score;
        equal += scores[i] == than.score;
    }
    if (equal > 0)  // apart, so that the loop above has no branches
        for (std::size_t i = 0; i < kPanelRows; ++i) greater += scores[i] == than.score && items[i] < than.item;
    return greater;
}

/// Scores of a panel's items for one user at a time.
class PanelScores {
  public:
    explicit PanelScores(const ItemIndex& items)
        : items_(items), blocks_(items.stride() / kLanes), panel_(panel_size(blocks_)) {}

    /// Gathers the items at positions [begin, begin + count), count ≤ kPanelRows.
    void gather(std::size_t begin, std::size_t count) {
        std::uint32_t indices[kPanelRows];
        std::iota(indices, indices + count, static_cast<std::uint32_t>(begin));
        for (std::size_t i = 0; i < count; ++i) item_[i] = items_.item_at(begin + i);
        count_ = count;
        kernels().gather(items_.row_at(0), items_.stride(), indices, count, count, ones_.data(), blocks_, panel_.data());
    }

    /// The same bits as dot(); returns the greatest.
    float compute(const float* query) {
        kernels().subtract_products(panel_.data(), count_, blocks_, query, zeros_.data(), scores_.data());
        float greatest = -std::numeric_limits<float>::infinity();
        for (std::size_t i = 0; i < kPanelRows; ++i)
            scores_[i] = i < count_ ? -scores_[i] : -std::numeric_limits<float>::infinity();
        for (std::size_t i = 0; i < kPanelRows; ++i) greatest = scores_[i] > greatest ? scores_[i] : greatest;
        return greatest;
    }

    std::uint32_t count_better(const ScoredItem& than) const {
        return mf::count_better(scores_.data(), item_, than);
    }

  private:
    const ItemIndex& items_;
    std::size_t blocks_;
    std::size_t count_ = 0;
    Array<float> panel_;
    Array<float> ones_ = Array<float>(kPanelRows, 1.0f);
    Array<float> zeros_ = Array<float>(kPanelRows, 0.0f);
    Array<float> scores_ = Array<float>(kPanelRows, 0.0f);
    std::uint32_t item_[kPanelRows] = {};
};

}  // namespace

RankingMetrics ranking_metrics(std::span<const std::uint32_t> ranks, std::uint64_t ranked, std::size_t k) {
    const ListHits hits{ranks, ranks.size()};
    RankingMetrics metrics{precision_at(hits, k), recall_at(hits, k),  ndcg_at(hits, k), average_precision_at(hits, k),
                           reciprocal_rank(hits), hit_rate_at(hits, k), 0};
    double misplaced = 0;
    for (std::size_t i = 0; i < ranks.size(); ++i) misplaced += static_cast<double>(ranks[i]) - static_cast<double>(i);
    const double others = static_cast<double>(ranked) - static_cast<double>(ranks.size());
    metrics.auc = others > 0 ? 1 - misplaced / (others * static_cast<double>(ranks.size()))
                             : std::numeric_limits<double>::quiet_NaN();
    return metrics;
}

void rank_by_factors(const float* queries, std::span<const TestUser> users, const ItemIndex& items,
                     Environment& environment, std::vector<std::vector<std::uint32_t>>& ranks) {
    ranks.resize(users.size());
    const std::size_t blocks = items.stride() / kLanes;
    parallel_ranges(environment, users.size(), kUsersATask, [&](std::size_t begin, std::size_t end, int) {
        const auto dot = kernels().dot;
        PanelScores panel(items);
        std::vector<std::vector<ScoredItem>> relevant(end - begin);
        for (std::size_t u = begin; u < end; ++u) {
            ranks[u].assign(users[u].relevant.size(), 0);
            for (const std::uint32_t item : users[u].relevant)
                relevant[u - begin].push_back({item, dot(queries + u * items.stride(), items.row(item), blocks)});
            std::sort(relevant[u - begin].begin(), relevant[u - begin].end(), better);
        }
        for (std::size_t position = 0; position < items.items(); position += kPanelRows) {
            panel.gather(position, std::min(kPanelRows, items.items() - position));
            for (std::size_t u = begin; u < end; ++u) {
                const std::vector<ScoredItem>& wanted = relevant[u - begin];
                const float greatest = panel.compute(queries + u * items.stride());
                // From the last one upwards: most panels hold nothing that is better than the better ones.
                for (std::size_t r = wanted.size(); r-- > 0 && wanted[r].score <= greatest;)
                    ranks[u][r] += panel.count_better(wanted[r]);
            }
        }
        for (std::size_t u = begin; u < end; ++u) {
            for (const std::uint32_t item : users[u].seen) {
                const ScoredItem seen{item, dot(queries + u * items.stride(), items.row(item), blocks)};
                const std::vector<ScoredItem>& wanted = relevant[u - begin];
                for (std::size_t r = wanted.size(); r-- > 0 && better(seen, wanted[r]);) --ranks[u][r];
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
