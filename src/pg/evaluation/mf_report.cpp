// mf_report
#include <algorithm>
#include <charconv>

#include "core/base/sums.hpp"
#include "pg/models/factor_rows.hpp"
#include "pg/models/model_rows.hpp"
#include "pg/sql/arguments.hpp"
#include "pg/sql/statement.hpp"
#include "pg/wall/boundary.hpp"
#include "report/html.hpp"
#include "report/report_page.hpp"

extern "C" {
#include "mb/pg_wchar.h"
}

namespace mf::pg {
namespace {

constexpr std::size_t kMostVersions = 50;
constexpr std::size_t kMostPoints = 100;
constexpr std::size_t kMostIterations = 200;

/// The rows of a result, one after the other, as UTF-8 text; a NULL is an empty text.
struct TextRows {
    std::size_t rows;
    std::size_t columns;
    const char** values;
};

const char* utf8_unsafe(const char* text) {
    if (text == nullptr) return "";
    // SQL_ASCII does not define what the bytes mean; the page shows those that happen to be UTF-8.
    if (GetDatabaseEncoding() == PG_SQL_ASCII) return text;
    auto* bytes = reinterpret_cast<unsigned char*>(const_cast<char*>(text));
    return reinterpret_cast<char*>(
        pg_do_encoding_conversion(bytes, static_cast<int>(strlen(text)), GetDatabaseEncoding(), PG_UTF8));
}

std::string utf8(const std::string& text) {
    return pg_call([text = text.c_str()] { return utf8_unsafe(text); });
}

/// Runs a query with the rights of the caller; these and the views' own filters decide which rows it sees.
TextRows text_rows_unsafe(const char* sql, std::int64_t model_id) {
    const Parameter parameter = int8_parameter(model_id);
    TextRows result{};
    execute_unsafe(GetUserId(), {sql, 1, &parameter, true}, [&result](std::uint64_t rows, const SPITupleTable* table) {
        result = {rows, static_cast<std::size_t>(table->tupdesc->natts), nullptr};
        result.values = static_cast<const char**>(
            palloc_extended(sizeof(char*) * (result.rows * result.columns + 1), MCXT_ALLOC_HUGE));
        for (std::size_t row = 0; row < result.rows; ++row)
            for (std::size_t column = 0; column < result.columns; ++column)
                result.values[row * result.columns + column] =
                    utf8_unsafe(SPI_getvalue(table->vals[row], table->tupdesc, static_cast<int>(column) + 1));
    });
    return result;
}

template <class Number>
Number number(const std::string& text) {
    Number value{};
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
}

std::string grouped(const std::string& text) { return grouped_number(number<std::int64_t>(text)); }

/// For a value that may be missing.
std::string or_dash(const std::string& text) { return text.empty() ? "\xE2\x80\x93" : text; }

/// A share as text, which may be missing.
std::string percentage(const std::string& share) {
    return share.empty() ? or_dash(share) : short_number(100 * number<double>(share)) + "% of the items";
}

/// Queries the views about one version.
class ReportQueries {
  public:
    ReportQueries(const Catalog& catalog, std::int64_t model_id)
        : model_id_(model_id),
          models_(extension_schema(catalog) + ".mf_models"),
          trainings_(extension_schema(catalog) + ".mf_trainings") {}

    std::vector<std::vector<std::string>> run(const std::string& sql) const {
        const TextRows found =
            pg_call([sql = sql.c_str(), model_id = model_id_] { return text_rows_unsafe(sql, model_id); });
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
                time("trained_at") +
                ", feedback, algorithm, users, items, ratings, seconds, metrics->>'train_rmse',"
                " metrics->>'test_rmse', metrics->>'test_ndcg', metrics->>'test_ratings', metrics->>'iterations',"
                " metrics->>'ranking_iterations', metrics->>'test_coverage', metrics->>'test_bias_rmse',"
                " metrics->>'test_popularity_ndcg', left(parameters->'options'->>'storage', 40), " +
                time("refreshed_at") + " FROM " + models_ + " WHERE model_id = $1")
                .at(0);
        const double pairs = number<double>(row[9]) * number<double>(row[10]);
        report.model = row[0];
        report.subtitle = "Version " + row[1] + ", live, trained at " + row[6] +
                          (row[23].empty() ? "" : ", items refreshed at " + row[23]);
        report.figures = {{"users", grouped(row[9])},
                          {"items", grouped(row[10])},
                          {"interactions", grouped(row[11])},
                          {"density", pairs > 0 ? short_number(100 * number<double>(row[11]) / pairs) + "%" : "0%"},
                          {"seconds of training", short_number(number<double>(row[12]))}};
        report.facts = {{"model", row[0]},
                        {"live version", row[1]},
                        {"owner", row[2]},
                        {"source", row[3]},
                        {"type of user ids", row[4]},
                        {"type of item ids", row[5]},
                        {"trained at", row[6]},
                        {"feedback", row[7]},
                        {"algorithm", row[8]},
                        {"storage", row[22] == "half" ? "half (16-bit floats)" : "single (32-bit floats)"}};
        metrics(report, {row.begin() + 13, row.begin() + 22}, row[7] == "implicit");
    }

