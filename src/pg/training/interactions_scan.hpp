// Source → Dataset.
#pragma once

#include "core/data/interactions.hpp"
#include "pg/sql/ids.hpp"
#include "pg/sql/row_receiver.hpp"
#include "pg/sql/source.hpp"
#include "pg/sql/tenant_scan.hpp"
#include "pg/wall/progress.hpp"

namespace mf::pg {

/// What the values of a source are for.
ScanFor purpose(const TrainOptions& options);

/// After the whole source was read: a NOTICE if rows were skipped for a NULL, data_exception if none is left.
void report_read(const Source& source, std::uint64_t rows, std::uint64_t skipped);

/// Reads the whole source once with the caller's rights. Rows with a NULL user, item or rating are skipped and counted
/// in one NOTICE. Throws as RowBatch::add() for rows that no model can be trained on; MemoryLimitExceeded as soon as
/// what was read needs more than mf_ext.max_memory to be trained; InvalidData if nothing is left. `copies` of the rows
/// are kept beside what a training run needs, and `other_bytes` are taken by other things.
Dataset read_interactions(const Source& source, const TrainOptions& options, Environment& environment,
                          Progress& progress, int copies = 0, std::size_t other_bytes = 0);

/// The same of the tenant that a scan of the source has come to; rows that are skipped are counted in *skipped instead.
/// PgErrors are of the scan, all other exceptions of the tenant's rows.
Dataset read_tenant(TenantScan& scan, const Source& source, const TrainOptions& options, Environment& environment,
                    std::uint64_t* skipped);

/// Says by a NOTICE how many rows of a source were skipped for a NULL, if any were.
void tell_of_skipped(const Source& source, std::uint64_t skipped);

/// As read_interactions() of all rows of the users who have one of the items, for a refresh, with the rights of
/// `reader` and by the recency of the training run; NULLs are skipped silently. Nothing if there is no such row.
std::optional<Dataset> read_users_of_items(const Source& source, std::span<const Id> items, Oid reader,
                                           const TrainOptions& options, const Recency& recency,
                                           Environment& environment, Progress& progress);

/// The same of all rows of the source.
std::optional<Dataset> read_all_users(const Source& source, Oid reader, const TrainOptions& options,
                                      const Recency& recency, Environment& environment, Progress& progress);

/// Throws MemoryLimitExceeded if the ids of a refresh take more than mf_ext.max_memory; says that there are `count` of
/// `what`.
void require_refresh_memory(std::size_t bytes, std::uint64_t count, const char* what);

/// Bytes that a training run on `rows` rows with these ids takes at its peak.
std::size_t memory_needed(const IdTable& users, const IdTable& items, std::uint64_t rows, bool with_times,
                          const TrainOptions& options, int threads, int copies = 0);

/// Throws MemoryLimitExceeded unless a training run on the dataset, of whose rows there are `copies`, and `other_bytes`
/// fit into mf_ext.max_memory.
void require_training_memory(const Dataset& dataset, const TrainOptions& options, int threads, int copies,
                             std::size_t other_bytes);

/// Leaves to the search for what was not given what a dataset, of whose cells there are further copies, and other
/// things leave of mf_ext.max_memory.
void limit_search(TrainOptions& options, const Dataset& dataset, int copies = 0, std::size_t other_bytes = 0);

}  // namespace mf::pg
