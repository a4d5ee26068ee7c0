#include "pg/evaluation/tuning.hpp"

#include <algorithm>

#include "pg/wall/environment.hpp"
#include "pg/training/interactions_scan.hpp"
#include "pg/wall/progress.hpp"

namespace mf::pg {
namespace {

/// The options with as many factors as any trial will have: what memory has to suffice for.
TrainOptions greatest(TrainOptions options, const SearchSpace& space) {
    for (const SearchDimension& dimension : space) {
        if (dimension.name != "factors") continue;
        double factors = dimension.maximum;
        for (const OptionValue& value : dimension.values) factors = std::max(factors, std::get<double>(value));
        options.als.factors = options.ials.factors = static_cast<int>(factors);
    }
    return options;
}

}  // namespace

std::vector<Trial> tune_source(const TrainArguments& arguments, const SearchSpace& space, const TuningOptions& tuning) {
    const TrainOptions& options = arguments.options;
    if (!(options.test_fraction > 0))
        throw SqlError(ERRCODE_INVALID_PARAMETER_VALUE, "test_fraction must be above 0 to tune", "",
                       "Trials are measured on that part of each user's rows.");
    check_space(space, options);
    Progress progress(arguments.model, pg_call([] { return GetUserId(); }));
    Environment environment = make_environment(progress);
    const Dataset dataset = read_interactions(arguments.source, greatest(options, space), environment, progress);
    progress.phase("tuning");
    environment.on_phase = [&progress](const char* name, int total) {
        progress.factors(name, total);
        progress.plan(total);
    };
    std::vector<Trial> trials = tune(dataset, options, space, tuning, environment);
    progress.phase(nullptr);
    return trials;
}

}  // namespace mf::pg
