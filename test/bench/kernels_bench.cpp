// The kernels alone, on data in cache; rates count useful floating-point operations, k(k + 1) for a rank-1 update.
// Beside them Eigen's functions for the same, as this build compiles them: without an option for the machine, with SSE2
// on x86-64. "sgemm" is what a plain product reaches; the build with -march=native gives this machine's best, the
// yardstick for trainings.
#include <benchmark/benchmark.h>

#include <Eigen/Dense>
#include <Eigen/Eigenvalues>
#include <cstring>
#include <string>
#include <vector>

#include "core/base/array.hpp"
#include "core/base/random.hpp"
#include "core/linalg/eigenbasis.hpp"
#include "core/linalg/kernels.hpp"

namespace {

using namespace mf;

benchmark::Counter rate(double flops) {
    return benchmark::Counter(flops * 1e-9, benchmark::Counter::kIsIterationInvariantRate);
}

Array<float> random_panel(std::size_t blocks) {
    Array<float> panel(panel_size(blocks));
    Random random(1);
    for (float& value : panel) value = static_cast<float>(random.normal());
    return panel;
}

void outer_products(benchmark::State& state, const Kernels& kernel) {
    const auto blocks = static_cast<std::size_t>(state.range(0)) / kLanes;
    const Array<float> panel = random_panel(blocks);
    Array<float> system(system_size(blocks), 0.0f);
    for (auto _ : state) kernel.add_outer_products(panel.data(), kPanelRows, blocks, system.data(), {});
    const double k = static_cast<double>(state.range(0));
    state.counters["GFLOP/s"] = rate(static_cast<double>(kPanelRows) * k * (k + 1));
}

void cholesky(benchmark::State& state, const Kernels& kernel) {
    const auto blocks = static_cast<std::size_t>(state.range(0)) / kLanes;
    const std::size_t size = blocks * kLanes;
    const Array<float> panel = random_panel(blocks);
    Array<float> original(system_size(blocks), 0.0f);
    kernel.add_outer_products(panel.data(), kPanelRows, blocks, original.data(), {});
    for (std::size_t i = 0; i < size; ++i)
        original[i / kLanes * system_stride(blocks) + i * kLanes + i % kLanes] += 10.0f;
    Array<float> system(original.size());
    Array<float> vector(size, 1.0f);
    for (auto _ : state) {
        std::memcpy(system.data(), original.data(), original.size() * sizeof(float));
        benchmark::DoNotOptimize(kernel.factorize(system.data(), blocks, 1e-7f));
        kernel.solve_lower(system.data(), blocks, vector.data());
        kernel.solve_upper(system.data(), blocks, vector.data());
    }
    const double k = static_cast<double>(state.range(0));
    state.counters["GFLOP/s"] = rate(k * k * k / 3 + 2 * k * k);
}

void combination(benchmark::State& state, const Kernels& kernel) {
    const auto blocks = static_cast<std::size_t>(state.range(0)) / kLanes;
    const Array<float> panel = random_panel(blocks), coefficients(kPanelRows, 1e-3f);
    Array<float> vector(blocks * kLanes, 0.0f);
    for (auto _ : state) kernel.add_combination(panel.data(), kPanelRows, blocks, coefficients.data(), vector.data());
    state.counters["GFLOP/s"] = rate(2.0 * kPanelRows * static_cast<double>(state.range(0)));
}

void products(benchmark::State& state, const Kernels& kernel) {
    const auto blocks = static_cast<std::size_t>(state.range(0)) / kLanes;
    const Array<float> panel = random_panel(blocks), vector(blocks * kLanes, 1e-3f), targets(kPanelRows, 1.0f);
    Array<float> residuals(kPanelRows);
    for (auto _ : state)
        kernel.subtract_products(panel.data(), kPanelRows, blocks, vector.data(), targets.data(), residuals.data());
    state.counters["GFLOP/s"] = rate(2.0 * kPanelRows * static_cast<double>(state.range(0)));
}

void dot(benchmark::State& state, const Kernels& kernel) {
    const auto blocks = static_cast<std::size_t>(state.range(0)) / kLanes;
    const Array<float> a(blocks * kLanes, 1.0f), b(blocks * kLanes, 1.0f);
    for (auto _ : state) benchmark::DoNotOptimize(kernel.dot(a.data(), b.data(), blocks));
    state.counters["GFLOP/s"] = rate(2.0 * static_cast<double>(state.range(0)));
}

// 16 rows by 64 columns.
constexpr std::size_t kColumnBlocks = 4;

void multiply(benchmark::State& state, const Kernels& kernel) {
    const auto k = static_cast<std::size_t>(state.range(0));
    const std::size_t stride = (k + 1) * kLanes;
    const Array<float> rows(stride, 1.0f), columns(kColumnBlocks * stride, 1.0f);
    Array<float> products(kColumnBlocks * kTile);
    for (auto _ : state) kernel.multiply(rows.data(), columns.data(), stride, k, kColumnBlocks, products.data());
    state.counters["GFLOP/s"] = rate(2.0 * kLanes * kLanes * kColumnBlocks * static_cast<double>(k));
}

using RowMajor = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

void eigen_outer_products(benchmark::State& state) {
    const auto k = state.range(0);
    const RowMajor panel = RowMajor::Random(kPanelRows, k);
    Eigen::MatrixXf system = Eigen::MatrixXf::Zero(k, k);
    for (auto _ : state) {
        system.selfadjointView<Eigen::Lower>().rankUpdate(panel.transpose());
        benchmark::DoNotOptimize(system.data());
    }
    state.counters["GFLOP/s"] = rate(static_cast<double>(kPanelRows) * static_cast<double>(k * (k + 1)));
}

void eigen_cholesky(benchmark::State& state) {
    const auto k = state.range(0);
    const Eigen::MatrixXf panel = Eigen::MatrixXf::Random(kPanelRows, k);
    const Eigen::MatrixXf original = panel.transpose() * panel + 10 * Eigen::MatrixXf::Identity(k, k);
    Eigen::MatrixXf system(k, k);
    Eigen::VectorXf vector = Eigen::VectorXf::Ones(k);
    for (auto _ : state) {
        system = original;
        const Eigen::LLT<Eigen::Ref<Eigen::MatrixXf>> cholesky(system);
        cholesky.solveInPlace(vector);
        benchmark::DoNotOptimize(vector.data());
    }
    const double size = static_cast<double>(k);
    state.counters["GFLOP/s"] = rate(size * size * size / 3 + 2 * size * size);
}

void eigen_combination(benchmark::State& state) {
    const auto k = state.range(0);
    const RowMajor panel = RowMajor::Random(kPanelRows, k);
    const Eigen::VectorXf coefficients = Eigen::VectorXf::Constant(kPanelRows, 1e-3f);
    Eigen::VectorXf vector = Eigen::VectorXf::Zero(k);
    for (auto _ : state) {
        vector.noalias() += panel.transpose() * coefficients;
        benchmark::DoNotOptimize(vector.data());
    }
    state.counters["GFLOP/s"] = rate(2.0 * kPanelRows * static_cast<double>(k));
}

void eigen_products(benchmark::State& state) {
    const auto k = state.range(0);
    const RowMajor panel = RowMajor::Random(kPanelRows, k);
    const Eigen::VectorXf vector = Eigen::VectorXf::Ones(k), targets = Eigen::VectorXf::Ones(kPanelRows);
    Eigen::VectorXf residuals(kPanelRows);
    for (auto _ : state) {
        residuals = targets;
        residuals.noalias() -= panel * vector;
        benchmark::DoNotOptimize(residuals.data());
    }
    state.counters["GFLOP/s"] = rate(2.0 * kPanelRows * static_cast<double>(k));
}

void eigen_dot(benchmark::State& state) {
    const auto k = state.range(0);
    Eigen::VectorXf a = Eigen::VectorXf::Ones(k), b = Eigen::VectorXf::Ones(k);
    for (auto _ : state) {
        benchmark::DoNotOptimize(a.data());
        benchmark::DoNotOptimize(a.dot(b));
    }
    state.counters["GFLOP/s"] = rate(2.0 * static_cast<double>(k));
}

void eigen_multiply(benchmark::State& state) {
    const auto k = state.range(0);
    const RowMajor rows = RowMajor::Random(kLanes, k);
    const Eigen::MatrixXf columns = Eigen::MatrixXf::Random(k, kColumnBlocks * kLanes);
    RowMajor products(kLanes, kColumnBlocks * kLanes);
    for (auto _ : state) {
        products.noalias() = rows * columns;
        benchmark::DoNotOptimize(products.data());
    }
    state.counters["GFLOP/s"] = rate(2.0 * kLanes * kLanes * kColumnBlocks * static_cast<double>(k));
}

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
    state.counters["GFLOP/s"] = rate(2 * size * size * size);
}
BENCHMARK(sgemm)->Arg(512)->Arg(1024)->Name("sgemm (Eigen, one thread)/n");

