#include "core/data/text_order.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "core/base/random.hpp"

namespace mf {
namespace {

std::vector<std::string> texts_in_order(IdTable& ids) {
    ids.sort();
    Environment environment;
    std::vector<std::string> texts;
    for (const std::uint32_t index : text_order(ids, environment)) texts.push_back(ids.text(index));
    return texts;
}

std::vector<std::string> texts_of(const std::vector<std::int64_t>& numbers) {
    IdTable ids(IdKind::Integer);
    for (const std::int64_t number : numbers) ids.intern(number);
    return texts_in_order(ids);
}

TEST(TextOrder, PutsShorterTextsBeforeThoseThatBeginWithThem) {
    EXPECT_EQ(texts_of({0, 1, 2, 9, 10, 11, 19, 100, 101, 110, 1000}),
              (std::vector<std::string>{"0", "1", "10", "100", "1000", "101", "11", "110", "19", "2", "9"}));
    EXPECT_EQ(texts_of({5, -1, -10, -2, 0, -19, -100, 10}),
              (std::vector<std::string>{"-1", "-10", "-100", "-19", "-2", "0", "10", "5"}));
    EXPECT_EQ(texts_of({}), std::vector<std::string>{});
}

TEST(TextOrder, IsTheOrderOfTheTextsOfNumbersOfAllLengths) {
    Random random(7, 0);
    std::vector<std::int64_t> numbers{std::numeric_limits<std::int64_t>::min(),
                                      std::numeric_limits<std::int64_t>::max(),
                                      0,
                                      1000000000000000000,
                                      999999999999999999,
                                      -1000000000000000000};
    for (int i = 0; i < 3000; ++i) numbers.push_back(static_cast<std::int64_t>(random.next()) >> (random.next() % 64));
    const std::vector<std::string> texts = texts_of(numbers);
    EXPECT_GT(texts.size(), 2000u);
    EXPECT_TRUE(std::is_sorted(texts.begin(), texts.end()));
}

TEST(TextOrder, IsTheOrderOfTextsAndUuidsAsTheyAre) {
    IdTable texts(IdKind::Text);
    for (const char* id : {"b", "a", "B", "", "ab"}) texts.intern(std::string_view(id));
    EXPECT_EQ(texts_in_order(texts), (std::vector<std::string>{"", "B", "a", "ab", "b"}));
    IdTable uuids(IdKind::Uuid);
    uuids.intern(std::string(16, '\xff'));
    uuids.intern(std::string(16, '\x0a'));
    const std::vector<std::string> in_order = texts_in_order(uuids);
    EXPECT_EQ(in_order.size(), 2u);
    EXPECT_TRUE(std::is_sorted(in_order.begin(), in_order.end()));
}

}  // namespace
}  // namespace mf
