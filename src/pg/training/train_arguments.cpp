#include "pg/training/train_arguments.hpp"

#include <cmath>

#include "core/distributed/pack.hpp"
#include "core/training/trainers.hpp"
#include "pg/sql/arguments.hpp"
#include "pg/wall/guc.hpp"

namespace mf::pg {
namespace {

Feedback feedback_of(const char* word) {
    if (word == nullptr || std::string_view(word) == "explicit") return Feedback::Explicit;
    if (std::string_view(word) == "implicit") return Feedback::Implicit;
    throw SqlError(ERRCODE_INVALID_PARAMETER_VALUE, std::string("feedback \"") + word + "\" is not known", "",
                   "Use 'explicit' for opinions such as stars, 'implicit' for counts of actions.");
}

/// The trainers of one table, as in "'als' for explicit feedback".
template <class Table>
std::string names(const Table& trainers, const char* feedback) {
    std::string result;
    for (const auto* trainer : trainers) result += (result.empty() ? "'" : ", '") + std::string(trainer->name) + "'";
    return result + " for " + feedback + " feedback";
}

std::optional<Algorithm> algorithm_of(const char* word, Feedback feedback) {
    if (word == nullptr) return std::nullopt;
    if (const Trainer* trainer = find_trainer(feedback, word)) return trainer->algorithm;
    const bool is_explicit = feedback == Feedback::Explicit;
    const bool is_other = find_trainer(is_explicit ? Feedback::Implicit : Feedback::Explicit, word) != nullptr;
    throw SqlError(
        ERRCODE_INVALID_PARAMETER_VALUE,
        std::string("algorithm \"") + word + "\" is not " +
            (!is_other     ? "known"
             : is_explicit ? "for explicit feedback"
                           : "for implicit feedback"),
        "", "Algorithms: " + names(kRatingTrainers, "explicit") + ", " + names(kRankingTrainers, "implicit") + ".");
}

void require(const char* value, const char* name) {
    if (value == nullptr) throw SqlError(ERRCODE_NULL_VALUE_NOT_ALLOWED, std::string(name) + " must not be NULL");
}

std::string model_name(const RawTrainArguments& raw) {
    const Oid relation = raw.source;
    const char* name = raw.model != nullptr ? raw.model : pg_call([relation] { return get_rel_name(relation); });
    if (name == nullptr) return "";  // no such relation: describe_source says so
    check_new_model_name(name);
    return name;
}

void set_numbers(const RawTrainArguments& raw, TrainOptions* options) {
    options->search.enabled = setting_search();
    options->search.memory = setting_max_memory();
    if (!raw.factors_null) set_option(*options, "factors", raw.factors);
    options->seed = static_cast<std::uint64_t>(raw.seed);
    options->test_fraction = raw.test_fraction;
    if (!raw.iterations_null) set_option(*options, "iterations", raw.iterations);
    if (!raw.regularization_null) set_option(*options, "regularization", raw.regularization);
}

void check_time_column(const TrainOptions& options, const RunOptions& run) {
    if (run.time_column) return;
    if (options.duplicates_rule() == Duplicates::Last)
        throw SqlError(ERRCODE_INVALID_PARAMETER_VALUE, "duplicates \"last\" needs a time column",
                       "Rows of a relation have no order of their own.",
                       R"(Name it: options => '{"duplicates": "last", "time_column": "..."}'.)");
    if (run.half_life || run.popular_half_life)
        throw SqlError(ERRCODE_INVALID_PARAMETER_VALUE, "a half-life needs a time column", "",
                       R"(Name it: options => '{"half_life": "30 days", "time_column": "..."}'.)");
}

/// Seconds of an interval, whose months have 30 days. Throws as the input of such a value.
double seconds_of(const std::string& interval) {
    return pg_call([text = interval.c_str()] {
        const Interval* span = DatumGetIntervalP(
            DirectFunctionCall3(interval_in, CStringGetDatum(text), ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1)));
        return (static_cast<double>(span->month) * DAYS_PER_MONTH + static_cast<double>(span->day)) * SECS_PER_DAY +
               static_cast<double>(span->time) / USECS_PER_SEC;
    });
}

/// The option in the unit of the column.
double in_unit_of(const TimeSpan& span, const std::string& option, const SourceColumn& time) {
    const bool is_number = std::holds_alternative<double>(span);
    if (is_number != time.is_number)
        throw SqlError(ERRCODE_INVALID_PARAMETER_VALUE,
                       "option \"" + option + "\" must be " + (is_number ? "an interval" : "a number"),
                       "The times in column \"" + time.name + "\" are of type " + type_name(time.type) + ".",
                       is_number ? "Write {\"" + option + "\": \"30 days\"}."
                                 : "Write a number in the unit of that column, such as {\"" + option +
                                       "\": 2592000} for 30 days of seconds.");
    const double value = is_number ? std::get<double>(span) : seconds_of(std::get<std::string>(span));
    constexpr double kLongest = 1e15;  // thirty million years of seconds
    if (!(value > 0))
        throw SqlError(ERRCODE_INVALID_PARAMETER_VALUE, "option \"" + option + "\" must be longer than zero", "",
                       R"(A year, "365 days", is slow; a day is fast.)");
    if (value > kLongest)
        throw SqlError(ERRCODE_INVALID_PARAMETER_VALUE,
                       "option \"" + option + "\" must be at most " + shown_number(kLongest), "",
                       "With a half-life that long all interactions count alike: leave the option out.");
    return value;
}

void check_engine(const RunOptions& run, TrainArguments& arguments) {
    const std::string engine = run.engine.value_or("local");
    if (engine != "local" && engine != "distributed")
        throw SqlError(ERRCODE_INVALID_PARAMETER_VALUE, "engine \"" + engine + "\" is not known", "",
                       R"(The values are "local" and "distributed".)");
    arguments.is_distributed = engine == "distributed";
    const std::string exchange = run.exchange.value_or("auto");
    if (exchange != "auto" && exchange != "single" && exchange != "half")
        throw SqlError(ERRCODE_INVALID_PARAMETER_VALUE, "exchange \"" + exchange + "\" is not known", "",
                       R"(The values are "auto", "single" and "half".)");
    arguments.exchange = exchange == "auto"     ? Exchange::Steps
                         : exchange == "single" ? Exchange::Single
                                                : Exchange::Half;
    if (run.exchange && !arguments.is_distributed)
        throw SqlError(ERRCODE_INVALID_PARAMETER_VALUE, "exchange is for distributed training runs only", "",
                       R"(Add "engine": "distributed", or leave "exchange" out.)");
    if (run.buckets) {
        const double buckets = *run.buckets;
        if (!arguments.is_distributed)
            throw SqlError(ERRCODE_INVALID_PARAMETER_VALUE, "buckets are for distributed training runs only", "",
                           R"(Add "engine": "distributed", or leave "buckets" out.)");
        if (!(buckets >= 1 && buckets <= kMostBuckets) || buckets != std::floor(buckets))
            throw SqlError(ERRCODE_INVALID_PARAMETER_VALUE, "buckets must be a whole number between 1 and " +
                                                                std::to_string(kMostBuckets) + ", not " +
                                                                shown_number(buckets));
        arguments.buckets = static_cast<std::uint32_t>(buckets);
    }
    if (!arguments.is_distributed) return;
    const char* left_out = run.item_features || run.user_features       ? "features of items or users"
                           : run.half_life || run.popular_half_life     ? "a half-life"
                           : arguments.options.dislikes                 ? "dislikes"
                           : arguments.options.storage == Storage::Half ? "\"storage\": \"half\""
                                                                        : nullptr;
    if (left_out != nullptr)
        throw SqlError(ERRCODE_FEATURE_NOT_SUPPORTED, std::string("distributed training runs do not take ") + left_out,
                       "", R"(Leave that option out, or "engine".)");
}

void check_negative(const RunOptions& run, TrainOptions& options) {
    if (!run.negative) return;
    if (*run.negative != "error" && *run.negative != "dislike")
        throw SqlError(ERRCODE_INVALID_PARAMETER_VALUE,
                       "option \"negative\" does not accept the value \"" + *run.negative + "\"", "",
                       R"(The values are "error" and "dislike".)");
    options.dislikes = *run.negative == "dislike";
    if (options.dislikes && options.feedback == Feedback::Explicit)
        throw SqlError(ERRCODE_INVALID_PARAMETER_VALUE, R"(option "negative" is for implicit feedback only)",
                       "Explicit ratings may be negative.", "Leave it out, or pass feedback => 'implicit'.");
}

void check_publication(const TrainArguments& arguments) {
    if (!arguments.publish_if) return;
    const auto refuse = [](const char* fact, const char* hint) {
        throw SqlError(ERRCODE_INVALID_PARAMETER_VALUE, fact, "", hint);
    };
    if (!arguments.publish)
        refuse(R"("publish" is false, and "publish_if" says when to publish)", "Leave one of the two options out.");
    if (!(arguments.options.test_fraction > 0))
        refuse(R"("publish_if" compares versions on held-out rows, and none are held out)",
               "Pass test_fraction => 0.1 as well.");
    if (!std::isnan(arguments.publish_if->most_rmse) && arguments.options.feedback == Feedback::Implicit)
        refuse(R"("test_rmse" of "publish_if" is for explicit feedback)", R"(Use "test_ndcg".)");
    if (arguments.is_distributed)
        throw SqlError(ERRCODE_FEATURE_NOT_SUPPORTED, R"(distributed training runs do not take "publish_if")", "",
                       R"(Use "publish": false, mf_evaluate on both versions, and mf_set_live.)");
}

/// A relation of features in the options.
struct NamedFeatures {
    const char* option;
    const char* of;           ///< what has the features
    const std::string& name;  ///< of the relation
    Oid former;               ///< of the training run that this one repeats
    const SourceColumn& ids;  ///< in the source
};

/// The relation, and its column of ids, which is called like that of the source.
FeatureRelation describe_named_features(const NamedFeatures& named, bool repeats) {
    const Oid relation = repeats ? named.former : pg_call([name = named.name.c_str()] {
        return DatumGetObjectId(DirectFunctionCall1(regclassin, CStringGetDatum(name)));
    });
    const std::string option = named.option, of = named.of;
    if (!relation_exists(relation))
        throw SqlError(ERRCODE_UNDEFINED_TABLE, "the relation of " + option + " does not exist", "",
                       "Name a relation with features of " + of + ": options => '{\"" + option + "\": \"...\"}'.");
    FeatureRelation features = describe_features(relation, named.ids.name.c_str());
    if (features.id.kind() != named.ids.kind()) {
        const auto type = [](const SourceColumn& column) { return type_name(column.type); };
        throw SqlError(ERRCODE_DATATYPE_MISMATCH,
                       "column \"" + features.id.name + "\" of " + features.name + " is of type " + type(features.id) +
                           ", and " + of + " are of type " + type(named.ids),
                       "", "Make a view of " + features.name + " whose column has the type of the " + of + ".");
    }
    return features;
}

}  // namespace

