// mf_split: a source's rows in two new tables.
#pragma once

#include "pg/sql/source.hpp"

namespace mf::pg {

enum class SplitMethod {
    Random,  ///< cells by a hash
    ByUser,  ///< of each user a share of the cells by a hash
    Last,    ///< of each user the newest rows
    Time,    ///< the newest rows of all
};

/// mf_split's arguments as they came; null pointers are NULLs.
struct RawSplitArguments {
    Oid source;
    const char* train;
    const char* test;
    bool fraction_null;
    double fraction;
    const char* method;
    const char* time_column;
    const char* user_column;
    const char* item_column;
    bool seed_null;
    std::int64_t seed;
    Oid hash_schema;  ///< schema of mf_split_hash
};

struct SplitArguments {
    Source source;
    SplitMethod method = SplitMethod::ByUser;
    double fraction = 0;
    std::int64_t seed = 0;
    std::string train;  ///< quoted, with the schema that the caller creates in
    std::string test;
    std::string hash_function;  ///< likewise
};

/// Everything that can be found wrong before anything is created. Throws with SQLSTATE, value and hint.
SplitArguments check_split_arguments(const RawSplitArguments& raw);

struct SplitSizes {
    std::int64_t train;
    std::int64_t test;
};

/// Creates and fills the two tables with the rights of the current user. The source is read once, by one statement, so
/// both sides come from one snapshot.
SplitSizes create_split_tables(const SplitArguments& arguments);

}  // namespace mf::pg
