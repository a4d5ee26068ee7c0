// mf_train_each
#include <map>

#include "pg/models/model_locks.hpp"
#include "pg/sql/arguments.hpp"
#include "pg/sql/results.hpp"
#include "pg/sql/subtransaction.hpp"
#include "pg/sql/tenant_scan.hpp"
#include "pg/training/interactions_scan.hpp"
#include "pg/training/training.hpp"
#include "pg/wall/boundary.hpp"
#include "pg/wall/environment.hpp"
#include "pg/wall/progress.hpp"

namespace mf::pg {
namespace {

/// What becomes of one tenant.
struct TenantResult {
    std::string value;
    std::string model;
    TrainingOutcome outcome;
    std::string message;  ///< why there is no live version of this run; empty: there is one
};

/// Whether an error is of the server, the session or the transaction, so that no other tenant would fare better.
bool ends_call(int sqlstate) {
    switch (ERRCODE_TO_CATEGORY(sqlstate)) {
        case ERRCODE_TO_CATEGORY(ERRCODE_CONNECTION_EXCEPTION):
        case ERRCODE_TO_CATEGORY(ERRCODE_TRANSACTION_ROLLBACK):
        case ERRCODE_TO_CATEGORY(ERRCODE_INSUFFICIENT_RESOURCES):
        case ERRCODE_TO_CATEGORY(ERRCODE_OPERATOR_INTERVENTION):
        case ERRCODE_TO_CATEGORY(ERRCODE_SYSTEM_ERROR):
        case ERRCODE_TO_CATEGORY(ERRCODE_INTERNAL_ERROR):
            return true;
        default:
            return false;
    }
}

/// Called in a catch block: the message, detail and hint of the exception, a line each; throws it on if it ends the
/// call.
std::string message_of_tenant() {
    Failure failure;
    describe_exception(&failure);
    const ErrorData* error = failure.postgres;
    if (ends_call(error != nullptr ? error->sqlerrcode : failure.sqlstate)) throw;
    const char* const texts[] = {error != nullptr ? error->message : failure.message,
                                 error != nullptr ? error->detail : failure.detail,
                                 error != nullptr ? error->hint : failure.hint};
    std::string message;
    for (const char* text : texts)
        if (text != nullptr && *text != '\0') message += (message.empty() ? "" : "\n") + std::string(text);
    return message;
}

/// The training runs of one call.
class EachTenant {
  public:
    EachTenant(const Catalog& catalog, const TrainArguments& arguments)
        : catalog_(catalog),
          arguments_(arguments),
          progress_(arguments.model, pg_call([] { return GetUserId(); })),
          scan_(arguments.source, purpose(arguments.options)) {
        progress_.phase("tenants");
        // Who does not manage them all shall not lock those of others: then each model has its own locks.
        const std::string prefix = arguments.model + "/";
        if (manages_all(catalog, prefix)) locks_.emplace(catalog, prefix);
    }

    /// Trains the next tenant's model; nothing after the last one.
    std::optional<TenantResult> next() {
        const auto begin = std::chrono::steady_clock::now();
        if (!scan_.next()) return std::nullopt;
        TenantResult result;
        std::optional<Dataset> rows = read(result);
        progress_.rows_read(scan_.rows());
        result.value = scan_.value();
        result.model = arguments_.model + "/" + result.value;
        if (!rows) return result;
        try {
            in_subtransaction([&] { train(std::move(*rows), begin, result); });
        } catch (...) {
            result.outcome = {};
            result.message = message_of_tenant();
        }
        return result;
    }

    /// What is to be said of all tenants together.
    void tell() {
        progress_.phase(nullptr);
        Source all = arguments_.source;
        all.tenant.reset();
        tell_of_skipped(all, skipped_);
        for (const auto& [note, tenants] : notes_)
            report(NOTICE, note + " (" + std::to_string(tenants) + (tenants == 1 ? " tenant)" : " tenants)"));
        if (const std::uint64_t rows = scan_.without_tenant(); rows > 0)
            report(
                NOTICE,
                std::to_string(rows) + (rows == 1 ? " row of " : " rows of ") + arguments_.source.name +
                    (rows == 1 ? " belongs" : " belong") + " to no tenant",
                "Column \"" + arguments_.source.tenant->column.name + "\" is NULL in " + (rows == 1 ? "it." : "them."));
    }

  private:
    std::optional<Dataset> read(TenantResult& result) {
        try {
            Environment environment = quiet_environment();
            return read_tenant(scan_, arguments_.source, arguments_.options, environment, &skipped_);
        } catch (const PgError&) {  // of the query, which has ended
            throw;
        } catch (...) {
            result.message = message_of_tenant();
            return std::nullopt;
        }
    }

