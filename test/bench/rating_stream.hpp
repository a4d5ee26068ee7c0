// All ratings of a generated set as one stream for COPY.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "copy_format.hpp"
#include "skewed_data.hpp"

namespace mf::bench {

/// User: users and each one's items ascending. Random: users in random order; their rows gather in a window, which is
/// shuffled and written when it is full. So the rows of a user are close together only as far as the window is.
enum class RowOrder { User, Random };

/// Rows in a window: 12 bytes each, whatever the size of the set.
inline constexpr std::size_t kWindowRows = std::size_t{1} << 22;

/// Hands the encoded set to write(std::string_view), about a megabyte at a time. Memory O(users + items + window).
template <class Write>
void write_ratings(SkewedRatings& ratings, const CopyEncoder& encoder, RowOrder order, std::uint64_t seed,
                   const Write& write, std::size_t window_rows = kWindowRows) {
    constexpr std::size_t kBuffer = std::size_t{1} << 20;
    std::string buffer;
    encoder.begin(buffer);
    const auto put = [&](std::uint32_t user, const Rating& rating) {
        encoder.row(buffer, user, rating.item, rating.value);
        if (buffer.size() < kBuffer) return;
        write(std::string_view(buffer));
        buffer.clear();
    };

    const std::uint32_t users = ratings.shape().users;
    if (order == RowOrder::User) {
        for (std::uint32_t user = 0; user < users; ++user)
            for (const Rating& rating : ratings.row(user)) put(user, rating);
    } else {
        Random random(seed, std::uint64_t{5} << 32);
        const auto shuffle = [&random](auto& values) {
            for (std::size_t i = values.size(); i > 1; --i) std::swap(values[i - 1], values[random.next() % i]);
        };
        std::vector<std::uint32_t> user_order(users);
        for (std::uint32_t user = 0; user < users; ++user) user_order[user] = user;
        shuffle(user_order);
        std::vector<std::pair<std::uint32_t, Rating>> window;
        const auto flush = [&] {
            shuffle(window);
            for (const auto& [user, rating] : window) put(user, rating);
            window.clear();
        };
        for (const std::uint32_t user : user_order)
            for (const Rating& rating : ratings.row(user)) {
                window.emplace_back(user, rating);
                if (window.size() == window_rows) flush();
            }
        flush();
    }
    encoder.end(buffer);
    write(std::string_view(buffer));
}

}  // namespace mf::bench
