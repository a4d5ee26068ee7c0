// Rows of the two factor tables ↔ the core's matrices.
#pragma once

#include "core/data/interactions.hpp"
#include "core/training/model.hpp"
#include "core/training/options.hpp"
#include "pg/sql/catalog.hpp"
#include "pg/wall/guard.hpp"

namespace mf::pg {

/// Stores the factors of a version by multi-inserts of a thousand rows with their index entries, in the order of the
/// index: each entry goes to its end, and who reads the rows by it reads the table from front to back. Memory is 36
/// bytes a row of one table, and one batch. The rows become visible when the transaction commits.
/// Storage::Half expects factors that were rounded to 16 bits (TrainOptions::storage). Users only with store_users.
void write_factors(const Catalog& catalog, std::int64_t model_id, const Dataset& dataset, const Model& model,
                   Storage storage, bool store_users, Environment& environment);

/// Items, or users, that were solved apart: row r of each part belongs to ids[r].
struct SolvedItems {
    std::vector<std::string> ids;  ///< as text
    std::vector<std::uint32_t> interactions;
    std::vector<std::uint64_t> source_rows;  ///< of users the digests of their histories
    std::vector<float> popularity;           ///< of items, by age; empty: their interactions
    FactorMatrix ranking;
    FactorMatrix rating;       ///< no rows for implicit feedback
    Array<float> rating_bias;  ///< likewise

    /// Bytes that the factors take.
    std::size_t factor_bytes() const {
        return (ranking.rows() * ranking.stride() + rating.rows() * rating.stride() + rating_bias.size()) *
               sizeof(float);
    }
};

/// Rounds the factors as `storage` keeps them. Throws NumericalFailure if one is too large for 16 bits.
void round_for_storage(Storage storage, SolvedItems& items, Environment& environment);

/// Adds the rows of items, or of users, to a version, which has none with these ids, in the same way.
void write_rows(const Catalog& catalog, Side side, std::int64_t model_id, const SolvedItems& rows, Storage storage);

/// Deletes the rows of items of a version.
void delete_items(const Catalog& catalog, std::int64_t model_id, const std::vector<std::string>& ids);

/// One factor row as stored in the table; pointers are valid only during the call that passes it.
struct FactorRow {
    std::string_view id;
    std::uint32_t interactions = 0;
    std::uint64_t source_rows = 0;    ///< items only: before duplicates were merged into interactions
    std::optional<float> popularity;  ///< items only, by age; nothing: the interactions
    float rating_bias = 0.0f;
    std::span<const float> rating_factors;  ///< empty: none
    std::span<const float> ranking_factors;
    std::uint64_t history_digest = 0;  ///< users only
    Storage storage = Storage::Single;
};

/// The shape that all rows of a version have; other rows are refused.
struct FactorShape {
    int ranking_factors = 0;  ///< 0: any number of either kind
    int rating_factors = 0;   ///< 0: none
};

/// Receives rows; may throw.
using FactorRowSink = std::function<void(const FactorRow&)>;

/// The readers raise data_corrupted, naming version and row, for invalid rows.

/// Passes all item rows of a version to the sink, in the byte order of their ids, under the active snapshot.
void read_item_factors(const Catalog& catalog, std::int64_t model_id, FactorShape shape, const FactorRowSink& sink);

/// The same without factors, which take most of the time: ids, counts and the kind of storage.
void read_item_counts(const Catalog& catalog, std::int64_t model_id, const FactorRowSink& sink);

/// A user's row that is looked up takes about as long as this many that are read one after the other.
inline constexpr std::int64_t kRowsALookup = 20;

/// Passes the row of one user to the sink; false if there is none.
bool read_user_factors(const Catalog& catalog, std::int64_t model_id, FactorShape shape, const std::string& user_id,
                       const FactorRowSink& sink);

/// Throws feature_not_supported where there are only copies of models, which are without the factors of users.
void require_user_factors(const Catalog& catalog, const char* function);

/// The same; throws object_not_in_prerequisite_state besides unless the version of the model stores users.
void require_stored_users(const Catalog& catalog, const char* function, bool stores_users, const std::string& model);

/// Passes the rows of all users to the sink, in the byte order of their ids.
void read_all_user_factors(const Catalog& catalog, std::int64_t model_id, FactorShape shape, const FactorRowSink& sink);

}  // namespace mf::pg
