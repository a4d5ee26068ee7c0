#include "core/base/key_sort.hpp"

#include <gtest/gtest.h>

#include <random>
#include <stdexcept>
#include <vector>

namespace mf {
namespace {

struct Element {
    std::uint32_t key;
    std::uint32_t number;
};

std::vector<Element> some_elements(std::size_t count, std::uint32_t keys) {
    std::mt19937 random(3);
    std::vector<Element> elements(count);
    for (std::uint32_t i = 0; i < count; ++i) elements[i] = {static_cast<std::uint32_t>(random() % keys), i};
    return elements;
}

std::uint32_t key_of(const Element& element) { return element.key; }

TEST(KeySortTest, SortsAnyNumberOfKeys) {
    for (const int threads : {1, 3})
        for (const std::uint32_t keys : {1u, 2u, 511u, 512u, 513u, 100000u, ~0u})
            for (const std::size_t count : {0u, 1u, 2u, 1000u, 20000u}) {
                Environment environment;
                environment.threads = threads;
                const std::vector<Element> given = some_elements(count, keys);
                std::vector<Element> sorted = given;
                sort_by_key(std::span(sorted), keys, environment, key_of);
                std::vector<bool> found(count);
                for (std::size_t i = 0; i < count; ++i) {
                    EXPECT_EQ(sorted[i].key, given[sorted[i].number].key);
                    EXPECT_LE(sorted[i > 0 ? i - 1 : 0].key, sorted[i].key);
                    EXPECT_FALSE(found[sorted[i].number]);
                    found[sorted[i].number] = true;
                }
            }
}

TEST(KeySortTest, CanBeCancelled) {
    Environment environment;
    environment.interrupted = [] { return true; };
    environment.checkpoint = [] { throw std::runtime_error("cancelled"); };
    std::vector<Element> elements = some_elements(1000, 100);
    EXPECT_THROW(sort_by_key(std::span(elements), 100, environment, key_of), std::runtime_error);
}

}  // namespace
}  // namespace mf
