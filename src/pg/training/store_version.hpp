// The end of a training run: its version is stored and published.
#pragma once

#include "core/pipeline/train.hpp"
#include "pg/lifecycle/publish.hpp"
#include "pg/training/publication_terms.hpp"

namespace mf::pg {

/// Throws undefined_table if the source or a relation of features was dropped meanwhile: what is gone, or another
/// relation by now, would be read by every recommendation, or by every refresh. Keeps them until the transaction ends.
void require_sources(const TrainArguments& arguments);

/// A version as it was stored.
struct StoredVersion {
    std::int32_t number;
    std::string message;  ///< why it is not live; empty: it is
};

/// Stores a version whose factors are stored under model_id, and says so at LOG. Publishes it unless the arguments or
/// the verdict are against it, which it says by a NOTICE or a WARNING. Warns if functions of the model have other types
/// than its ids have now.
StoredVersion store_version(const Catalog& catalog, const TrainArguments& arguments, Oid owner, std::int64_t model_id,
                            const TrainResult& trained, double seconds, const Verdict& verdict = {});

/// What was found from the data, now or by the training run that this one repeats, as JSON text; empty: nothing.
std::string found_json(const TrainArguments& arguments, const Settings& found);

}  // namespace mf::pg
