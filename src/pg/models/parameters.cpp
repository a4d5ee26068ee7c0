#include "pg/models/parameters.hpp"

#include <algorithm>
#include <charconv>
#include <limits>

namespace mf::pg {
namespace {

/// Shortest text that reads back as the same number; JSON has no NaN.
std::string number(double value) {
    if (!std::isfinite(value)) return "null";
    char buffer[40];
    const auto end = std::to_chars(buffer, buffer + sizeof buffer, value).ptr;
    return std::string(buffer, end);
}

/// Writes one flat JSON object.
class JsonObject {
  public:
    void add(const char* key, const std::string& json) {
        text_ += text_.size() > 1 ? ", \"" : "\"";
        text_ += key;
        text_ += "\": ";
        text_ += json;
    }
    void add(const char* key, double value) { add(key, number(value)); }
    std::string text() const { return text_ + "}"; }

  private:
    std::string text_ = "{";
};

std::string numbers_json(const NamedNumbers& numbers) {
    JsonObject object;
    for (const NamedNumber& number : numbers) object.add(number.name, number.value);
    return object.text();
}

/// A recency as numbers with names.
struct StoredRecency : Recency {
    static constexpr NumberRange kNotNegative{0, kAnyNumber.maximum};
    template <class F>
    void each_field(F&& field) {
        field("half_life", half_life, kNotNegative);
        field("popular_half_life", popular_half_life, kNotNegative);
        field("newest", newest, kAnyNumber);
    }
};

/// Null as well where the container is no object: looking for a key in a list would read past its end.
JsonbValue* find_unsafe(JsonbContainer* container, const char* key, JsonbValue* result) {
    if (!JsonContainerIsObject(container)) return nullptr;
    return getKeyJsonValueFromContainer(container, key, static_cast<int>(strlen(key)), result);
}

struct Lookup {
    bool found;
    bool is_number;
    bool is_false;
    double number;
    const char* word;
    int word_length;
    JsonbContainer* object;
};

Lookup lookup(JsonbContainer* container, const char* key) {
    return pg_call([container, key] {
        Lookup result{};
        JsonbValue value;
        if (find_unsafe(container, key, &value) == nullptr) return result;
        result.found = true;
        if (value.type == jbvNumeric) {
            result.is_number = true;
            result.number =
                DatumGetFloat8(DirectFunctionCall1(numeric_float8_no_overflow, NumericGetDatum(value.val.numeric)));
        } else if (value.type == jbvString) {
            result.word = value.val.string.val;
            result.word_length = value.val.string.len;
        } else if (value.type == jbvBool) {
            result.is_false = !value.val.boolean;
        } else if (value.type == jbvBinary) {
            result.object = value.val.binary.data;
        }
        return result;
    });
}

/// What a reader of stored parameters throws; the caller adds the version.
struct Damage {
    std::string text;
};

[[noreturn]] void corrupted(const char* key, const char* what = "lack") {
    throw Damage{std::string("Its parameters ") + what + " \"" + key + "\"."};
}

/// read(), with its Damage as an error that names the version.
template <class Read>
auto read_stored(const std::string& label, const Read& read) {
    try {
        return read();
    } catch (const Damage& damage) {
        throw SqlError(ERRCODE_DATA_CORRUPTED, label + " is damaged", damage.text, "Train the model again.");
    }
}

constexpr const char* kOutOfRange = "have no valid";

double stored_number(JsonbContainer* container, const char* key) {
    const Lookup found = lookup(container, key);
    if (!found.is_number) corrupted(key);
    if (!std::isfinite(found.number)) corrupted(key, kOutOfRange);
    return found.number;
}

/// A whole number of the range that training accepts.
int stored_count(JsonbContainer* container, const char* key, int maximum) {
    const double value = stored_number(container, key);
    if (value < 1 || value > maximum || value != std::trunc(value)) corrupted(key, kOutOfRange);
    return static_cast<int>(value);
}

void require_valid(const char* key, bool is_valid) {
    if (!is_valid) corrupted(key, kOutOfRange);
}

/// The numbers of an object, each within its range.
NamedNumbers read_numbers(JsonbContainer* container, const char* key, const std::vector<NamedRange>& ranges) {
    const Lookup object = lookup(container, key);
    if (object.object == nullptr) corrupted(key);
    NamedNumbers numbers;
    for (const auto& [name, range] : ranges) {
        numbers.push_back({name, stored_number(object.object, name)});
        require_valid(name, range.contains(numbers.back().value));
    }
    return numbers;
}

Duplicates duplicates_of_word(std::string_view word) {
    for (const Duplicates rule : {Duplicates::Mean, Duplicates::Sum, Duplicates::Last, Duplicates::Error})
        if (word == duplicates_word(rule)) return rule;
    corrupted("duplicates");
}

}  // namespace

const char* duplicates_word(Duplicates rule) {
    switch (rule) {
        case Duplicates::Mean:
            return "mean";
        case Duplicates::Sum:
            return "sum";
        case Duplicates::Last:
            return "last";
        case Duplicates::Error:
            break;
    }
    return "error";
}

namespace {

/// The points of a search, each with its measure.
std::string points_json(const std::vector<SearchPoint>& points) {
    std::string text;
    for (const SearchPoint& point : points) {
        JsonObject object;
        for (const Setting& setting : point.settings) object.add(setting.name.c_str(), std::get<double>(setting.value));
        if (!std::isnan(point.rmse)) object.add("rmse", point.rmse);
        if (!std::isnan(point.ndcg)) object.add("ndcg", point.ndcg);
        text += (text.empty() ? "" : ", ") + object.text();
    }
    return '[' + text + ']';
}

std::string list_json(const std::vector<double>& values) {
    std::string json;
    for (const double value : values) json += (json.empty() ? "" : ", ") + number(value);
    return '[' + json + ']';
}

std::string curve_json(const TrainingCurve& curve, const char* metric) {
    JsonObject object;
    object.add("loss", list_json(curve.loss));
    if (!curve.test_metric.empty()) object.add(metric, list_json(curve.test_metric));
    return object.text();
}

std::string curves_json(const TrainSummary& summary) {
    JsonObject object;
    if (!summary.rating_curve.loss.empty()) object.add("rating", curve_json(summary.rating_curve, "test_rmse"));
    object.add("ranking", curve_json(summary.ranking_curve, "test_ndcg"));
    return object.text();
}

/// Texts without quotes and backslashes.
std::string texts_json(const std::vector<std::string>& texts) {
    std::string json;
    for (const std::string& text : texts) json += (json.empty() ? "\"" : ", \"") + text + '"';
    return '[' + json + ']';
}

}  // namespace

std::string write_parameters(const TrainOptions& options, const std::string& options_json,
                             const std::string& found_json, const TrainResult& trained, bool stores_users) {
    const FoundOptions& search = trained.found;
    const Model& model = trained.model;
    JsonObject object;
    for (const char* name : {"factors", "iterations", "regularization"}) object.add(name, option_value(options, name));
    if (model.rating) object.add("rating_factors", options.rating_factors_or_default());
    object.add("seed", std::to_string(static_cast<std::int64_t>(options.seed)));
    object.add("test_fraction", options.test_fraction);
    object.add("duplicates", std::string("\"") + duplicates_word(options.duplicates_rule()) + "\"");
    object.add("options", options_json);
    if (!stores_users) object.add("store_users", "false");
    if (trained.recency.needs_times()) object.add("recency", numbers_json(to_numbers(StoredRecency{trained.recency})));
    if (!found_json.empty()) object.add("found", found_json);
    if (!search.points.empty()) object.add("search", points_json(search.points));
    if (!search.notes.empty()) object.add("notes", texts_json(search.notes));
    object.add("curves", curves_json(trained.summary));
    if (model.rating) {
        object.add("rating", numbers_json(to_numbers(model.rating->scale)));
        object.add(rating_trainer(options)->name, numbers_json(model.rating->parameters));
    }
    object.add(ranking_trainer(options).name, numbers_json(model.ranking.parameters));
    return object.text();
}

std::string write_settings(const Settings& settings) {
    JsonObject object;
    for (const Setting& setting : settings) {
        if (const double* value = std::get_if<double>(&setting.value))
            object.add(setting.name.c_str(), *value);
        else
            object.add(setting.name.c_str(),
                       '"' + std::get<std::string>(setting.value) + '"');  // one of the known words
    }
    return object.text();
}

std::string write_metrics(const TrainSummary& summary, const LiveFigures* live) {
    JsonObject object;
    object.add("train_rmse", summary.train_rmse);
    object.add("test_rmse", summary.test_rmse);
    object.add("test_ndcg", summary.test_ndcg);
    object.add("test_coverage", summary.test_coverage);
    object.add("test_bias_rmse", summary.test_bias_rmse);
    object.add("test_popularity_ndcg", summary.test_popularity_ndcg);
    object.add("test_ratings", static_cast<double>(summary.test_ratings));
    object.add("iterations", summary.iterations);
    object.add("ranking_iterations", summary.ranking_iterations);
    if (live != nullptr) {
        JsonObject figures;
        figures.add("version", live->version);
        figures.add("test_ndcg", live->test_ndcg);
        figures.add("test_rmse", live->test_rmse);
        object.add("live_version", figures.text());
    }
    return object.text();
}

namespace {

StoredParameters serving_parameters(Jsonb* parameters, Feedback feedback, std::string_view algorithm) {
    TrainOptions options;
    options.feedback = feedback;
    const Trainer* trainer = find_trainer(feedback, algorithm);
    if (trainer == nullptr) throw Damage{"There is no algorithm \"" + std::string(algorithm) + "\"."};
    options.algorithm = trainer->algorithm;
    StoredParameters result;
    result.rating_trainer = rating_trainer(options);
    result.ranking_trainer = &ranking_trainer(options);
    JsonbContainer* root = &parameters->root;
    result.shape.ranking_factors = stored_count(root, "factors", kMaximumFactors);
    const Lookup rule = lookup(root, "duplicates");
    if (rule.word == nullptr) corrupted("duplicates");
    result.duplicates = duplicates_of_word({rule.word, static_cast<std::size_t>(rule.word_length)});
    result.stores_users = !lookup(root, "store_users").is_false;
    if (lookup(root, "recency").found)
        result.recency = from_numbers<StoredRecency>(read_numbers(root, "recency", number_ranges<StoredRecency>()));
    result.ranking = read_numbers(root, result.ranking_trainer->name, result.ranking_trainer->parameters());
    result.dislikes = std::ranges::any_of(result.ranking, [](const NamedNumber& number) {
        return std::string_view(number.name) == "dislikes" && number.value > 0;
    });
    if (result.rating_trainer == nullptr) return result;
    result.shape.rating_factors = stored_count(root, "rating_factors", kMaximumFactors);
    result.rating = read_numbers(root, result.rating_trainer->name, result.rating_trainer->parameters());
    result.scale = from_numbers<RatingScale>(read_numbers(root, "rating", number_ranges<RatingScale>()));
    require_valid("minimum", result.scale.minimum <= result.scale.maximum);
    return result;
}

StoredArguments training_arguments(Jsonb* parameters) {
    StoredArguments result;
    JsonbContainer* root = &parameters->root;
    result.factors = stored_count(root, "factors", kMaximumFactors);
    result.iterations = stored_count(root, "iterations", kMaximumIterations);
    result.regularization = stored_number(root, "regularization");
    result.test_fraction = stored_number(root, "test_fraction");
    require_valid("seed", std::abs(stored_number(root, "seed")) < std::ldexp(1.0, 63));
    // As an integer: a double would round a seed beyond 2^53.
    pg_call([root, &result] {
        JsonbValue value;
        find_unsafe(root, "seed", &value);
        result.seed = DatumGetInt64(DirectFunctionCall1(numeric_int8, NumericGetDatum(value.val.numeric)));
    });
    const auto object = [root](const char* key) {
        return pg_call([root, key]() -> Jsonb* {
            JsonbValue value;
            if (find_unsafe(root, key, &value) == nullptr || value.type != jbvBinary) return nullptr;
            return JsonContainerIsObject(value.val.binary.data) ? JsonbValueToJsonb(&value) : nullptr;
        });
    };
    result.found = object("found");
    if (result.found == nullptr && lookup(root, "found").found) corrupted("found", kOutOfRange);
    result.options = object("options");
    if (result.options == nullptr) corrupted("options");
    return result;
}

}  // namespace

StoredParameters read_parameters(Jsonb* parameters, Feedback feedback, std::string_view algorithm,
                                 const std::string& label) {
    return read_stored(label, [&] { return serving_parameters(parameters, feedback, algorithm); });
}

StoredArguments read_arguments(Jsonb* parameters, const std::string& label) {
    return read_stored(label, [&] { return training_arguments(parameters); });
}

}  // namespace mf::pg
