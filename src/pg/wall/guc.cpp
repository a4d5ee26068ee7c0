#include "pg/wall/guc.hpp"

#include <cstdio>
#include <cstdlib>

#include "core/linalg/kernels.hpp"
#include "core/retrieval/scan_kernels.hpp"
#include "pg/wall/compat.hpp"
#include "pg/wall/fault.hpp"

namespace mf::pg {
namespace {

int cache_size_kb;
char* default_model;
int keep_versions;
int max_jobs;
int max_memory_kb;
int max_private_memory_kb;
int max_threads;
char* kernel_names;
bool search;

// Shows the kernel variants in use, for tests that force one by the environment.
void define_kernels_unsafe() {
    const char* forced = std::getenv("MF_EXT_KERNELS");
    if (forced != nullptr && *forced != '\0' &&
        (kernels_named(forced) == nullptr || scan_kernels_named(forced) == nullptr))
        ereport(ERROR, (errcode(ERRCODE_INVALID_PARAMETER_VALUE),
                        errmsg("this processor does not support kernels \"%s\"", forced),
                        errdetail("Environment variable MF_EXT_KERNELS of the server names them."),
                        errhint("Unset MF_EXT_KERNELS and restart the server.")));
    static char names[64];
    std::snprintf(names, sizeof names, "%s %s", kernels().name, scan_kernels().name);
    DefineCustomStringVariable("mf_ext.kernels", "Shows the instruction sets of the kernels.", nullptr, &kernel_names,
                               names, PGC_INTERNAL, GUC_NO_SHOW_ALL | GUC_NOT_IN_SAMPLE, nullptr, nullptr, nullptr);
}

}  // namespace

void define_settings_unsafe() {
    // First, since this may fail and no setting can be defined twice.
    define_kernels_unsafe();
    DefineCustomIntVariable("mf_ext.cache_size", "Sets the maximum shared memory used to cache item factors.",
                            "The least recently used model is evicted first.", &cache_size_kb, 1024 * 1024, 1024,
                            INT_MAX, PGC_SUSET, GUC_UNIT_KB, nullptr, nullptr, nullptr);
    DefineCustomStringVariable("mf_ext.default_model", "Sets the model used by calls that name none.", nullptr,
                               &default_model, "", PGC_USERSET, 0, nullptr, nullptr, nullptr);
    DefineCustomIntVariable("mf_ext.keep_versions", "Sets the number of versions of a model to keep.",
                            "Publishing a new version deletes older ones beyond this number; the live version counts.",
                            &keep_versions, 2, 1, 1000, PGC_USERSET, 0, nullptr, nullptr, nullptr);
    DefineCustomIntVariable("mf_ext.max_jobs", "Sets the maximum number of jobs of one role that wait or run.",
                            "Each running job takes one of max_worker_processes, which the whole server shares.",
                            &max_jobs, 4, 0, 1000, PGC_SUSET, 0, nullptr, nullptr, nullptr);
    DefineCustomIntVariable("mf_ext.max_memory", "Sets the maximum memory of one training run or evaluation.", nullptr,
                            &max_memory_kb, 2 * 1024 * 1024, 1024, INT_MAX, PGC_USERSET, GUC_UNIT_KB, nullptr, nullptr,
                            nullptr);
    DefineCustomIntVariable(
        "mf_ext.max_private_memory", "Sets the maximum private memory of one session for item factors.",
        "Sessions use private memory where the shared cache cannot hold a model; a larger model is refused.",
        &max_private_memory_kb, 256 * 1024, 1024, INT_MAX, PGC_SUSET, GUC_UNIT_KB, nullptr, nullptr, nullptr);
    DefineCustomIntVariable("mf_ext.max_threads", "Sets the number of threads of one training run or batch call.",
                            "0 means max_parallel_maintenance_workers + 1, at most the number of processors.",
                            &max_threads, 0, 0, 1024, PGC_USERSET, 0, nullptr, nullptr, nullptr);
    DefineCustomBoolVariable("mf_ext.search", "Sets whether numbers that are not given are found from the data.",
                             "Option \"search\" of a training run takes precedence.", &search, true, PGC_USERSET, 0,
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

int setting_max_jobs() { return max_jobs; }

bool setting_search() { return search; }

std::size_t setting_max_private_memory() { return static_cast<std::size_t>(max_private_memory_kb) * 1024; }

std::size_t setting_cache_size() { return static_cast<std::size_t>(cache_size_kb) * 1024; }

std::size_t setting_batch_memory() { return static_cast<std::size_t>(maintenance_work_mem) * 1024; }

int setting_keep_versions() { return keep_versions; }

std::string megabytes(std::size_t bytes) { return std::to_string((bytes + (1 << 20) - 1) >> 20) + " MB"; }

}  // namespace mf::pg
