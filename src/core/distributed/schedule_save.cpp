// The state of a schedule as bytes, and back.
#include <algorithm>

#include "core/distributed/schedule.hpp"
#include "core/pipeline/warm_start.hpp"

namespace mf {

namespace {

constexpr std::uint32_t kMagic = 0x3152666d;  // "mfR1"

// Reads or writes the fields of a state, so that they are listed once.
class Saver {
  public:
    template <class T>
    void value(const T& value) {
        writer_.value(value);
    }
    template <class T>
    void vector(const std::vector<T>& values) {
        writer_.value(std::uint64_t{values.size()});
        writer_.array(std::span<const T>(values));
    }
    void stored(const StoredFactors& factors) {
        writer_.value(factors.version);
        writer_.value(static_cast<std::uint32_t>(factors.turn.rows()));
        for (std::size_t r = 0; r < factors.turn.rows(); ++r)
            writer_.array(std::span<const float>(factors.turn.row(r), factors.turn.rows()));
    }
    std::string take() { return writer_.take(); }

  private:
    WireWriter writer_;
};

class Loader {
  public:
    explicit Loader(std::string_view bytes) : reader_(bytes) {}
    template <class T>
    void value(T& value) {
        value = reader_.value<T>();
    }
    template <class T>
    void vector(std::vector<T>& values) {
        const auto size = reader_.value<std::uint64_t>();
        const Array<T> array = reader_.array<T>(size);
        values.assign(array.begin(), array.end());
    }
    void stored(StoredFactors& factors) {
        value(factors.version);
        const auto size = reader_.value<std::uint32_t>();
        if (size > static_cast<std::uint32_t>(kMaximumFactors)) throw InvalidData("a saved training run is damaged");
        factors.turn = FactorMatrix(size, static_cast<int>(size));
        for (std::size_t r = 0; r < size; ++r) {
            const Array<float> row = reader_.array<float>(size);
            std::copy(row.begin(), row.end(), factors.turn.row(r));
        }
    }
    void finish() { reader_.finish(); }

  private:
    WireReader reader_;
};

}  // namespace

// What a saved run consists of, in one place for both directions.
struct ScheduleFields {
    template <class Fields, class Self>
    static void each(Fields& fields, Self& s);
};

template <class Fields, class Self>
void ScheduleFields::each(Fields& fields, Self& s) {
    fields.value(s.stage_);
    for (auto* word : {&s.steps_, &s.pass_, &s.iteration_, &s.best_iteration_, &s.is_warm_, &s.baseline_})
        fields.value(*word);
    for (auto* number : {&s.penalty_, &s.loss_, &s.start_squares_}) fields.value(*number);
    fields.value(s.scale_);
    fields.value(s.als_);
    fields.value(s.ials_);
    fields.value(s.statistics_);
    for (auto& kind : s.factors_)
        for (auto& stored : kind) fields.stored(stored);
    fields.stored(s.best_items_);
    for (auto& gram : s.grams_) fields.vector(gram);
    fields.vector(s.best_gram_);
    fields.vector(s.metrics_);
    fields.value(s.rating_iterations_);
    fields.value(s.ranking_iterations_);
    for (auto* number : {&s.summary_.train_rmse, &s.summary_.test_rmse, &s.summary_.test_bias_rmse,
                         &s.summary_.test_ndcg, &s.summary_.test_popularity_ndcg, &s.summary_.test_coverage})
        fields.value(*number);
    for (auto* curve : {&s.summary_.rating_curve, &s.summary_.ranking_curve}) {
        fields.vector(curve->loss);
        fields.vector(curve->test_metric);
    }
}

Schedule::Schedule(const TrainOptions& options, DistributedData data, std::string_view saved)
    : Schedule(options, std::move(data)) {
    Loader loader(saved);
    std::uint32_t magic;
    loader.value(magic);
    if (magic != kMagic) throw InvalidData("these bytes are no saved training run");
    ScheduleFields::each(loader, *this);
    loader.finish();
    if (is_warm_ != 0) options_ = warm_options(options_);
    if (stage_ > Stage::Done) throw InvalidData("a saved training run is damaged");
    summary_.iterations = is_explicit() ? rating_iterations_ : ranking_iterations_;
    summary_.ranking_iterations = ranking_iterations_;
}

std::string Schedule::save() const {
    Saver saver;
    saver.value(kMagic);
    ScheduleFields::each(saver, *this);
    return saver.take();
}

}  // namespace mf
