#include "pg/cache/model_for_call.hpp"

#include <algorithm>

namespace mf::pg {

std::shared_ptr<ServingModel> serving_model(const Catalog& catalog, const char* name,
                                            std::optional<std::int64_t> number, IdKind overload, NamedIds named) {
    std::string found_name;
    const ModelVersion version = find_version(catalog, name, number, &found_name);
    std::shared_ptr<ServingModel> model = cached_model(catalog, found_name, version);
    switch (named) {
        case NamedIds::Users:
            check_overload(overload, model->user_kind, version.user_type, "user", found_name.c_str());
            break;
        case NamedIds::Items:
            check_overload(overload, model->item_kind, version.item_type, "item", found_name.c_str());
            break;
        default:
            check_overload_for_both(overload, model->user_kind, version.user_type, model->item_kind, version.item_type,
                                    found_name.c_str());
    }
    return model;
}

std::optional<std::uint32_t> known_item(const ServingModel& model, const IdView& view) {
    const std::optional<Id> id = convert_id(view, model.item_kind);
    return id ? id->find_in(model.items.ids()) : std::nullopt;
}

std::vector<std::uint32_t> known_items(const ServingModel& model, const IdArrayView& ids) {
    std::vector<std::uint32_t> items;
    for (int i = 0; i < ids.count; ++i) {
        if (ids.elements[i].null) continue;
        if (const std::optional<std::uint32_t> item = known_item(model, ids.elements[i])) items.push_back(*item);
    }
    std::sort(items.begin(), items.end());
    items.erase(std::unique(items.begin(), items.end()), items.end());
    return items;
}

}  // namespace mf::pg
