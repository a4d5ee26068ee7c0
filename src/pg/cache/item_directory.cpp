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

struct Slot {
    State state;
    pg_atomic_uint64 serial;  ///< number of the image; read without the lock
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
    ConditionVariable changed;  ///< signalled when a session has built an image or given up
    std::uint64_t last_serial;
    Slot slots[kItemSlots];
};

Directory* directory = nullptr;
int own_building = -1;  // slot to free if this session is terminated while it builds

constexpr long kPatience = 30000;  // ms; the session that builds may wait for a lock that the waiting session holds

void initialize(void* memory) {
    auto* fresh = static_cast<Directory*>(memory);
    LWLockInitialize(&fresh->lock, LWLockNewTrancheId());
    ConditionVariableInit(&fresh->changed);
    for (Slot& slot : fresh->slots) {
        pg_atomic_init_u64(&slot.serial, 0);
        pg_atomic_init_u64(&slot.hits, 0);
        pg_atomic_init_u64(&slot.last_used, 0);
    }
}

/// No image has the serial 0.
void clear(Slot& slot) {
    slot.state = State::Free;
    pg_atomic_write_u64(&slot.serial, 0);
}

void attach_directory_unsafe() {
    if (directory != nullptr) return;
    auto* found = static_cast<Directory*>(shared_struct_unsafe("mf_ext cache", sizeof(Directory), initialize));
    LWLockRegisterTranche(found->lock.tranche, "mf_ext cache");
    before_shmem_exit([](int, Datum) { abandon_slot_unsafe(); }, Datum{0});
    directory = found;
}

/// The caller holds the lock exclusively, and the segment is pinned.
void show(Slot& slot) {
    slot.built_at = GetCurrentTimestamp();
    pg_atomic_write_u64(&slot.last_used, static_cast<std::uint64_t>(GetCurrentStatementStartTimestamp()));
    slot.state = State::Ready;
}

/// The caller holds the lock exclusively.
void remove_unsafe(Slot& slot) {
    const dsm_handle handle = slot.handle;
    clear(slot);
    dsm_unpin_segment(handle);
}

Slot* find(const ItemKey& key) {
    for (Slot& slot : directory->slots)
        if (slot.state != State::Free && slot.key == key) return &slot;
    return nullptr;
}

Slot* least_recently_used() {
    Slot* oldest = nullptr;
    for (Slot& slot : directory->slots)
        if (slot.state == State::Ready &&
            (oldest == nullptr || pg_atomic_read_u64(&slot.last_used) < pg_atomic_read_u64(&oldest->last_used)))
            oldest = &slot;
    return oldest;
}

/// A free slot, by eviction if necessary; null if images are being built in all slots.
Slot* make_slot_unsafe() {
    for (Slot& slot : directory->slots)
        if (slot.state == State::Free) return &slot;
    Slot* oldest = least_recently_used();
    if (oldest != nullptr) remove_unsafe(*oldest);
    return oldest;
}

void take_unsafe(Slot* slot, const ItemKey& key, const ItemLabel& label, ClaimedSlot* claimed) {
    slot->state = State::Building;
    slot->key = key;
    slot->label = label;
    slot->bytes = 0;
    slot->handle = DSM_HANDLE_INVALID;
    pg_atomic_write_u64(&slot->hits, 0);
    pg_atomic_write_u64(&slot->serial, ++directory->last_serial);
    own_building = claimed->slot = static_cast<int>(slot - directory->slots);
    claimed->serial = directory->last_serial;
    claimed->to_build = true;
}

}  // namespace