    /// The values are those of the query above, in its order.
    static void metrics(Report& report, const std::vector<std::string>& values, bool implicit) {
        const double test_rows = number<double>(values[3]);
        report.held_out = test_rows > 0;
        const auto of_held_out = [&](const std::string& value) {
            return !report.held_out ? "no rows were held out" : shortened_numbers(or_dash(value));
        };
        const auto of_ratings = [&](const std::string& value) {
            return implicit ? "none for implicit feedback" : value;
        };
        report.metrics = {{"held-out NDCG@10", of_held_out(values[2])},
                          {"by popularity alone", of_held_out(values[8])},
                          {"held-out RMSE", of_ratings(of_held_out(values[1]))},
                          {"by biases alone", of_ratings(of_held_out(values[7]))},
                          {"coverage by these lists", report.held_out ? percentage(values[6]) : of_held_out("")},
                          {"training RMSE", of_ratings(shortened_numbers(or_dash(values[0])))},
                          {"held-out rows", grouped_number(static_cast<std::int64_t>(test_rows))},
                          {"iterations", or_dash(values[4])},
                          {"iterations of the ranking factors", or_dash(values[5])}};
        if (implicit) std::erase_if(report.metrics, [](const auto& row) { return row.first == "iterations"; });
        if (!report.held_out) return;
        report.figures.push_back(report.metrics[0]);
        if (!implicit) report.figures.push_back(report.metrics[2]);
    }

    /// The members of nested objects are options that were given, numbers found from the data, and constants.
    void parameters(Report& report) const {
        const auto object_or_empty = [](const std::string& value) {
            return "CASE WHEN jsonb_typeof(" + value + ") = 'object' THEN " + value + " ELSE '{}' END";
        };
        for (std::vector<std::string>& row :
             run("SELECT p.key, o.key, left(coalesce(o.value, p.value #>> '{}'), 200) FROM " + models_ +
                 " m CROSS JOIN jsonb_each(" + object_or_empty("m.parameters") + ") p LEFT JOIN jsonb_each_text(" +
                 object_or_empty("p.value") +
                 ") o ON true WHERE model_id = $1 AND p.key NOT IN ('curves', 'search', 'notes')"
                 " AND p.value <> '{}' ORDER BY p.key COLLATE \"C\", o.key COLLATE \"C\"")) {
            const bool nested = !row[1].empty();
            if (row[0] == "options")
                report.options.emplace_back(row[1], shortened_numbers(row[2]));
            else if (row[0] == "found")
                report.found.emplace_back(row[1], shortened_numbers(row[2]));
            else if (nested)
                report.constants.emplace_back(row[0] + "." + row[1], shortened_numbers(row[2]));
            else
                report.parameters.emplace_back(row[0], shortened_numbers(row[2]));
        }
        for (std::vector<std::string>& row :
             run("SELECT left(note, 300) FROM " + models_ +
                 " m CROSS JOIN jsonb_array_elements_text(CASE WHEN jsonb_typeof(m.parameters->'notes') = 'array'"
                 " THEN m.parameters->'notes' ELSE '[]' END) WITH ORDINALITY s(note, n) WHERE model_id = $1"
                 " ORDER BY n LIMIT 20"))
            report.notes.push_back(shortened_numbers(row[0]));
    }

