#include "pg/wall/guc.hpp"

#include <cstdio>
#include <cstdlib>
#include <iterator>
#include <utility>

#include "core/linalg/kernels.hpp"
#include "core/retrieval/scan_kernels.hpp"
#include "pg/wall/compat.hpp"
#include "pg/wall/fault.hpp"

extern "C" {
#include "access/parallel.h"
}

namespace mf::pg {
namespace {

int cache_size_kb;
char* default_model;
int keep_versions;
int max_jobs;
int max_memory_kb;
int max_private_memory_kb;
int max_threads;
int max_trainings;
char* kernel_names;
bool search;

bool limits_are_checked = true;

bool is_superuser_unsafe() {  // outside of transactions too
    const char* superuser = GetConfigOption("is_superuser", true, false);
    return superuser != nullptr && strcmp(superuser, "on") == 0;
}

bool may_raise_unsafe(const char* name, GucSource source) {
    // Options of a connection come before the values of the database and the role, and replace them.
    if (source == PGC_S_CLIENT || !IsTransactionState()) return is_superuser_unsafe();
    return superuser() || pg_parameter_aclcheck(name, GetUserId(), ACL_SET) == ACLCHECK_OK;
}

/// A limit is what the server's configuration, the database or the role gives a session. The session may lower it;
/// above it only a superuser goes, or a role with SET privilege on the parameter. PGC_SUSET would forbid lowering too.
struct Limit {
    const char* name;
    const char* description;
    const char* remark;
    int* value;
    int initial;
    int least;
    int greatest;
    int flags;                   ///< the unit
    bool zero_means_processors;  ///< at most their number, whatever else a session sets
};

constexpr Limit kLimits[] = {
    {"mf_ext.keep_versions", "Sets the number of versions of a model to keep.",
     "Publishing a new version deletes older ones beyond this number; the live version counts.", &keep_versions, 2, 1,
     1000, 0, false},
    {"mf_ext.max_memory", "Sets the maximum memory of one training run, refresh or evaluation.", nullptr,
     &max_memory_kb, 2 * 1024 * 1024, 1024, INT_MAX, GUC_UNIT_KB, false},
    {"mf_ext.max_threads", "Sets the number of threads of one training run or batch call.",
     "0 means max_parallel_maintenance_workers + 1, at most the number of processors.", &max_threads, 0, 0, 1024, 0,
     true},
};

/// 0 if it is unknown. Asked for once: the answer comes from a file of the system, and each fold-in needs it.
int processors() {
    static const auto count = static_cast<int>(std::thread::hardware_concurrency());
    return count;
}

int measure(const Limit& limit, int value) {
    if (value != 0 || !limit.zero_means_processors) return value;
    return processors() > 0 ? processors() : INT_MAX;
}

/// Values of a database or role were checked when they were stored, as for every setting (source PGC_S_TEST).
bool check_limit_unsafe(const Limit& limit, int value, GucSource source) {
    const bool is_given_by_server = source <= PGC_S_DATABASE_USER;
    if (is_given_by_server || !limits_are_checked || InitializingParallelWorker) return true;
    const int given = atoi(GetConfigOptionResetString(limit.name));
    const bool is_lowered = measure(limit, value) <= measure(limit, given) && source != PGC_S_CLIENT;
    if (is_lowered || may_raise_unsafe(limit.name, source)) return true;
    const char* unit = limit.flags == GUC_UNIT_KB ? " kB" : "";
    GUC_check_errcode(ERRCODE_INSUFFICIENT_PRIVILEGE);
    GUC_check_errmsg("permission denied to raise parameter \"%s\"", limit.name);
    GUC_check_errdetail("Its value for this session is %d%s, which may be lowered.", given, unit);
    GUC_check_errhint("A superuser may raise it, and any role after GRANT SET ON PARAMETER %s TO it.", limit.name);
    return false;
}

/// PostgreSQL does not tell a hook which setting it checks: each limit has one of its own.
template <std::size_t index>
bool check_limit_hook(int* value, void**, GucSource source) {
    return check_limit_unsafe(kLimits[index], *value, source);
}

void define_limit_unsafe(const Limit& limit, GucIntCheckHook hook) {
    DefineCustomIntVariable(limit.name, limit.description, limit.remark, limit.value, limit.initial, limit.least,
                            limit.greatest, PGC_USERSET, limit.flags, hook, nullptr, nullptr);
}

template <std::size_t... indices>
void define_limits_unsafe(std::index_sequence<indices...>) {
    (define_limit_unsafe(kLimits[indices], check_limit_hook<indices>), ...);
}

/// Before the library was loaded, an option of the connection has replaced what the server gives this session; nobody
/// knows the limit any more.
void refuse_limits_of_connection_unsafe() {
    if (is_superuser_unsafe()) return;
    for_each_setting_unsafe([](const config_generic* setting) {
        if (setting->source != PGC_S_CLIENT) return;
        for (const Limit& limit : kLimits)
            if (pg_strcasecmp(setting->name, limit.name) == 0)
                ereport(ERROR, (errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
                                errmsg("parameter \"%s\" cannot be an option of the connection", limit.name),
                                errhint("Lower it with SET after connecting.")));
    });
}

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
    // First, since these may fail and no setting can be defined twice.
    refuse_limits_of_connection_unsafe();
    define_kernels_unsafe();
    define_limits_unsafe(std::make_index_sequence<std::size(kLimits)>());
    DefineCustomIntVariable("mf_ext.cache_size", "Sets the maximum shared memory used to cache item factors.",
                            "The least recently used model is evicted first.", &cache_size_kb, 1024 * 1024, 1024,
                            INT_MAX, PGC_SUSET, GUC_UNIT_KB, nullptr, nullptr, nullptr);
    DefineCustomStringVariable("mf_ext.default_model", "Sets the model used by calls that name none.", nullptr,
                               &default_model, "", PGC_USERSET, 0, nullptr, nullptr, nullptr);
    DefineCustomIntVariable("mf_ext.max_jobs", "Sets the maximum number of jobs of one role that wait or run.",
                            "Each running job takes one of max_worker_processes, which the whole server shares.",
                            &max_jobs, 4, 0, 1000, PGC_SUSET, 0, nullptr, nullptr, nullptr);
    DefineCustomIntVariable(
        "mf_ext.max_private_memory", "Sets the maximum private memory of one session for item factors.",
        "Sessions use private memory where the shared cache cannot hold a model; a larger model is refused.",
        &max_private_memory_kb, 256 * 1024, 1024, INT_MAX, PGC_SUSET, GUC_UNIT_KB, nullptr, nullptr, nullptr);
    DefineCustomIntVariable("mf_ext.max_trainings", "Sets the maximum number of training runs at a time in the server.",
                            "Jobs wait for their turn; other runs beyond this number are refused.", &max_trainings, 8,
                            1, kMostTrainings, PGC_SIGHUP, 0, nullptr, nullptr, nullptr);
    DefineCustomBoolVariable("mf_ext.search", "Sets whether numbers that are not given are found from the data.",
                             "Option \"search\" of a training run takes precedence.", &search, true, PGC_USERSET, 0,
                             nullptr, nullptr, nullptr);
    define_fault_setting_unsafe();
    MarkGUCPrefixReserved("mf_ext");
}

const char* setting_default_model() { return default_model == nullptr ? "" : default_model; }

int setting_threads() {
    if (max_threads > 0) return max_threads;
    const int threads = max_parallel_maintenance_workers + 1;
    return processors() > 0 && threads > processors() ? processors() : threads;
}

std::size_t setting_max_memory() { return static_cast<std::size_t>(max_memory_kb) * 1024; }

int setting_max_jobs() { return max_jobs; }

bool setting_search() { return search; }

std::size_t setting_max_private_memory() { return static_cast<std::size_t>(max_private_memory_kb) * 1024; }

std::size_t setting_cache_size() { return static_cast<std::size_t>(cache_size_kb) * 1024; }

std::size_t setting_batch_memory() { return static_cast<std::size_t>(maintenance_work_mem) * 1024; }

int setting_keep_versions() { return keep_versions; }

int setting_max_trainings() { return max_trainings; }

UncheckedLimits::UncheckedLimits() { limits_are_checked = false; }
UncheckedLimits::~UncheckedLimits() { limits_are_checked = true; }

std::string megabytes(std::size_t bytes) { return std::to_string((bytes + (1 << 20) - 1) >> 20) + " MB"; }

}  // namespace mf::pg