// Rows from a matrix of 26,744 rows, in random order.
void gather(benchmark::State& state, const Kernels& kernel) {
    const auto blocks = static_cast<std::size_t>(state.range(0)) / kLanes;
    constexpr std::size_t kRows = 26744;
    const Array<float> rows(kRows * blocks * kLanes, 1.0f);
    const Array<float> scales(kPanelRows, 1.0f);
    std::vector<std::uint32_t> indices(std::size_t{1} << 16);
    Random random(2);
    for (std::uint32_t& index : indices) index = static_cast<std::uint32_t>(random.next() % kRows);
    Array<float> panel(panel_size(blocks));
    for (auto _ : state)
        for (std::size_t first = 0; first < indices.size(); first += kPanelRows)
            kernel.gather(rows.data(), blocks * kLanes, indices.data() + first, kPanelRows, indices.size() - first,
                          scales.data(), blocks, panel.data());
    state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(indices.size()));
}

// The same rows in half of their bits, each multiplied and added: what a step of conjugate gradient does with those it
// reads for the first time.
void bfloat16_rows(benchmark::State& state, const Kernels& kernel) {
    const auto blocks = static_cast<std::size_t>(state.range(0)) / kLanes;
    constexpr std::size_t kRows = 26744;
    const Array<float> floats(kRows * blocks * kLanes, 1.0f);
    Array<std::uint32_t> words(kRows * bfloat16_words(blocks));
    kernel.to_bfloat16(floats.data(), kRows, blocks, 1.0f, words.data());
    const Array<float> vector(blocks * kLanes, 1e-3f), weights(1024, 1.0f);
    Array<float> sum(blocks * kLanes, 0.0f);
    std::vector<std::uint32_t> indices(1 << 16);
    Random random(2);
    for (std::uint32_t& index : indices) index = static_cast<std::uint32_t>(random.next() % kRows);
    for (auto _ : state)
        for (std::size_t first = 0; first < indices.size(); first += weights.size())
            kernel.add_bfloat16_rows({words.data(), 1.0f}, indices.data() + first, weights.size(),
                                     indices.size() - first, weights.data(), 1.0f, blocks, vector.data(), sum.data());
    state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(indices.size()));
}

