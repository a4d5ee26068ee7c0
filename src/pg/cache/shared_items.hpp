// Item images in dynamic shared memory: one for each version in use, for the whole server.
//
// A directory (item_directory.hpp) lists the images. The session that finds an image missing takes a slot in it, builds
// the image and publishes it; other sessions wait for that. Segments are pinned, so that an image outlives the sessions
// that use it; the least recently used images are evicted when mf_ext.cache_size would be exceeded. Sessions that have
// mapped an evicted image continue to use it, and unmap it when they notice the eviction.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "pg/cache/item_directory.hpp"

namespace mf::pg {

/// An image that this session has mapped; the destructor unmaps it. At most one object for each image.
class SharedImage {
  public:
    SharedImage(int slot, std::uint64_t serial, dsm_segment* segment)
        : slot_(slot), serial_(serial), segment_(segment) {}
    ~SharedImage();
    SharedImage(const SharedImage&) = delete;
    SharedImage& operator=(const SharedImage&) = delete;

    const void* memory() const { return dsm_segment_address(segment_); }
    /// False once the image was evicted from the directory.
    bool is_current() const;
    /// Counts a use.
    void touch() const;

  private:
    friend class ItemClaim;

    int slot_;
    std::uint64_t serial_;
    dsm_segment* segment_;
};

/// The reason, for a message, why an image of that many bytes is not shared if mf_ext.cache_size is less.
std::string too_large_for_cache(std::size_t bytes);

/// Looks up an image in the directory, and makes this session its builder if it is missing.
class ItemClaim {
  public:
    /// Maps the image. Waits, up to half a minute, if another session builds it; takes a slot if the image is missing.
    ItemClaim(const ItemKey& key, const ItemLabel& label);
    /// Frees the slot if nothing was published.
    ~ItemClaim();
    ItemClaim(const ItemClaim&) = delete;
    ItemClaim& operator=(const ItemClaim&) = delete;

    /// The image, if it was in the directory.
    const std::shared_ptr<SharedImage>& image() const { return image_; }

    /// True if the image was missing, and publish() may succeed.
    bool may_publish() const { return slot_ >= 0; }

    /// Builds and publishes the image: `build` fills `bytes` bytes, aligned to 64. Null if no shared memory is
    /// available, with the reason in refusal(). Exceptions of `build` are passed on, and nothing is left behind.
    std::shared_ptr<SharedImage> publish(std::size_t bytes, const std::function<void(void*)>& build);

    /// The same, published when the transaction commits (items_at_commit.hpp). False if no shared memory is available,
    /// with the reason in refusal().
    bool publish_at_commit(std::size_t bytes, const std::function<void(void*)>& build);

    /// The reason, for a message, why the image cannot be shared; empty if it can, or if no message is needed.
    const std::string& refusal() const { return refusal_; }

  private:
    struct Creation;

    void give_up();
    /// Reserves the bytes and builds in a segment of them; false, with a reason, if there is none.
    bool create(Creation& creation, std::size_t bytes, const std::function<void(void*)>& build);

    int slot_ = -1;  // the slot taken to build in
    std::uint64_t serial_ = 0;
    std::shared_ptr<SharedImage> image_;
    std::string refusal_;
};

}  // namespace mf::pg
