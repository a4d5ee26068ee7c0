#include "pg/evaluation/split_tables.hpp"
#include "pg/sql/arguments.hpp"
#include "pg/sql/catalog.hpp"
#include "pg/sql/quoting.hpp"

extern "C" {
#include "nodes/makefuncs.h"
}

namespace mf::pg {
namespace {

struct MethodName {
    std::string_view word;
    SplitMethod method;
};
constexpr MethodName kMethods[] = {
    {"random", SplitMethod::Random}, {"by_user", SplitMethod::ByUser},       {"last", SplitMethod::Last},
    {"time", SplitMethod::Time},     {"cold_items", SplitMethod::ColdItems}, {"cold_users", SplitMethod::ColdUsers}};

SplitMethod method_of(const char* word) {
    for (const MethodName& known : kMethods)
        if (word == known.word) return known.method;
    throw SqlError(ERRCODE_INVALID_PARAMETER_VALUE, std::string("method \"") + word + "\" is not known", "",
                   "Methods: 'random' (interactions), 'by_user' (a share of each user's), 'last' (each user's newest), "
                   "'time' (the newest of all), 'cold_items' (all rows of a share of the items), "
                   "'cold_users' (all rows of a share of the users).");
}

void check_fraction(double fraction) {
    if (fraction > 0 && fraction < 1) return;
    throw SqlError(ERRCODE_INVALID_PARAMETER_VALUE,
                   "test_fraction must be above 0 and below 1, not " + shown_number(fraction), "",
                   "With 0.2 a fifth of the rows goes into the test table.");
}

void check_time_column(SplitMethod method, const char* word, bool given) {
    const bool needed = method == SplitMethod::Last || method == SplitMethod::Time;
    if (needed && !given)
        throw SqlError(ERRCODE_INVALID_PARAMETER_VALUE, std::string("method \"") + word + "\" needs a time column",
                       "Rows of a relation have no order of their own.", "Name it with time_column => '...'.");
    if (given && !needed)
        throw SqlError(ERRCODE_INVALID_PARAMETER_VALUE,
                       std::string("method \"") + word + "\" does not use a time column", "",
                       "Leave time_column out, or use method => 'last' or 'time'.");
}

/// The quoted name, with its schema, of a table that can be created.
std::string new_table(const char* name, const char* role) {
    if (*name == '\0') throw SqlError(ERRCODE_INVALID_NAME, std::string("the name of the ") + role + " table is empty");
    struct Found {
        const char* qualified;
        bool exists;
    };
    const Found found = pg_call([name] {
        const Oid schema = RangeVarGetCreationNamespace(makeRangeVar(nullptr, const_cast<char*>(name), -1));
        return Found{quote_qualified_identifier(get_namespace_name(schema), name),
                     OidIsValid(get_relname_relid(name, schema))};
    });
    if (found.exists)
        throw SqlError(ERRCODE_DUPLICATE_TABLE, std::string("relation ") + found.qualified + " already exists", "",
                       std::string("Drop it, or give another name for the ") + role + " rows.");
    return found.qualified;
}

}  // namespace

SplitArguments check_split_arguments(const RawSplitArguments& raw) {
    require_given(OidIsValid(raw.source), "source");
    require_given(raw.train != nullptr, "train");
    require_given(raw.test != nullptr, "test");
    require_given(!raw.fraction_null, "test_fraction");
    require_given(raw.method != nullptr, "method");
    require_given(raw.user_column != nullptr, "user_column");
    require_given(raw.item_column != nullptr, "item_column");
    require_given(!raw.seed_null, "seed");
    SplitArguments result;
    result.method = method_of(raw.method);
    check_fraction(raw.fraction);
    result.fraction = raw.fraction;
    result.seed = raw.seed;
    check_time_column(result.method, raw.method, raw.time_column != nullptr);
    if (std::string_view(raw.train) == raw.test)
        throw SqlError(ERRCODE_INVALID_PARAMETER_VALUE,
                       std::string("train and test rows cannot both go into table \"") + raw.train + "\"", "",
                       "Give two names.");
    result.source = describe_source(raw.source, {raw.user_column, raw.item_column, nullptr, raw.time_column});
    result.train = new_table(raw.train, "train");
    result.test = new_table(raw.test, "test");
    result.hash_function = quoted_name(schema_name(raw.hash_schema), "mf_split_hash");
    return result;
}

}  // namespace mf::pg
