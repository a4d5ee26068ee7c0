#include "pg/cache/model_cache.hpp"

#include <algorithm>

#include "pg/cache/cache_release.hpp"
#include "pg/cache/shared_items.hpp"
#include "pg/wall/clipped.hpp"
#include "pg/wall/environment.hpp"
#include "pg/wall/guc.hpp"

namespace mf::pg {
namespace {

struct Entry {
    ItemKey key;
    std::uint64_t last_used = 0;
    std::shared_ptr<ServingModel> model;
    std::shared_ptr<SharedImage> image;  ///< null: the image is private
    std::size_t private_bytes = 0;
    bool uncommitted = false;  ///< private because the current transaction had created the version

    bool is_current(const ModelVersion& version) const {
        return image != nullptr ? image->is_current() : uncommitted == version.uncommitted;
    }
};

struct Cache {
    std::vector<Entry> entries;
    std::uint64_t clock = 0;

    /// Forgets images that were evicted from the server's cache, and private images until the rest take at most `limit`
    /// bytes.
    void evict(std::size_t limit) {
        std::erase_if(entries, [](const Entry& entry) { return entry.image != nullptr && !entry.image->is_current(); });
        std::size_t total = 0;
        for (const Entry& entry : entries) total += entry.private_bytes;
        while (total > limit) {
            auto oldest = entries.end();
            for (auto entry = entries.begin(); entry != entries.end(); ++entry)
                if (entry->private_bytes > 0 && (oldest == entries.end() || entry->last_used < oldest->last_used))
                    oldest = entry;
            total -= oldest->private_bytes;
            entries.erase(oldest);
        }
    }
};

/// Created at first use and never destroyed: destructors at exit would run after PostgreSQL has shut down.
Cache* cache = nullptr;

void warn_once(const std::string& model, std::size_t bytes, const std::string& refusal) {
    static bool warned = false;
    if (warned) return;
    warned = true;
    report(WARNING, "model \"" + model + "\" (" + megabytes(bytes) + ") does not fit into the shared cache",
           refusal + " This session uses a copy of its own: the same results, and " + megabytes(bytes) +
               " more memory for each connection.",
           "Raise mf_ext.cache_size; in a container raise /dev/shm too (docker run --shm-size).");
}

ItemLabel label_of(const std::string& name, const ModelVersion& version) {
    ItemLabel label;
    copy_clipped(label.model, name);
    label.version = version.version;
    label.items = version.items;
    return label;
}

/// Throws program_limit_exceeded if a private image of that many bytes is too large for this session; `refusal` is the
/// reason why it cannot be shared.
void require_private_memory(const std::string& label, std::size_t bytes, const std::string& refusal) {
    if (bytes <= setting_max_private_memory()) return;
    throw SqlError(ERRCODE_PROGRAM_LIMIT_EXCEEDED,
                   "the items of " + label + " need at least " + megabytes(bytes) +
                       " of memory of this session, mf_ext.max_private_memory is " +
                       megabytes(setting_max_private_memory()),
                   refusal,
                   "A superuser can raise mf_ext.cache_size, so that all sessions share one copy, or "
                   "mf_ext.max_private_memory.");
}

/// The least number of bytes that the items will take, from the version's row. Throws data_corrupted for impossible
/// rows.
std::size_t least_bytes(const std::string& label, const ModelVersion& version, FactorShape shape) {
    constexpr std::int64_t kMostItems = 0xFFFFFFFE;
    if (version.items < 1 || version.items > kMostItems)
        throw SqlError(ERRCODE_DATA_CORRUPTED, label + " is damaged",
                       "It cannot have " + std::to_string(version.items) + " items.", "Train the model again.");
    return ItemImage::least_bytes(static_cast<std::size_t>(version.items), shape.ranking_factors, shape.rating_factors);
}

void swap_rows(FactorMatrix& matrix, std::uint32_t a, std::uint32_t b) {
    std::swap_ranges(matrix.row(a), matrix.row(a) + matrix.stride(), matrix.row(b));
}

/// Rows arrive in byte order of the ids, which is not the numeric order of integers. In place: a second copy would take
/// as long to be made as all the rest.
void sort_items(ItemParts& parts, Environment& environment) {
    std::vector<std::uint32_t> place = parts.ids.sort(environment);
    SmallSteps steps(environment);
    for (std::uint32_t row = 0; row < place.size(); ++row) {
        while (place[row] != row) {
            const std::uint32_t to = place[row];
            swap_rows(parts.ranking, row, to);
            std::swap(parts.interactions[row], parts.interactions[to]);
            if (!parts.popularity.empty()) std::swap(parts.popularity[row], parts.popularity[to]);
            if (parts.rating.rows() > 0) {
                swap_rows(parts.rating, row, to);
                std::swap(parts.rating_bias[row], parts.rating_bias[to]);
            }
            std::swap(place[row], place[to]);
            steps.done(1);
        }
    }
}

/// Reads a version's items, whose rows have that shape, under the active snapshot and sorts them by id. Throws
/// data_corrupted for missing or surplus rows and for rows of another length. O(items · k).
ItemParts load_items(const Catalog& catalog, const std::string& model, const ModelVersion& version, FactorShape shape) {
    const IdKind kind = pg_call([type = version.item_type] { return id_kind_unsafe(type); });
    const std::string label = version_label(model, version.version);
    const auto count = static_cast<std::size_t>(version.items);
    ItemParts parts;
    parts.ids = IdTable(kind);
    parts.interactions = Array<std::uint32_t>(count, 0);
    parts.ranking = FactorMatrix(count, shape.ranking_factors);
    if (!version.implicit) {
        parts.rating = FactorMatrix(count, shape.rating_factors);
        parts.rating_bias = Array<float>(count, 0.0f);
    }
    std::size_t row = 0;
    read_item_factors(catalog, version.model_id, shape, [&](const FactorRow& item) {
        if (row == count)
            throw SqlError(ERRCODE_DATA_CORRUPTED, label + " has surplus item factors", "", "Train the model again.");
        stored_id(item.id, kind, "item", label).intern_in(parts.ids);
        std::ranges::copy(item.ranking_factors, parts.ranking.row(row));
        parts.interactions[row] = item.interactions;
        if (item.popularity && parts.popularity.empty()) parts.popularity = Array<float>(count, 0.0f);
        if (item.popularity) parts.popularity[row] = *item.popularity;
        if (!version.implicit) {
            std::ranges::copy(item.rating_factors, parts.rating.row(row));
            parts.rating_bias[row] = item.rating_bias;
        }
        ++row;
    });
    if (row != count || parts.ids.size() != count)
        throw SqlError(ERRCODE_DATA_CORRUPTED, label + " lacks item factors",
                       std::to_string(row) + " of " + std::to_string(count) + " rows were found.",
                       "Train the model again.");
    Environment environment = quiet_environment();
    sort_items(parts, environment);
    return parts;
}

/// Items that were read, to be built into an image.
class ItemBuild {
  public:
    /// As load_items().
    ItemBuild(const Catalog& catalog, const std::string& model, const ModelVersion& version, FactorShape shape)
        : catalog_(catalog), parts_(load_items(catalog, model, version, shape)) {}

