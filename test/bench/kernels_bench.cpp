// The kernels alone, on data in cache; rates count useful floating-point operations, k(k + 1) for a rank-1 update.
#include <benchmark/benchmark.h>

#include <cstring>
#include <string>
#include <vector>

#include "core/base/array.hpp"
#include "core/base/random.hpp"
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

const int registered = [] {
    for (const char* name : {"portable", "avx2", "avx512"}) {
        const Kernels* kernel = kernels_named(name);
        if (kernel == nullptr) continue;
        const auto add = [&](const char* what, void (*function)(benchmark::State&, const Kernels&)) {
            benchmark::RegisterBenchmark((std::string(what) + "/" + name + "/k").c_str(),
                                         [=](benchmark::State& state) { function(state, *kernel); })
                ->Arg(16)
                ->Arg(64)
                ->Arg(128)
                ->Arg(256);
        };
        add("outer products", outer_products);
        add("Cholesky", cholesky);
        add("gather", gather);
    }
    return 0;
}();

}  // namespace
