// mf_tune
#include <algorithm>
#include <optional>

#include "core/pipeline/search_space.hpp"
#include "core/pipeline/tuning.hpp"
#include "pg/sql/arguments.hpp"
#include "pg/sql/json_entries.hpp"
#include "pg/sql/results.hpp"
#include "pg/training/interactions_scan.hpp"
#include "pg/training/training_features.hpp"
#include "pg/training/train_arguments.hpp"
#include "pg/wall/boundary.hpp"
#include "pg/wall/environment.hpp"
#include "pg/wall/guard.hpp"
#include "pg/wall/progress.hpp"

namespace mf::pg {
namespace {

[[noreturn]] void refuse(const std::string& message) {
    throw SqlError(
        ERRCODE_INVALID_PARAMETER_VALUE, message, "",
        R"(Write a list, {"factors": [32, 64]}, or a range, {"regularization": {"min": 0.1, "max": 2, "log": true}}.)");
}

std::optional<OptionValue> scalar(const JsonEntry& entry) {
    if (entry.type == jbvNumeric) return entry.number;
    if (entry.type == jbvString) return std::string(entry.word);
    return std::nullopt;
}

void read_list(const JsonEntries& list, SearchDimension& dimension) {
    if (list.count == 0) refuse("the list of values of option \"" + dimension.name + "\" is empty");
    for (const JsonEntry& entry : list.span()) {
        const std::optional<OptionValue> value = scalar(entry);
        if (!value) refuse("the values of option \"" + dimension.name + "\" must be numbers or words");
        dimension.values.push_back(*value);
    }
}

void read_range(const JsonEntries& range, SearchDimension& dimension) {
    bool has_minimum = false, has_maximum = false;
    for (const JsonEntry& entry : range.span()) {
        if (entry.key == "min") {
            dimension.minimum = entry.number;
            has_minimum = entry.type == jbvNumeric;
        } else if (entry.key == "max") {
            dimension.maximum = entry.number;
            has_maximum = entry.type == jbvNumeric;
        } else if (entry.key == "log" && entry.type == jbvBool) {
            dimension.is_logarithmic = entry.boolean;
        } else if (entry.key == "log") {
            refuse("\"log\" in the range of option \"" + dimension.name + "\" must be true or false");
        } else {
            refuse("unrecognized key \"" + std::string(entry.key) + "\" in the range of option \"" + dimension.name +
                   "\"");
        }
    }
    if (!has_minimum || !has_maximum)
        refuse("the range of option \"" + dimension.name + "\" must have \"min\" and \"max\", two numbers");
}

SearchDimension read_dimension(const JsonEntry& entry) {
    SearchDimension dimension;
    dimension.name = entry.key;
    if (const std::optional<OptionValue> value = scalar(entry)) {
        dimension.values.push_back(*value);
        return dimension;
    }
    if (entry.type != jbvBinary) refuse("option \"" + dimension.name + "\" has no values to search");
    const JsonEntries inner = pg_call([container = entry.inner] { return json_entries_unsafe(container); });
    if (inner.is_array)
        read_list(inner, dimension);
    else
        read_range(inner, dimension);
    return dimension;
}

/// Reads {"option": [value, …]}, {"option": {"min": a, "max": b, "log": true}} or {"option": value}. Null or an empty
/// object: default_space(). Throws invalid_parameter_value for anything else; names and
/// values are check_space()'s business.
SearchSpace read_search(Jsonb* json, const TrainOptions& base) {
    if (json == nullptr) return default_space(base);
    const JsonEntries all = pg_call([json] { return json_entries_unsafe(&json->root); });
    if (!all.is_object) refuse("the search space must be a JSON object");
    if (all.count == 0) return default_space(base);
    SearchSpace space;
    for (const JsonEntry& entry : all.span()) space.push_back(read_dimension(entry));
    return space;
}

/// The options with the greatest number of factors of any trial, for which memory has to suffice.
TrainOptions greatest(TrainOptions options, const SearchSpace& space) {
    for (const SearchDimension& dimension : space) {
        if (dimension.name != "factors") continue;
        double factors = dimension.maximum;
        for (const OptionValue& value : dimension.values) factors = std::max(factors, std::get<double>(value));
        options.factors = static_cast<int>(factors);
    }
    return options;
}

/// Checks the space, reads the source once and searches. Stores nothing. Throws what a training run throws, and
/// invalid_parameter_value if no rows are held out to measure on.
std::vector<Trial> tune_source(const TrainArguments& arguments, const SearchSpace& space, const TuningOptions& tuning) {
    const TrainOptions& options = arguments.options;
    if (!(options.test_fraction > 0))
        throw SqlError(ERRCODE_INVALID_PARAMETER_VALUE, "test_fraction must be above 0 to tune", "",
                       "Trials are measured on that part of each user's rows.");
    check_space(space, options);
    Progress progress(arguments.model, pg_call([] { return GetUserId(); }));
    Environment environment = make_environment(progress);
    const TrainOptions most = greatest(options, space);
    TrainingFeatures features(arguments, environment);
    Dataset dataset = read_interactions(arguments.source, most, environment, progress, 0, features.memory(most));
    features.join(dataset, environment);
    const std::size_t feature_memory = features.memory(most, dataset.users.size(), dataset.items.size());
    require_training_memory(dataset, most, environment.threads, 0, feature_memory);
    progress.phase("tuning");
    environment.on_phase = [&progress](const char* name, int total) {
        progress.factors(name, total);
        progress.plan(total);
    };
    TrainOptions limited = options;
    limit_search(limited, dataset, 0, feature_memory);
    std::vector<Trial> trials = tune(dataset, limited, space, tuning, environment, features.values());
    progress.phase(nullptr);
    return trials;
}

struct Call {
    RawTrainArguments training;
    Jsonb* search;
    std::int64_t k;
};

Call read_call_unsafe(FunctionCallInfo fcinfo) {
    begin_rows_unsafe(fcinfo);
    return {read_train_arguments_unsafe(fcinfo, 1), PG_ARGISNULL(1) ? nullptr : PG_GETARG_JSONB_P(1),
            PG_ARGISNULL(14) ? 0 : PG_GETARG_INT64(14)};
}

int whole_trials(double trials) {
    if (trials >= 1 && trials <= kMostTrials && trials == std::trunc(trials)) return static_cast<int>(trials);
    throw SqlError(ERRCODE_INVALID_PARAMETER_VALUE,
                   "trials must be a whole number between 1 and " + std::to_string(kMostTrials));
}

void put_trial_unsafe(FunctionCallInfo fcinfo, const Trial& trial, const char* parameters) {
    put_row_unsafe(fcinfo, {Int32GetDatum(trial.number), DirectFunctionCall1(jsonb_in, CStringGetDatum(parameters))},
                   {trial.rmse, trial.ndcg, trial.seconds});
}

}  // namespace

MF_FUNCTION(mf_tune) {
    const Call call = pg_call([fcinfo] { return read_call_unsafe(fcinfo); });
    TuningOptions tuning;
    double trials = tuning.trials;
    const FurtherNumber further[] = {{"seconds", &tuning.seconds}, {"trials", &trials}};
    tuning.k = measured_length(call.k);
    const TrainArguments arguments = check_train_arguments(call.training, further);
    tuning.trials = whole_trials(trials);
    const SearchSpace space = read_search(call.search, arguments.options);
    for (const Trial& trial : tune_source(arguments, space, tuning)) {
        const std::string parameters = write_settings(trial.parameters);
        pg_call([fcinfo, &trial, text = parameters.c_str()] { put_trial_unsafe(fcinfo, trial, text); });
    }
    return Datum{0};
}

}  // namespace mf::pg
