#include "core/base/hash.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>

namespace mf {
namespace {

// Every number here comes from a second implementation of the formulas, in another language. They are stored
// in databases: a change of any of them is a change of format.

TEST(Hash, MixIsTheFinalizerOfSplitmix64) {
    EXPECT_EQ(mix64(0), 0u);
    EXPECT_EQ(mix64(1), 0x5692161d100b05e5u);
    EXPECT_EQ(mix64(2), 0xdbd238973a2b148au);
    EXPECT_EQ(mix64(~std::uint64_t{0}), 0xb4d055fcf2cbbd7bu);
    // The published first output of splitmix64 for seed 0.
    EXPECT_EQ(mix64(0x9e3779b97f4a7c15u), 0xe220a8397b1dcdafu);
}

TEST(Hash, IdHashesAreFixed) {
    EXPECT_EQ(id_hash(""), 0xf52a15e9a9b5e89bu);
    EXPECT_EQ(id_hash("42"), 0xa428ce5471163b02u);
    EXPECT_EQ(id_hash("-7"), 0x4beb90b267c136e1u);
    EXPECT_EQ(id_hash("a"), 0x02c0bdbf481420f8u);
}

TEST(Hash, BytesAboveAsciiCountAsUnsigned) {
    EXPECT_EQ(id_hash("\xc3\xa9"), 0x233403617480019eu);
    EXPECT_EQ(id_hash("\xff"), 0x4f2db50f124040cdu);
}

TEST(Hash, ZeroBytesCount) {
    EXPECT_NE(id_hash(std::string_view("a\0", 2)), id_hash("a"));
    EXPECT_NE(id_hash(std::string_view("\0", 1)), id_hash(""));
}

TEST(Hash, CellHashDependsOnUserItemAndSeed) {
    const std::uint64_t a = id_hash("42");
    const std::uint64_t b = id_hash("7");
    EXPECT_EQ(cell_hash(a, b, 0), 0x4700264eda0b92c5u);
    EXPECT_EQ(cell_hash(a, b, 1), 0x108d150ef7e25432u);
    EXPECT_EQ(cell_hash(a, b, ~std::uint64_t{0}), 0x9092602e5f53b68fu);
    EXPECT_EQ(cell_hash(b, a, 1), 0x0c527be106a4ad9eu);
}

TEST(Hash, CellHashesAreUniform) {
    // Chi-square over 16 buckets of the top bits and of the low bits: 15 degrees of freedom, 99.99% below 45.
    for (const int shift : {60, 0}) {
        double counts[16] = {};
        for (int user = 0; user < 100; ++user) {
            for (int item = 0; item < 160; ++item) {
                const std::uint64_t h = cell_hash(id_hash(std::to_string(user)), id_hash(std::to_string(item)), 1);
                ++counts[h >> shift & 15];
            }
        }
        double chi_square = 0;
        for (const double count : counts) chi_square += (count - 1000) * (count - 1000) / 1000;
        EXPECT_LT(chi_square, 45) << "bits from " << shift;
    }
}

TEST(HistoryDigest, IsFixed) {
    HistoryDigest digest;
    EXPECT_EQ(digest.value(), 0u);
    digest.add(id_hash("7"), 4.5f);
    EXPECT_EQ(digest.value(), 0xbfcdd2ca4f5cd4ecu);
    digest.add(id_hash("8"), 1.0f);
    EXPECT_EQ(digest.value(), 0x562c864ca3826731u);
}

TEST(HistoryDigest, IgnoresTheOrder) {
    HistoryDigest forward, backward;
    for (int i = 0; i < 10; ++i) forward.add(id_hash(std::to_string(i)), static_cast<float>(i));
    for (int i = 9; i >= 0; --i) backward.add(id_hash(std::to_string(i)), static_cast<float>(i));
    EXPECT_EQ(forward.value(), backward.value());
}

TEST(HistoryDigest, NoticesEveryKindOfChange) {
    const auto digest_of = [](std::uint64_t item, float value, int times) {
        HistoryDigest digest;
        for (int i = 0; i < times; ++i) digest.add(item, value);
        return digest.value();
    };
    const std::uint64_t whole = digest_of(id_hash("7"), 4.5f, 1);
    EXPECT_NE(digest_of(id_hash("8"), 4.5f, 1), whole);
    EXPECT_NE(digest_of(id_hash("7"), 4.0f, 1), whole);
    EXPECT_NE(digest_of(id_hash("7"), 4.5f, 2), whole);
    EXPECT_NE(digest_of(id_hash("7"), 4.5f, 0), whole);

    // Values that change places between two items leave the items and the values the same.
    HistoryDigest one, other;
    one.add(id_hash("7"), 1), one.add(id_hash("8"), 2);
    other.add(id_hash("7"), 2), other.add(id_hash("8"), 1);
    EXPECT_NE(one.value(), other.value());
}

TEST(HistoryDigest, NegativeZeroIsZero) {
    HistoryDigest negative, positive;
    negative.add(1, -0.0f);
    positive.add(1, 0.0f);
    EXPECT_EQ(negative.value(), positive.value());
}

}  // namespace
}  // namespace mf
