// mf_split: copies a source's rows into two new tables.
#pragma once

#include "pg/sql/source.hpp"

namespace mf::pg {

enum class SplitMethod {
    Random,     ///< cells chosen by a hash
    ByUser,     ///< a share of each user's cells, chosen by a hash
    Last,       ///< the latest rows of each user
    Time,       ///< the latest of all rows
    ColdItems,  ///< all rows of a share of the items, chosen by a hash
    ColdUsers,  ///< all rows of a share of the users, chosen by a hash
};

/// mf_split's arguments as given; null pointers are NULLs.
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

/// Checks all that can be checked before anything is created. Errors have an SQLSTATE, the wrong value and a hint.
SplitArguments check_split_arguments(const RawSplitArguments& raw);

struct SplitSizes {
    std::int64_t train;
    std::int64_t test;
};

/// Creates and fills the two tables with the rights of the current user. One statement reads the source once, so both
/// tables come from one snapshot.
SplitSizes create_split_tables(const SplitArguments& arguments);

}  // namespace mf::pg
