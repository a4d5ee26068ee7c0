// The baseline of an evaluation that knows no factors: mean + user bias + item bias.
#pragma once

#include "pg/serving/history.hpp"

namespace mf::pg {

/// Biases of the items from one pass over the source with the rights of the model's owner; those of users follow from
/// their histories.
class BiasBaseline : public RowSink {
  public:
    BiasBaseline(const ServingModel& model, const Source& source);

    double mean() const { return mean_; }
    double item(std::uint32_t item) const { return items_[item].total; }
    double user(std::span<const HistoryEntry> history) const;

    /// All items, greatest bias first, ties by index.
    std::vector<std::uint32_t> order() const;

    void rows(const RowBatch& batch) override;

  private:
    struct Sum {
        double total = 0;  ///< of the ratings; later the bias
        std::uint64_t count = 0;
    };

    const ServingModel& model_;
    std::vector<Sum> items_;
    Sum all_;
    double mean_ = 0;
};

}  // namespace mf::pg
