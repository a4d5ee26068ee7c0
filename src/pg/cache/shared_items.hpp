// Item images in dynamic shared memory: one for each version that serves, for the whole server.
//
// A directory (item_directory.hpp) says which images there are. The session that finds an image missing takes a place
// in it, builds the image and publishes it; others wait for that. Segments are pinned, so that an image outlives the
// sessions that use it; the least recently used ones leave when mf_ext.cache_size would be exceeded. Sessions that have
// an image mapped go on to use it after it has left, and unmap it when they notice.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "pg/cache/item_directory.hpp"

namespace mf::pg {

/// An image that this session has mapped; unmapped at the end. At most one for each image.
class SharedImage {
  public:
    SharedImage(int place, std::uint64_t serial, dsm_segment* segment)
        : place_(place), serial_(serial), segment_(segment) {}
    ~SharedImage();
    SharedImage(const SharedImage&) = delete;
    SharedImage& operator=(const SharedImage&) = delete;

    const void* memory() const { return dsm_segment_address(segment_); }
    /// False once the image has left the directory.
    bool is_current() const;
    /// Counts a use.
    void touch() const;

  private:
    friend class ItemClaim;

    int place_;
    std::uint64_t serial_;
    dsm_segment* segment_;
};

/// Why an image of that many bytes is not shared where mf_ext.cache_size is less.
std::string too_large_for_cache(std::size_t bytes);

/// A look into the directory, which may end in the duty to build.
class ItemClaim {
  public:
    /// Maps the image; waits, up to half a minute, if another session builds it; takes a place if it is missing.
    ItemClaim(const ItemKey& key, const ItemLabel& label);
    /// Gives the place up if nothing was published.
    ~ItemClaim();
    ItemClaim(const ItemClaim&) = delete;
    ItemClaim& operator=(const ItemClaim&) = delete;

    /// The image, if it was there.
    const std::shared_ptr<SharedImage>& image() const { return image_; }

    /// True if there was none, and publish() may succeed.
    bool may_publish() const { return place_ >= 0; }

    /// Makes the image known to all: `build` fills `bytes` bytes, aligned to 64. Null if shared memory is not to be
    /// had, refusal() says why; what `build` throws comes through, and nothing is left behind.
    std::shared_ptr<SharedImage> publish(std::size_t bytes, const std::function<void(void*)>& build);

    /// Why an image cannot be shared, for people; empty if it can, or if nobody needs to know.
    const std::string& refusal() const { return refusal_; }

  private:
    void give_up();

    int place_ = -1;  // taken, to build
    std::uint64_t serial_ = 0;
    std::shared_ptr<SharedImage> image_;
    std::string refusal_;
};

}  // namespace mf::pg
