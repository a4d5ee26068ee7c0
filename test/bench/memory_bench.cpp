// What the memory of this machine gives, beside which the trainers' iterations are judged: a copy, and rows of factors
// gathered in random order, as a half-step gathers them. Bytes per second of one thread.
#include <benchmark/benchmark.h>

#include <cstdint>
#include <cstring>
#include <vector>

#include "core/base/array.hpp"
#include "core/base/random.hpp"

namespace {

using namespace mf;

void memory_copy(benchmark::State& state) {
    constexpr std::size_t kBytes = std::size_t{256} << 20;
    const Array<char> from(kBytes, 1);
    Array<char> to(kBytes, 0);
    for (auto _ : state) {
        std::memcpy(to.data(), from.data(), kBytes);
        benchmark::ClobberMemory();
    }
    state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations()) * static_cast<std::int64_t>(kBytes));
}

// Rows of so many bytes, as many as S20 has users; the sum over each keeps the loop from being left out.
void random_gather(benchmark::State& state) {
    constexpr std::size_t kRows = 138493, kGathered = std::size_t{1} << 22, kAhead = 16;
    const auto width = static_cast<std::size_t>(state.range(0)) / sizeof(float);
    const Array<float> rows(kRows * width, 1.0f);
    std::vector<std::uint32_t> order(kGathered + kAhead);
    Random random(1);
    for (std::uint32_t& row : order) row = static_cast<std::uint32_t>(random.next() % kRows);
    constexpr std::size_t kLanes = 16, kLine = 64 / sizeof(float);
    for (auto _ : state) {
        alignas(64) float sum[kLanes] = {};
        for (std::size_t i = 0; i < kGathered; ++i) {
            const float* const next = rows.data() + order[i + kAhead] * width;
            for (std::size_t f = 0; f < width; f += kLine) __builtin_prefetch(next + f);
            const float* const row = rows.data() + order[i] * width;
            for (std::size_t f = 0; f < width; f += kLanes)
                for (std::size_t l = 0; l < kLanes; ++l) sum[l] += row[f + l];
        }
        benchmark::DoNotOptimize(sum);
    }
    state.SetBytesProcessed(static_cast<std::int64_t>(state.iterations() * kGathered * width * sizeof(float)));
}

BENCHMARK(memory_copy)->Name("memory/copy of 256 MB");
// k = 64 in 16 bits and in 32.
BENCHMARK(random_gather)->Name("memory/gather, bytes a row")->Arg(128)->Arg(256);

}  // namespace
