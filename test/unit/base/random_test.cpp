#include "core/base/random.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <set>

namespace mf {
namespace {

// The numbers come from a second implementation of the formulas, in another language.

TEST(Random, StreamsAreFixed) {
    Random first(1);
    EXPECT_EQ(first.next(), 0x21a5715431dc4cc7u);
    EXPECT_EQ(first.next(), 0xe1a26c101cc38752u);
    EXPECT_EQ(first.next(), 0xa001a4cd852412c8u);
    EXPECT_EQ(Random(1, 1).next(), 0x25f24e5e3765af4cu);
    EXPECT_EQ(Random(2, 0).next(), 0x481c920d996fce04u);
}

TEST(Random, UniformAndNormalFollowFromTheStream) {
    Random uniform(1);
    EXPECT_EQ(uniform.uniform(), 0.13143070512329408);
    EXPECT_EQ(uniform.uniform(), 0.8813846148812114);
    Random normal(1);
    // Through the platform's log and cos, which may differ in the last place.
    EXPECT_NEAR(normal.normal(), 1.4805109248489758, 1e-14);
    EXPECT_NEAR(normal.normal(), 0.967719240837766, 1e-14);
}

TEST(Random, SeedsAndStreamsDoNotMeet) {
    std::set<std::uint64_t> seen;
    for (std::uint64_t seed = 0; seed < 50; ++seed) {
        for (std::uint64_t stream = 0; stream < 50; ++stream) {
            Random random(seed, stream);
            for (int i = 0; i < 4; ++i) seen.insert(random.next());
        }
    }
    EXPECT_EQ(seen.size(), 50u * 50u * 4u);
}

TEST(Random, UniformStaysInsideTheOpenInterval) {
    Random random(3);
    double sum = 0;
    constexpr int kDraws = 100000;
    for (int i = 0; i < kDraws; ++i) {
        const double u = random.uniform();
        ASSERT_GT(u, 0);
        ASSERT_LT(u, 1);
        sum += u;
    }
    EXPECT_NEAR(sum / kDraws, 0.5, 5 * std::sqrt(1.0 / 12 / kDraws));
}

TEST(Random, NormalHasTheMomentsOfANormal) {
    Random random(4);
    double moments[5] = {};
    constexpr int kDraws = 100000;
    for (int i = 0; i < kDraws; ++i) {
        const double x = random.normal();
        ASSERT_TRUE(std::isfinite(x));
        double power = 1;
        for (double& moment : moments) {
            moment += power / kDraws;
            power *= x;
        }
    }
    // Five standard errors each: variances 1, 2, 15, 96 over the number of draws.
    const double root = std::sqrt(double{kDraws});
    EXPECT_NEAR(moments[1], 0, 5 / root);
    EXPECT_NEAR(moments[2], 1, 5 * std::sqrt(2.0) / root);
    EXPECT_NEAR(moments[3], 0, 5 * std::sqrt(15.0) / root);
    EXPECT_NEAR(moments[4], 3, 5 * std::sqrt(96.0) / root);
}

}  // namespace
}  // namespace mf
