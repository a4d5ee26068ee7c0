#include "pg/features/feature_relation.hpp"

#include <algorithm>

#include "pg/sql/quoting.hpp"

extern "C" {
#include "commands/defrem.h"
}

namespace mf::pg {
namespace {

constexpr const char* kFeatureColumn = "feature";
constexpr const char* kWeightColumn = "weight";

/// What a column's base type is, beside its OID.
struct TypeShape {
    char category;
    Oid element;  ///< of an array, through domains
    char element_category;
};

TypeShape type_shape_unsafe(Oid base) {
    TypeShape shape{};
    bool preferred;
    get_type_category_preferred(base, &shape.category, &preferred);
    const Oid element = get_element_type(base);
    if (!OidIsValid(element)) return shape;
    shape.element = getBaseType(element);
    get_type_category_preferred(shape.element, &shape.element_category, &preferred);
    return shape;
}

/// A column with what its type is.
struct Candidate {
    std::string name;
    ColumnFacts facts;
    TypeShape shape;
};

Candidate candidate_column(const NamedRelation& relation, const std::string& name) {
    const ColumnFacts facts = require_column(relation, name.c_str(), "");
    const Oid base = facts.base;
    return {name, facts, pg_call([base] { return type_shape_unsafe(base); })};
}

bool is_text(Oid base, char category) {
    return category == TYPCATEGORY_STRING || category == TYPCATEGORY_ENUM || base == CHAROID;
}
bool is_text(const Candidate& column) { return is_text(column.facts.base, column.shape.category); }

bool is_number(Oid base) {
    const std::optional<ColumnForm> form = plain_form(base);
    if (!form) return base == NUMERICOID;
    return *form != ColumnForm::Bool && *form != ColumnForm::Uuid && *form != ColumnForm::Text;
}

/// The column in the form that its type has; cast where values of the type are not taken as they are.
std::optional<FeatureColumn> feature_column(const Candidate& candidate) {
    const Oid base = candidate.facts.base;
    FeatureColumn result{plain_column(candidate.name.c_str(), candidate.facts), FeatureForm::Text};
    SourceColumn& column = result.column;
    column.form = ColumnForm::Text;
    const auto cast = [&column](const char* type) {
        column.expression = "(" + column.expression + ")::pg_catalog." + type;
    };
    if (is_text(candidate)) {
        if (plain_form(base) != ColumnForm::Text) cast("text");
    } else if (is_text(candidate.shape.element, candidate.shape.element_category)) {
        result.form = FeatureForm::TextArray;
        if (candidate.shape.element != TEXTOID) cast("text[]");
    } else if (base == JSONBOID || base == JSONOID) {
        result.form = FeatureForm::Json;
        if (base == JSONOID) cast("jsonb");
    } else if (base == BOOLOID) {
        result.form = FeatureForm::Bool;
        column.form = ColumnForm::Bool;
    } else if (is_number(base)) {
        result.form = FeatureForm::Number;
        column = *number_column(candidate.name.c_str(), candidate.facts);
    } else {
        return std::nullopt;
    }
    return result;
}

/// What a view can select in place of a column that cannot be a feature; empty if nothing.
std::string replacement(const Candidate& column) {
    const std::string name = column.facts.quoted;
    switch (column.facts.base) {
        case DATEOID:
        case TIMESTAMPOID:
        case TIMESTAMPTZOID:
            return "extract(year FROM " + name + ")::text AS " + name;
        case TIMEOID:
        case TIMETZOID:
            return "extract(hour FROM " + name + ")::text AS " + name;
        case INTERVALOID:
            return "extract(epoch FROM " + name + ") AS " + name;
        default:
            break;
    }
    switch (column.shape.element) {
        case INT2OID:
        case INT4OID:
        case INT8OID:
        case UUIDOID:
            return name + "::text[] AS " + name;
        default:
            return "";
    }
}

/// The statement that makes a view with a form of each column that can be a feature; empty if there is none, or if it
/// would be too long for a message.
std::string view_statement(const NamedRelation& relation, const SourceColumn& id,
                           const std::vector<Candidate>& candidates) {
    std::string list = quoted_name(id.name);
    bool any = false;
    for (const Candidate& candidate : candidates) {
        const std::string item = feature_column(candidate) ? candidate.facts.quoted : replacement(candidate);
        if (item.empty()) continue;
        list += ", " + item;
        any = true;
    }
    const Oid oid = relation.oid;
    const std::string view =
        quoted_name(pg_call([oid] { return makeObjectName(get_rel_name(oid), nullptr, "features"); }));
    const std::string statement = "CREATE VIEW " + view + " AS SELECT " + list + " FROM " + relation.name + ";";
    constexpr std::size_t kLongest = 1500;
    return any && statement.size() <= kLongest ? statement : "";
}

[[noreturn]] void refuse_column(const NamedRelation& relation, const SourceColumn& id, const Candidate& refused,
                                const std::vector<Candidate>& candidates) {
    const std::string remedy =
        replacement(refused).empty() ? "Leave it out in a view" : "Make it another type in a view, or leave it out";
    const std::string statement = view_statement(relation, id, candidates);
    throw SqlError(ERRCODE_DATATYPE_MISMATCH,
                   "column \"" + refused.name + "\" of type " + refused.facts.type_name + " cannot be a feature",
                   "Features are texts, enums, booleans, numbers, arrays of texts or enums, and jsonb arrays.",
                   remedy + (statement.empty() ? "." : ": " + statement));
}

/// The features of a relation with one row per id: all other columns.
std::vector<FeatureColumn> wide_columns(const NamedRelation& relation, const SourceColumn& id,
                                        const std::vector<std::string>& names) {
    std::vector<Candidate> candidates;
    for (const std::string& name : names)
        if (name != id.name) candidates.push_back(candidate_column(relation, name));
    if (candidates.empty())
        throw SqlError(ERRCODE_UNDEFINED_COLUMN,
                       "relation " + relation.name + " has no column of features beside \"" + id.name + "\"", "",
                       "Give it a column \"feature\" of type text, with a row for each feature of an id, or a column "
                       "for each property, with a row for each id.");
    std::vector<FeatureColumn> columns;
    for (const Candidate& candidate : candidates) {
        // So that `column=value` tells where the column ends, and nothing else is called so.
        if (candidate.name.find('=') != std::string::npos)
            throw SqlError(ERRCODE_INVALID_NAME,
                           "column \"" + candidate.name + "\" cannot be a feature: its name contains \"=\"",
                           "Features are named \"column=value\".", "Give it another name in a view.");
        const std::optional<FeatureColumn> column = feature_column(candidate);
        if (!column) refuse_column(relation, id, candidate, candidates);
        columns.push_back(*column);
    }
    return columns;
}

SourceColumn weight_column(const Candidate& candidate) {
    if (is_number(candidate.facts.base)) return *number_column(kWeightColumn, candidate.facts);
    throw SqlError(ERRCODE_DATATYPE_MISMATCH,
                   std::string("column \"weight\" of type ") + candidate.facts.type_name + " cannot be a weight",
                   "Weights of features are numeric, integer, real or double precision.",
                   "Cast it, give it another name, or leave it out in a view.");
}

}  // namespace

FeatureRelation describe_features(Oid relation, const char* id_column_name, Oid reader) {
    if (!OidIsValid(reader)) reader = GetUserId();
    const NamedRelation named = open_relation(relation, reader, "relation of features");
    const std::vector<std::string> names = column_names(relation);
    const auto has = [&](const char* name) {
        return std::ranges::find(names, name) != names.end() && name != std::string(id_column_name);
    };

    FeatureRelation result;
    result.relation = relation;
    result.name = named.name;
    result.is_rows = has(kFeatureColumn) && is_text(candidate_column(named, kFeatureColumn));
    const bool has_weight = result.is_rows && has(kWeightColumn);
    std::vector<const char*> used{id_column_name};
    if (result.is_rows) {
        used.push_back(kFeatureColumn);
        if (has_weight) used.push_back(kWeightColumn);
    } else {
        for (const std::string& name : names) used.push_back(name.c_str());
    }
    require_select_columns(named, used, reader);

    result.id = id_column(named, id_column_name, "identify what has the features", "Name the column that has the ids.");
    if (!result.is_rows) {
        result.columns = wide_columns(named, result.id, names);
        return result;
    }
    result.columns.push_back(*feature_column(candidate_column(named, kFeatureColumn)));
    result.columns.back().form = FeatureForm::Name;
    if (has_weight) result.weight = weight_column(candidate_column(named, kWeightColumn));
    return result;
}

}  // namespace mf::pg
