// Every knob of a training, with its default and the reason for it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/data/duplicates.hpp"

namespace mf {

// A training on k factors keeps k×k systems per thread in cache; beyond this a factorization is no
// compression.
inline constexpr int kMaximumFactors = 1024;
inline constexpr int kMaximumIterations = 1000;

enum class Feedback { Explicit, Implicit };

/// The trainers, one file each (trainers.hpp).
enum class Algorithm { Als, Ials };

/// How the systems of the rows are solved. The users of the factors returned are exact with either.
enum class Solver { Cholesky, ConjugateGradient };

/// Explicit ALS: rating factors. The objective is in als.hpp. Defaults measured on MovieLens (small, 100K) and two sets
/// of anime ratings, with 20% of each user's ratings held out.
struct AlsOptions {
    /// With the first factors of als_start.hpp, RMSE falls by less than 0.0005 after 4 (MovieLens small, anime ratings;
    /// three seeds each). From random factors it takes 8 to come as far; with regularization 2, either takes more.
    int iterations = 4;
    /// Ridge of the factors in units of the ratings' deviation: has no unit. Best within 0.002 from 1.0 to 1.2 on all
    /// sets; half of it costs 0.01 to 0.03 RMSE, double 0.02 to 0.05.
    double regularization = 1.0;
    /// A row with n ratings has the ridge regularization·n^exponent. 0 and 1 are worse by 0.005 to 0.01.
    double regularization_exponent = 0.5;
    /// Ridge of a row's bias, times n^exponent likewise.
    double bias_regularization = 0.5;
    /// As IalsOptions::feature_regularization.
    double feature_regularization = 2.5;
};

/// iALS: ranking factors. Each number is relative to the data, so that one default serves catalogues of
/// 500 and of 40,000 items: see derive_ials() in ials_weights.hpp. Defaults measured by NDCG@10 on MovieLens (small,
/// 100K), anime ratings and histories, lastfm-hetrec and yelp2018; within 1% of the best setting found for each (3% on
/// 100K).
struct IalsOptions {
    /// NDCG changes by less than 1% after 8.
    int iterations = 8;
    /// Strength of the ridge relative to the noise of the data. Twice as much costs 8 to 21% of NDCG, half 1 to 10%.
    double regularization = 0.5;
    /// A user's ridge grows like this power of the weight of the user's interactions: better than a constant by 1 to
    /// 4% where activity differs, and not worse elsewhere. An item's ridge hardly grows with its popularity: where
    /// it does, lists of large catalogues lose most.
    double regularization_exponent = 0.5;
    /// Weight of all pairs counted as unobserved, relative to that of all interactions. On each of five sets 40 is
    /// within 2% of the best of a grid; 20 and 80 cost up to 2% more, 10 up to 6%.
    double unobserved_weight = 40.0;
    /// How much a value matters (interaction_weights() in ials_weights.hpp); 0: every interaction weighs alike. Default
    /// 0.3 a standard deviation for ratings: with more, items that users like rank higher and all they rated lower. 1
    /// for implicit weights, inside a logarithm: repeated use counts, yet no single item dominates.
    std::optional<double> weight_slope;
    /// Ridge of the map from features (feature_map.hpp), in the unit of the squared length of an item's features: about
    /// the number of items that a feature must be in to be believed. On lastfm-hetrec and MovieLens small all of 1 to 5
    /// are good: more of it and new items are lower in lists.
    double feature_regularization = 2.5;

