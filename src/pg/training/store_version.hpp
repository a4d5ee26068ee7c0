// The end of a training run: its version is stored and published.
#pragma once

#include "core/pipeline/train.hpp"
#include "pg/lifecycle/publish.hpp"
#include "pg/training/train_arguments.hpp"

namespace mf::pg {

/// Throws undefined_table if the source or a relation of features was dropped meanwhile: what is gone, or another
/// relation by now, would be read by every recommendation, or by every refresh. Keeps them until the transaction ends.
void require_sources(const TrainArguments& arguments);

/// Publishes a version whose factors are stored under model_id, and says so at LOG; warns if functions of the model
/// have other types than its ids have now. Returns the number of the version.
std::int32_t store_version(const Catalog& catalog, const TrainArguments& arguments, Oid owner, std::int64_t model_id,
                           const TrainResult& trained, double seconds);

/// What was found from the data, now or by the training run that this one repeats, as JSON text; empty: nothing.
std::string found_json(const TrainArguments& arguments, const Settings& found);

}  // namespace mf::pg