// The eigenbasis of a Gram matrix, on two threads; Eigen has one.
GramMatrix gram_of(int factors, Environment& environment) {
    FactorMatrix rows(std::size_t{4} * static_cast<std::size_t>(factors), factors);
    Random random(1);
    for (std::size_t r = 0; r < rows.rows(); ++r)
        for (int f = 0; f < factors; ++f)
            rows.row(r)[f] = static_cast<float>(random.normal() / (1 + 0.01 * static_cast<double>(f)));
    return GramMatrix(rows, environment);
}

void eigenbasis(benchmark::State& state) {
    const int factors = static_cast<int>(state.range(0));
    Environment environment;
    environment.threads = 2;
    const GramMatrix gram = gram_of(factors, environment);
    for (auto _ : state) benchmark::DoNotOptimize(Eigenbasis(gram, factors, environment));
}

void eigen_eigenbasis(benchmark::State& state) {
    const int factors = static_cast<int>(state.range(0));
    Environment environment;
    const GramMatrix gram = gram_of(factors, environment);
    for (auto _ : state) {
        const Eigen::MatrixXd matrix =
            Eigen::MatrixXd::NullaryExpr(factors, factors, [&](Eigen::Index i, Eigen::Index j) {
                return static_cast<double>(gram.at(static_cast<std::size_t>(i), static_cast<std::size_t>(j)));
            });
        const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(matrix);
        benchmark::DoNotOptimize(solver.eigenvectors().data());
    }
}

BENCHMARK(eigenbasis)->Name("eigenbasis/k")->Arg(64)->Arg(256)->Arg(512)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(eigen_eigenbasis)
    ->Name("eigenbasis/Eigen/k")
    ->Arg(64)
    ->Arg(256)
    ->Arg(512)
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();

const int registered = [] {
    const auto add = [](const std::string& what, auto function) {
        benchmark::RegisterBenchmark((what + "/k").c_str(), function)->Arg(16)->Arg(32)->Arg(64)->Arg(128)->Arg(256);
    };
    struct {
        const char* what;
        void (*kernel)(benchmark::State&, const Kernels&);
        void (*eigen)(benchmark::State&);
    } const all[] = {{"outer products", outer_products, eigen_outer_products},
                     {"Cholesky", cholesky, eigen_cholesky},
                     {"combination", combination, eigen_combination},
                     {"products", products, eigen_products},
                     {"dot", dot, eigen_dot},
                     {"multiply", multiply, eigen_multiply},
                     {"gather", gather, nullptr},
                     {"bfloat16 rows", bfloat16_rows, nullptr}};
    for (const auto& one : all) {
        for (const char* name : {"portable", "avx2", "avx512"})
            if (const Kernels* kernel = kernels_named(name))
                add(std::string(one.what) + "/" + name, [=](benchmark::State& state) { one.kernel(state, *kernel); });
        if (one.eigen != nullptr) add(std::string(one.what) + "/Eigen", one.eigen);
    }
    return 0;
}();

}  // namespace