    double weight_slope_or_default(Feedback feedback) const {
        return weight_slope.value_or(feedback == Feedback::Explicit ? 0.3 : 1.0);
    }
};

/// Whether numbers that are not given are found from the data (find_options.hpp), and what that may take.
struct SearchOptions {
    bool enabled = false;
    double seconds = 60;                                           ///< wall time
    std::size_t memory = std::numeric_limits<std::size_t>::max();  ///< bytes that the whole training run may take
};

/// How factors are stored.
enum class Storage {
    Single,  ///< 32 bits each
    Half,    ///< 16 bits each (half_floats.hpp)
};

struct TrainOptions {
    Feedback feedback = Feedback::Explicit;
    /// Of the rating factors for explicit feedback, of the ranking factors otherwise; default: als and ials.
    std::optional<Algorithm> algorithm;
    int factors = 64;
    /// Number of the rating factors, if it is not that of the ranking factors.
    std::optional<int> rating_factors;
    std::uint64_t seed = 1;
    /// Default: mean of explicit ratings, sum of implicit weights.
    std::optional<Duplicates> duplicates;
    Storage storage = Storage::Single;
    /// For implicit feedback: negative values are dislikes, preferences of 0 with the confidence of their magnitude.
    bool dislikes = false;
    /// In which the weight of an interaction in the ranking factors halves, in the unit of times; 0: age makes no
    /// difference. Only for data with times.
    double half_life = 0;
    /// In which the weight of an interaction in the popularity of its item halves; 0: likewise.
    double popular_half_life = 0;
    /// Conjugate gradient takes about half of the CPU time of an exact iteration on 20 M ratings. Rating factors: on
    /// MovieLens small, anime ratings and 20 M generated ones, after 4 iterations, the RMSE of held-out ratings differs
    /// by at most 0.0001, and the loss by at most 2.5e-4 of it. Ranking factors: on MovieLens small, anime ratings,
    /// lastfm-hetrec and yelp2018, after 8 and after 15 iterations, NDCG@10 (two seeds) and Recall@20 (one) differ by
    /// at most 0.001, in either direction, and the loss is larger by at most 1e-4 of it.
    Solver solver = Solver::ConjugateGradient;
    /// Share of each user's rows, chosen by cell_hash, that is kept out of training to measure and to stop
    /// early.
    double test_fraction = 0.0;
    // Those of each algorithm.
    AlsOptions als;
    IalsOptions ials;
    SearchOptions search;
    /// Names of the options that set_option() has set: no search changes them.
    std::vector<std::string> given;

    int rating_factors_or_default() const { return rating_factors.value_or(factors); }

    Duplicates duplicates_rule() const {
        return duplicates.value_or(feedback == Feedback::Explicit ? Duplicates::Mean : Duplicates::Sum);
    }

    /// Throws InvalidArgument that names the option as SQL does, its value and the bounds. Looks at the
    /// fields that the algorithms in use read, no others.
    void validate() const;
};

/// Which factors an option is for. For implicit feedback all are for the ranking factors.
enum class OptionScope {
    Rating,
    Ranking,
    Both,  ///< the number of factors, for explicit feedback, unless rating factors have a number of their own
    Data,  ///< how the source is read, or the factors are stored
};

/// Options that are no knobs of a trainer: the reader of the options resolves them and keeps them from set_option.
inline constexpr std::string_view kResolvedElsewhere[] = {
    "time_column", "half_life", "popular_half_life", "negative", "search",        "publish",      "publish_if",
    "store_users", "engine",    "exchange",          "buckets",  "item_features", "user_features"};

/// The names that `options` of mf_train understands for the algorithms in use, ascending, with those that are resolved
/// elsewhere.
std::vector<std::string> option_names(const TrainOptions& options);

/// Sets one named option from a number or a word; options.feedback and algorithm must be set before: they decide which
/// names exist, and which factors "iterations", "regularization" and "regularization_exponent" are for. Throws
/// InvalidArgument for an unknown name (the hint lists the known ones), a number where a word belongs or the
/// reverse, an unknown word, or a fraction where a whole number belongs. Ranges are validate()'s business.
void set_option(TrainOptions& options, std::string_view name, double value);
void set_option(TrainOptions& options, std::string_view name, std::string_view value);

/// What a named option is for, and whether it takes whole numbers only. Throws InvalidArgument for an unknown name.
OptionScope option_scope(const TrainOptions& options, std::string_view name);
bool option_is_whole(const TrainOptions& options, std::string_view name);

/// True if the option takes a word, false if a number. Throws InvalidArgument for an unknown name.
bool option_is_text(const TrainOptions& options, std::string_view name);

/// The value of an option that is a number. Throws InvalidArgument for any other name.
double option_value(const TrainOptions& options, std::string_view name);

/// Where mf_tune looks for the best value of an option if nothing is said.
struct SearchRange {
    double minimum = 0;
    double maximum = 0;  ///< not above the minimum: not at all
    bool is_logarithmic = false;
};

/// The options that have such a range, those of the rating factors first.
std::vector<std::pair<std::string, SearchRange>> searched_options(const TrainOptions& options);

/// An option that is found from the data, since it was not given.
struct OpenOption {
    std::string name;
    OptionScope scope;
    SearchRange range;
    double step;            ///< ratio of neighbouring values
    std::string companion;  ///< an option that changes by the root of that ratio at the same time; empty: none
};

/// The numbers of factors first, then those of the rating factors.
std::vector<OpenOption> open_options(const TrainOptions& options);

}  // namespace mf
