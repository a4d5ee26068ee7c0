#include "pg/serving/chosen_users.hpp"

#include "core/base/error.hpp"
#include "pg/models/model_rows.hpp"
#include "pg/wall/guc.hpp"

namespace mf::pg {

ChosenUsers::ChosenUsers(const ServingModel& model, const IdArrayView& ids) {
    if (ids.count < 0) return;
    IdTable& users = users_.emplace(model.user_kind);
    for (int i = 0; i < ids.count; ++i) {
        if (ids.elements[i].null) continue;
        if (const std::optional<Id> user = convert_id(ids.elements[i], model.user_kind)) user->intern_in(users);
    }
    const std::size_t bytes = users.memory() + ids_memory(users);
    if (bytes > setting_max_memory())
        throw MemoryLimitExceeded("the users need " + megabytes(bytes) + " of memory, mf_ext.max_memory is " +
                                      megabytes(setting_max_memory()),
                                  "They are " + std::to_string(users.size()) + ".",
                                  "Raise mf_ext.max_memory, or pass some of them in each of several calls.");
    if (std::int64_t{users.size()} * kRowsALookup > model.version.users) return;
    for (std::uint32_t user = 0; user < users.size(); ++user) few_.push_back(id_at(users, user));
}

void ChosenUsers::read_factors(const Catalog& catalog, const ServingModel& model,
                               const std::function<void(Id, const FactorRow&)>& sink) const {
    const std::string label = version_label(model.name, model.version.version);
    const auto take = [&](const FactorRow& row) {
        Id id = stored_id(row.id, model.user_kind, "user", label);
        if (has(id)) sink(std::move(id), row);
    };
    const std::int64_t model_id = model.version.model_id;
    if (few() == nullptr) return read_all_user_factors(catalog, model_id, model.shape(), take);
    for (const Id& id : few_) read_user_factors(catalog, model_id, model.shape(), id.text(), take);
}

}  // namespace mf::pg