    void train(Dataset rows, std::chrono::steady_clock::time_point begin, TenantResult& result) {
        if (result.value.empty())
            throw SqlError(ERRCODE_INVALID_NAME, "the name of a tenant is empty", "",
                           "A model is called as its tenant is, after a slash.");
        check_new_model_name(result.model);
        if (!scan_.is_read_back())
            throw SqlError(ERRCODE_DATATYPE_MISMATCH,
                           "the text \"" + result.value + "\" of a tenant is that of another value", "",
                           "Cast the column to text in a view, and train on the view.");
        TrainArguments arguments = arguments_;
        arguments.model = result.model;
        arguments.source.tenant->value = result.value;
        Training training(catalog_, arguments);
        training.take(std::move(rows), begin);
        training.train();
        result.outcome = training.store();
        result.message = result.outcome.message;
        for (const std::string& note : training.notes()) ++notes_[note];
    }

    const Catalog& catalog_;
    const TrainArguments& arguments_;
    std::optional<GroupLocks> locks_;
    Progress progress_;  ///< of the call; that of a tenant counts as part of it
    TenantScan scan_;
    std::uint64_t skipped_ = 0;
    std::map<std::string, int> notes_;  ///< tenants of each
};

void put_result(FunctionCallInfo fcinfo, const TenantResult& result) {
    pg_call([fcinfo, &result, value = result.value.c_str(), model = result.model.c_str(),
             message = result.message.c_str()] {
        const bool failed = result.outcome.version == 0;
        const TrainSummary& summary = result.outcome.summary;
        const auto number = [failed](std::uint64_t count) {
            return NullableDatum{Int64GetDatum(static_cast<std::int64_t>(count)), failed};
        };
        put_row_unsafe(
            fcinfo, {CStringGetTextDatum(value), CStringGetTextDatum(model)}, {},
            {NullableDatum{Int32GetDatum(result.outcome.version), failed}, number(summary.users), number(summary.items),
             number(summary.ratings), NullableDatum{Float8GetDatum(result.outcome.seconds), failed},
             NullableDatum{CStringGetTextDatum(message), *message == '\0'}});
    });
}

void check_arguments_of_each(const TrainArguments& arguments) {
    const std::string& by = arguments.source.tenant->column.name;
    if (by == arguments.source.user.name || by == arguments.source.item.name)
        throw SqlError(
            ERRCODE_INVALID_PARAMETER_VALUE,
            "column \"" + by + "\" cannot name tenants and " + (by == arguments.source.user.name ? "users" : "items"),
            "A model of one user or of one item has nothing to choose from.",
            "Pass by => '...' with the column of the tenants.");
    if (arguments.item_features || arguments.user_features)
        throw SqlError(ERRCODE_FEATURE_NOT_SUPPORTED, "mf_train_each does not take features of items or users",
                       "A relation of features has those of all tenants, and items come into lists by them.",
                       "Train the model of a tenant with mf_train, on a view of its rows and one of its features.");
    if (arguments.is_distributed)
        throw SqlError(ERRCODE_FEATURE_NOT_SUPPORTED, "mf_train_each does not distribute training runs", "",
                       R"(Leave "engine" out.)");
}

}  // namespace

MF_FUNCTION(mf_train_each) {
    const Catalog catalog = pg_call([fcinfo] {
        PreventCommandIfReadOnly("mf_train_each()");
        PreventCommandIfParallelMode("mf_train_each()");
        begin_rows_unsafe(fcinfo);
        return catalog_unsafe(fcinfo);
    });
    RawTrainArguments raw = pg_call([fcinfo] { return read_train_arguments_unsafe(fcinfo, 1); });
    raw.tenant_column = pg_call([fcinfo] { return name_argument_unsafe(fcinfo, 1); });
    require_given(raw.tenant_column != nullptr, "by");
    require_model_name(raw.model);
    const TrainArguments arguments = check_train_arguments(raw);
    check_arguments_of_each(arguments);
    advise(arguments);
    warn_without_index(arguments.source);
    EachTenant tenants(catalog, arguments);
    // What one tenant leaves in the memory of the call goes before the next.
    const MemoryContext of_call = CurrentMemoryContext;
    const MemoryContext of_tenant =
        pg_call([] { return AllocSetContextCreate(CurrentMemoryContext, "mf_ext tenant", ALLOCSET_DEFAULT_SIZES); });
    MemoryContextSwitchTo(of_tenant);
    while (const std::optional<TenantResult> result = tenants.next()) {
        put_result(fcinfo, *result);
        pg_call([of_tenant] { MemoryContextReset(of_tenant); });
    }
    MemoryContextSwitchTo(of_call);
    tenants.tell();
    return Datum{0};
}

}  // namespace mf::pg
