#include "core/distributed/step.hpp"

#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <limits>

#include "core/base/half_floats.hpp"
#include "core/linalg/gram_matrix.hpp"
#include "core/linalg/kernels.hpp"
#include "core/training/options.hpp"

namespace mf {

namespace {

constexpr std::uint32_t kStepMagic = 0x3153666d;     // "mfS1"
constexpr std::uint32_t kFactorsMagic = 0x3146666d;  // "mfF1"

template <class Parameters>
void write_parameters(Parameters parameters, WireWriter& writer) {
    parameters.each_field([&](const char*, double& value, const NumberRange&) { writer.value(value); });
}

template <class Parameters>
Parameters read_parameters(WireReader& reader) {
    Parameters parameters;
    parameters.each_field([&](const char*, double& value, const NumberRange&) { value = reader.value<double>(); });
    return parameters;
}

template <class T>
void write_vector(std::span<const T> values, WireWriter& writer) {
    writer.value(std::uint64_t{values.size()});
    writer.array(values);
}

template <class T>
std::vector<T> read_vector(WireReader& reader) {
    const auto size = reader.value<std::uint64_t>();
    const Array<T> values = reader.array<T>(size);
    return {values.begin(), values.end()};
}

void write_turn(const FactorMatrix& turn, WireWriter& writer) {
    writer.value(static_cast<std::uint64_t>(turn.rows()));
    for (std::size_t r = 0; r < turn.rows(); ++r)
        writer.array(std::span<const float>(turn.row(r), static_cast<std::size_t>(turn.factors())));
}

FactorMatrix read_turn(int factors, WireReader& reader) {
    const auto rows = reader.value<std::uint64_t>();
    if (rows != 0 && rows != static_cast<std::uint64_t>(factors))
        throw InvalidData("a step of a training run turns other factors");
    FactorMatrix turn(rows, factors);
    for (std::size_t r = 0; r < rows; ++r) {
        const Array<float> row = reader.array<float>(static_cast<std::size_t>(factors));
        std::copy(row.begin(), row.end(), turn.row(r));
    }
    return turn;
}

constexpr std::uint32_t Step::*kWords[] = {&Step::factors,   &Step::reads_own, &Step::reads_other, &Step::writes,
                                           &Step::takes_all, &Step::by_steps,  &Step::sums_gram,   &Step::halves};

std::string bytes_of(const StepSums& sums) {
    WireWriter writer;
    writer.value(sums.rows);
    writer.value(sums.objective);
    writer.value(sums.values);
    writer.value(sums.statistics);
    writer.value(sums.train_errors);
    writer.value(sums.test_errors);
    writer.value(sums.lists);
    write_vector(std::span<const double>(sums.gram), writer);
    write_vector(std::span<const std::uint64_t>(sums.listed), writer);
    return writer.take();
}

StepSums sums_from(std::string_view bytes) {
    WireReader reader(bytes);
    StepSums sums;
    sums.rows = reader.value<std::uint64_t>();
    sums.objective = reader.value<ObjectiveParts>();
    sums.values = reader.value<ValueSums>();
    sums.statistics = reader.value<IalsStatistics>();
    sums.train_errors = reader.value<PredictionErrors>();
    sums.test_errors = reader.value<PredictionErrors>();
    sums.lists = reader.value<ListMetrics>();
    sums.gram = read_vector<double>(reader);
    sums.listed = read_vector<std::uint64_t>(reader);
    reader.finish();
    return sums;
}

/// What a block of factors begins with: whether they are in 16 bits, and the size of its sums.
struct FactorsPrefix {
    explicit FactorsPrefix(WireReader& reader) {
        if (reader.value<std::uint32_t>() != kFactorsMagic)
            throw InvalidData("these bytes are no factors of a training run");
        halves = reader.value<std::uint32_t>() != 0;
        sums = reader.value<std::uint64_t>();
    }
    bool halves;
    std::uint64_t sums;
};

}  // namespace

std::size_t Step::written_bytes() const {
    if (writes == 0) return 0;
    return std::size_t{RowNumbers(own_counts).rows()} * factors * (halves != 0 ? sizeof(std::uint16_t) : sizeof(float));
}

std::string Step::write() const {
    WireWriter writer;
    writer.value(kStepMagic);
    writer.value(kind);
    writer.value(side);
    writer.value(of);
    for (const auto word : kWords) writer.value(this->*word);
    writer.value(factor);
    writer.value(seed);
    write_parameters(scale, writer);
    write_parameters(als, writer);
    write_parameters(ials, writer);
    write_vector(std::span<const std::uint32_t>(own_counts), writer);
    write_vector(std::span<const std::uint32_t>(other_counts), writer);
    write_vector(std::span<const double>(gram), writer);
    write_turn(own_turn, writer);
    write_turn(other_turn, writer);
    return writer.take();
}

Step Step::read(std::string_view bytes) {
    WireReader reader(bytes);
    Step step;
    if (reader.value<std::uint32_t>() != kStepMagic) throw InvalidData("these bytes are no step of a training run");
    step.kind = reader.value<StepKind>();
    step.side = reader.value<RowSide>();
    step.of = reader.value<FactorKind>();
    for (const auto word : kWords) step.*word = reader.value<std::uint32_t>();
    step.factor = reader.value<double>();
    step.seed = reader.value<std::uint64_t>();
    step.scale = read_parameters<RatingScale>(reader);
    step.als = read_parameters<AlsParameters>(reader);
    step.ials = read_parameters<IalsParameters>(reader);
    step.own_counts = read_vector<std::uint32_t>(reader);
    step.other_counts = read_vector<std::uint32_t>(reader);
    step.gram = read_vector<double>(reader);
    const bool is_known = step.kind <= StepKind::SolveRanking && step.side <= RowSide::Items &&
                          step.of <= FactorKind::Ranking && step.factors >= 1 &&
                          step.factors <= static_cast<std::uint32_t>(kMaximumFactors);
    if (!is_known) throw InvalidData("a step of a training run is of no known kind");
    if (!step.gram.empty() && step.gram.size() != GramSums::size(static_cast<int>(step.factors)))
        throw InvalidData("a step of a training run has another number of factors");
    step.own_turn = read_turn(static_cast<int>(step.factors), reader);
    step.other_turn = read_turn(static_cast<int>(step.factors), reader);
    reader.finish();
    return step;
}

StepSums& StepSums::operator+=(const StepSums& other) {
    rows += other.rows;
    objective += other.objective;
    values += other.values;
    statistics += other.statistics;
    train_errors += other.train_errors;
    test_errors += other.test_errors;
    lists += other.lists;
    if (gram.empty()) gram.resize(other.gram.size());
    if (listed.empty()) listed.resize(other.listed.size());
    if ((!other.gram.empty() && other.gram.size() != gram.size()) ||
        (!other.listed.empty() && other.listed.size() != listed.size()))
        throw InvalidData("the sums of a step of a training run do not fit each other");
    for (std::size_t i = 0; i < other.gram.size(); ++i) gram[i] += other.gram[i];
    for (std::size_t i = 0; i < other.listed.size(); ++i) listed[i] |= other.listed[i];
    return *this;
}

namespace {

// A power of two that brings the largest of the factors near the largest 16-bit float.
float scale_to_halves(FactorView factors) {
    if (factors.rows() == 0) return 1.0f;
    const auto size = static_cast<Eigen::Index>(factors.rows() * factors.stride());
    const float largest = Eigen::Map<const Eigen::ArrayXf>(factors.row(0), size).abs().maxCoeff();
    return largest > 0 ? std::exp2(14.0f - std::ceil(std::log2(largest))) : 1.0f;
}

}  // namespace

std::string FactorBlock::write(const StepSums& sums, FactorView factors, std::span<const float> bias, bool halves) {
    const auto k = static_cast<std::size_t>(factors.factors());
    const std::string sum_bytes = bytes_of(sums);
    WireWriter writer;
    writer.reserve((factors.rows() * k + bias.size()) * sizeof(float) + sum_bytes.size() + 64);
    writer.value(kFactorsMagic);
    writer.value(std::uint32_t{halves});
    writer.value(std::uint64_t{sum_bytes.size()});
    writer.array(std::span<const char>(sum_bytes));
    writer.value(std::uint64_t{factors.rows()});
    writer.value(static_cast<std::uint32_t>(factors.factors()));
    writer.value(static_cast<std::uint32_t>(!bias.empty()));
    // Without the padding of rows.
    if (halves) {
        const float scale = scale_to_halves(factors);
        writer.value(scale);
        writer.array(std::span<const std::uint16_t>());
        Array<std::uint16_t> row(factors.stride());
        for (std::size_t r = 0; r < factors.rows(); ++r) {
            kernels().to_halves(factors.row(r), factors.stride() / kLanes, scale, row.data());
            writer.more(std::span<const std::uint16_t>(row).first(k));
        }
    } else {
        writer.array(std::span<const float>());
        for (std::size_t r = 0; r < factors.rows(); ++r) writer.more(std::span<const float>(factors.row(r), k));
    }
    writer.array(bias);
    return writer.take();
}

FactorBlock::FactorBlock(std::string_view bytes) {
    WireReader reader(bytes);
    const FactorsPrefix prefix(reader);
    sums_ = sums_from(reader.raw<char>(prefix.sums));
    rows_ = reader.value<std::uint64_t>();
    const auto factors = reader.value<std::uint32_t>();
    has_bias_ = reader.value<std::uint32_t>() != 0;
    if (factors > static_cast<std::uint32_t>(kMaximumFactors) || rows_ > IdTable::kMaximumSize)
        throw InvalidData("a block of factors has too many of them");
    factors_ = static_cast<int>(factors);
    if (prefix.halves) {
        unit_ = 1 / reader.value<float>();
        halves_ = reader.in_place<std::uint16_t>(rows_ * factors);
    } else {
        values_ = reader.in_place<float>(rows_ * factors);
    }
    bias_ = reader.in_place<float>(has_bias_ ? rows_ : 0);
    reader.finish();
}

void FactorBlock::copy_to(MutableFactorView out, float* bias) const {
    const auto k = static_cast<std::size_t>(factors_);
    for (std::size_t r = 0; r < rows_; ++r) {
        if (halves_.empty())
            std::copy_n(values_.data() + r * k, k, out.row(r));
        else
            std::transform(halves_.data() + r * k, halves_.data() + (r + 1) * k, out.row(r),
                           [this](std::uint16_t bits) { return unit_ * from_half(bits); });
    }
    if (has_bias_) std::ranges::copy(bias_, bias);
}

std::size_t sums_end(std::string_view prefix) {
    WireReader reader(prefix);
    const FactorsPrefix begin(reader);
    if (begin.sums > std::numeric_limits<std::int32_t>::max())
        throw InvalidData("a block of factors has too many sums");
    return kSumsPrefix + begin.sums;
}

StepSums read_sums(std::string_view bytes) {
    WireReader reader(bytes);
    const FactorsPrefix prefix(reader);
    return sums_from(reader.raw<char>(prefix.sums));
}

}  // namespace mf
