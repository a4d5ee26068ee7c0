#include "pg/training/run_options.hpp"

#include <algorithm>
#include <cmath>

#include "pg/sql/arguments.hpp"
#include "pg/sql/json_entries.hpp"

namespace mf::pg {
namespace {

[[noreturn]] void refuse(const std::string& fact, const std::string& hint = "") {
    throw SqlError(ERRCODE_INVALID_PARAMETER_VALUE, fact, "", hint);
}

std::string option(const JsonEntry& entry) { return "option \"" + std::string(entry.key) + "\""; }

std::string given(const JsonEntry& entry) {
    switch (entry.type) {
        case jbvNull:
            return "null";
        case jbvBool:
            return entry.boolean ? "true" : "false";
        case jbvNumeric:
            return "the number " + shown_number(entry.number);
        case jbvString:
            return '"' + std::string(entry.word) + '"';
        default:
            return "a list or an object";
    }
}

/// type: what the option takes.
[[noreturn]] void refuse_type(const JsonEntry& entry, const char* type, const std::string& hint = "") {
    refuse(option(entry) + " must be " + type + ", not " + given(entry), hint);
}

bool boolean(const JsonEntry& entry) {
    if (entry.type != jbvBool) refuse_type(entry, "true or false");
    return entry.boolean;
}

double number(const JsonEntry& entry) {
    if (entry.type != jbvNumeric) refuse_type(entry, "a number");
    return entry.number;
}

std::string text(const JsonEntry& entry) {
    if (entry.type != jbvString) refuse_type(entry, "a string");
    return std::string(entry.word);
}

TimeSpan time_span(const JsonEntry& entry) {
    if (entry.type == jbvNumeric) return entry.number;
    if (entry.type == jbvString) return std::string(entry.word);
    refuse_type(entry, "an interval or a number",
                "Write {\"" + std::string(entry.key) + "\": \"30 days\"}, or a number if the times are numbers.");
}

PublicationTerms publication_terms(const JsonEntry& entry) {
    JsonEntries terms{};
    if (entry.type == jbvBinary) terms = pg_call([&entry] { return json_entries_unsafe(entry.inner); });
    if (!terms.is_object || terms.count == 0)
        refuse(option(entry) + " must be an object with a figure",
               R"(Write {"publish_if": {"test_ndcg": 0.95}}, or "test_rmse".)");
    PublicationTerms result;
    for (const JsonEntry& term : terms.span()) {
        double* const ratio = term.key == "test_ndcg"   ? &result.least_ndcg
                              : term.key == "test_rmse" ? &result.most_rmse
                                                        : nullptr;
        const std::string key(term.key);
        if (ratio == nullptr)
            refuse(option(entry) + " knows no figure \"" + key + "\"",
                   R"(The figures are "test_ndcg" and "test_rmse".)");
        if (term.type != jbvNumeric || !(term.number > 0 && std::isfinite(term.number)))
            refuse("\"" + key + "\" of " + option(entry) + " must be a number above 0",
                   "It is multiplied by the live version's figure.");
        *ratio = term.number;
    }
    return result;
}

/// What is done with an option that is none of the core.
struct OwnOption {
    std::string_view name;
    void (*apply)(const JsonEntry& entry, TrainOptions& options, RunOptions& run);
};

constexpr OwnOption kOwnOptions[] = {
    {"search",
     [](const JsonEntry& entry, TrainOptions& options, RunOptions&) { options.search.enabled = boolean(entry); }},
    {"publish", [](const JsonEntry& entry, TrainOptions&, RunOptions& run) { run.publish = boolean(entry); }},
    {"publish_if",
     [](const JsonEntry& entry, TrainOptions&, RunOptions& run) { run.publish_if = publication_terms(entry); }},
    {"store_users", [](const JsonEntry& entry, TrainOptions&, RunOptions& run) { run.store_users = boolean(entry); }},
    {"time_column", [](const JsonEntry& entry, TrainOptions&, RunOptions& run) { run.time_column = text(entry); }},
    {"half_life", [](const JsonEntry& entry, TrainOptions&, RunOptions& run) { run.half_life = time_span(entry); }},
    {"popular_half_life",
     [](const JsonEntry& entry, TrainOptions&, RunOptions& run) { run.popular_half_life = time_span(entry); }},
    {"negative", [](const JsonEntry& entry, TrainOptions&, RunOptions& run) { run.negative = text(entry); }},
    {"item_features", [](const JsonEntry& entry, TrainOptions&, RunOptions& run) { run.item_features = text(entry); }},
    {"user_features", [](const JsonEntry& entry, TrainOptions&, RunOptions& run) { run.user_features = text(entry); }},
    {"engine", [](const JsonEntry& entry, TrainOptions&, RunOptions& run) { run.engine = text(entry); }},
    {"exchange", [](const JsonEntry& entry, TrainOptions&, RunOptions& run) { run.exchange = text(entry); }},
    {"buckets", [](const JsonEntry& entry, TrainOptions&, RunOptions& run) { run.buckets = number(entry); }},
};

/// Null for an option of the core.
const OwnOption* find_own(std::string_view name) {
    const auto* const found = std::ranges::find(kOwnOptions, name, &OwnOption::name);
    return found != std::end(kOwnOptions) ? found : nullptr;
}

// The core lists these options in its messages.
static_assert(std::ranges::all_of(kResolvedElsewhere, [](std::string_view name) {
    return std::ranges::find(kOwnOptions, name, &OwnOption::name) != std::end(kOwnOptions);
}));
static_assert(std::size(kResolvedElsewhere) == std::size(kOwnOptions));

void set_option(const JsonEntry& entry, TrainOptions& options) {
    if (entry.type == jbvNumeric) return mf::set_option(options, entry.key, entry.number);
    if (entry.type == jbvString) return mf::set_option(options, entry.key, entry.word);
    refuse_type(entry, option_is_text(options, entry.key) ? "a string" : "a number");
}

}  // namespace

void apply_options(Jsonb* json, TrainOptions& options, RunOptions& run, std::span<const FurtherNumber> further) {
    const JsonEntries all = pg_call([json] { return json_entries_unsafe(&json->root); });
    if (!all.is_object) refuse("options must be a JSON object", "Write options => '{\"name\": value}'.");
    for (const JsonEntry& entry : all.span()) {
        const auto also = std::ranges::find(further, entry.key, &FurtherNumber::name);
        if (also != further.end())
            *also->value = number(entry);
        else if (const OwnOption* own = find_own(entry.key))
            own->apply(entry, options, run);
        else
            set_option(entry, options);
    }
}

}  // namespace mf::pg
