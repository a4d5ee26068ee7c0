#include "core/retrieval/item_image.hpp"

#include <algorithm>
#include <cstring>

#include "core/base/descending_order.hpp"

namespace mf {
namespace {

constexpr std::size_t kLine = 64;

std::size_t rounded_up(std::size_t bytes) { return (bytes + kLine - 1) / kLine * kLine; }

std::size_t gram_bytes(int factors) { return GramMatrix(nullptr, factors).size() * sizeof(float); }

/// The beginning of the memory: positions of the parts, in bytes from the start.
struct Header {
    std::uint64_t items;
    std::uint64_t ids, interactions, by_popularity, ranking, gram, rating, rating_bias, end;
    std::int64_t rating_factors;  ///< 0: none
};

Header layout(std::size_t id_bytes, std::size_t items, int factors, int rating_factors) {
    Header header{};
    header.items = items;
    header.rating_factors = rating_factors;
    std::size_t end = rounded_up(sizeof(Header));
    const auto place = [&end](std::size_t bytes) {
        const std::size_t begin = end;
        end += rounded_up(bytes);
        return begin;
    };
    header.ids = place(id_bytes);
    header.interactions = place(items * sizeof(std::uint32_t));
    header.by_popularity = place(items * sizeof(std::uint32_t));
    header.ranking = place(ItemIndex::bytes(items, factors));
    header.gram = place(gram_bytes(factors));
    const std::size_t rated = rating_factors > 0 ? items : 0;
    header.rating = place(rated * FactorMatrix::padded(rating_factors) * sizeof(float));
    header.rating_bias = place(rated * sizeof(float));
    header.end = end;
    return header;
}

Header layout(const ItemParts& parts) {
    return layout(SortedIds::bytes(parts.ids), parts.ranking.rows(), parts.ranking.factors(),
                  parts.rating.rows() > 0 ? parts.rating.factors() : 0);
}

/// The Gram matrix of the items that have interactions: the others have factors that are expected of their features,
/// and it is no sign against an item if nobody has had it yet. Rows of zeros in their place keep the bits.
GramMatrix gram_of_solved(const ItemParts& parts, Environment& environment) {
    if (std::ranges::find(parts.interactions, 0u) == parts.interactions.end()) return {parts.ranking, environment};
    FactorMatrix solved(parts.ranking.rows(), parts.ranking.factors(), environment);
    for (std::size_t item = 0; item < solved.rows(); ++item)
        if (parts.interactions[item] > 0) std::copy_n(parts.ranking.row(item), solved.stride(), solved.row(item));
    return {solved, environment};
}

}  // namespace

std::size_t ItemImage::bytes(const ItemParts& parts) { return layout(parts).end; }

std::size_t ItemImage::least_bytes(std::size_t items, int factors, int rating_factors) {
    constexpr std::size_t kIdBytes = 24;
    return layout(items * kIdBytes, items, factors, rating_factors).end;
}

void ItemImage::build(const ItemParts& parts, void* memory, Environment& environment) {
    const Header header = layout(parts);
    auto* base = static_cast<char*>(memory);
    std::memcpy(base, &header, sizeof header);
    SortedIds::build(parts.ids, base + header.ids, environment);
    std::copy(parts.interactions.begin(), parts.interactions.end(),
              reinterpret_cast<std::uint32_t*>(base + header.interactions));
    const std::span by_popularity(reinterpret_cast<std::uint32_t*>(base + header.by_popularity), header.items);
    if (parts.popularity.empty())
        descending_order(by_popularity, environment, [&](std::uint32_t item) { return parts.interactions[item]; });
    else
        descending_order(by_popularity, environment, [&](std::uint32_t item) { return parts.popularity[item]; });
    ItemIndex::build(parts.ranking, base + header.ranking, environment);
    const GramMatrix gram = gram_of_solved(parts, environment);
    std::copy_n(gram.data(), gram.size(), reinterpret_cast<float*>(base + header.gram));
    if (header.rating_factors > 0) {
        constexpr std::size_t kRowsATask = 4096;
        const std::size_t stride = parts.rating.stride();
        auto* rating = reinterpret_cast<float*>(base + header.rating);
        parallel_ranges(environment, parts.rating.rows(), kRowsATask, [&](std::size_t begin, std::size_t end, int) {
            std::copy_n(parts.rating.row(begin), (end - begin) * stride, rating + begin * stride);
        });
    }
    std::copy(parts.rating_bias.begin(), parts.rating_bias.end(), reinterpret_cast<float*>(base + header.rating_bias));
}

ItemImage::ItemImage(const void* memory) {
    Header header;
    const auto* base = static_cast<const char*>(memory);
    std::memcpy(&header, base, sizeof header);
    ids_ = SortedIds(base + header.ids);
    interactions_ = {reinterpret_cast<const std::uint32_t*>(base + header.interactions), header.items};
    by_popularity_ = {reinterpret_cast<const std::uint32_t*>(base + header.by_popularity), header.items};
    ranking_.emplace(base + header.ranking);
    gram_ = reinterpret_cast<const float*>(base + header.gram);
    if (header.rating_factors == 0) return;
    rating_ = {reinterpret_cast<const float*>(base + header.rating), header.items,
               static_cast<int>(header.rating_factors)};
    rating_bias_ = {reinterpret_cast<const float*>(base + header.rating_bias), header.items};
}

}  // namespace mf
