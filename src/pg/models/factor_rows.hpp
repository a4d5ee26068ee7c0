// Rows of the two factor tables ↔ the core's matrices.
#pragma once

#include "core/data/interactions.hpp"
#include "core/training/model.hpp"
#include "pg/sql/catalog.hpp"
#include "pg/wall/guard.hpp"

namespace mf::pg {

/// Stores the factors of a version: multi-inserts of a thousand rows with their index entries, memory bounded by one
/// batch. Rows become visible with the transaction, like any others.
void write_factors(const Catalog& catalog, std::int64_t model_id, const Dataset& dataset, const Model& model);

/// One factor row as it lies in the table; pointers are valid during the call that passes it.
struct FactorRow {
    std::string_view id;
    std::uint32_t interactions = 0;
    float rating_bias = 0.0f;
    std::span<const float> rating_factors;  ///< empty: none
    std::span<const float> ranking_factors;
    std::uint64_t history_digest = 0;  ///< users only
};

/// What the rows of a version have in common; those that differ are refused.
struct FactorShape {
    int factors = 0;  ///< 0: whatever the rows have
    bool has_rating = false;
};

/// Takes rows; may throw.
using FactorRowSink = std::function<void(const FactorRow&)>;

/// The readers raise data_corrupted, with the version and the row, for what is no sound row.

/// Feeds all item rows of a version, in the order of the bytes of their ids, under the active snapshot.
void read_item_factors(const Catalog& catalog, std::int64_t model_id, FactorShape shape, const FactorRowSink& sink);

/// Feeds the row of one user if there is one; true if so.
bool read_user_factors(const Catalog& catalog, std::int64_t model_id, FactorShape shape, const std::string& user_id,
                       const FactorRowSink& sink);

/// Feeds the rows of all users, in the order of the bytes of their ids.
void read_all_user_factors(const Catalog& catalog, std::int64_t model_id, FactorShape shape, const FactorRowSink& sink);

}  // namespace mf::pg
