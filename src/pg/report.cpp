#include "pg/report.hpp"

#include <algorithm>
#include <charconv>

#include "pg/guard.hpp"
#include "report/html.hpp"
#include "report/report_page.hpp"

extern "C" {
#include "mb/pg_wchar.h"
}

namespace mf::pg {
namespace {

constexpr std::size_t kMostVersions = 50;
constexpr int kBins = 30;

/// Rows of a result, row by row, as UTF-8 text; a NULL is empty.
struct TextRows {
    std::size_t rows;
    std::size_t columns;
    const char** values;
};

const char* utf8_unsafe(const char* text) {
    if (text == nullptr) return "";
    // Of SQL_ASCII nobody knows what the bytes mean; the page shows what happens to be UTF-8.
    if (GetDatabaseEncoding() == PG_SQL_ASCII) return text;
    auto* bytes = reinterpret_cast<unsigned char*>(const_cast<char*>(text));
    return reinterpret_cast<char*>(
        pg_do_encoding_conversion(bytes, static_cast<int>(strlen(text)), GetDatabaseEncoding(), PG_UTF8));
}

/// Runs a query as the caller, whose rights and the views' own filter decide what is seen, with the settings pinned
/// that names and numbers depend on.
TextRows query_unsafe(const char* sql, std::int64_t model_id) {
    MemoryContext caller = CurrentMemoryContext;
    const RoleSwitch saved = enter_role_unsafe(GetUserId(), 0);
    set_config_option("extra_float_digits", "1", PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
    if (SPI_connect() != SPI_OK_CONNECT) elog(ERROR, "SPI_connect failed");
    Oid type = INT8OID;
    Datum value = Int64GetDatum(model_id);
    const int code = SPI_execute_with_args(sql, 1, &type, &value, nullptr, true, 0);
    if (code != SPI_OK_SELECT) elog(ERROR, "statement failed: %s", SPI_result_code_string(code));
    TextRows result{SPI_processed, static_cast<std::size_t>(SPI_tuptable->tupdesc->natts), nullptr};
    MemoryContext spi = MemoryContextSwitchTo(caller);
    result.values =
        static_cast<const char**>(palloc_extended(sizeof(char*) * (result.rows * result.columns + 1), MCXT_ALLOC_HUGE));
    for (std::size_t row = 0; row < result.rows; ++row)
        for (std::size_t column = 0; column < result.columns; ++column)
            result.values[row * result.columns + column] =
                utf8_unsafe(SPI_getvalue(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, static_cast<int>(column) + 1));
    MemoryContextSwitchTo(spi);
    SPI_finish();
    leave_role_unsafe(saved);
    return result;
}

template <class Number>
Number number(const std::string& text) {
    Number value{};
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
}

std::string grouped(const std::string& text) { return grouped_number(number<std::int64_t>(text)); }

/// Fractions with a few digits, anything else as it is.
std::string shortened(const std::string& text) {
    return text.find('.') == std::string::npos ? text : short_number(number<double>(text));
}

using Pairs = std::vector<std::pair<std::string, std::string>>;

/// The views, asked about one version.
class ReportQueries {
  public:
    ReportQueries(const Catalog& catalog, std::int64_t model_id) : model_id_(model_id) {
        const Oid models = catalog.models;
        const std::string schema =
            pg_call([models] { return quote_identifier(get_namespace_name(get_rel_namespace(models))); });
        models_ = schema + ".mf_models";
        users_ = schema + ".mf_user_factors";
        items_ = schema + ".mf_item_factors";
    }

    std::vector<std::vector<std::string>> run(const std::string& sql) const {
        const TextRows found =
            pg_call([sql = sql.c_str(), model_id = model_id_] { return query_unsafe(sql, model_id); });
        std::vector<std::vector<std::string>> rows;
        for (std::size_t row = 0; row < found.rows; ++row) {
            const char** values = found.values + row * found.columns;
            rows.emplace_back(values, values + found.columns);
        }
        return rows;
    }

    void facts(Report& report) const {
        const std::vector<std::string> row =
            run("SELECT model, version, pg_get_userbyid(owner::oid), coalesce((SELECT c.oid::regclass::text FROM "
                "pg_class c"
                " WHERE c.oid = source), 'dropped'), user_type::text, item_type::text, " +
                time("trained_at") + ", feedback, algorithm, users, items, ratings, seconds FROM " + models_ +
                " WHERE model_id = $1")
                .at(0);
        const double pairs = number<double>(row[9]) * number<double>(row[10]);
        report.model = row[0];
        report.facts = {{"model", row[0]},
                        {"live version", row[1]},
                        {"owner", row[2]},
                        {"source", row[3]},
                        {"type of user ids", row[4]},
                        {"type of item ids", row[5]},
                        {"trained at", row[6]},
                        {"feedback", row[7]},
                        {"algorithm", row[8]},
                        {"users", grouped(row[9])},
                        {"items", grouped(row[10])},
                        {"interactions", grouped(row[11])},
                        {"density", pairs > 0 ? short_number(100 * number<double>(row[11]) / pairs) + "%" : ""},
                        {"seconds of training", short_number(number<double>(row[12]))}};
    }

    /// The members of a JSON object of the version's row; those of an object in it by name.name.
    Pairs members(const char* column) const {
        Pairs pairs;
        const std::string object = "CASE WHEN jsonb_typeof(p.value) = 'object' THEN p.value ELSE '{}' END";
        for (std::vector<std::string>& row :
             run("SELECT concat_ws('.', p.key, o.key), left(coalesce(o.value, p.value #>> '{}'), 200) FROM " + models_ +
                 " m CROSS JOIN jsonb_each(m." + column + ") p LEFT JOIN jsonb_each_text(" + object +
                 ") o ON true WHERE model_id = $1 ORDER BY p.key COLLATE \"C\", o.key COLLATE \"C\""))
            pairs.emplace_back(std::move(row[0]), std::move(row[1]));
        return pairs;
    }

    void versions(Report& report) const {
        report.version_columns = {"version",      "trained at", "algorithm", "users",        "items",
                                  "interactions", "train RMSE", "test RMSE", "test NDCG@10", "seconds"};
        for (std::vector<std::string>& row :
             run("SELECT version || CASE WHEN live THEN ' (live)' ELSE '' END, " + time("trained_at") +
                 ", algorithm, users, items, ratings, metrics->>'train_rmse', metrics->>'test_rmse',"
                 " metrics->>'test_ndcg', seconds, count(*) OVER () FROM " +
                 models_ + " WHERE model = (SELECT model FROM " + models_ +
                 " WHERE model_id = $1) ORDER BY live DESC, version DESC LIMIT " + std::to_string(kMostVersions))) {
            const auto all = number<std::size_t>(row.back());
            row.pop_back();
            for (const std::size_t column : {3, 4, 5}) row[column] = grouped(row[column]);
            for (const std::size_t column : {6, 7, 8, 9}) row[column] = shortened(row[column]);
            report.versions.push_back(std::move(row));
            report.versions_left_out = all - std::min(all, kMostVersions);
        }
    }

    /// As many rows as there are different numbers of interactions: fewer than the root of twice their sum.
    std::vector<InteractionGroup> groups(bool users) const {
        std::vector<InteractionGroup> groups;
        for (const std::vector<std::string>& row :
             run("SELECT interactions, count(*) FROM " + (users ? users_ : items_) +
                 " WHERE model_id = $1 GROUP BY 1 ORDER BY 1 DESC"))
            groups.push_back({number<std::uint64_t>(row[0]), number<std::uint64_t>(row[1])});
        return groups;
    }

    /// Bins that are 1, 2 or 5 times a power of ten wide, so that about kBins of them reach from the least to the
    /// greatest value.
    Distribution distribution(bool users, const std::string& value, const PlotLabels& labels) const {
        Distribution distribution{labels, 1, 0, {}};
        for (const std::vector<std::string>& row :
             run("WITH v AS MATERIALIZED (SELECT (" + value + ")::float8 AS x FROM " + (users ? users_ : items_) +
                 " WHERE model_id = $1), w AS (SELECT (max(x) - min(x)) / " + std::to_string(kBins) +
                 " AS width FROM v), p AS (SELECT width, power(10::float8, floor(log(width))) AS ten FROM w WHERE "
                 "width > 0),"
                 " s AS (SELECT coalesce((SELECT ten * CASE WHEN width <= ten THEN 1 WHEN width <= 2 * ten THEN 2"
                 " WHEN width <= 5 * ten THEN 5 ELSE 10 END FROM p), 1) AS step)"
                 " SELECT step, floor(x / step)::int8, count(*) FROM v, s WHERE x IS NOT NULL GROUP BY 1, 2 ORDER BY "
                 "2")) {
            const auto bin = number<std::int64_t>(row[1]);
            if (distribution.counts.empty()) distribution.first = bin;
            distribution.step = number<double>(row[0]);
            distribution.counts.resize(static_cast<std::size_t>(bin - distribution.first) + 1);
            distribution.counts.back() = number<std::uint64_t>(row[2]);
        }
        return distribution;
    }

  private:
    static std::string time(const std::string& column) {
        return "to_char(" + column + " AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS') || ' UTC'";
    }

    std::int64_t model_id_;
    std::string models_;
    std::string users_;
    std::string items_;
};

}  // namespace

std::string report_html(const Catalog& catalog, const ModelVersion& version) {
    const ReportQueries queries(catalog, version.model_id);
    Report report;
    queries.facts(report);
    report.metrics = queries.members("metrics");
    for (auto& metric : report.metrics) metric.second = shortened(metric.second);
    report.parameters = queries.members("parameters");
    queries.versions(report);
    report.users = queries.groups(true);
    report.items = queries.groups(false);
    if (version.implicit) {
        const char* norm = "SELECT sqrt(sum(f::float8 * f)) FROM unnest(ranking_factors) AS f";
        report.distributions = {queries.distribution(
            false, norm, {"Norms of the ranking factors of items", "norm of an item's ranking factors", "items"})};
    } else {
        report.distributions = {
            queries.distribution(true, "rating_bias", {"Rating biases of users", "rating bias of a user", "users"}),
            queries.distribution(false, "rating_bias", {"Rating biases of items", "rating bias of an item", "items"})};
    }
    return report_page(report);
}

}  // namespace mf::pg
