// The items that a report shows as examples: those with most interactions, each with its nearest neighbours.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace mf {

struct Neighbour {
    std::string id;
    double cosine;
};

struct ExampleItem {
    std::string id;
    std::uint32_t interactions;
    std::vector<float> factors;
    std::vector<Neighbour> nearest;  ///< the greatest cosine first
};

/// Finds the examples in two passes over all items in the same order, in the memory of the examples alone: the first
/// pass offers every item, the second one compares every item. Of equals, those that come first are kept.
class ExampleItems {
  public:
    static constexpr std::size_t kItems = 5;
    static constexpr std::size_t kNearest = 3;

    void offer(std::string_view id, std::uint32_t interactions, std::span<const float> factors);

    /// O(kItems · factors). An item whose factors have no direction is no neighbour.
    void compare(std::string_view id, std::span<const float> factors);

    /// Most interactions first.
    const std::vector<ExampleItem>& items() const { return items_; }

  private:
    std::vector<ExampleItem> items_;
};

}  // namespace mf
