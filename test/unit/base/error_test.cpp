#include "core/base/error.hpp"

#include <gtest/gtest.h>

#include <Eigen/Core>
#include <stdexcept>
#include <type_traits>

namespace mf {
namespace {

TEST(Error, CarriesThreeTexts) {
    const InvalidArgument error("factors must be positive", "It was 0.", "Use 64.");
    EXPECT_STREQ(error.what(), "factors must be positive");
    EXPECT_EQ(error.detail(), "It was 0.");
    EXPECT_EQ(error.hint(), "Use 64.");
}

TEST(Error, DetailAndHintMayBeMissing) {
    const InvalidData error("no rows");
    EXPECT_EQ(error.detail(), "");
    EXPECT_EQ(error.hint(), "");
}

TEST(Error, ClassesAreToldApart) {
    EXPECT_THROW(throw InvalidData("x"), Error);
    EXPECT_THROW(throw MemoryLimitExceeded("x"), std::runtime_error);
    EXPECT_FALSE((std::is_base_of_v<InvalidData, InvalidArgument>));
    EXPECT_FALSE((std::is_base_of_v<NumericalFailure, MemoryLimitExceeded>));
}

TEST(EigenConfig, SizeMistakesThrow) {
    Eigen::VectorXf a = Eigen::VectorXf::Zero(3);
    const Eigen::VectorXf b = Eigen::VectorXf::Zero(4);
    EXPECT_THROW(a += b, EigenAssertion);
    EXPECT_THROW(a(3) = 1, EigenAssertion);
}

}  // namespace
}  // namespace mf
