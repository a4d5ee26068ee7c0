#include "pg/lifecycle/model_copies.hpp"

#include "pg/sql/citus.hpp"
#include "pg/sql/own_tables.hpp"
#include "pg/sql/quoting.hpp"
#include "pg/wall/guard.hpp"

namespace mf::pg {
namespace {

std::string copy_name(const Catalog& catalog, const CopiedTable& table) {
    return extension_schema(catalog) + "." + table.copy;
}

/// `sql` with the copies of the models, the factors of items and so on for {models copy}, {item_factors copy} …, and as
/// with_table_names().
std::string with_copy_names(const Catalog& catalog, std::string sql) {
    constexpr std::string_view names[] = {"{model_copy}", "{item_factor_copy}", "{item_feature_copy}",
                                          "{user_feature_copy}", "{grant_copy}"};
    for (std::size_t i = 0; i < std::size(names); ++i) replace_all(sql, names[i], copy_name(catalog, kCopiedTables[i]));
    return with_table_names(catalog, std::move(sql));
}

/// Runs a statement, with the name of a model for $1.
StatementResult run(const Catalog& catalog, const std::string& sql, const std::string& model) {
    return pg_call([&catalog, statement = sql.c_str(), model = model.c_str()] {
        const Parameter name = text_parameter_unsafe(model);
        return run_statement_unsafe(catalog, statement, 1, &name);
    });
}

StatementResult run_with_names(const Catalog& catalog, const std::string& sql, const std::string& model) {
    return run(catalog, with_copy_names(catalog, sql), model);
}

void run_alone(const Catalog& catalog, const std::string& sql) {
    pg_call([&catalog, statement = sql.c_str()] { run_statement_unsafe(catalog, statement, 0, nullptr); });
}

/// Names of the columns of a relation, as a list.
std::string columns_of(Oid relation) {
    return pg_call([relation] {
        Relation opened = relation_open(relation, AccessShareLock);
        const TupleDesc descriptor = RelationGetDescr(opened);
        StringInfoData list;
        initStringInfo(&list);
        for (int i = 0; i < descriptor->natts; ++i)
            if (const Form_pg_attribute column = TupleDescAttr(descriptor, i); !column->attisdropped)
                appendStringInfo(&list, "%s%s", list.len > 0 ? ", " : "", quote_identifier(NameStr(column->attname)));
        relation_close(opened, AccessShareLock);
        return static_cast<const char*>(list.data);
    });
}

Oid copy_of(const Catalog& catalog, const CopiedTable& table) {
    return pg_call([name = table.copy, schema = catalog.schema] { return get_relname_relid(name, schema); });
}

/// Whether the tables are there, are reference tables, and have the columns of what they are copies of: those of an
/// extension that was updated or dropped in between do not.
bool copies_fit(const Catalog& catalog) {
    for (const CopiedTable& table : kCopiedTables) {
        const Oid copy = copy_of(catalog, table);
        if (!OidIsValid(copy) || pg_call([copy] { return reference_shard_unsafe(copy); }) == 0) return false;
        if (columns_of(copy) != columns_of(table.original(catalog))) return false;
    }
    return true;
}

/// `INSERT INTO copy SELECT FROM table`, of the columns of the copy.
std::string copying(const Catalog& catalog, const CopiedTable& table, const char* condition) {
    const std::string columns = columns_of(copy_of(catalog, table));
    const std::string from = qualified_name(table.original(catalog));
    return with_table_names(catalog, "INSERT INTO " + copy_name(catalog, table) + " (" + columns + ") SELECT " +
                                         columns + " FROM " + from + " AS f WHERE " + condition);
}

/// A relation that a model reads, by its name; null: none. On other nodes it may not be known.
struct Reads {
    const char* what;
    const char* column;
};
constexpr Reads kRead[] = {{"the source", "source"},
                           {"the relation of the features of items", "item_features"},
                           {"the relation of the features of users", "user_features"}};

/// `had_copies`: the model had them before.
void require_relations_on_nodes(const Catalog& catalog, const std::string& model, bool had_copies) {
    for (const Reads& read : kRead) {
        const std::string relation = std::string("m.") + read.column;
        const StatementResult local = run_with_names(
            catalog,
            "SELECT " + relation +
                "::regclass::oid::int4 FROM {models} m JOIN pg_catalog.pg_class c ON c.oid = " + relation +
                "::regclass WHERE model = $1 AND live AND NOT EXISTS (SELECT FROM pg_catalog.pg_dist_object WHERE"
                " classid = 'pg_catalog.pg_class'::regclass AND objsubid = 0 AND objid = c.oid)",
            model);
        if (!local.has_first) continue;
        const Oid oid = static_cast<Oid>(local.first);
        const std::string name = qualified_name(oid);
        throw SqlError(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE,
                       name + " is on the coordinator only, and model \"" + model + "\" is for all nodes",
                       std::string("It is ") + read.what + ", which the nodes read when they serve the model.",
                       "Distribute it with create_distributed_table or create_reference_table, a view by way of the "
                       "tables that it reads." +
                           (had_copies ? " Or leave the model to the coordinator: SELECT mf_undistribute_model(" +
                                             quoted_literal(model) + ");"
                                       : std::string()));
    }
}

/// Names of the models that have copies.
std::vector<std::string> copied_models(const Catalog& catalog) {
    if (!OidIsValid(catalog.model_copies)) return {};
    const std::string sql = with_copy_names(catalog, "SELECT model::pg_catalog.text FROM {model_copy}");
    struct Names {
        std::uint64_t count;
        const char** names;
    };
    const Names found = pg_call([&catalog, statement = sql.c_str()] {
        Names result{};
        execute_unsafe(relation_owner_unsafe(catalog.models), {statement, 0, nullptr},
                       [&result](std::uint64_t rows, const SPITupleTable* table) {
                           result = {rows, static_cast<const char**>(palloc(sizeof(char*) * (rows + 1)))};
                           for (std::uint64_t i = 0; i < rows; ++i)
                               result.names[i] = pstrdup(SPI_getvalue(table->vals[i], table->tupdesc, 1));
                       });
        return result;
    });
    return {found.names, found.names + found.count};
}

void delete_factors(const Catalog& catalog, const std::string& model) {
    for (const char* factors : {"{item_factor_copy}", "{item_feature_copy}", "{user_feature_copy}"})
        run_with_names(catalog,
                       std::string("DELETE FROM ") + factors +
                           " WHERE model_id IN (SELECT model_id FROM {model_copy} WHERE model = $1)",
                       model);
}

/// Once the factors are no longer looked up by them.
void delete_rows(const Catalog& catalog, const std::string& model) {
    run_with_names(catalog, "DELETE FROM {model_copy} WHERE model = $1", model);
    run_with_names(catalog, "DELETE FROM {grant_copy} WHERE model = $1", model);
}

void write_copies(const Catalog& catalog, const std::string& model) {
    // The factors, which are most of it, stay where neither another version is live nor its items were refreshed.
    const bool same =
        run_with_names(catalog,
                       "SELECT 1 FROM {models} m WHERE model = $1 AND live AND EXISTS (SELECT FROM {model_copy} c WHERE"
                       " c.model_id = m.model_id AND"
                       " coalesce(c.refreshed_at, c.trained_at) = coalesce(m.refreshed_at, m.trained_at))",
                       model)
            .has_first;
    if (!same) delete_factors(catalog, model);
    delete_rows(catalog, model);
    run(catalog, copying(catalog, kCopiedTables[0], "model = $1 AND live"), model);
    // A grant to a role that was dropped would be one to nobody.
    run(catalog,
        copying(catalog, kCopiedTables[4],
                "model = $1 AND EXISTS (SELECT FROM {models} m WHERE m.model = $1)"
                " AND (grantee = 0 OR EXISTS (SELECT FROM pg_catalog.pg_roles WHERE oid = grantee))"),
        model);
    if (same) return;
    for (const int factors : {1, 2, 3})
        run(catalog,
            copying(catalog, kCopiedTables[factors],
                    "model_id = (SELECT model_id FROM {models} WHERE model = $1 AND live)"),
            model);
}

void make_tables(const Catalog& catalog) {
    constexpr const char* constraints[] = {
        ("CONSTRAINT mf_model_copy_pkey PRIMARY KEY (model_id), "
         "CONSTRAINT mf_model_copy_version_key UNIQUE (model, version)"),
        "CONSTRAINT mf_item_factor_copy_pkey PRIMARY KEY (model_id, item_id)",
        "CONSTRAINT mf_item_feature_copy_pkey PRIMARY KEY (model_id, feature)",
        "CONSTRAINT mf_user_feature_copy_pkey PRIMARY KEY (model_id, feature)",
        "CONSTRAINT mf_grant_copy_pkey PRIMARY KEY (model, grantee)",
    };
    static_assert(std::size(constraints) == std::size(kCopiedTables));
    for (std::size_t i = 0; i < std::size(kCopiedTables); ++i) {
        const CopiedTable& table = kCopiedTables[i];
        const std::string copy = copy_name(catalog, table);
        const std::string original = qualified_name(table.original(catalog));
        run_alone(catalog, "DROP TABLE IF EXISTS " + copy);
        run_alone(catalog,
                  "CREATE TABLE " + copy + " (LIKE " + original + " INCLUDING STORAGE, " + constraints[i] + ")");
        run_alone(catalog, "REVOKE ALL ON " + copy + " FROM PUBLIC");
        run_alone(catalog,
                  "COMMENT ON TABLE " + copy + " IS " +
                      quoted_literal("copies of distributed models for all nodes; made by mf_distribute_model"));
    }
    run_alone(catalog, with_copy_names(catalog,
                                       "CREATE UNIQUE INDEX mf_model_copy_live_idx ON {model_copy} (model) "
                                       "WHERE live"));
    for (const CopiedTable& table : kCopiedTables)
        run_alone(catalog, "SELECT pg_catalog.create_reference_table(" + quoted_literal(copy_name(catalog, table)) +
                               "::pg_catalog.regclass)");
}

}  // namespace

void create_copies(const Catalog& catalog) {
    // Others may be about to do the same for another model.
    pg_call([models = catalog.models] { LockRelationOid(models, ShareUpdateExclusiveLock); });
    if (copies_fit(catalog)) return;
    const std::vector<std::string> copied = copied_models(catalog);
    make_tables(catalog);
    for (const std::string& model : copied) copy_model(catalog, model);
}

void copy_model(const Catalog& catalog, const std::string& model) {
    require_relations_on_nodes(catalog, model, false);
    write_copies(catalog, model);
}

void delete_copies(const Catalog& catalog, const std::string& model) {
    if (!OidIsValid(catalog.model_copies)) return;
    delete_factors(catalog, model);
    delete_rows(catalog, model);
}

void update_copies(const Catalog& catalog, const std::string& model) {
    if (!OidIsValid(catalog.model_copies)) return;
    if (!run_with_names(catalog, "SELECT 1 FROM {model_copy} WHERE model = $1", model).has_first) return;
    require_relations_on_nodes(catalog, model, true);
    write_copies(catalog, model);
}

void rename_copies(const Catalog& catalog, const std::string& from, const std::string& to) {
    if (!OidIsValid(catalog.model_copies)) return;
    for (const char* sql : {"UPDATE {model_copy} SET model = $2 WHERE model = $1",
                            "UPDATE {grant_copy} SET model = $2 WHERE model = $1"}) {
        const std::string statement = with_copy_names(catalog, sql);
        pg_call([&catalog, statement = statement.c_str(), from = from.c_str(), to = to.c_str()] {
            const Parameter names[] = {text_parameter_unsafe(from), text_parameter_unsafe(to)};
            run_statement_unsafe(catalog, statement, lengthof(names), names);
        });
    }
}

}  // namespace mf::pg
