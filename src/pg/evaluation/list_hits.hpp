// Which items of a recommended array are in an array of relevant ones: element types of any kind.
#pragma once

#include "pg/wall/guard.hpp"

namespace mf::pg {

/// Positions (from 0, ascending) of the hits, and how many distinct items are relevant.
struct HitsView {
    const std::uint32_t* positions;
    std::size_t count;
    std::size_t relevant;
};

/// Compares elements as the type's own ORDER BY does, under the collation; types without an order, such as xid, by
/// their equality. NULL elements count as absent, in front of others too. An item that is recommended again holds its
/// position, but is no hit there. Positions from k on are not looked at. Both arrays have the same element type; raises
/// undefined_function if that has no equality. O((recommended + relevant) · log(relevant)) comparisons, or
/// recommended · relevant for types without an order.
HitsView list_hits_unsafe(ArrayType* recommended, ArrayType* relevant, std::size_t k, Oid collation);

}  // namespace mf::pg
