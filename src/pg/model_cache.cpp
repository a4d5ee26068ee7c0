#include "pg/model_cache.hpp"

#include <algorithm>

#include "pg/guc.hpp"

namespace mf::pg {
namespace {

struct Entry {
    Oid table;
    std::int64_t model_id;
    TimestampTz trained_at;
    std::uint64_t last_used;
    std::shared_ptr<ServingModel> model;
};

struct Cache {
    std::vector<Entry> entries;
    std::uint64_t clock = 0;

    void evict(std::size_t limit) {
        std::size_t total = 0;
        for (const Entry& entry : entries) total += entry.model->bytes;
        // The newest stays even if it is larger than the limit: it is about to serve.
        while (entries.size() > 1 && total > limit) {
            const auto oldest = std::min_element(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
                return a.last_used < b.last_used;
            });
            total -= oldest->model->bytes;
            entries.erase(oldest);
        }
    }
};

/// Made at first use and never destroyed: destructors at exit would run after PostgreSQL has shut down.
Cache* cache = nullptr;

}  // namespace

std::shared_ptr<ServingModel> cached_model(const Catalog& catalog, const std::string& name, const ModelVersion& version) {
    if (cache == nullptr) cache = new Cache;
    for (Entry& entry : cache->entries) {
        if (entry.table != catalog.models || entry.model_id != version.model_id || entry.trained_at != version.trained_at)
            continue;
        entry.last_used = ++cache->clock;
        entry.model->name = name;
        entry.model->version.owner = version.owner;
        return entry.model;
    }
    std::shared_ptr<ServingModel> model = load_serving_model(catalog, name, version);
    // Another version of the model has most likely been replaced or dropped, and would stay until the cache is full.
    std::erase_if(cache->entries, [&](const Entry& entry) {
        return entry.table == catalog.models && entry.model->name == name;
    });
    cache->entries.push_back({catalog.models, version.model_id, version.trained_at, ++cache->clock, model});
    cache->evict(setting_cache_size());
    return model;
}

}  // namespace mf::pg
