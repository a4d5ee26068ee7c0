#include "pg/evaluation/cross_validation.hpp"

#include <chrono>

#include "pg/wall/environment.hpp"
#include "pg/training/interactions_scan.hpp"
#include "pg/wall/progress.hpp"

namespace mf::pg {
namespace {

int iterations_of(const TrainOptions& options) {
    return options.ials.iterations + (options.feedback == Feedback::Explicit ? options.als.iterations : 0);
}

/// Shows the iterations of all trainers as those of one phase.
Environment counted(const Environment& environment, int total, int* done) {
    Environment result = environment;
    result.on_phase = {};
    result.on_iteration = [&environment, total, done](Iteration iteration) {
        iteration.phase = "cross-validation";
        iteration.iteration = ++*done;
        iteration.total = total;
        return environment.on_iteration(iteration);
    };
    return result;
}

}  // namespace

void cross_validate(const TrainArguments& arguments, std::uint32_t folds, std::size_t k,
                    const std::function<void(std::uint32_t fold, const FoldResult&, double seconds)>& take) {
    // The whole is kept beside the part that is trained on.
    constexpr int kCopies = 1;
    Progress progress(arguments.model, pg_call([] { return GetUserId(); }));
    Environment environment = make_environment(progress);
    const Dataset dataset = read_interactions(arguments.source, arguments.options, environment, progress, kCopies);
    progress.phase("cross-validation");
    const int each = iterations_of(arguments.options);
    const int total = static_cast<int>(
        std::min<std::uint64_t>(std::uint64_t{folds} * static_cast<unsigned>(each), std::numeric_limits<int>::max()));
    progress.plan(total);
    environment.on_phase("cross-validation", total);
    const IdHashes hashes = id_hashes(dataset, environment);
    int done = 0;
    Environment counting = counted(environment, total, &done);
    for (std::uint32_t fold = 0; fold < folds; ++fold) {
        const auto begin = std::chrono::steady_clock::now();
        done = static_cast<int>(fold) * each;  // the fold before may have stopped early
        const FoldResult result = validate_fold(dataset.by_user, hashes, fold, folds, arguments.options, k, counting);
        take(fold, result, std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
    }
    progress.phase(nullptr);
}

}  // namespace mf::pg
