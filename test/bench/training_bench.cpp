// One iteration of each trainer on generated skewed data, without the work that a training run does only once. The time
// shown is the CPU time of the whole process, `wall` the elapsed time, both per iteration; GFLOP/s are useful
// floating-point operations per CPU second of a trainer that builds and factorizes each row's system: k(k + 1) per
// rating and half-step, k³/3 per row.
#include <benchmark/benchmark.h>
#include <time.h>

#include "core/training/als.hpp"
#include "core/training/ials.hpp"
#include "skewed_data.hpp"

namespace {

using namespace mf;

struct Data {
    Csr by_user;
    Csr by_item;
};

const Data& data(const bench::Shape& shape) {
    const auto make = [](const bench::Shape& wanted) {
        Data result;
        result.by_user = bench::skewed_ratings(wanted);
        result.by_item = transpose(result.by_user);
        return result;
    };
    if (shape.users == bench::kMillion.users) {
        static const Data million = make(bench::kMillion);
        return million;
    }
    static const Data twenty_million = make(bench::kTwentyMillion);
    return twenty_million;
}

void count(benchmark::State& state, const Data& set, double k) {
    const double flops = 2 * static_cast<double>(set.by_user.entries()) * k * (k + 1) +
                         (static_cast<double>(set.by_user.rows()) + set.by_item.rows()) * k * k * k / 3;
    state.counters["GFLOP/s"] = benchmark::Counter(flops * 1e-9, benchmark::Counter::kIsIterationInvariantRate);
    state.counters["ratings"] = static_cast<double>(set.by_user.entries());
}

double seconds(clockid_t clock) {
    timespec time;
    clock_gettime(clock, &time);
    return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

// Runs train(k, iterations, environment) and measures the time from the end of its first iteration to the end of the
// last but one: in the last one, a training run with conjugate gradient solves the users exactly.
template <class Train>
void measure(benchmark::State& state, const Data& set, const Train& train) {
    constexpr int kIterations = 4;
    Environment environment;
    environment.threads = static_cast<int>(state.range(1));
    double cpu = 0, wall = 0, all_wall = 0;
    environment.on_iteration = [&](const Iteration& report) {
        const double cpu_now = seconds(CLOCK_PROCESS_CPUTIME_ID), wall_now = seconds(CLOCK_MONOTONIC);
        if (report.iteration == report.total - 1) {
            state.SetIterationTime((cpu_now - cpu) / (kIterations - 2));
            all_wall += (wall_now - wall) / (kIterations - 2);
        } else if (report.iteration == 1) {
            cpu = cpu_now;
            wall = wall_now;
        }
        return true;
    };
    for (auto _ : state) train(static_cast<int>(state.range(0)), kIterations, environment);
    state.counters["wall"] = benchmark::Counter(all_wall, benchmark::Counter::kAvgIterations);
    count(state, set, static_cast<double>(state.range(0)));
}

// Arguments: factors, threads.
void run_ials(benchmark::State& state, const bench::Shape& shape, Solver solver) {
    const Data& set = data(shape);
    measure(state, set, [&](int factors, int iterations, Environment& environment) {
        TrainOptions options;
        options.factors = factors;
        options.ials.iterations = iterations;
        options.solver = solver;
        train_ials({set.by_user, set.by_item}, options, environment);
    });
}

void ials_cg_iteration(benchmark::State& state, const bench::Shape& shape) {
    run_ials(state, shape, Solver::ConjugateGradient);
}

void ials_exact_iteration(benchmark::State& state, const bench::Shape& shape) {
    run_ials(state, shape, Solver::Cholesky);
}

void als_iteration(benchmark::State& state, const bench::Shape& shape) {
    const Data& set = data(shape);
    measure(state, set, [&](int factors, int iterations, Environment& environment) {
        TrainOptions options;
        options.factors = factors;
        options.als.iterations = iterations;
        train_als({set.by_user, set.by_item}, options, environment);
    });
}

void configure(benchmark::internal::Benchmark* benchmark) {
    benchmark->ArgNames({"k", "threads"})->Unit(benchmark::kMillisecond)->UseManualTime();
    for (const int threads : {1, 2}) benchmark->Args({64, threads});
    benchmark->Args({128, 2});
}

void configure_many_factors(benchmark::internal::Benchmark* benchmark) {
    configure(benchmark);
    for (const int factors : {256, 512}) benchmark->Args({factors, 2});
}

BENCHMARK_CAPTURE(ials_cg_iteration, 1M, bench::kMillion)->Apply(configure_many_factors);
BENCHMARK_CAPTURE(ials_exact_iteration, 1M, bench::kMillion)->Apply(configure_many_factors);
BENCHMARK_CAPTURE(als_iteration, 1M, bench::kMillion)->Apply(configure);
BENCHMARK_CAPTURE(ials_cg_iteration, 20M, bench::kTwentyMillion)->Apply(configure)->Args({256, 2});
BENCHMARK_CAPTURE(ials_exact_iteration, 20M, bench::kTwentyMillion)->Apply(configure);
BENCHMARK_CAPTURE(als_iteration, 20M, bench::kTwentyMillion)->Apply(configure);

}  // namespace
