// Settings, prefix mf_ext.
#pragma once

#include <cstddef>
#include <string>

namespace mf::pg {

/// Registers the settings; called once, from _PG_init.
void define_settings_unsafe();

/// mf_ext.default_model, empty if unset.
const char* setting_default_model();

/// mf_ext.max_threads, or what it means if it is 0; at least 1.
int setting_threads();

/// mf_ext.max_memory in bytes.
std::size_t setting_max_memory();

int setting_max_jobs();

/// mf_ext.max_private_memory in bytes.
std::size_t setting_max_private_memory();

/// mf_ext.cache_size in bytes.
std::size_t setting_cache_size();

int setting_keep_versions();

/// Bytes that lists of a batch call may take: PostgreSQL's maintenance_work_mem.
std::size_t setting_batch_memory();

/// Bytes for messages, in the unit that settings of memory are written in, rounded up.
std::string megabytes(std::size_t bytes);

}  // namespace mf::pg
