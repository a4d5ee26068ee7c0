#include "pg/shared_items.hpp"

#include "pg/fault.hpp"
#include "pg/guc.hpp"
#include "pg/shared_memory.hpp"

extern "C" {
#include "pgstat.h"
#include "port/atomics.h"
#include "storage/condition_variable.h"
#include "storage/ipc.h"
#include "utils/resowner.h"
}

namespace mf::pg {
namespace {

enum class State { Free, Building, Ready };

struct Place {
    State state;
    pg_atomic_uint64 serial;  ///< of the image; read without the lock
    ItemKey key;
    ItemLabel label;
    dsm_handle handle;
    std::uint64_t bytes;
    TimestampTz built_at;
    pg_atomic_uint64 hits;
    pg_atomic_uint64 last_used;
};

struct Directory {
    LWLock lock;
    ConditionVariable changed;  ///< a building has ended
    std::uint64_t last_serial;
    Place places[kItemPlaces];
};

Directory* directory = nullptr;
int own_building = -1;  // for the exit of a session that is terminated while it builds

constexpr long kPatience = 30000;  // ms; whoever builds may wait for a lock that the waiting session holds

void initialize(void* memory) {
    auto* fresh = static_cast<Directory*>(memory);
    LWLockInitialize(&fresh->lock, LWLockNewTrancheId());
    ConditionVariableInit(&fresh->changed);
    for (Place& place : fresh->places) {
        pg_atomic_init_u64(&place.serial, 0);
        pg_atomic_init_u64(&place.hits, 0);
        pg_atomic_init_u64(&place.last_used, 0);
    }
}

/// The serial 0 is nobody's.
void clear(Place& place) {
    place.state = State::Free;
    pg_atomic_write_u64(&place.serial, 0);
}

void abandon_own_building() {
    if (own_building < 0) return;
    LWLockAcquire(&directory->lock, LW_EXCLUSIVE);
    clear(directory->places[own_building]);
    LWLockRelease(&directory->lock);
    own_building = -1;
    ConditionVariableBroadcast(&directory->changed);
}

void attach_directory_unsafe() {
    if (directory != nullptr) return;
    auto* found = static_cast<Directory*>(shared_struct_unsafe("mf_ext cache", sizeof(Directory), initialize));
    LWLockRegisterTranche(found->lock.tranche, "mf_ext cache");
    before_shmem_exit([](int, Datum) { abandon_own_building(); }, Datum{0});
    directory = found;
}

/// With the lock held exclusively.
void remove_unsafe(Place& place) {
    const dsm_handle handle = place.handle;
    clear(place);
    dsm_unpin_segment(handle);
}

Place* find(const ItemKey& key) {
    for (Place& place : directory->places)
        if (place.state != State::Free && place.key == key) return &place;
    return nullptr;
}

Place* least_recently_used() {
    Place* oldest = nullptr;
    for (Place& place : directory->places)
        if (place.state == State::Ready && (oldest == nullptr || pg_atomic_read_u64(&place.last_used) <
                                                                     pg_atomic_read_u64(&oldest->last_used)))
            oldest = &place;
    return oldest;
}

/// A free place, made if need be; null if images are being built in all of them.
Place* make_place_unsafe() {
    for (Place& place : directory->places)
        if (place.state == State::Free) return &place;
    Place* oldest = least_recently_used();
    if (oldest != nullptr) remove_unsafe(*oldest);
    return oldest;
}

struct Claimed {
    int place = -1;
    std::uint64_t serial = 0;
    dsm_segment* segment = nullptr;  ///< of an image that was there
};

void take_unsafe(Place* place, const ItemKey& key, const ItemLabel& label, Claimed* claimed) {
    place->state = State::Building;
    place->key = key;
    place->label = label;
    place->bytes = 0;
    pg_atomic_write_u64(&place->hits, 0);
    pg_atomic_write_u64(&place->serial, ++directory->last_serial);
    own_building = claimed->place = static_cast<int>(place - directory->places);
    claimed->serial = directory->last_serial;
}

Claimed claim_unsafe(const ItemKey& key, const ItemLabel& label) {
    attach_directory_unsafe();
    Claimed claimed;
    const TimestampTz deadline = TimestampTzPlusMilliseconds(GetCurrentTimestamp(), kPatience);
    ConditionVariablePrepareToSleep(&directory->changed);
    for (;;) {
        LWLockAcquire(&directory->lock, LW_EXCLUSIVE);
        Place* place = find(key);
        if (place == nullptr) {
            // A building inside another one (reading factors calls nothing of the user's, but still) is not shared.
            place = own_building < 0 ? make_place_unsafe() : nullptr;
            if (place != nullptr) take_unsafe(place, key, label, &claimed);
            LWLockRelease(&directory->lock);
            break;
        }
        if (place->state == State::Ready) {
            claimed.segment = dsm_attach(place->handle);
            if (claimed.segment != nullptr) dsm_pin_mapping(claimed.segment);
            claimed.place = static_cast<int>(place - directory->places);
            claimed.serial = pg_atomic_read_u64(&place->serial);
            LWLockRelease(&directory->lock);
            break;
        }
        LWLockRelease(&directory->lock);
        const long left = TimestampDifferenceMilliseconds(GetCurrentTimestamp(), deadline);
        if (left <= 0 || ConditionVariableTimedSleep(&directory->changed, left, PG_WAIT_EXTENSION)) break;
    }
    ConditionVariableCancelSleep();
    return claimed;
}

/// Reserves the bytes for a place; false if they are more than the setting allows beside what is being built.
bool reserve_unsafe(int number, std::uint64_t bytes, std::uint64_t limit) {
    LWLockAcquire(&directory->lock, LW_EXCLUSIVE);
    std::uint64_t fixed = bytes, total = bytes;
    for (const Place& place : directory->places) {
        if (place.state == State::Building) fixed += place.bytes;
        if (place.state != State::Free) total += place.bytes;
    }
    const bool fits = fixed <= limit;
    for (Place* oldest; fits && total > limit && (oldest = least_recently_used()) != nullptr;) {
        total -= oldest->bytes;
        remove_unsafe(*oldest);
    }
    if (fits) directory->places[number].bytes = bytes;
    LWLockRelease(&directory->lock);
    return fits;
}

/// A segment that belongs to `owner` as long as it is not pinned, so that a failure on the way leaves nothing.
struct Creation {
    ResourceOwner owner = nullptr;
    dsm_segment* segment = nullptr;

