#include "core/training/model.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <new>
#include <stdexcept>
#include <vector>

#include "core/training/als_half_step.hpp"
#include "core/training/ials_weights.hpp"

namespace mf {
namespace {

TEST(FactorMatrix, RowsArePaddedWithZerosAndAligned) {
    for (const int factors : {1, 15, 16, 17, 64, 100}) {
        FactorMatrix matrix(3, factors);
        EXPECT_EQ(matrix.rows(), 3u);
        EXPECT_EQ(matrix.factors(), factors);
        EXPECT_EQ(matrix.stride(), FactorMatrix::padded(factors));
        EXPECT_EQ(matrix.stride() % 16, 0u);
        EXPECT_GE(matrix.stride(), static_cast<std::size_t>(factors));
        EXPECT_LT(matrix.stride(), static_cast<std::size_t>(factors) + 16);
        for (std::size_t row = 0; row < 3; ++row) {
            EXPECT_EQ(reinterpret_cast<std::uintptr_t>(matrix.row(row)) % 64, 0u);
            for (std::size_t i = 0; i < matrix.stride(); ++i) EXPECT_EQ(matrix.row(row)[i], 0.0f);
        }
    }
}

TEST(FactorMatrix, RowsDoNotOverlap) {
    FactorMatrix matrix(2, 16);
    matrix.row(0)[15] = 1;
    matrix.row(1)[0] = 2;
    EXPECT_EQ(matrix.row(0)[15], 1);
    EXPECT_EQ(matrix.row(1) - matrix.row(0), 16);
}

TEST(FactorMatrix, AbsurdSizesThrow) {
    EXPECT_THROW(FactorMatrix(std::numeric_limits<std::size_t>::max() / 16, 64), std::bad_alloc);
}

template <class Parameters>
void expect_all_fields() {
    const std::vector<NamedRange> ranges = number_ranges<Parameters>();
    EXPECT_EQ(sizeof(Parameters), ranges.size() * sizeof(double)) << "a field is not visited";
    NamedNumbers numbers;
    for (std::size_t i = 0; i < ranges.size(); ++i) {
        EXPECT_TRUE(ranges[i].range.contains(0.5));
        EXPECT_FALSE(ranges[i].range.contains(std::numeric_limits<double>::quiet_NaN()));
        numbers.push_back({ranges[i].name, static_cast<double>(i)});
    }
    const NamedNumbers back = to_numbers(from_numbers<Parameters>(numbers));
    ASSERT_EQ(back.size(), numbers.size());
    for (std::size_t i = 0; i < back.size(); ++i) {
        EXPECT_STREQ(back[i].name, numbers[i].name);
        EXPECT_EQ(back[i].value, numbers[i].value);
    }
    numbers.pop_back();
    EXPECT_THROW(from_numbers<Parameters>(numbers), std::logic_error);
}

TEST(NamedNumbers, HoldEveryFieldUnderItsOwnName) {
    expect_all_fields<RatingScale>();
    expect_all_fields<AlsParameters>();
    expect_all_fields<IalsParameters>();
    const NamedNumbers numbers = to_numbers(AlsParameters{4, 5, 6});
    EXPECT_STREQ(numbers[0].name, "regularization");
    EXPECT_STREQ(numbers[1].name, "regularization_exponent");
    EXPECT_STREQ(numbers[2].name, "bias_regularization");
    EXPECT_EQ(numbers[2].value, 6);
    EXPECT_FALSE(number_ranges<AlsParameters>()[0].range.contains(-1));
    EXPECT_FALSE(number_ranges<AlsParameters>()[0].range.contains(1e300));
}

}  // namespace
}  // namespace mf