RawTrainArguments read_train_arguments_unsafe(FunctionCallInfo fcinfo, int inserted) {
    int number = inserted;  // of the argument read last
    const auto next = [&] { return !PG_ARGISNULL(++number); };
    const auto name = [&]() -> const char* { return next() ? NameStr(*PG_GETARG_NAME(number)) : nullptr; };
    RawTrainArguments raw{};
    raw.source = PG_ARGISNULL(0) ? InvalidOid : PG_GETARG_OID(0);
    raw.model = text_argument_unsafe(fcinfo, ++number);
    raw.user_column = name();
    raw.item_column = name();
    raw.rating_column = name();
    raw.feedback = text_argument_unsafe(fcinfo, ++number);
    raw.algorithm = text_argument_unsafe(fcinfo, ++number);
    raw.factors_null = !next();
    raw.factors = raw.factors_null ? 0 : PG_GETARG_INT32(number);
    raw.iterations_null = !next();
    raw.iterations = raw.iterations_null ? 0 : PG_GETARG_INT32(number);
    raw.regularization_null = !next();
    raw.regularization = raw.regularization_null ? 0 : PG_GETARG_FLOAT8(number);
    raw.test_fraction = next() ? PG_GETARG_FLOAT8(number) : 0;
    raw.seed = next() ? PG_GETARG_INT64(number) : 1;
    raw.options = next() ? PG_GETARG_JSONB_P(number) : nullptr;
    raw.options_text = raw.options == nullptr
                           ? "{}"
                           : JsonbToCString(nullptr, &raw.options->root, static_cast<int>(VARSIZE(raw.options)));
    return raw;
}

