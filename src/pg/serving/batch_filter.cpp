#include "pg/serving/batch_filter.hpp"

#include <algorithm>

#include "core/base/error.hpp"
#include "pg/cache/model_for_call.hpp"
#include "pg/wall/guc.hpp"

namespace mf::pg {
namespace {

void require_memory(const ServingModel& model, std::size_t bytes, const char* what, std::size_t count) {
    if (bytes <= setting_max_memory()) return;
    throw MemoryLimitExceeded("the lists of model \"" + model.name + "\" need at least " + megabytes(bytes) +
                                  " of memory, mf_ext.max_memory is " + megabytes(setting_max_memory()),
                              "They are restricted to " + std::to_string(count) + " " + what + ".",
                              "Raise mf_ext.max_memory, or restrict them to fewer in each of several calls.");
}

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

IdTable known_users(const ServingModel& model, const IdArrayView& ids) {
    IdTable users(model.user_kind);
    for (int i = 0; i < ids.count; ++i) {
        if (ids.elements[i].null) continue;
        if (const std::optional<Id> user = convert_id(ids.elements[i], model.user_kind)) user->intern_in(users);
    }
    return users;
}

}  // namespace

BatchFilter::BatchFilter(const ServingModel& model, const BatchArguments& arguments, Environment& environment) {
    if (arguments.candidates.count >= 0 || arguments.exclude.count > 0) {
        std::vector<std::uint32_t> allowed = allowed_items(model, arguments);
        const ItemIndex& all = model.items.ranking();
        require_memory(model, SubsetIndex::bytes(all, allowed.size()), "items", allowed.size());
        items_.emplace(all, std::move(allowed), environment);
    }
    if (arguments.users.count < 0) return;
    users_ = known_users(model, arguments.users);
    // A row that is looked up takes about as long as this many that are read one after the other.
    constexpr std::int64_t kRowsALookup = 20;
    if (std::int64_t{users_->size()} * kRowsALookup > model.version.users) return;
    require_memory(model, users_->memory() + ids_memory(*users_), "users", users_->size());
    for (std::uint32_t user = 0; user < users_->size(); ++user) few_users_.push_back(id_at(*users_, user));
}

}  // namespace mf::pg
