// Every knob of a training, with its default and the reason for it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace mf {

enum class Feedback { Explicit, Implicit };

/// How rows of the same user and item become one.
enum class Duplicates { Mean, Sum, Last, Error };

/// Explicit ALS: rating factors.
struct AlsOptions {
    int factors = 64;
    int iterations = 12;
    double regularization = 0.08;
    double regularization_exponent = 0.5;
    double bias_regularization = 0.08;
    std::uint64_t seed = 1;
};

/// iALS: ranking factors.
struct IalsOptions {
    int factors = 64;
    int iterations = 12;
    double regularization = 0.003;
    double regularization_exponent = 1.0;
    double unobserved_weight = 0.1;
    double weight_slope = 1.0;
    std::uint64_t seed = 1;
};

struct TrainOptions {
    Feedback feedback = Feedback::Explicit;
    /// Default: mean of explicit ratings, sum of implicit weights.
    std::optional<Duplicates> duplicates;
    /// Share of each user's rows, chosen by cell_hash, that is kept out of training to measure and to stop
    /// early.
    double test_fraction = 0.0;
    AlsOptions als;    ///< used for explicit feedback
    IalsOptions ials;  ///< used for both kinds of feedback

    Duplicates duplicates_rule() const {
        return duplicates.value_or(feedback == Feedback::Explicit ? Duplicates::Mean : Duplicates::Sum);
    }

    /// Throws InvalidArgument that names the option as SQL does, its value and the bounds. Looks at the
    /// fields that this kind of feedback uses, no others.
    void validate() const;
};

/// The names that `options` of mf_train understands for this kind of feedback, ascending. "time_column" is
/// among them although it is no knob of the training: the reader of the source resolves it and keeps it from
/// set_option.
std::vector<std::string> option_names(Feedback feedback);

/// Sets one named option from a number or a word; options.feedback must be set before, it decides which names
/// exist and whether "regularization_exponent" is that of the rating or of the ranking factors. Throws
/// InvalidArgument for an unknown name (the hint lists the known ones), a number where a word belongs or the
/// reverse, an unknown word, or a fraction where a whole number belongs. Ranges are validate()'s business.
void set_option(TrainOptions& options, std::string_view name, double value);
void set_option(TrainOptions& options, std::string_view name, std::string_view value);

}  // namespace mf