    std::size_t bytes() const { return ItemImage::bytes(parts_); }

    /// `memory` has bytes() bytes.
    void build(void* memory) {
        Environment environment = quiet_environment();
        ItemImage::build(parts_, memory, environment);
    }

    /// In the cache; null if they cannot be there.
    std::shared_ptr<SharedImage> share(ItemClaim& claim) {
        pg_call([&catalog = catalog_] { release_dropped_unsafe(catalog); });
        return claim.publish(bytes(), [this](void* memory) { build(memory); });
    }

  private:
    const Catalog& catalog_;
    ItemParts parts_;
};

StoredParameters parameters_of(const std::string& name, const ModelVersion& version) {
    return read_parameters(version.parameters, version.implicit ? Feedback::Implicit : Feedback::Explicit,
                           NameStr(version.algorithm), version_label(name, version.version));
}

ItemKey key_of(const Catalog& catalog, const ModelVersion& version) {
    return {MyDatabaseId, catalog.models, version.model_id, version.items_at};
}

/// Finds or builds the image, and creates the model on it.
Entry load(const Catalog& catalog, const std::string& name, const ModelVersion& version, const ItemKey& key) {
    const std::string label = version_label(name, version.version);
    const StoredParameters parameters = parameters_of(name, version);
    Entry entry;
    entry.key = key;
    std::optional<ItemClaim> claim;
    if (!version.uncommitted) {
        claim.emplace(key, label_of(name, version));
        entry.image = claim->image();
    }
    if (entry.image == nullptr) {
        // Before anything is read: no attempt is made to load what cannot fit.
        const std::size_t least = least_bytes(label, version, parameters.shape);
        if (!claim)
            require_private_memory(label, least, "Versions of a transaction under way are not shared.");
        else if (!claim->may_publish())
            require_private_memory(label, least, claim->refusal());
        else if (least > setting_cache_size())
            require_private_memory(label, least, too_large_for_cache(least));
        ItemBuild items(catalog, name, version, parameters.shape);
        if (claim) entry.image = items.share(*claim);
        if (entry.image == nullptr) {
            const std::size_t bytes = items.bytes();
            require_private_memory(label, bytes, claim ? claim->refusal() : "");
            if (claim && !claim->refusal().empty()) warn_once(name, bytes, claim->refusal());
            auto memory = std::make_shared<Array<char>>(bytes);
            items.build(memory->data());
            entry.model = std::make_shared<ServingModel>(name, version, parameters,
                                                         std::shared_ptr<const void>(memory, memory->data()));
            entry.private_bytes = bytes;
            entry.uncommitted = version.uncommitted;
        }
    }
    if (entry.image != nullptr)
        entry.model = std::make_shared<ServingModel>(name, version, parameters,
                                                     std::shared_ptr<const void>(entry.image, entry.image->memory()));
    return entry;
}

}  // namespace

std::shared_ptr<ServingModel> cached_model(const Catalog& catalog, const std::string& name,
                                           const ModelVersion& version) {
    if (cache == nullptr) cache = new Cache;
    const ItemKey key = key_of(catalog, version);
    auto entry =
        std::find_if(cache->entries.begin(), cache->entries.end(), [&](const Entry& e) { return e.key == key; });
    if (entry != cache->entries.end() && !entry->is_current(version)) {
        cache->entries.erase(entry);
        entry = cache->entries.end();
    }
    if (entry == cache->entries.end()) {
        Entry loaded = load(catalog, name, version, key);
        // Other private versions of the model have most likely been replaced or rolled back.
        std::erase_if(cache->entries, [&](const Entry& e) { return e.private_bytes > 0 && e.model->name == name; });
        cache->evict(setting_max_private_memory() - std::min(setting_max_private_memory(), loaded.private_bytes));
        cache->entries.push_back(std::move(loaded));
        entry = cache->entries.end() - 1;
    }
    entry->last_used = ++cache->clock;
    if (entry->image != nullptr) entry->image->touch();
    entry->model->name = name;
    entry->model->version.owner = version.owner;
    return entry->model;
}

void share_items(const Catalog& catalog, const std::string& name, const ModelVersion& version) {
    const ItemKey key = key_of(catalog, version);
    const auto is_mapped = [&key](const Entry& entry) { return entry.key == key && entry.image != nullptr; };
    if (cache != nullptr && std::ranges::any_of(cache->entries, is_mapped)) return;  // one object for each image
    ItemClaim claim(key, label_of(name, version));
    if (claim.image() != nullptr || !claim.may_publish()) return;
    const FactorShape shape = parameters_of(name, version).shape;
    if (least_bytes(version_label(name, version.version), version, shape) > setting_cache_size()) return;
    ItemBuild(catalog, name, version, shape).share(claim);
}

void share_items_at_commit(const Catalog& catalog, const std::string& name, std::int32_t version, std::int64_t model_id,
                           const ItemParts& items, Environment& environment) {
    const std::size_t bytes = ItemImage::bytes(items);
    if (bytes > setting_cache_size()) return;
    ItemLabel label;
    copy_clipped(label.model, name);
    label.version = version;
    label.items = items.ids.size();
    const TimestampTz published = pg_call([&catalog, model_id] { return items_published_unsafe(catalog, model_id); });
    ItemClaim claim({MyDatabaseId, catalog.models, model_id, published}, label);
    if (claim.may_publish())
        claim.publish_at_commit(bytes, [&](void* memory) { ItemImage::build(items, memory, environment); });
}

}  // namespace mf::pg
