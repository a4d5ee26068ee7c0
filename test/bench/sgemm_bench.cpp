// The speed of a plain single-precision matrix product on this machine: the yardstick for the kernels.
//
// The only file that is compiled for the machine itself (-march=native), so that Eigen uses its widest registers.
#include <benchmark/benchmark.h>

#include <Eigen/Dense>

namespace {

void sgemm(benchmark::State& state) {
    const auto n = state.range(0);
    const Eigen::MatrixXf a = Eigen::MatrixXf::Random(n, n);
    const Eigen::MatrixXf b = Eigen::MatrixXf::Random(n, n);
    Eigen::MatrixXf c = Eigen::MatrixXf::Zero(n, n);
    for (auto _ : state) {
        c.noalias() = a * b;
        benchmark::DoNotOptimize(c.data());
    }
    const double size = static_cast<double>(n);
    state.counters["GFLOP/s"] =
        benchmark::Counter(2e-9 * size * size * size, benchmark::Counter::kIsIterationInvariantRate);
}
BENCHMARK(sgemm)->Arg(512)->Arg(1024)->Name("sgemm (Eigen, one thread)/n");

}  // namespace
