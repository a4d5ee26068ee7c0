// The rows of distributed training runs that are not done: what is needed to go on.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/distributed/schedule.hpp"
#include "pg/distributed/engines.hpp"
#include "pg/distributed/run_tables.hpp"

namespace mf::pg {

struct RunRow {
    std::int64_t run = 0;
    std::string model;
    Oid owner = InvalidOid;  ///< the role that has asked for it
    std::string arguments;   ///< of the training run and its source, as one text: only the same one goes on
    std::int32_t places = 0;
    DistributedData data;
    std::string found;  ///< from the data, as JSON; empty: nothing
    std::string state;  ///< Schedule::save()
};

/// A number for a new run; also other servers, whose rows lie beside its rows, have none like it.
std::int64_t new_run_number();

/// The run of a model that is not done, nothing if there is none.
std::optional<RunRow> find_run(const Catalog& catalog, const std::string& model);

/// Stores a run, with the current role as its owner.
void add_run(const Catalog& catalog, const RunRow& row);

/// After a step.
void save_run(const Catalog& catalog, std::int64_t run, const std::string& state);

/// Deletes the run and its tables.
void drop_run(const Catalog& catalog, const RunRow& row);

/// Throws insufficient_privilege unless the caller has the privileges of the run's owner.
void require_privileges(const RunRow& row);

/// The same for whatever run a model has, for a caller who has the privileges of its owner; waits for a run in
/// progress. False if there is none. Throws insufficient_privilege.
bool drop_run_of(const Catalog& catalog, const std::string& model);

}  // namespace mf::pg
