// Whole training runs over rows that lie in buckets, through the public steps of the trainers alone. What a bucket
// needs of another one crosses the border as bytes, as it would between machines.
#include <gtest/gtest.h>

#include <cstddef>
#include <cstring>
#include <map>
#include <type_traits>
#include <vector>

#include "core/base/sums.hpp"
#include "core/training/als.hpp"
#include "core/training/als_half_step.hpp"
#include "core/training/als_start.hpp"
#include "core/training/factor_init.hpp"
#include "core/training/ials.hpp"
#include "core/training/ials_half_step.hpp"
#include "unit/generated_data.hpp"

namespace mf {
namespace {

using Bytes = std::vector<std::byte>;

// Not inline: GCC 12 then takes the bytes for memory that was not allocated.
template <class T>
[[gnu::noinline]] Bytes pack(std::span<const T> values) {
    static_assert(std::is_trivially_copyable_v<T>);
    Bytes bytes(values.size_bytes());
    if (!bytes.empty()) std::memcpy(bytes.data(), values.data(), bytes.size());
    return bytes;
}

template <class T>
std::vector<T> unpack(const Bytes& bytes) {
    std::vector<T> values(bytes.size() / sizeof(T));
    if (!bytes.empty()) std::memcpy(values.data(), bytes.data(), bytes.size());
    return values;
}

template <class T>
T received(const T& value) {
    return unpack<T>(pack(std::span<const T>(&value, 1))).front();
}

struct Triple {
    std::uint32_t row;
    std::uint32_t column;
    float value;
};

/// The rows of one side that lie together; columns are numbered inside the bucket.
struct Bucket {
    std::vector<std::uint32_t> rows;     // numbers in the whole matrix
    std::vector<std::uint32_t> columns;  // likewise, of the columns that occur
    Csr matrix;
    FactorMatrix factors;
    Array<float> bias;
};

/// One side in buckets: row r is the (r / buckets)-th of bucket r % buckets.
class Side {
  public:
    Side(std::uint32_t rows, std::size_t buckets, int factors) : factors_(factors), buckets_(buckets) {
        for (std::uint32_t row = 0; row < rows; ++row) buckets_[row % buckets].rows.push_back(row);
        for (Bucket& bucket : buckets_) {
            bucket.factors = FactorMatrix(bucket.rows.size(), factors);
            bucket.bias = Array<float>(bucket.rows.size(), 0.0f);
        }
    }

    /// Hands each bucket its rows, as bytes.
    void take(std::span<const Triple> triples) {
        std::vector<std::vector<Triple>> shares(buckets_.size());
        for (const Triple& triple : triples) shares[triple.row % shares.size()].push_back(triple);
        for (std::size_t b = 0; b < shares.size(); ++b)
            build(buckets_[b], unpack<Triple>(pack(std::span<const Triple>(shares[b]))));
    }

    std::vector<Bucket>& buckets() { return buckets_; }

    /// Rows of this side that a bucket of the other side asks for.
    FactorMatrix factors_of(std::span<const std::uint32_t> rows) const {
        FactorMatrix result(rows.size(), factors_);
        for (std::size_t i = 0; i < rows.size(); ++i) {
            const Bucket& bucket = buckets_[rows[i] % buckets_.size()];
            const float* row = bucket.factors.row(rows[i] / buckets_.size());
            const auto copy = unpack<float>(pack(std::span<const float>(row, static_cast<std::size_t>(factors_))));
            std::copy(copy.begin(), copy.end(), result.row(i));
        }
        return result;
    }
    std::vector<float> bias_of(std::span<const std::uint32_t> rows) const {
        std::vector<float> result;
        for (const std::uint32_t row : rows)
            result.push_back(received(buckets_[row % buckets_.size()].bias[row / buckets_.size()]));
        return result;
    }

    GramMatrix gram() const {
        GramSums sums(factors_);
        for (const Bucket& bucket : buckets_) {
            GramSums own(factors_);
            own.add(bucket.factors);
            sums += GramSums(factors_, unpack<double>(pack(own.values())));
        }
        return GramMatrix(sums);
    }

    void fill_random(double scale, std::uint64_t seed, std::uint64_t stream) {
        for (Bucket& bucket : buckets_)
            for (std::size_t r = 0; r < bucket.rows.size(); ++r)
                random_factors(bucket.factors.row(r), factors_, scale, seed, stream, bucket.rows[r]);
    }

