// The directory of item images in shared memory: which there are, who builds one, and which leaves for another.
//
// It lies in the main shared memory; the images are segments of dynamic shared memory that it names (shared_items.hpp).
#pragma once

#include "pg/wall/guard.hpp"

extern "C" {
#include "storage/dsm.h"
}

namespace mf::pg {

/// What identifies a version for ever: model_ids are never used twice in a table, and times tell tables apart whose
/// OIDs were.
struct ItemKey {
    Oid database = InvalidOid;
    Oid table = InvalidOid;  ///< of the models
    std::int64_t model_id = 0;
    TimestampTz trained_at = 0;
    bool operator==(const ItemKey&) const = default;
};

/// What mf_cache shows of an image to those who see all databases; the name may be an older one.
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

/// Images that the directory has room for.
constexpr int kItemPlaces = 64;

/// Copies what is in the directory to `entries`, which has kItemPlaces. Returns how many.
int read_items_unsafe(ItemEntry* entries);

/// Takes an image out of the directory, if it is there.
void remove_items_unsafe(const ItemKey& key);

/// What a session has found, or taken, for an image.
struct ClaimedPlace {
    int place = -1;
    std::uint64_t serial = 0;        ///< of the image in that place
    dsm_segment* segment = nullptr;  ///< of an image that was there, mapped until it is detached
    bool to_build = false;           ///< the place was taken for this session to build
};

/// Maps the image; waits, up to half a minute, if another session builds it; takes a place if it is missing. Without a
/// place in the result, the image cannot be shared.
ClaimedPlace claim_place_unsafe(const ItemKey& key, const ItemLabel& label);

/// Reserves the bytes for the place that this session builds in, for which the least recently used images leave; false
/// if they are more than `limit` beside what is being built.
bool reserve_place_unsafe(int place, std::uint64_t bytes, std::uint64_t limit);

/// Makes what was built known to all, and pins the segment. An error leaves it unpinned and the place being built.
void publish_place_unsafe(int place, dsm_segment* segment);

/// Gives up the place that this session builds in, if any.
void abandon_place_unsafe();

/// False once the image with the serial has left the place. Takes no lock.
bool place_holds(int place, std::uint64_t serial);

/// Counts a use. Takes no lock.
void touch_place(int place);

}  // namespace mf::pg
