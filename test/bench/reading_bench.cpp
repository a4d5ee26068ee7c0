// From rows as a source delivers them to both sparse matrices, without the source: interning and collecting, finishing,
// transposing. The time shown is the CPU time of the whole process, `wall` the time that passed. Rows come by user, as
// in a table that grew user by user or is clustered, or in random order. longest_wait: seconds between two looks at the
// interrupt while finishing and transposing.
#include <benchmark/benchmark.h>
#include <time.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/hash.hpp"
#include "core/base/random.hpp"
#include "core/data/interactions.hpp"
#include "skewed_data.hpp"

namespace {

using namespace mf;

enum Order { kByUser, kRandom };

struct Row {
    std::uint32_t user;
    std::uint32_t item;
    float value;
};

const std::vector<Row>& rows_in(Order order) {
    static std::vector<Row> rows;
    static Order current = kByUser;
    if (rows.empty() || (order == kByUser && current == kRandom)) {
        const Csr matrix = bench::skewed_ratings(bench::kTwentyMillion);
        rows.clear();
        rows.reserve(matrix.entries());
        for (std::uint32_t user = 0; user < matrix.rows(); ++user) {
            for (std::uint64_t i = matrix.offsets[user]; i < matrix.offsets[user + 1]; ++i)
                rows.push_back({user, matrix.columns[i], matrix.values[i]});
        }
        current = kByUser;
    }
    if (order == kRandom && current == kByUser) {
        Random random(4);
        for (std::size_t i = rows.size(); i > 1; --i) std::swap(rows[i - 1], rows[random.next() % i]);
        current = kRandom;
    }
    return rows;
}

/// A batch of ids of one side in the form of a kind: numbers from 1, "user_1", or 16 bytes that look random.
class IdBatch {
  public:
    IdBatch(IdKind kind, std::string_view prefix) : kind_(kind), prefix_(prefix) {}

    void set(std::size_t position, std::uint32_t id) {
        char* text = text_[position];
        switch (kind_) {
            case IdKind::Integer:
                integers_[position] = std::int64_t{id} + 1;
                break;
            case IdKind::Text: {
                std::memcpy(text, prefix_.data(), prefix_.size());
                const char* end = std::to_chars(text + prefix_.size(), text + sizeof(Text), id + 1).ptr;
                bytes_[position] = {text, static_cast<std::size_t>(end - text)};
                break;
            }
            case IdKind::Uuid: {
                const std::uint64_t halves[2] = {mix64(2 * std::uint64_t{id} + 1), mix64(2 * std::uint64_t{id} + 2)};
                std::memcpy(text, halves, sizeof halves);
                bytes_[position] = {text, sizeof halves};
                break;
            }
        }
    }

    void intern(IdTable& table, std::size_t count, std::uint32_t* indices) const {
        if (kind_ == IdKind::Integer) {
            table.intern(std::span(integers_).first(count), indices);
        } else {
            table.intern(std::span(bytes_).first(count), indices);
        }
    }

    static constexpr std::size_t kSize = 256;

  private:
    using Text = char[24];

    IdKind kind_;
    std::string_view prefix_;
    std::int64_t integers_[kSize];
    std::string_view bytes_[kSize];
    Text text_[kSize];
};

double seconds(clockid_t clock) {
    timespec time;
    clock_gettime(clock, &time);
    return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

void reading(benchmark::State& state, IdKind kind, Order order) {
    const std::vector<Row>& rows = rows_in(order);
    IdBatch users(kind, "user_");
    IdBatch items(kind, "item_");
    std::uint32_t user_indices[IdBatch::kSize];
    std::uint32_t item_indices[IdBatch::kSize];
    float values[IdBatch::kSize];
    Environment environment;
    environment.threads = static_cast<int>(state.range(0));
    double collect = 0, finish = 0, transposed = 0, wall = 0, bytes = 0;
    // How long a cancel would have had to wait.
    double last_look = 0, longest_wait = 0;
    environment.interrupted = [&] {
        const double now = seconds(CLOCK_MONOTONIC);
        longest_wait = std::max(longest_wait, now - std::exchange(last_look, now));
        return false;
    };
    environment.checkpoint = [] {};
    for (auto _ : state) {
        InteractionsBuilder builder(kind, kind, false);
        const double wall_before = seconds(CLOCK_MONOTONIC), start = seconds(CLOCK_PROCESS_CPUTIME_ID);
        for (std::size_t begin = 0; begin < rows.size(); begin += IdBatch::kSize) {
            const std::size_t count = std::min(IdBatch::kSize, rows.size() - begin);
            for (std::size_t i = 0; i < count; ++i) {
                users.set(i, rows[begin + i].user);
                items.set(i, rows[begin + i].item);
                values[i] = rows[begin + i].value;
            }
            users.intern(builder.users(), count, user_indices);
            items.intern(builder.items(), count, item_indices);
            builder.add(count, user_indices, item_indices, values, nullptr);
        }
        bytes = static_cast<double>(builder.memory());
        const double collected = seconds(CLOCK_PROCESS_CPUTIME_ID);
        last_look = seconds(CLOCK_MONOTONIC);
        const Dataset dataset = std::move(builder).finish(Duplicates::Mean, environment);
        const double finished = seconds(CLOCK_PROCESS_CPUTIME_ID);
        const Csr by_item = transpose(dataset.by_user, environment);
        const double end = seconds(CLOCK_PROCESS_CPUTIME_ID);
        benchmark::DoNotOptimize(by_item.columns.data());
        state.SetIterationTime(end - start);
        collect += collected - start;
        finish += finished - collected;
        transposed += end - finished;
        wall += seconds(CLOCK_MONOTONIC) - wall_before;
    }
    const auto average = [](double total) { return benchmark::Counter(total, benchmark::Counter::kAvgIterations); };
    state.counters["collect"] = average(collect);
    state.counters["finish"] = average(finish);
    state.counters["transpose"] = average(transposed);
    state.counters["wall"] = average(wall);
    state.counters["longest_wait"] = longest_wait;
    state.counters["bytes/row"] = bytes / static_cast<double>(rows.size());
}

void configure(benchmark::internal::Benchmark* benchmark) {
    benchmark->ArgName("threads")->Unit(benchmark::kMillisecond)->UseManualTime()->Arg(1)->Arg(2);
}

BENCHMARK_CAPTURE(reading, integer / by_user, IdKind::Integer, kByUser)->Apply(configure);
BENCHMARK_CAPTURE(reading, text / by_user, IdKind::Text, kByUser)->Apply(configure);
BENCHMARK_CAPTURE(reading, uuid / by_user, IdKind::Uuid, kByUser)->Apply(configure);
BENCHMARK_CAPTURE(reading, integer / random, IdKind::Integer, kRandom)->Apply(configure);
BENCHMARK_CAPTURE(reading, text / random, IdKind::Text, kRandom)->Apply(configure);
BENCHMARK_CAPTURE(reading, uuid / random, IdKind::Uuid, kRandom)->Apply(configure);

}  // namespace
