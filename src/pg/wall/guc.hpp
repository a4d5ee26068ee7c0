// The settings, with the prefix mf_ext.
#pragma once

#include <cstddef>
#include <string>

namespace mf::pg {

/// Registers the settings; called once, from _PG_init.
void define_settings_unsafe();

/// mf_ext.default_model, empty if unset.
const char* setting_default_model();

/// mf_ext.max_threads, or the number that 0 stands for; at least 1.
int setting_threads();

/// mf_ext.max_memory in bytes.
std::size_t setting_max_memory();

int setting_max_jobs();

/// mf_ext.search
bool setting_search();

/// mf_ext.max_private_memory in bytes.
std::size_t setting_max_private_memory();

/// mf_ext.cache_size in bytes.
std::size_t setting_cache_size();

int setting_keep_versions();

/// What mf_ext.max_trainings is at most.
constexpr int kMostTrainings = 32;
int setting_max_trainings();

/// While one exists, a session may set limits to what it could not raise them to. For a background worker that takes
/// over the settings of the session that has asked for its job.
struct UncheckedLimits {
    UncheckedLimits();
    ~UncheckedLimits();
    UncheckedLimits(const UncheckedLimits&) = delete;
    UncheckedLimits& operator=(const UncheckedLimits&) = delete;
};

/// Bytes that the lists of a batch call may take: PostgreSQL's maintenance_work_mem.
std::size_t setting_batch_memory();

/// A number of bytes for messages, rounded up, in the unit of memory settings.
std::string megabytes(std::size_t bytes);

}  // namespace mf::pg
