// Exact top-n retrieval for one query, and for every user: from trained factors, and from a million items whose norms
// are skewed or equal. "scan" is the plain way, a dot product for every item. "rank" is what an evaluation adds: how
// many items come before each of ten, for every user.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cmath>
#include <memory>
#include <span>
#include <vector>

#include "core/base/random.hpp"
#include "core/evaluation/evaluation.hpp"
#include "core/retrieval/top_n.hpp"
#include "core/training/ials.hpp"
#include "skewed_data.hpp"

namespace {

using namespace mf;

struct Set {
    FactorMatrix items;
    FactorMatrix queries;
    std::unique_ptr<OwnedItemIndex> index;
};

void make_index(Set& set) {
    Environment environment;
    environment.threads = 2;
    set.index = std::make_unique<OwnedItemIndex>(set.items, environment);
}

// iALS factors of the standard set of twenty million ratings, after two iterations.
const Set& trained() {
    static const Set set = [] {
        Environment environment;
        environment.threads = 2;
        const Csr by_user = bench::skewed_ratings(bench::kTwentyMillion);
        TrainOptions options;
        options.ials.iterations = 2;
        RankingModel model = train_ials({by_user, transpose(by_user)}, options, environment);
        Set result{std::move(model.items), std::move(model.users), nullptr};
        make_index(result);
        return result;
    }();
    return set;
}

// A million items and a thousand queries of 64 normal factors; norms all alike, or falling like a power of the rank.
Set million(bool skewed) {
    constexpr int kFactors = 64;
    Set set{FactorMatrix(1000000, kFactors), FactorMatrix(1000, kFactors), nullptr};
    Random random(5);
    const auto fill = [&](float* row, double norm) {
        double squares = 0;
        for (int f = 0; f < kFactors; ++f) {
            row[f] = static_cast<float>(random.normal());
            squares += static_cast<double>(row[f]) * static_cast<double>(row[f]);
        }
        for (int f = 0; f < kFactors; ++f) row[f] *= static_cast<float>(norm / std::sqrt(squares));
    };
    for (std::size_t i = 0; i < set.items.rows(); ++i)
        fill(set.items.row(i), skewed ? std::pow(static_cast<double>(1 + i), -0.4) : 1.0);
    for (std::size_t q = 0; q < set.queries.rows(); ++q) fill(set.queries.row(q), 1.0);
    make_index(set);
    return set;
}

const Set& skewed_million() {
    static const Set set = million(true);
    return set;
}

const Set& equal_million() {
    static const Set set = million(false);
    return set;
}

void search(benchmark::State& state, const Set& (*make)()) {
    const Set& set = make();
    std::size_t q = 0;
    for (auto _ : state) {
        benchmark::DoNotOptimize(top_n(set.queries.row(q), set.index->get(), 10, {}));
        q = (q + 7919) % set.queries.rows();
    }
}

void scan(benchmark::State& state, const Set& (*make)()) {
    const Set& set = make();
    std::size_t q = 0;
    for (auto _ : state) {
        benchmark::DoNotOptimize(top_n_by_scan(set.queries.row(q), set.items, 10, {}));
        q = (q + 7919) % set.queries.rows();
    }
}

BENCHMARK_CAPTURE(search, 26744 trained items, trained)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(scan, 26744 trained items, trained)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(search, a million items with skewed norms, skewed_million)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(scan, a million items with skewed norms, skewed_million)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(search, a million items with equal norms, equal_million)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(scan, a million items with equal norms, equal_million)->Unit(benchmark::kMicrosecond);

// All users of the trained set; the time is of all of them.
void search_all(benchmark::State& state) {
    const Set& set = trained();
    for (auto _ : state)
        for (std::size_t q = 0; q < set.queries.rows(); ++q)
            benchmark::DoNotOptimize(top_n(set.queries.row(q), set.index->get(), 10, {}));
    state.counters["users"] = static_cast<double>(set.queries.rows());
}
BENCHMARK(search_all)->Name("search/every user of 26744 trained items")->Unit(benchmark::kMillisecond)->Iterations(1);

// The same in groups, as mf_recommend_all does it.
void search_all_in_groups(benchmark::State& state) {
    const Set& set = trained();
    const std::vector<std::span<const std::uint32_t>> nothing(kQueriesAtOnce);
    std::vector<std::vector<ScoredItem>> lists(kQueriesAtOnce);
    for (auto _ : state)
        for (std::size_t q = 0; q < set.queries.rows(); q += kQueriesAtOnce) {
            const std::size_t end = std::min(set.queries.rows(), q + kQueriesAtOnce);
            top_n_each(FactorView(set.queries).slice(q, end), set.index->get(), 10, nothing, lists);
        }
    state.counters["users"] = static_cast<double>(set.queries.rows());
}
BENCHMARK(search_all_in_groups)
    ->Name("search/every user in groups of 26744 trained items")
    ->Unit(benchmark::kMillisecond)
    ->Iterations(1);

// Ten items of the best thousand of each user are relevant, and none was seen.
void rank_all(benchmark::State& state) {
    const Set& set = trained();
    Environment environment;
    std::vector<TestUser> users(set.queries.rows());
    Random random(7);
    for (std::size_t q = 0; q < users.size(); ++q) {
        const auto best = top_n(set.queries.row(q), set.index->get(), 1000, {});
        for (int i = 0; i < 10; ++i)
            users[q].relevant.push_back(best[100 * static_cast<std::size_t>(i) + random.next() % 100].item);
        std::sort(users[q].relevant.begin(), users[q].relevant.end());
    }
    constexpr std::size_t kUsersAtOnce = 1024;  // about as many as mf_evaluate takes
    for (auto _ : state)
        for (std::size_t begin = 0; begin < users.size(); begin += kUsersAtOnce) {
            std::vector<std::vector<std::uint32_t>> ranks;
            const auto block = std::span(users).subspan(begin, std::min(kUsersAtOnce, users.size() - begin));
            rank_by_factors(set.queries.row(begin), block, set.index->get(), environment, ranks);
            benchmark::DoNotOptimize(ranks);
        }
}
BENCHMARK(rank_all)->Name("rank/every user of 26744 trained items")->Unit(benchmark::kMillisecond)->Iterations(1);

}  // namespace
