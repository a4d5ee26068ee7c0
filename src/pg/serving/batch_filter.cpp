#include "pg/serving/batch_filter.hpp"

#include <algorithm>

#include "core/base/error.hpp"
#include "pg/cache/model_for_call.hpp"
#include "pg/wall/guc.hpp"

namespace mf::pg {
namespace {

/// Candidates, or all items, without those to be excluded.
std::vector<std::uint32_t> allowed_items(const ServingModel& model, const BatchArguments& arguments) {
    const std::vector<std::uint32_t> excluded = known_items(model, arguments.exclude);
    std::vector<std::uint32_t> candidates;
    if (arguments.candidates.count >= 0)
        candidates = known_items(model, arguments.candidates);
    else
        for (std::uint32_t item = 0; item < model.items.size(); ++item) candidates.push_back(item);
    std::vector<std::uint32_t> allowed;
    std::ranges::set_difference(candidates, excluded, std::back_inserter(allowed));
    return allowed;
}

}  // namespace

BatchFilter::BatchFilter(const ServingModel& model, const BatchArguments& arguments, Environment& environment)
    : users_(model, arguments.users) {
    if (arguments.candidates.count < 0 && arguments.exclude.count <= 0) return;
    std::vector<std::uint32_t> allowed = allowed_items(model, arguments);
    const ItemIndex& all = model.items.ranking();
    const std::size_t bytes = SubsetIndex::bytes(all, allowed.size());
    if (bytes > setting_max_memory())
        throw MemoryLimitExceeded("the lists of model \"" + model.name + "\" need at least " + megabytes(bytes) +
                                      " of memory, mf_ext.max_memory is " + megabytes(setting_max_memory()),
                                  "They are restricted to " + std::to_string(allowed.size()) + " items.",
                                  "Raise mf_ext.max_memory, or restrict the lists to fewer items.");
    items_.emplace(all, std::move(allowed), environment);
}

}  // namespace mf::pg
