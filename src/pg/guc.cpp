#include "pg/guc.hpp"

#include "pg/compat.hpp"
#include "pg/fault.hpp"

namespace mf::pg {
namespace {

int cache_size_kb;
char* default_model;
int keep_versions;
int max_memory_kb;
int max_threads;

}  // namespace

void define_settings_unsafe() {
    DefineCustomIntVariable("mf_ext.cache_size", "Sets the memory for item factors, all models together.",
                            "The least recently used model leaves first.", &cache_size_kb, 1024 * 1024, 1024, INT_MAX,
                            PGC_SUSET, GUC_UNIT_KB, nullptr, nullptr, nullptr);
    DefineCustomStringVariable("mf_ext.default_model", "Sets the model used where a call names none.", nullptr,
                               &default_model, "", PGC_USERSET, 0, nullptr, nullptr, nullptr);
    DefineCustomIntVariable("mf_ext.keep_versions", "Sets the versions of a model that a training keeps.",
                            "Older ones are deleted when a new one is published.", &keep_versions, 2, 1, 1000,
                            PGC_USERSET, 0, nullptr, nullptr, nullptr);
    DefineCustomIntVariable("mf_ext.max_memory", "Sets the memory that one training or evaluation may take.", nullptr,
                            &max_memory_kb, 2 * 1024 * 1024, 1024, INT_MAX, PGC_USERSET, GUC_UNIT_KB, nullptr, nullptr,
                            nullptr);
    DefineCustomIntVariable("mf_ext.max_threads", "Sets the threads for one training or batch call.",
                            "0 means max_parallel_maintenance_workers + 1, at most the processors.", &max_threads, 0, 0, 1024, PGC_USERSET, 0,
                            nullptr, nullptr, nullptr);
    define_fault_setting_unsafe();
    MarkGUCPrefixReserved("mf_ext");
}

const char* setting_default_model() { return default_model == nullptr ? "" : default_model; }

int setting_threads() {
    if (max_threads > 0) return max_threads;
    const int processors = static_cast<int>(std::thread::hardware_concurrency());
    const int threads = max_parallel_maintenance_workers + 1;
    return processors > 0 && threads > processors ? processors : threads;
}

std::size_t setting_max_memory() { return static_cast<std::size_t>(max_memory_kb) * 1024; }

std::size_t setting_cache_size() { return static_cast<std::size_t>(cache_size_kb) * 1024; }

std::size_t setting_batch_memory() { return static_cast<std::size_t>(maintenance_work_mem) * 1024; }

int setting_keep_versions() { return keep_versions; }

std::string megabytes(std::size_t bytes) { return std::to_string((bytes + (1 << 20) - 1) >> 20) + " MB"; }

}  // namespace mf::pg