    void release() {
        if (owner == nullptr) return;
        pg_call([owner = owner] {
            ResourceOwnerRelease(owner, RESOURCE_RELEASE_BEFORE_LOCKS, false, false);
            ResourceOwnerRelease(owner, RESOURCE_RELEASE_LOCKS, false, false);
            ResourceOwnerRelease(owner, RESOURCE_RELEASE_AFTER_LOCKS, false, false);
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

}  // namespace

SharedImage::~SharedImage() {
    if (segment_ == nullptr) return;
    try {
        pg_call([segment = segment_] { dsm_detach(segment); });
    } catch (const PgError&) {
    }
}

bool SharedImage::is_current() const { return pg_atomic_read_u64(&directory->places[place_].serial) == serial_; }

void SharedImage::touch() const {
    Place& place = directory->places[place_];
    pg_atomic_fetch_add_u64(&place.hits, 1);
    pg_atomic_write_u64(&place.last_used, static_cast<std::uint64_t>(GetCurrentStatementStartTimestamp()));
}

ItemClaim::ItemClaim(const ItemKey& key, const ItemLabel& label) {
    Claimed claimed;
    try {
        claimed = pg_call([&key, &label] { return claim_unsafe(key, label); });
    } catch (const PgError& error) {
        release_lock_after_error(AddinShmemInitLock);
        if (directory != nullptr) release_lock_after_error(&directory->lock);
        if (ERRCODE_TO_CATEGORY(error.data->sqlerrcode) != ERRCODE_INSUFFICIENT_RESOURCES) throw;
        pg_call([] { ConditionVariableCancelSleep(); });
        refusal_ = error.data->message;
        return;
    }
    if (claimed.segment != nullptr) {
        image_ = std::make_shared<SharedImage>(claimed.place, claimed.serial, claimed.segment);
    } else if (own_building >= 0 && claimed.place == own_building) {
        place_ = claimed.place;
        serial_ = claimed.serial;
    }
}

void ItemClaim::give_up() {
    if (place_ < 0) return;
    place_ = -1;
    pg_call([] { abandon_own_building(); });
}

ItemClaim::~ItemClaim() {
    try {
        give_up();
    } catch (const PgError&) {
    }
}

std::shared_ptr<SharedImage> ItemClaim::publish(std::size_t bytes, const std::function<void(void*)>& build) {
    if (place_ < 0) return nullptr;
    const std::uint64_t limit = setting_cache_size();
    if (!pg_call([place = place_, bytes, limit] { return reserve_unsafe(place, bytes, limit); })) {
        refusal_ = "It takes " + megabytes(bytes) + ", and mf_ext.cache_size is " + megabytes(limit) + ".";
        give_up();
        return nullptr;
    }
    Creation creation;
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
        return nullptr;
    }
    build(dsm_segment_address(creation.segment));
    auto image = std::make_shared<SharedImage>(place_, serial_, nullptr);
    pg_call([number = place_, segment = creation.segment] {
        dsm_pin_segment(segment);
        dsm_pin_mapping(segment);
        Place& place = directory->places[number];
        LWLockAcquire(&directory->lock, LW_EXCLUSIVE);
        place.handle = dsm_segment_handle(segment);
        place.built_at = GetCurrentTimestamp();
        pg_atomic_write_u64(&place.last_used, static_cast<std::uint64_t>(GetCurrentStatementStartTimestamp()));
        place.state = State::Ready;
        LWLockRelease(&directory->lock);
        own_building = -1;
        ConditionVariableBroadcast(&directory->changed);
    });
    place_ = -1;
    image->segment_ = creation.segment;
    return image;
}

int read_items_unsafe(ItemEntry* entries) {
    attach_directory_unsafe();
    int count = 0;
    LWLockAcquire(&directory->lock, LW_SHARED);
    for (Place& place : directory->places)
        if (place.state == State::Ready)
            entries[count++] = {place.key,
                                place.label,
                                place.bytes,
                                pg_atomic_read_u64(&place.hits),
                                place.built_at,
                                static_cast<TimestampTz>(pg_atomic_read_u64(&place.last_used))};
    LWLockRelease(&directory->lock);
    return count;
}

void remove_items_unsafe(const ItemKey& key) {
    attach_directory_unsafe();
    LWLockAcquire(&directory->lock, LW_EXCLUSIVE);
    Place* place = find(key);
    if (place != nullptr && place->state == State::Ready) remove_unsafe(*place);
    LWLockRelease(&directory->lock);
}

}  // namespace mf::pg