    void search(Report& report) const {
        report.search.columns = {{"point"}, {"numbers", ReportColumn::Text}, {"held-out RMSE"}, {"held-out NDCG@50"}};
        report.search.rows =
            run("SELECT n, left((SELECT string_agg(o.key || ' ' || o.value, ', ' ORDER BY o.key COLLATE \"C\")"
                " FROM jsonb_each_text(CASE WHEN jsonb_typeof(p) = 'object' THEN p ELSE '{}' END) o"
                " WHERE o.key NOT IN ('rmse', 'ndcg')), 200), left(p->>'rmse', 40), left(p->>'ndcg', 40) FROM " +
                models_ +
                " m CROSS JOIN jsonb_array_elements(CASE WHEN jsonb_typeof(m.parameters->'search') = 'array'"
                " THEN m.parameters->'search' ELSE '[]' END) WITH ORDINALITY s(p, n) WHERE model_id = $1 ORDER BY n "
                "LIMIT " +
                std::to_string(kMostPoints));
        for (std::vector<std::string>& row : report.search.rows) {
            row[1] = shortened_numbers(row[1]);
            for (const std::size_t column : {2, 3}) row[column] = shortened_numbers(or_dash(row[column]));
        }
    }

    /// What each iteration reached, for the curves of write_parameters that the version has.
    void iterations(Report& report) const {
        struct Known {
            const char* factors;
            const char* values;
            const char* title;
            const char* y;
        };
        for (const Known& known : {Known{"ranking", "loss", "Loss of the ranking factors", "loss per interaction"},
                                   Known{"ranking", "test_ndcg", "Held-out NDCG@10 of the ranking factors", "NDCG@10"},
                                   Known{"rating", "loss", "Loss of the rating factors", "loss per rating"},
                                   Known{"rating", "test_rmse", "Held-out RMSE of the rating factors", "RMSE"}}) {
            const std::string values =
                std::string("m.parameters->'curves'->'") + known.factors + "'->'" + known.values + "'";
            add_series(
                report.iterations, {known.title, "iteration", known.y},
                run("SELECT n, left(value, 40) FROM " + models_ +
                    " m CROSS JOIN jsonb_array_elements_text(CASE WHEN jsonb_typeof(" + values + ") = 'array' THEN " +
                    values + " ELSE '[]' END) WITH ORDINALITY s(value, n) WHERE model_id = $1 ORDER BY n LIMIT " +
                    std::to_string(kMostIterations)));
        }
    }

    /// The metrics of held-out rows of the training runs that have some, also of those whose versions are gone; one
    /// alone is no series.
    void version_metrics(Report& report) const {
        for (const auto& [key, name] : {std::pair("test_ndcg", "NDCG@10"), std::pair("test_rmse", "RMSE")}) {
            const std::string value = std::string("metrics->>'") + key + "'";
            std::vector<std::vector<std::string>> rows =
                run("SELECT n, left(" + value +
                    ", 40) FROM (SELECT row_number() OVER (ORDER BY trained_at, version) AS n, metrics FROM " +
                    trainings_ + " WHERE model = (SELECT model FROM " + models_ + " WHERE model_id = $1)) AS t WHERE " +
                    value + " IS NOT NULL ORDER BY n DESC LIMIT " + std::to_string(kMostVersions));
            std::ranges::reverse(rows);
            if (rows.size() > 1)
                add_series(report.version_metrics,
                           {std::string("Held-out ") + name + " by training run", "training run", name}, rows);
        }
    }

    void versions(Report& report) const {
        report.versions.columns = {{"version", ReportColumn::Word},
                                   {"trained at (UTC)", ReportColumn::Word},
                                   {"algorithm", ReportColumn::Word},
                                   {"users"},
                                   {"items"},
                                   {"interactions"},
                                   {"training RMSE"},
                                   {"held-out RMSE"},
                                   {"NDCG@10"},
                                   {"seconds"}};
        for (std::vector<std::string>& row :
             run("SELECT version || CASE WHEN live THEN ' (live)' ELSE '' END, to_char(trained_at AT TIME ZONE 'UTC', "
                 "'YYYY-MM-DD HH24:MI')"
                 ", algorithm, users, items, ratings, metrics->>'train_rmse', metrics->>'test_rmse',"
                 " metrics->>'test_ndcg', seconds, count(*) OVER () FROM " +
                 models_ + " WHERE model = (SELECT model FROM " + models_ +
                 " WHERE model_id = $1) ORDER BY live DESC, version DESC LIMIT " + std::to_string(kMostVersions))) {
            const auto all = number<std::size_t>(row.back());
            row.pop_back();
            for (const std::size_t column : {3, 4, 5}) row[column] = grouped(row[column]);
            for (const std::size_t column : {6, 7, 8, 9}) row[column] = shortened_numbers(or_dash(row[column]));
            report.versions.rows.push_back(std::move(row));
            report.versions_left_out = all - std::min(all, kMostVersions);
        }
    }

