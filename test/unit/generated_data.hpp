// Small data sets for the tests of the trainers.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "core/base/random.hpp"
#include "core/data/interactions.hpp"
#include "core/training/fold_in.hpp"
#include "core/training/model.hpp"
#include "core/training/options.hpp"

namespace mf::test {

/// For what would take minutes under a sanitizer.
#ifdef MF_SANITIZED
inline constexpr bool kSanitized = true;
#else
inline constexpr bool kSanitized = false;
#endif

struct Entry {
    std::uint32_t user;
    std::uint32_t item;
    float value;
};

/// Rows by user from entries in any order, without duplicates.
inline Csr make_csr(std::vector<Entry> entries, std::uint32_t users, std::uint32_t items) {
    std::sort(entries.begin(), entries.end(),
              [](const Entry& a, const Entry& b) { return a.user != b.user ? a.user < b.user : a.item < b.item; });
    Csr matrix;
    matrix.column_count = items;
    matrix.offsets = Array<std::uint64_t>(std::size_t{users} + 1, std::uint64_t{0});
    matrix.columns = Array<std::uint32_t>(entries.size());
    matrix.values = Array<float>(entries.size());
    for (std::size_t e = 0; e < entries.size(); ++e) {
        ++matrix.offsets[entries[e].user + 1];
        matrix.columns[e] = entries[e].item;
        matrix.values[e] = entries[e].value;
    }
    for (std::uint32_t u = 0; u < users; ++u) matrix.offsets[u + 1] += matrix.offsets[u];
    return matrix;
}

/// A row of a matrix by users, as a fold-in takes it.
inline std::vector<HistoryEntry> history_of(const Csr& by_user, std::uint32_t user) {
    std::vector<HistoryEntry> history;
    for (std::size_t j = 0; j < by_user.row_size(user); ++j)
        history.push_back({by_user.row_columns(user)[j], by_user.row_values(user)[j]});
    return history;
}

/// Independent standard normal numbers; a row is a function of the seed and its number.
inline FactorMatrix random_matrix(std::size_t rows, int factors, std::uint64_t seed) {
    FactorMatrix matrix(rows, factors);
    for (std::size_t r = 0; r < rows; ++r) {
        Random random(seed, r);
        for (int f = 0; f < factors; ++f) matrix.row(r)[f] = static_cast<float>(random.normal());
    }
    return matrix;
}

/// Ratings 3 + b_u + b_i + p_u·q_i + noise with planted factors of `rank` dimensions. Each user has a different number
/// of ratings, and early items are more popular.
inline std::vector<Entry> planted_ratings(std::uint32_t users, std::uint32_t items, int rank, double density,
                                          double noise, std::uint64_t seed) {
    const auto normals = [&](std::uint64_t stream, std::uint32_t row, int count) {
        Random random(seed, (stream << 32) + row);
        std::vector<double> result(static_cast<std::size_t>(count));
        for (double& value : result) value = random.normal();
        return result;
    };
    std::vector<Entry> entries;
    Random random(seed);
    for (std::uint32_t u = 0; u < users; ++u) {
        const std::vector<double> p = normals(1, u, rank + 1);
        const double activity = density * (0.3 + 1.4 * random.uniform());
        bool any = false;
        for (std::uint32_t i = 0; i < items; ++i) {
            const double popularity = 1.5 - static_cast<double>(i) / items;
            if (random.uniform() > activity * popularity && (any || i + 1 < items)) continue;
            any = true;
            const std::vector<double> q = normals(2, i, rank + 1);
            double value = 3 + 0.3 * p.back() + 0.3 * q.back() + noise * random.normal();
            for (int f = 0; f < rank; ++f)
                value += p[static_cast<std::size_t>(f)] * q[static_cast<std::size_t>(f)] / std::sqrt(rank);
            entries.push_back({u, i, static_cast<float>(value)});
        }
    }
    return entries;
}

/// A Dataset from entries: user u has the id u, item i the id 1000 + i.
inline Dataset make_dataset(const std::vector<Entry>& entries, Environment& environment) {
    InteractionsBuilder builder(IdKind::Integer, IdKind::Integer, false);
    for (const Entry& entry : entries) {
        const std::uint32_t user = builder.users().intern(std::int64_t{entry.user});
        const std::uint32_t item = builder.items().intern(std::int64_t{1000} + entry.item);
        builder.add(user, item, entry.value);
    }
    return std::move(builder).finish(Duplicates::Error, environment);
}

/// Options of a training run that ends soon.
inline TrainOptions small_options(Feedback feedback, double test_fraction) {
    TrainOptions options;
    options.feedback = feedback;
    options.test_fraction = test_fraction;
    options.factors = 8;
    options.als.iterations = options.ials.iterations = 6;
    return options;
}

inline bool same_bits(const FactorMatrix& a, const FactorMatrix& b) {
    return a.rows() == b.rows() && a.factors() == b.factors() &&
           std::equal(a.row(0), a.row(0) + a.rows() * a.stride(), b.row(0));
}

inline bool all_finite(const FactorMatrix& matrix) {
    return std::all_of(matrix.row(0), matrix.row(0) + matrix.rows() * matrix.stride(),
                       [](float value) { return std::isfinite(value); });
}

}  // namespace mf::test
