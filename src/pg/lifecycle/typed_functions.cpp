#include "pg/lifecycle/typed_functions.hpp"

#include <algorithm>
#include <initializer_list>
#include <utility>

#include "pg/sql/quoting.hpp"

namespace mf::pg {
namespace {

/// In all of them {user} and {item} are the types of the model's ids; {id}, {user_id} and {item_id} those of the
/// overload to call for both, for users and for items; {schema} is the extension's, {all} the variant of
/// mf_recommend_all, {model} the name as a literal.
struct Definition {
    const char* name;
    const char* arguments;
    const char* result;
    const char* body;
    const char* labels;
    const char* comment;
};

constexpr const char* kList =
    "TABLE (rank pg_catalog.int4, item_id {item}, score pg_catalog.float4, predicted_rating pg_catalog.float4, "
    "basis pg_catalog.text)";

constexpr Definition kDefinitions[] = {
    {"recommend",
     "user_id {user}, n pg_catalog.int8 DEFAULT 10, candidates {item}[] DEFAULT NULL, exclude {item}[] DEFAULT NULL, "
     "exclude_seen pg_catalog.bool DEFAULT true, diversity pg_catalog.float8 DEFAULT 0",
     kList,
     "SELECT r.rank, r.item_id::{item}, r.score, r.predicted_rating, r.basis"
     " FROM {schema}.mf_recommend($1::{id}, $2, {model}, $5, $3::{id}[], $4::{id}[], NULL, $6)"
     " AS r (item_id, score, predicted_rating, basis, rank)",
     "COST 10000 ROWS 10", "the n best items for a user, best first"},
    {"predict", "user_id {user}, item_id {item}", "pg_catalog.float4",
     "SELECT {schema}.mf_predict($1::{id}, $2::{id}, {model})", "COST 100",
     "the predicted rating, or the preference score, of a user for an item"},
    {"predictions", "user_id {user}, item_ids {item}[] DEFAULT NULL",
     "TABLE (item_id {item}, prediction pg_catalog.float4)",
     "SELECT r.item_id::{item}, r.prediction"
     " FROM {schema}.mf_predictions($1::{id}, $2::{id}[], {model}) AS r (item_id, prediction)",
     "COST 10000 ROWS 1000", "predictions of a user for the given items, or for every item"},
    {"recommend_for",
     "item_ids {item}[], ratings pg_catalog.float8[] DEFAULT NULL, n pg_catalog.int8 DEFAULT 10, "
     "candidates {item}[] DEFAULT NULL, exclude {item}[] DEFAULT NULL, diversity pg_catalog.float8 DEFAULT 0",
     kList,
     "SELECT r.rank, r.item_id::{item}, r.score, r.predicted_rating, r.basis"
     " FROM {schema}.mf_recommend_for($1::{item_id}[], $2, $3, {model}, $4::{item_id}[], $5::{item_id}[], NULL, $6)"
     " AS r (item_id, score, predicted_rating, basis, rank)",
     "COST 10000 ROWS 10", "the n best items for a visitor who has these items, best first"},
    {"recommend_all",
     "n pg_catalog.int8 DEFAULT 10, exclude_seen pg_catalog.bool DEFAULT true, candidates {item}[] DEFAULT NULL, "
     "exclude {item}[] DEFAULT NULL, users {user}[] DEFAULT NULL",
     "TABLE (user_id {user}, item_id {item}, score pg_catalog.float4, rank pg_catalog.int4)",
     "SELECT r.user_id::{user}, r.item_id::{item}, r.score, r.rank"
     " FROM {schema}.{all}($1, {model}, $2, $3::{id}[], $4::{id}[], $5::{id}[])"
     " AS r (user_id, item_id, score, rank)",
     "COST 100000000 ROWS 1000000", "the n best items for every user, or for some, user by user, best first"},
    {"recommend_users",
     "item_id {item}, n pg_catalog.int8 DEFAULT 10, exclude_seen pg_catalog.bool DEFAULT true, "
     "candidates {user}[] DEFAULT NULL",
     "TABLE (rank pg_catalog.int4, user_id {user}, score pg_catalog.float4)",
     "SELECT r.rank, r.user_id::{user}, r.score"
     " FROM {schema}.mf_recommend_users($1::{id}, $2, {model}, $3, $4::{id}[]) AS r (user_id, score, rank)",
     "COST 1000000 ROWS 10", "the n users with the greatest scores for an item, without those who have it"},
    {"similar_items", "item_id {item}, n pg_catalog.int8 DEFAULT 10",
     "TABLE (rank pg_catalog.int4, item_id {item}, similarity pg_catalog.float4)",
     "SELECT r.rank, r.item_id::{item}, r.similarity"
     " FROM {schema}.mf_similar_items($1::{item_id}, $2, {model})"
     " AS r (item_id, similarity, rank)",
     "COST 100000 ROWS 10", "the n items most similar to an item, by the cosine of their factors"},
    {"similar_users", "user_id {user}, n pg_catalog.int8 DEFAULT 10",
     "TABLE (rank pg_catalog.int4, user_id {user}, similarity pg_catalog.float4)",
     "SELECT r.rank, r.user_id::{user}, r.similarity"
     " FROM {schema}.mf_similar_users($1::{user_id}, $2, {model})"
     " AS r (user_id, similarity, rank)",
     "COST 1000000 ROWS 10", "the n users most similar to a user, by the cosine of their factors"},
    {"explain", "user_id {user}, item_id {item}, n pg_catalog.int8 DEFAULT 10",
     "TABLE (item_id {item}, contribution pg_catalog.float4)",
     "SELECT r.item_id::{item}, r.contribution"
     " FROM {schema}.mf_explain($1::{id}, $2::{id}, $3, {model}) AS r (item_id, contribution)",
     "COST 10000 ROWS 10", "which of the user's items the score of an item comes from"},
    {"explain_item", "item_id {item}, n pg_catalog.int8 DEFAULT 10",
     "TABLE (feature pg_catalog.text, weight pg_catalog.float4)",
     "SELECT r.feature, r.weight FROM {schema}.mf_explain_item($1::{item_id}, $2, {model}) AS r (feature, weight)",
     "COST 100000 ROWS 10", "how much of an item's factors comes from each of its features"},
};

/// All bodies begin so; then come the model and the types. To be changed with the arguments or the result of a
/// function: what has another mark is dropped and made anew, not replaced.
constexpr std::string_view kMark = "/* mf_create_functions 1: ";
constexpr std::string_view kAnyMark = "/* mf_create_functions ";

/// Text that cannot end a comment, nor be mistaken for other parts of a mark.
std::string encoded(const std::string& text) {
    std::string result;
    for (const char c : text) {
        const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
                           c == '.' || c == ' ' || c == '-';
        char code[8];
        std::snprintf(code, sizeof code, "%%%02X", static_cast<unsigned>(static_cast<unsigned char>(c)));
        result += plain ? std::string(1, c) : std::string(code);
    }
    return result;
}

std::string model_part(const std::string& model) { return encoded(model) + "; "; }

std::string mark_of(const TypedModel& model) {
    return std::string(kMark) + model_part(model.name) + encoded(model.user_type) + ", " + encoded(model.item_type) +
           " */ ";
}

/// Replaces {name}s in one pass, so that a value may contain what looks like a name.
std::string filled(std::string_view text, std::initializer_list<std::pair<std::string_view, std::string_view>> values) {
    std::string result;
    while (!text.empty()) {
        const auto found = std::ranges::find_if(values, [text](const auto& value) {
            return text.starts_with('{') && text.substr(1).starts_with(value.first) &&
                   text.substr(1 + value.first.size()).starts_with('}');
        });
        if (found == values.end()) {
            result += text.front();
            text.remove_prefix(1);
        } else {
            result += found->second;
            text.remove_prefix(found->first.size() + 2);
        }
    }
    return result;
}

const char* overload_type(IdKind kind) {
    return kind == IdKind::Integer ? "pg_catalog.int8" : kind == IdKind::Uuid ? "pg_catalog.uuid" : "pg_catalog.text";
}

std::string qualified_type(Oid type) {
    struct Found {
        const char* name;
        bool is_array;
    };
    const auto found = pg_call([type] {
        id_kind_unsafe(type);  // raises if it is gone
        const Oid base = getBaseType(type);
        return Found{format_type_extended(base, -1, FORMAT_TYPE_FORCE_QUALIFY), OidIsValid(get_element_type(base))};
    });
    if (found.is_array)  // there are no arrays of arrays for the arguments that list items
        throw SqlError(ERRCODE_FEATURE_NOT_SUPPORTED,
                       std::string("there are no functions for ids of type ") + found.name, "",
                       "Train the model on a view that casts the ids to text.");
    return found.name;
}

}  // namespace

TypedModel typed_model(const std::string& name, Oid user_type, Oid item_type) {
    return {name, qualified_type(user_type), qualified_type(item_type),
            pg_call([user_type] { return id_kind_unsafe(user_type); }),
            pg_call([item_type] { return id_kind_unsafe(item_type); })};
}

std::vector<TypedFunction> typed_functions(const TypedModel& model, const std::string& extension,
                                           const std::string& schema, const std::string& prefix) {
    const bool alike = model.user_kind == model.item_kind;
    const IdKind kind = alike ? model.user_kind : IdKind::Text;
    const char* const all = kind == IdKind::Integer ? "mf_recommend_all"
                            : kind == IdKind::Uuid  ? "mf_recommend_all_uuid"
                                                    : "mf_recommend_all_text";
    const std::string literal = quoted_literal(model.name) + "::pg_catalog.text";
    const auto fill = [&](const char* text) {
        return filled(text, {{"user", model.user_type},
                             {"item", model.item_type},
                             {"id", overload_type(kind)},
                             {"user_id", overload_type(model.user_kind)},
                             {"item_id", overload_type(model.item_kind)},
                             {"all", all},
                             {"schema", extension},
                             {"model", literal}});
    };
    std::vector<TypedFunction> functions;
    for (const Definition& definition : kDefinitions) {
        TypedFunction function;
        function.name = prefix + definition.name;
        if (function.name.size() >= NAMEDATALEN)
            throw SqlError(ERRCODE_NAME_TOO_LONG,
                           "\"" + function.name + "\" is too long for the name of a function, which has at most " +
                               std::to_string(NAMEDATALEN - 1) + " bytes",
                           "", "Pass a shorter prefix.");
        function.create = "CREATE OR REPLACE FUNCTION " + quoted_name(schema, function.name) + "(" +
                          fill(definition.arguments) + ") RETURNS " + fill(definition.result) +
                          " LANGUAGE sql STABLE PARALLEL RESTRICTED " + definition.labels + " AS " +
                          quoted_literal(mark_of(model) + fill(definition.body));
        function.comment =
            std::string(definition.comment) + "; made by mf_create_functions for model \"" + model.name + "\"";
        functions.push_back(std::move(function));
    }
    return functions;
}

std::vector<std::string> typed_function_names() {
    std::vector<std::string> names;
    for (const Definition& definition : kDefinitions) names.push_back(definition.name);
    return names;
}

bool is_typed_body(std::string_view body) { return body.starts_with(kAnyMark); }

bool is_body_for_model(std::string_view body, const std::string& model) {
    const std::size_t begin = body.find(": ");
    return is_typed_body(body) && begin != std::string_view::npos &&
           body.substr(begin + 2).starts_with(model_part(model));
}

bool is_body_for_types(std::string_view body, const TypedModel& model) { return body.starts_with(mark_of(model)); }

}  // namespace mf::pg