  private:
    /// Rows of a whole number and a value; those without a value that can be drawn are left out.
    static void add_series(std::vector<LabelledSeries>& to, const PlotLabels& labels,
                           const std::vector<std::vector<std::string>>& rows) {
        constexpr double kGreatest = 1e15;
        LabelledSeries series{labels, {}};
        for (const std::vector<std::string>& row : rows)
            if (const double value = number<double>(row[1]); !row[1].empty() && std::fabs(value) <= kGreatest)
                series.series.points.push_back({number<std::int64_t>(row[0]), value});
        if (!series.series.points.empty()) to.push_back(std::move(series));
    }

    static std::string time(const std::string& column) {
        return "to_char(" + column + " AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS') || ' UTC'";
    }

    std::int64_t model_id_;
    std::string models_;
    std::string trainings_;
};

/// The data that the plots need about the users or the items, in any order.
struct FactorFacts {
    std::vector<std::uint32_t> interactions;
    std::vector<double> values;
};

/// The page about that version, which the caller may use, in ASCII. Reads the view of the models with the caller's
/// rights, the factors of this version's users once, and those of its items twice. O(users + items) time and up to 12
/// bytes per user and item; the size of the page is bounded for any model.
std::string report_html(const Catalog& catalog, const ModelVersion& version) {
    require_user_factors(catalog, "mf_report()");
    const ReportQueries queries(catalog, version.model_id);
    Report report;
    queries.facts(report);
    queries.parameters(report);
    queries.search(report);
    queries.iterations(report);
    queries.versions(report);
    queries.version_metrics(report);
    const bool rates = !version.implicit;
    FactorFacts users, items;
    ExampleItems examples;
    read_all_user_factors(catalog, version.model_id, {}, [&](const FactorRow& row) {
        users.interactions.push_back(row.interactions);
        if (rates) users.values.push_back(static_cast<double>(row.rating_bias));
    });
    read_item_factors(catalog, version.model_id, {}, [&](const FactorRow& row) {
        items.interactions.push_back(row.interactions);
        examples.offer(row.id, row.interactions, row.ranking_factors);
        items.values.push_back(rates ? static_cast<double>(row.rating_bias)
                                     : std::sqrt(squared_norm(row.ranking_factors.data(), row.ranking_factors.size())));
    });
    read_item_factors(catalog, version.model_id, {},
                      [&](const FactorRow& row) { examples.compare(row.id, row.ranking_factors); });
    report.examples = examples.items();
    for (ExampleItem& item : report.examples) {
        item.id = utf8(item.id);
        for (Neighbour& other : item.nearest) other.id = utf8(other.id);
    }
    report.users = group_interactions(std::move(users.interactions));
    report.items = group_interactions(std::move(items.interactions));
    if (!users.values.empty())
        report.distributions.push_back(
            distribution_of(users.values, {"Rating biases of users", "rating bias of a user", "users"}));
    report.distributions.push_back(
        rates ? distribution_of(items.values, {"Rating biases of items", "rating bias of an item", "items"})
              : distribution_of(items.values, {"Norms of the ranking factors of items",
                                               "norm of an item's ranking factors", "items"}));
    return report_page(report);
}

}  // namespace

MF_FUNCTION(mf_report) {
    struct Arguments {
        Catalog catalog;
        const char* model;
    };
    const auto arguments = pg_call([fcinfo] {
        return Arguments{catalog_unsafe(fcinfo), text_argument_unsafe(fcinfo, 0)};
    });
    std::string name;
    const ModelVersion version = find_model(arguments.catalog, arguments.model, &name);
    const std::string page = report_html(arguments.catalog, version);
    return pg_call([text = page.c_str()] { return CStringGetTextDatum(text); });
}

}  // namespace mf::pg
