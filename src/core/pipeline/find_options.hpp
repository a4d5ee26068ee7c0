// The numbers of a training run that nobody gave, found from its data.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "core/base/parallel.hpp"
#include "core/data/split.hpp"
#include "core/pipeline/search_space.hpp"
#include "core/training/options.hpp"

namespace mf {

/// One point of the search, in the order in which they were tried.
struct SearchPoint {
    Settings settings;                                       ///< the open options of one kind of factors
    double rmse = std::numeric_limits<double>::quiet_NaN();  ///< of rating factors, on the held-out rows
    double ndcg = std::numeric_limits<double>::quiet_NaN();  ///< NDCG@50 of ranking factors, likewise
};

struct FoundOptions {
    TrainOptions options;             ///< complete: nothing is left to find
    Settings found;                   ///< what was found, by name
    std::vector<SearchPoint> points;  ///< none if there was no search
    std::vector<std::string> notes;   ///< what the user should know: why nothing was found, or what the search showed
};

/// Whether there is something to find: the search is enabled, and not everything was given.
bool needs_search(const TrainOptions& options);

/// Finds open_options(options) from the cells: a tenth of each user's rows is held out, and the measure of each point
/// is taken on them, NDCG@50 for the ranking factors and RMSE for the rating factors, after the few iterations of a
/// trial. A point is better if it gains more than what is worth a change (0.3% of the NDCG, 0.1% of the RMSE) and more
/// than the standard error of the gain.
///
/// 1. With 64 ranking factors, each other option moves from its default step by step as long as that is better, within
///    its range; the weight of unobserved pairs together with the root of the regularization, since what is best
///    depends on their ratio: there is a ridge along which the measure hardly changes.
/// 2. The number of ranking factors doubles as long as that gains, up to 512, but at most to half of the lesser number
///    of users and items, to what options.search.memory allows, and to what trains in about 90 CPU seconds or, if that
///    is more, as long as 64 factors. Where a training run takes a few seconds only, it is enough that a gain cannot be
///    excluded: with the right regularization more factors never hurt.
/// 3. At half of that number, the other options move once more. The best regularization hardly depends on the number of
///    factors, but the more there are, the more a wrong one costs.
///
/// Rating factors double from 8 to 64 likewise, and their regularization moves at each of these numbers, since it does
/// depend on them.
///
/// Of more than 1.5 million cells those of evenly spaced users are searched, and lists of 5000 users measured. Less
/// than 1000 held-out cells, or 50 users with some, tell nothing: then the defaults remain, as they do where all
/// ratings are equal, or where memory does not suffice. After options.search.seconds the best so far is taken. Points
/// that cannot be trained (NumericalFailure) are the worst.
///
/// Deterministic for the seed and any number of threads, unless the time ends the search. Takes up to twice the time of
/// the training run with the numbers found, and the memory that training_memory() tells for it. Throws what
/// checkpoint() throws. Reports each point as an iteration of the phase "search".
FoundOptions find_options(const Csr& cells, const IdHashes& hashes, const TrainOptions& options,
                          Environment& environment);

/// The most ranking factors that find_options() may choose for that many cells.
int most_factors(std::uint64_t users, std::uint64_t items, std::uint64_t cells, const TrainOptions& options,
                 int threads);

}  // namespace mf