    const float* row(std::uint32_t r) const { return buckets_[r % buckets_.size()].factors.row(r / buckets_.size()); }

    void expect_near(const FactorMatrix& expected, const Array<float>* expected_bias = nullptr) const {
        for (std::uint32_t row = 0; row < expected.rows(); ++row) {
            const Bucket& bucket = buckets_[row % buckets_.size()];
            const std::size_t own = row / buckets_.size();
            for (int f = 0; f < factors_; ++f)
                ASSERT_NEAR(bucket.factors.row(own)[f], expected.row(row)[f], 1e-5) << row << " " << f;
            if (expected_bias == nullptr) continue;
            ASSERT_NEAR(bucket.bias[own], (*expected_bias)[row], 1e-5) << row;
        }
    }

  private:
    static void build(Bucket& bucket, const std::vector<Triple>& triples) {
        std::map<std::uint32_t, std::uint32_t> row_numbers, column_numbers;
        for (std::size_t r = 0; r < bucket.rows.size(); ++r)
            row_numbers[bucket.rows[r]] = static_cast<std::uint32_t>(r);
        for (const Triple& triple : triples) column_numbers[triple.column] = 0;
        bucket.columns.clear();
        for (auto& [column, number] : column_numbers) {
            number = static_cast<std::uint32_t>(bucket.columns.size());
            bucket.columns.push_back(column);
        }
        std::vector<test::Entry> entries;
        for (const Triple& triple : triples)
            entries.push_back({row_numbers[triple.row], column_numbers[triple.column], triple.value});
        bucket.matrix = test::make_csr(entries, static_cast<std::uint32_t>(bucket.rows.size()),
                                       static_cast<std::uint32_t>(bucket.columns.size()));
    }

