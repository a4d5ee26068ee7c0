#include "pg/cache/shared_items.hpp"

#include "pg/cache/items_at_commit.hpp"
#include "pg/wall/fault.hpp"
#include "pg/wall/guc.hpp"

extern "C" {
#include "storage/condition_variable.h"
#include "utils/resowner.h"
}

namespace mf::pg {
/// A segment that belongs to `owner` as long as it is not pinned, so that a failure leaves nothing behind.
struct ItemClaim::Creation {
    ResourceOwner owner = nullptr;
    dsm_segment* segment = nullptr;

    void release() {
        if (owner == nullptr) return;
        // As a top-level owner, since it has no parent that could inherit locks.
        pg_call([owner = owner] {
            ResourceOwnerRelease(owner, RESOURCE_RELEASE_BEFORE_LOCKS, false, true);
            ResourceOwnerRelease(owner, RESOURCE_RELEASE_LOCKS, false, true);
            ResourceOwnerRelease(owner, RESOURCE_RELEASE_AFTER_LOCKS, false, true);
            ResourceOwnerDelete(owner);
        });
        owner = nullptr;
    }
    ~Creation() {
        try {
            release();
        } catch (const PgError&) {
        }
    }
};

SharedImage::~SharedImage() {
    if (segment_ == nullptr) return;
    try {
        pg_call([segment = segment_] { dsm_detach(segment); });
    } catch (const PgError&) {
    }
}

bool SharedImage::is_current() const { return slot_holds(slot_, serial_); }

void SharedImage::touch() const { touch_slot(slot_); }

std::string too_large_for_cache(std::size_t bytes) {
    return "It takes " + megabytes(bytes) + ", and mf_ext.cache_size is " + megabytes(setting_cache_size()) + ".";
}

ItemClaim::ItemClaim(const ItemKey& key, const ItemLabel& label) {
    ClaimedSlot claimed;
    try {
        claimed = pg_call([&key, &label] { return claim_slot_unsafe(key, label); });
    } catch (const PgError& error) {
        if (ERRCODE_TO_CATEGORY(error.data->sqlerrcode) != ERRCODE_INSUFFICIENT_RESOURCES) throw;
        pg_call([] { ConditionVariableCancelSleep(); });
        refusal_ = error.data->message;
        return;
    }
    if (claimed.segment != nullptr) {
        image_ = std::make_shared<SharedImage>(claimed.slot, claimed.serial, claimed.segment);
    } else if (claimed.to_build) {
        slot_ = claimed.slot;
        serial_ = claimed.serial;
    }
}

void ItemClaim::give_up() {
    if (slot_ < 0) return;
    slot_ = -1;
    pg_call([] { abandon_slot_unsafe(); });
}

ItemClaim::~ItemClaim() {
    try {
        give_up();
    } catch (const PgError&) {
    }
}

bool ItemClaim::create(Creation& creation, std::size_t bytes, const std::function<void(void*)>& build) {
    if (slot_ < 0) return false;
    const std::uint64_t limit = setting_cache_size();
    if (!pg_call([slot = slot_, bytes, limit] { return reserve_slot_unsafe(slot, bytes, limit); })) {
        refusal_ = too_large_for_cache(bytes);
        give_up();
        return false;
    }
    ResourceOwner caller = CurrentResourceOwner;
    try {
        pg_call([&creation, bytes, caller] {
            creation.owner = ResourceOwnerCreate(nullptr, "mf_ext items");
            CurrentResourceOwner = creation.owner;
            creation.segment = dsm_create(provoke_refusal(bytes), 0);
            CurrentResourceOwner = caller;
        });
    } catch (const PgError& error) {
        CurrentResourceOwner = caller;
        refusal_ = std::string("It takes ") + megabytes(bytes) + ": " + error.data->message + ".";
        give_up();
        return false;
    }
    build(dsm_segment_address(creation.segment));
    return true;
}

std::shared_ptr<SharedImage> ItemClaim::publish(std::size_t bytes, const std::function<void(void*)>& build) {
    Creation creation;
    if (!create(creation, bytes, build)) return nullptr;
    auto image = std::make_shared<SharedImage>(slot_, serial_, nullptr);
    pg_call([number = slot_, segment = creation.segment] {
        // Until the mapping is pinned too, an error releases the segment together with its owner.
        publish_slot_unsafe(number, segment);
        dsm_pin_mapping(segment);
    });
    slot_ = -1;
    image->segment_ = creation.segment;
    return image;
}

bool ItemClaim::publish_at_commit(std::size_t bytes, const std::function<void(void*)>& build) {
    Creation creation;
    if (!create(creation, bytes, build)) return false;
    // The mapping goes with its owner; the segment stays.
    pg_call([number = slot_, segment = creation.segment] { publish_at_commit_unsafe(number, segment); });
    slot_ = -1;
    return true;
}

}  // namespace mf::pg