TrainArguments check_train_arguments(const RawTrainArguments& raw, std::span<const FurtherNumber> further) {
    if (!OidIsValid(raw.source)) throw SqlError(ERRCODE_NULL_VALUE_NOT_ALLOWED, "source must not be NULL");
    require(raw.user_column, "user_column");
    require(raw.item_column, "item_column");
    TrainArguments result;
    result.options.feedback = feedback_of(raw.feedback);
    result.options.algorithm = algorithm_of(raw.algorithm, result.options.feedback);
    if (raw.rating_column == nullptr && result.options.feedback == Feedback::Explicit)
        throw SqlError(ERRCODE_INVALID_PARAMETER_VALUE, "explicit feedback needs a rating column", "",
                       "Use feedback => 'implicit' if every row is one interaction.");
    result.model = model_name(raw);
    result.model_is_given = raw.model != nullptr;
    set_numbers(raw, &result.options);
    RunOptions run;
    std::optional<std::string>& time_column = run.time_column;
    if (raw.options != nullptr) apply_options(raw.options, result.options, run, further);
    result.options_json = raw.options_text;
    if (raw.repeats) {
        result.options.search.enabled = false;
        if (raw.found != nullptr) {
            apply_options(raw.found, result.options, run);
            result.found_json = raw.found_text;
        }
    }
    result.publish = run.publish;
    result.publish_if = run.publish_if;
    result.store_users = run.store_users;
    check_negative(run, result.options);
    result.options.validate();
    check_engine(run, result);
    check_publication(result);
    check_time_column(result.options, run);
    result.source =
        describe_source(raw.source, {raw.user_column, raw.item_column, raw.rating_column,
                                     time_column ? time_column->c_str() : nullptr, raw.tenant_column, raw.tenant});
    const Source& source = result.source;
    TrainOptions& options = result.options;
    if (run.half_life) options.half_life = in_unit_of(*run.half_life, "half_life", *source.time);
    options.popular_half_life = options.half_life;
    if (run.popular_half_life)
        options.popular_half_life = in_unit_of(*run.popular_half_life, "popular_half_life", *source.time);
    // Histories are read without what makes no difference.
    if (options.popular_half_life == 0 && options.duplicates_rule() != Duplicates::Last) result.source.time.reset();
    if (run.item_features)
        result.item_features = describe_named_features(
            {"item_features", "items", *run.item_features, raw.item_features, source.item}, raw.repeats);
    if (run.user_features)
        result.user_features = describe_named_features(
            {"user_features", "users", *run.user_features, raw.user_features, source.user}, raw.repeats);
    return result;
}

}  // namespace mf::pg