    int factors_;
    std::vector<Bucket> buckets_;
};

std::vector<Triple> triples_of(const Csr& matrix) {
    std::vector<Triple> triples;
    for (std::uint32_t row = 0; row < matrix.rows(); ++row)
        for (std::size_t j = 0; j < matrix.row_size(row); ++j)
            triples.push_back({row, matrix.row_columns(row)[j], matrix.row_values(row)[j]});
    return triples;
}

/// The cells of a side as the other side's rows: what user buckets send to item buckets.
std::vector<Triple> sent_to_other_side(Side& side) {
    std::vector<Triple> triples;
    for (const Bucket& bucket : side.buckets())
        for (std::uint32_t row = 0; row < bucket.matrix.rows(); ++row)
            for (std::size_t j = 0; j < bucket.matrix.row_size(row); ++j)
                triples.push_back({bucket.columns[bucket.matrix.row_columns(row)[j]], bucket.rows[row],
                                   bucket.matrix.row_values(row)[j]});
    return triples;
}

ValueStatistics statistics_of_values(Side& users) {
    ValueSums sums;
    for (const Bucket& bucket : users.buckets()) {
        ValueSums own;
        own.add(bucket.matrix.values);
        sums += received(own);
    }
    return sums.statistics();
}

/// Rotates both sides into the eigenbasis of one; returns that one's Gram matrix there.
GramMatrix rotate_to_eigenbasis(Side& features, Side& factors) {
    Environment environment;
    const GramMatrix gram = features.gram();
    const Eigenbasis basis(gram, features.buckets().front().factors.factors(), environment);
    for (Side* side : {&features, &factors})
        for (Bucket& bucket : side->buckets()) basis.rotate(bucket.factors, environment);
    return features.gram();
}

void solve_ials_side(IalsHalfStep step, bool exactly, Side& side, const Side& other) {
    Environment environment;
    for (Bucket& bucket : side.buckets()) {
        const FactorMatrix features = other.factors_of(bucket.columns);
        const SharedDiagonal shared(step.gram, features, step.unobserved_weight);
        ASSERT_TRUE(shared.exists());
        step.shared = &shared;
        HalfMatrix halves;
        halves.copy(features, step.gram, environment);
        step.halves = exactly ? nullptr : &halves;
        IalsWorkspace workspace(features.factors());
        solve_block(step, bucket.matrix, features, workspace, {}, bucket.factors, &environment);
    }
}

void train_ials_in_buckets(const Csr& by_user, const TrainOptions& options, Side& users, Side& items) {
    users.take(triples_of(by_user));
    const bool is_explicit = options.feedback == Feedback::Explicit;
    const IalsParameters weighting =
        ials_weighting(options, is_explicit ? statistics_of_values(users) : ValueStatistics{});
    for (Bucket& bucket : users.buckets())
        for (std::uint32_t row = 0; row < bucket.matrix.rows(); ++row) {
            std::vector<float> weights(bucket.matrix.row_size(row));
            interaction_weights(bucket.matrix.row_values(row), weighting, weights.data());
            std::copy(weights.begin(), weights.end(), bucket.matrix.values.begin() + bucket.matrix.offsets[row]);
        }
    items.take(sent_to_other_side(users));
    IalsStatistics statistics;
    for (const Bucket& bucket : users.buckets())
        statistics += received(statistics_of_users(bucket.matrix, weighting.exponent));
    for (const Bucket& bucket : items.buckets()) statistics += received(statistics_of_items(bucket.matrix));
    const IalsParameters parameters = received(derive_ials(statistics, weighting, options.ials));
    for (Side* side : {&users, &items})
        for (Bucket& bucket : side->buckets())
            for (float& weight : bucket.matrix.values) weight *= static_cast<float>(parameters.weight_scale);

    users.fill_random(initial_scale(options.factors), options.seed, kIalsStartStream);
    const bool exact = options.ials.solver == IalsOptions::Solver::Cholesky;
    for (int iteration = 1; iteration <= options.ials.iterations; ++iteration) {
        const GramMatrix of_users = rotate_to_eigenbasis(users, items);
        solve_ials_side(ials_items_step(of_users, parameters, by_user.rows()), exact, items, users);
        const GramMatrix of_items = rotate_to_eigenbasis(items, users);
        solve_ials_side(ials_users_step(of_items, parameters), exact || iteration == options.ials.iterations, users,
                        items);
    }
}

/// Eigenvectors have no sign, and those of near eigenvalues turn into each other: what two runs share up to rounding is
/// the scores, and the length of every row.
void expect_same_scores(const Side& users, const Side& items, const RankingModel& expected, double tolerance) {
    const auto dot = [](const float* a, const float* b, int n) {
        double sum = 0;
        for (int f = 0; f < n; ++f) sum += static_cast<double>(a[f]) * static_cast<double>(b[f]);
        return sum;
    };
    const int k = expected.users.factors();
    for (std::uint32_t u = 0; u < expected.users.rows(); ++u) {
        ASSERT_NEAR(dot(users.row(u), users.row(u), k), dot(expected.users.row(u), expected.users.row(u), k),
                    tolerance);
        for (std::uint32_t i = 0; i < expected.items.rows(); ++i)
            ASSERT_NEAR(dot(users.row(u), items.row(i), k), dot(expected.users.row(u), expected.items.row(i), k),
                        tolerance)
                << u << " " << i;
    }
    for (std::uint32_t i = 0; i < expected.items.rows(); ++i)
        ASSERT_NEAR(dot(items.row(i), items.row(i), k), dot(expected.items.row(i), expected.items.row(i), k),
                    tolerance);
}

TEST(BucketsTest, IalsGivesTheFactorsOfTheLocalTrainer) {
    std::vector<test::Entry> entries = test::planted_ratings(150, 200, 3, 0.3, 0.3, 5);
    for (test::Entry& entry : entries) entry.value = std::abs(entry.value);
    const Csr by_user = test::make_csr(entries, 151, 201);  // the last user and item have no ratings
    for (const Feedback feedback : {Feedback::Explicit, Feedback::Implicit})
        for (const auto solver : {IalsOptions::Solver::Cholesky, IalsOptions::Solver::ConjugateGradient}) {
            TrainOptions options;
            options.feedback = feedback;
            options.factors = 20;
            options.ials.iterations = 4;
            options.ials.solver = solver;
            Environment environment;
            environment.threads = 2;
            const RankingModel expected = train_ials({by_user, transpose(by_user)}, options, environment);
            for (const std::size_t buckets : {1u, 7u, 64u}) {
                SCOPED_TRACE(testing::Message() << buckets << " buckets, feedback " << static_cast<int>(feedback)
                                                << ", solver " << static_cast<int>(solver));
                Side users(151, buckets, 20);
                Side items(201, buckets, 20);
                train_ials_in_buckets(by_user, options, users, items);
                // Steps read factors in 16 bits, which turned factors have others of.
                const bool exact = solver == IalsOptions::Solver::Cholesky;
                expect_same_scores(users, items, expected, exact ? 1e-5 : 1e-4);
            }
        }
}

/// The first factors, as als_start.hpp lists the steps.
void start_als_in_buckets(std::uint32_t user_count, const AlsParameters& parameters, const ValueStatistics& ratings,
                          const TrainOptions& options, Side& users, Side& items) {
    const auto set_biases = [&](Side& side, const Side& other) {
        for (Bucket& bucket : side.buckets())
            start_biases(bucket.matrix, parameters, ratings.mean, other.bias_of(bucket.columns), bucket.bias);
    };
    set_biases(items, users);
    set_biases(users, items);
    const auto multiply = [&](Side& side, const Side& other, const auto& product) {
        for (Bucket& bucket : side.buckets()) {
            const std::vector<float> bias = other.bias_of(bucket.columns);
            ResidualWorkspace workspace(options.factors);
            product({bucket.matrix, ratings.mean, ratings.deviation, bucket.bias, bias},
                    other.factors_of(bucket.columns), workspace, bucket.factors);
        }
    };
    items.fill_random(1.0, options.seed, kAlsStartStream);
    for (Bucket& bucket : items.buckets()) start_balance(bucket.matrix, bucket.factors);
    multiply(users, items, start_users);
    for (int pass = 0; pass < kAlsStartPasses; ++pass) {
        multiply(items, users, start_items);
        const StartBasis basis(items.gram(), options.factors);
        for (Bucket& bucket : items.buckets()) basis.apply(bucket.matrix, bucket.factors);
        multiply(users, items, start_users);
    }
    double squares = 0;
    for (const Bucket& bucket : users.buckets()) {
        double own = 0;
        for (std::size_t r = 0; r < bucket.rows.size(); ++r)
            own += squared_norm(bucket.factors.row(r), options.factors);
        squares += received(own);
    }
    const float scale = start_scale(squares, user_count, options.factors, ratings.deviation);
    ASSERT_GT(scale, 0);
    for (Bucket& bucket : users.buckets())
        for (std::size_t r = 0; r < bucket.rows.size(); ++r)
            for (int f = 0; f < options.factors; ++f) bucket.factors.row(r)[f] *= scale;
}

TEST(BucketsTest, AlsGivesTheFactorsOfTheLocalTrainer) {
    const Csr by_user = test::make_csr(test::planted_ratings(150, 200, 3, 0.3, 0.3, 6), 151, 201);
    TrainOptions options;
    options.factors = 20;
    options.als.iterations = 4;
    Environment environment;
    environment.threads = 2;
    const RatingModel expected = train_als({by_user, transpose(by_user)}, options, environment);
    const auto parameters = from_numbers<AlsParameters>(expected.parameters);
    for (const std::size_t buckets : {1u, 7u, 64u}) {
        SCOPED_TRACE(testing::Message() << buckets << " buckets");
        Side users(151, buckets, 20);
        Side items(201, buckets, 20);
        users.take(triples_of(by_user));
        items.take(sent_to_other_side(users));
        const ValueStatistics ratings = statistics_of_values(users);
        start_als_in_buckets(151, parameters, ratings, options, users, items);
        const auto solve = [&](const AlsHalfStep& step, Side& side, const Side& other) {
            for (Bucket& bucket : side.buckets()) {
                const FactorMatrix features = other.factors_of(bucket.columns);
                NormalEquations workspace(options.factors);
                solve_block(step, bucket.matrix, {features, other.bias_of(bucket.columns)}, workspace, {},
                            bucket.factors, bucket.bias, &environment);
            }
        };
        for (int iteration = 0; iteration < options.als.iterations; ++iteration) {
            solve(als_items_step(parameters, ratings.mean, ratings.deviation), items, users);
            solve(als_users_step(parameters, ratings.mean), users, items);
        }
        users.expect_near(expected.users, &expected.user_bias);
        items.expect_near(expected.items, &expected.item_bias);
    }
}

}  // namespace
}  // namespace mf