ClaimedSlot claim_slot_unsafe(const ItemKey& key, const ItemLabel& label) {
    attach_directory_unsafe();
    ClaimedSlot claimed;
    const TimestampTz deadline = TimestampTzPlusMilliseconds(GetCurrentTimestamp(), kPatience);
    ConditionVariablePrepareToSleep(&directory->changed);
    for (;;) {
        LWLockAcquire(&directory->lock, LW_EXCLUSIVE);
        Slot* slot = find(key);
        if (slot == nullptr) {
            // An image whose building begins while this session builds another one is not shared. (Reading factors
            // calls no code of users, so this should not happen.)
            slot = own_building < 0 ? make_slot_unsafe() : nullptr;
            if (slot != nullptr) take_unsafe(slot, key, label, &claimed);
            LWLockRelease(&directory->lock);
            break;
        }
        if (slot->state == State::Ready) {
            claimed.segment = dsm_attach(slot->handle);
            if (claimed.segment != nullptr) dsm_pin_mapping(claimed.segment);
            claimed.slot = static_cast<int>(slot - directory->slots);
            claimed.serial = pg_atomic_read_u64(&slot->serial);
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

bool reserve_slot_unsafe(int number, std::uint64_t bytes, std::uint64_t limit) {
    LWLockAcquire(&directory->lock, LW_EXCLUSIVE);
    std::uint64_t fixed = bytes, total = bytes;
    for (const Slot& slot : directory->slots) {
        if (slot.state == State::Building) fixed += slot.bytes;
        if (slot.state != State::Free) total += slot.bytes;
    }
    const bool fits = fixed <= limit;
    for (Slot* oldest; fits && total > limit && (oldest = least_recently_used()) != nullptr;) {
        total -= oldest->bytes;
        remove_unsafe(*oldest);
    }
    if (fits) directory->slots[number].bytes = bytes;
    LWLockRelease(&directory->lock);
    return fits;
}

void publish_slot_unsafe(int number, dsm_segment* segment) {
    Slot& slot = directory->slots[number];
    LWLockAcquire(&directory->lock, LW_EXCLUSIVE);
    provoke_directory_error_unsafe();
    dsm_pin_segment(segment);
    slot.handle = dsm_segment_handle(segment);
    show(slot);
    LWLockRelease(&directory->lock);
    own_building = -1;
    ConditionVariableBroadcast(&directory->changed);
}

void keep_slot_unsafe(int number, dsm_segment* segment) {
    dsm_pin_segment(segment);
    directory->slots[number].handle = dsm_segment_handle(segment);  // read by the session that builds alone
}

void publish_kept_slot() {
    LWLockAcquire(&directory->lock, LW_EXCLUSIVE);
    show(directory->slots[own_building]);
    LWLockRelease(&directory->lock);
    own_building = -1;
    ConditionVariableBroadcast(&directory->changed);
}

void abandon_slot_unsafe() {
    if (own_building < 0) return;
    LWLockAcquire(&directory->lock, LW_EXCLUSIVE);
    Slot& slot = directory->slots[own_building];
    const dsm_handle kept = slot.handle;
    clear(slot);
    LWLockRelease(&directory->lock);
    own_building = -1;
    if (kept != DSM_HANDLE_INVALID) dsm_unpin_segment(kept);
    ConditionVariableBroadcast(&directory->changed);
}

bool slot_holds(int slot, std::uint64_t serial) { return pg_atomic_read_u64(&directory->slots[slot].serial) == serial; }

void touch_slot(int number) {
    Slot& slot = directory->slots[number];
    pg_atomic_fetch_add_u64(&slot.hits, 1);
    pg_atomic_write_u64(&slot.last_used, static_cast<std::uint64_t>(GetCurrentStatementStartTimestamp()));
}

int read_items_unsafe(ItemEntry* entries) {
    attach_directory_unsafe();
    int count = 0;
    LWLockAcquire(&directory->lock, LW_SHARED);
    for (Slot& slot : directory->slots)
        if (slot.state == State::Ready)
            entries[count++] = {slot.key,      slot.label,
                                slot.bytes,    pg_atomic_read_u64(&slot.hits),
                                slot.built_at, static_cast<TimestampTz>(pg_atomic_read_u64(&slot.last_used))};
    LWLockRelease(&directory->lock);
    return count;
}

void remove_items_unsafe(const ItemKey& key) {
    attach_directory_unsafe();
    LWLockAcquire(&directory->lock, LW_EXCLUSIVE);
    Slot* slot = find(key);
    if (slot != nullptr && slot->state == State::Ready) remove_unsafe(*slot);
    LWLockRelease(&directory->lock);
}

}  // namespace mf::pg
