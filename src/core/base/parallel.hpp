// Threads for one call: started, used and joined inside parallel_for; no thread outlives it.
#pragma once

#include <cstddef>
#include <functional>

namespace mf {

/// What a trainer reports after each iteration.
struct Iteration {
    const char* phase;  ///< "rating factors" or "ranking factors"
    int iteration;      ///< 1 … total
    int total;
    double loss;         ///< training objective per interaction, or NaN where it is not computed
    double test_metric;  ///< RMSE (rating) or NDCG (ranking) on held-out rows, or NaN
};

/// What the caller provides to a long computation.
struct Environment {
    int threads = 1;

    /// True if checkpoint() is needed. The calling thread calls this often while workers run: it may only read a flag.
    std::function<bool()> interrupted;

    /// Called by the calling thread while no worker runs. May throw (cancel); if it returns, the work continues.
    std::function<void()> checkpoint;

    /// Called by the calling thread before a trainer's first iteration, with the phase's name and iterations as in the
    /// reports that follow.
    std::function<void(const char* phase, int total)> on_phase;

    /// Called by the calling thread after each iteration while no worker runs; false stops the training run there and
    /// keeps the current factors.
    std::function<bool(const Iteration&)> on_iteration;
};

/// Runs body(block, worker) for every block in [0, blocks) on environment.threads threads, the calling one among them;
/// worker is in [0, threads) and selects the scratch memory. Blocks are assigned dynamically, so the result must not
/// depend on which worker gets which block. The first exception of a body is rethrown here after all workers are
/// joined. If interrupted() becomes true, workers finish their block and are joined, checkpoint() runs, and then the
/// remaining blocks are processed. All signals that can be blocked are blocked in workers: a host's handlers never run
/// there.
void parallel_for(Environment& environment, std::size_t blocks,
                  const std::function<void(std::size_t block, int worker)>& body);

/// The same for [0, count) cut into blocks of `block` elements, of which the last may be shorter:
/// body(begin, end, worker).
void parallel_ranges(Environment& environment, std::size_t count, std::size_t block,
                     const std::function<void(std::size_t begin, std::size_t end, int worker)>& body);

/// Runs checkpoint() if interrupted() is true: for long loops without threads.
void check_interrupt(Environment& environment);

/// The same for loops of many small steps: looks at the interrupt once in a million of them.
class SmallSteps {
  public:
    explicit SmallSteps(Environment& environment) : environment_(environment) {}

    /// After `count` steps, of some nanoseconds each. May throw, as checkpoint().
    void done(std::size_t count) {
        steps_ += count;
        if (steps_ < kStepsPerCheck) return;
        steps_ = 0;
        check_interrupt(environment_);
    }

  private:
    static constexpr std::size_t kStepsPerCheck = std::size_t{1} << 20;

    Environment& environment_;
    std::size_t steps_ = 0;
};

}  // namespace mf
