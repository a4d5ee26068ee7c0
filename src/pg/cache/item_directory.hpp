// The directory of item images in shared memory: which images exist, who builds one, and which is evicted for another.
//
// It lies in the main shared memory; each image is a segment of dynamic shared memory that the directory names
// (shared_items.hpp).
#pragma once

#include "pg/wall/guard.hpp"

extern "C" {
#include "storage/dsm.h"
}

namespace mf::pg {

/// Identifies the items of a version permanently: a table never uses a model_id twice, and the time distinguishes items
/// that were refreshed, and tables whose OID was used twice.
struct ItemKey {
    Oid database = InvalidOid;
    Oid table = InvalidOid;  ///< the table of the models
    std::int64_t model_id = 0;
    TimestampTz items_at = 0;  ///< when they were published
    bool operator==(const ItemKey&) const = default;
};

/// What mf_cache shows of an image to roles that see all databases; the model may have been renamed since.
struct ItemLabel {
    char model[128] = "";
    std::int32_t version = 0;
    std::int64_t items = 0;
};

/// An image in the directory.
struct ItemEntry {
    ItemKey key;
    ItemLabel label;
    std::uint64_t bytes;
    std::uint64_t hits;
    TimestampTz built_at;
    TimestampTz last_used;
};

/// Number of images that the directory has room for.
constexpr int kItemSlots = 64;

/// Copies the images in the directory to `entries`, which has kItemSlots elements. Returns how many there are.
int read_items_unsafe(ItemEntry* entries);

/// Evicts an image, if it is in the directory.
void remove_items_unsafe(const ItemKey& key);

/// The slot that a session has found, or taken, for an image.
struct ClaimedSlot {
    int slot = -1;
    std::uint64_t serial = 0;        ///< number of the image in that slot
    dsm_segment* segment = nullptr;  ///< segment of an existing image, mapped until it is detached
    bool to_build = false;           ///< this session has taken the slot to build the image
};

/// Maps the image. Waits, up to half a minute, if another session builds it; takes a slot if the image is missing. If
/// the result has no slot, the image cannot be shared.
ClaimedSlot claim_slot_unsafe(const ItemKey& key, const ItemLabel& label);

/// Reserves the bytes for the slot in which this session builds, and evicts the least recently used images to make
/// room. False if the bytes and those of all images being built exceed `limit`.
bool reserve_slot_unsafe(int slot, std::uint64_t bytes, std::uint64_t limit);

/// Publishes the image that was built, and pins the segment. An error leaves the segment unpinned and the slot in the
/// state of building.
void publish_slot_unsafe(int slot, dsm_segment* segment);

/// Pins the segment of an image that was built, which no session finds before publish_kept_slot(). An error leaves the
/// segment unpinned and the slot in the state of building.
void keep_slot_unsafe(int slot, dsm_segment* segment);

/// Publishes the image that keep_slot_unsafe() was called for. Raises nothing.
void publish_kept_slot();

/// Frees the slot in which this session builds, if any, and the image that was kept in it.
void abandon_slot_unsafe();

/// False once the image with the serial was evicted from the slot. Takes no lock.
bool slot_holds(int slot, std::uint64_t serial);

/// Counts a use. Takes no lock.
void touch_slot(int slot);

}  // namespace mf::pg
