#include "core/pipeline/search_space.hpp"

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>
#include <set>
#include <utility>

#include "core/base/error.hpp"
#include "core/base/random.hpp"
#include "core/base/rounded.hpp"

namespace mf {
namespace {

constexpr std::uint64_t kSearchStream = 0x53656172u;

std::string quoted(const std::string& text) { return '"' + text + '"'; }

void set(TrainOptions& options, const std::string& name, const OptionValue& value) {
    if (const double* number = std::get_if<double>(&value))
        set_option(options, name, *number);
    else
        set_option(options, name, std::string_view(std::get<std::string>(value)));
}

void check_value(const SearchDimension& dimension, const OptionValue& value, TrainOptions options) {
    set(options, dimension.name, value);
    options.validate();
}

void check_dimension(const SearchDimension& dimension, const TrainOptions& base) {
    if (option_scope(base, dimension.name) == OptionScope::Data)
        throw InvalidArgument("option " + quoted(dimension.name) + " cannot be searched",
                              "It determines how the source is read, and the source is read only once.",
                              "Give it in options.");
    for (const OptionValue& value : dimension.values) check_value(dimension, value, base);
    if (!dimension.values.empty()) return;
    check_value(dimension, dimension.minimum, base);
    check_value(dimension, dimension.maximum, base);
    if (!(dimension.minimum < dimension.maximum))
        throw InvalidArgument("the range of option " + quoted(dimension.name) +
                              " must have a minimum below its maximum");
    if (dimension.is_logarithmic && !(dimension.minimum > 0))
        throw InvalidArgument("the range of option " + quoted(dimension.name) +
                              " must begin above 0 to be logarithmic");
}

constexpr int kDigits = 4;  // more would not be meaningful

/// The value at x in [0, 1) of a dimension.
OptionValue value_at(const SearchDimension& dimension, bool is_whole, double x) {
    if (!dimension.values.empty()) {
        const auto count = static_cast<double>(dimension.values.size());
        return dimension.values[static_cast<std::size_t>(std::min(x * count, count - 1))];
    }
    const double low = dimension.minimum;
    const double high = dimension.maximum;
    const double value = dimension.is_logarithmic ? low * std::pow(high / low, x) : low + (high - low) * x;
    return std::clamp(is_whole ? std::round(value) : rounded_to(kDigits, value), low, high);
}

bool contains(const SearchDimension& dimension, double value) {
    if (dimension.values.empty()) return value >= dimension.minimum && value <= dimension.maximum;
    return std::ranges::any_of(dimension.values, [&](const OptionValue& one) {
        const double* number = std::get_if<double>(&one);
        return number != nullptr && *number == value;
    });
}

/// The point that needs no tuning, if it is in the space. Words are left out of it: an option with words is a list, and
/// no list of words has a natural middle.
std::optional<Settings> point_of(const TrainOptions& base, const SearchSpace& space) {
    Settings settings;
    for (const SearchDimension& dimension : space) {
        if (!dimension.values.empty() && std::holds_alternative<std::string>(dimension.values.front())) {
            settings.push_back({dimension.name, dimension.values.front()});
            continue;
        }
        const double value = option_value(base, dimension.name);
        if (!contains(dimension, value)) return std::nullopt;
        settings.push_back({dimension.name, value});
    }
    return settings;
}

/// Combinations of lists; 0 if there is a range, the greatest number if they do not fit.
std::size_t combinations(const SearchSpace& space) {
    std::size_t product = 1;
    for (const SearchDimension& dimension : space)
        if (__builtin_mul_overflow(product, dimension.values.size(), &product))
            return std::numeric_limits<std::size_t>::max();
    return product;
}

Settings combination(const SearchSpace& space, std::size_t number) {
    Settings settings;
    for (const SearchDimension& dimension : space) {
        settings.push_back({dimension.name, dimension.values[number % dimension.values.size()]});
        number /= dimension.values.size();
    }
    return settings;
}

/// φ^(d+1) = φ + 1, by Newton's method from above.
double root(std::size_t dimensions) {
    const auto power = static_cast<double>(dimensions + 1);
    double x = 2;
    for (int i = 0; i < 40; ++i) x -= (std::pow(x, power) - x - 1) / (power * std::pow(x, power - 1) - 1);
    return x;
}

/// Points of the recurrence, in order.
class Recurrence {
  public:
    Recurrence(const SearchSpace& space, const TrainOptions& base, std::uint64_t seed) : space_(space) {
        Random random(seed, kSearchStream);
        const double ratio = root(space.size());
        double step = 1;
        for (const SearchDimension& dimension : space) {
            whole_.push_back(option_is_whole(base, dimension.name));
            x_.push_back(random.uniform());
            steps_.push_back(step /= ratio);
        }
    }

    Settings next() {
        Settings settings;
        for (std::size_t d = 0; d < space_.size(); ++d) {
            settings.push_back({space_[d].name, value_at(space_[d], whole_[d], x_[d])});
            x_[d] = x_[d] + steps_[d] - std::floor(x_[d] + steps_[d]);
        }
        return settings;
    }

  private:
    const SearchSpace& space_;
    std::vector<bool> whole_;
    std::vector<double> x_;
    std::vector<double> steps_;
};

/// Points, each once.
class DifferentPoints {
  public:
    void add(Settings point) {
        std::vector<OptionValue> values;
        for (const Setting& setting : point) values.push_back(setting.value);
        if (values_.insert(std::move(values)).second) points_.push_back(std::move(point));
    }
    std::size_t size() const { return points_.size(); }
    std::vector<Settings> take() { return std::move(points_); }

  private:
    std::set<std::vector<OptionValue>> values_;
    std::vector<Settings> points_;
};

}  // namespace

void apply_settings(const Settings& settings, TrainOptions& options) {
    for (const Setting& setting : settings) set(options, setting.name, setting.value);
}

void check_space(const SearchSpace& space, const TrainOptions& base) {
    for (const SearchDimension& dimension : space) {
        check_dimension(dimension, base);
        if (std::ranges::count(space, dimension.name, &SearchDimension::name) > 1)
            throw InvalidArgument("option " + quoted(dimension.name) + " is in the search space twice");
    }
}

SearchSpace default_space(const TrainOptions& base) {
    SearchSpace space;
    for (const auto& [name, range] : searched_options(base))
        space.push_back({name, {}, range.minimum, range.maximum, range.is_logarithmic});
    return space;
}

std::vector<Settings> spread_points(const SearchSpace& space, const TrainOptions& base, std::size_t count,
                                    std::uint64_t seed) {
    DifferentPoints points;
    if (space.empty() || count == 0) return {};
    if (std::optional<Settings> point = point_of(base, space)) points.add(std::move(*point));
    const std::size_t all = combinations(space);
    if (all > 0 && all <= count) {
        for (std::size_t number = 0; number < all; ++number) points.add(combination(space, number));
        return points.take();
    }
    Recurrence recurrence(space, base, seed);
    // Lists and whole numbers give the same point again and again, in the end nothing else.
    constexpr std::size_t kAttempts = 100;
    for (std::size_t attempt = 0; attempt < kAttempts * count && points.size() < count; ++attempt)
        points.add(recurrence.next());
    return points.take();
}

}  // namespace mf
