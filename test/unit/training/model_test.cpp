#include "core/training/model.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <map>
#include <new>
#include <string>

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
std::map<std::string, double> fields_of(Parameters parameters) {
    std::map<std::string, double> fields;
    parameters.each_field([&](const char* name, double& value) { fields[name] = value; });
    return fields;
}

TEST(Parameters, EveryFieldIsVisitedUnderItsOwnName) {
    const std::map<std::string, double> rating = fields_of(AlsParameters{1, 2, 3, 4, 5, 6});
    EXPECT_EQ(rating, (std::map<std::string, double>{{"mean", 1},
                                                     {"minimum", 2},
                                                     {"maximum", 3},
                                                     {"regularization", 4},
                                                     {"regularization_exponent", 5},
                                                     {"bias_regularization", 6}}));
    EXPECT_EQ(sizeof(AlsParameters), rating.size() * sizeof(double)) << "a field is not visited";
    EXPECT_EQ(sizeof(IalsParameters), fields_of(IalsParameters{}).size() * sizeof(double)) << "a field is not visited";
}

}  // namespace
}  // namespace mf
