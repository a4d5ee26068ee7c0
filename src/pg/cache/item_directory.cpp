#include "pg/cache/item_directory.hpp"

#include "pg/wall/fault.hpp"
#include "pg/wall/shared_memory.hpp"

extern "C" {
#include "pgstat.h"
#include "port/atomics.h"
#include "storage/condition_variable.h"
#include "storage/ipc.h"
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

void attach_directory_unsafe() {
    if (directory != nullptr) return;
    auto* found = static_cast<Directory*>(shared_struct_unsafe("mf_ext cache", sizeof(Directory), initialize));
    LWLockRegisterTranche(found->lock.tranche, "mf_ext cache");
    before_shmem_exit([](int, Datum) { abandon_place_unsafe(); }, Datum{0});
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
        if (place.state == State::Ready &&
            (oldest == nullptr || pg_atomic_read_u64(&place.last_used) < pg_atomic_read_u64(&oldest->last_used)))
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

void take_unsafe(Place* place, const ItemKey& key, const ItemLabel& label, ClaimedPlace* claimed) {
    place->state = State::Building;
    place->key = key;
    place->label = label;
    place->bytes = 0;
    pg_atomic_write_u64(&place->hits, 0);
    pg_atomic_write_u64(&place->serial, ++directory->last_serial);
    own_building = claimed->place = static_cast<int>(place - directory->places);
    claimed->serial = directory->last_serial;
    claimed->to_build = true;
}

}  // namespace

ClaimedPlace claim_place_unsafe(const ItemKey& key, const ItemLabel& label) {
    attach_directory_unsafe();
    ClaimedPlace claimed;
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

bool reserve_place_unsafe(int number, std::uint64_t bytes, std::uint64_t limit) {
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

void publish_place_unsafe(int number, dsm_segment* segment) {
    Place& place = directory->places[number];
    LWLockAcquire(&directory->lock, LW_EXCLUSIVE);
    provoke_directory_error_unsafe();
    dsm_pin_segment(segment);
    place.handle = dsm_segment_handle(segment);
    place.built_at = GetCurrentTimestamp();
    pg_atomic_write_u64(&place.last_used, static_cast<std::uint64_t>(GetCurrentStatementStartTimestamp()));
    place.state = State::Ready;
    LWLockRelease(&directory->lock);
    own_building = -1;
    ConditionVariableBroadcast(&directory->changed);
}

void abandon_place_unsafe() {
    if (own_building < 0) return;
    LWLockAcquire(&directory->lock, LW_EXCLUSIVE);
    clear(directory->places[own_building]);
    LWLockRelease(&directory->lock);
    own_building = -1;
    ConditionVariableBroadcast(&directory->changed);
}

bool place_holds(int place, std::uint64_t serial) {
    return pg_atomic_read_u64(&directory->places[place].serial) == serial;
}

void touch_place(int number) {
    Place& place = directory->places[number];
    pg_atomic_fetch_add_u64(&place.hits, 1);
    pg_atomic_write_u64(&place.last_used, static_cast<std::uint64_t>(GetCurrentStatementStartTimestamp()));
}

int read_items_unsafe(ItemEntry* entries) {
    attach_directory_unsafe();
    int count = 0;
    LWLockAcquire(&directory->lock, LW_SHARED);
    for (Place& place : directory->places)
        if (place.state == State::Ready)
            entries[count++] = {place.key,      place.label,
                                place.bytes,    pg_atomic_read_u64(&place.hits),
                                place.built_at, static_cast<TimestampTz>(pg_atomic_read_u64(&place.last_used))};
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
