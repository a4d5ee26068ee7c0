#include "core/training/residual_product.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <stdexcept>

#include "core/training/factor_init.hpp"
#include "unit/generated_data.hpp"

namespace mf {
namespace {

using test::make_csr;
using test::planted_ratings;
using test::same_bits;

struct Fixture {
    Csr matrix = make_csr(planted_ratings(300, 400, 3, 0.4, 0.3, 4), 301, 400);  // the last row is empty
    Array<float> row_bias = Array<float>(301);
    Array<float> column_bias = Array<float>(400);
    Environment environment;

    Fixture() {
        for (std::size_t i = 0; i < row_bias.size(); ++i) row_bias[i] = 0.01f * static_cast<float>(i % 13);
        for (std::size_t i = 0; i < column_bias.size(); ++i) column_bias[i] = -0.02f * static_cast<float>(i % 7);
    }
    Residuals residuals() const { return {matrix, 3.1, 1.7, row_bias, column_bias}; }
    FactorMatrix factors(int k) {
        FactorMatrix result(400, k);
        fill_random(result, 1.0, 1, 2, environment);
        return result;
    }
    FactorMatrix compute(const FactorMatrix& factors, std::size_t piece_floats) {
        FactorMatrix product(301, factors.factors());
        std::fill_n(product.row(0), 301 * product.stride(), 5.0f);  // what was there before must not matter
        const ResidualProduct work(matrix, factors.factors(), piece_floats);
        work.compute(residuals(), -0.3, factors, environment, product);
        return product;
    }
};

TEST(ResidualProductTest, IsThePlainProductWithWholeRowsAndWithPieces) {
    Fixture fixture;
    for (const int k : {1, 16, 37}) {
        const FactorMatrix factors = fixture.factors(k);
        for (const std::size_t piece_floats : {kResidualPieceFloats, std::size_t{1}}) {
            const FactorMatrix product = fixture.compute(factors, piece_floats);
            for (std::uint32_t row = 0; row < 301; ++row) {
                const auto columns = fixture.matrix.row_columns(row);
                const auto values = fixture.matrix.row_values(row);
                for (int f = 0; f < k; ++f) {
                    double sum = 0;
                    for (std::size_t j = 0; j < columns.size(); ++j)
                        sum += (static_cast<double>(values[j]) - 3.1 - static_cast<double>(fixture.row_bias[row]) -
                                static_cast<double>(fixture.column_bias[columns[j]])) /
                               1.7 * static_cast<double>(factors.row(columns[j])[f]);
                    const double scale = columns.empty() ? 0 : std::pow(static_cast<double>(columns.size()), -0.3);
                    ASSERT_NEAR(product.row(row)[f], scale * sum, 1e-4);
                }
                for (std::size_t f = static_cast<std::size_t>(k); f < product.stride(); ++f)
                    ASSERT_EQ(product.row(row)[f], 0.0f);
            }
        }
    }
}

TEST(ResidualProductTest, SameBitsForAnyNumberOfThreads) {
    Fixture fixture;
    const FactorMatrix factors = fixture.factors(20);
    for (const std::size_t piece_floats : {kResidualPieceFloats, std::size_t{1}}) {
        fixture.environment.threads = 1;
        const FactorMatrix expected = fixture.compute(factors, piece_floats);
        for (const int threads : {2, 3, 7}) {
            fixture.environment.threads = threads;
            EXPECT_TRUE(same_bits(fixture.compute(factors, piece_floats), expected));
        }
    }
}

TEST(ResidualProductTest, BlocksOfAnySizeGiveTheSameBits) {
    Fixture fixture;
    const FactorMatrix factors = fixture.factors(20);
    for (const std::size_t piece_floats : {kResidualPieceFloats, std::size_t{1}}) {
        const FactorMatrix expected = fixture.compute(factors, piece_floats);
        FactorMatrix product(301, 20);
        ResidualWorkspace workspace(20);
        for (std::uint32_t begin = 0; begin < 301; begin += 70) {
            const std::uint32_t end = std::min(begin + 70, 301u);
            multiply_residuals(fixture.residuals().slice(begin, end), -0.3, factors, workspace,
                               product.slice(begin, end), piece_floats);
        }
        EXPECT_TRUE(same_bits(product, expected));
    }
}

TEST(ResidualProductTest, BlocksHoldEveryRowOnceAndLittleWork) {
    const Fixture fixture;
    const ResidualProduct work(fixture.matrix, 4096);
    EXPECT_GT(work.plan().blocks.size(), 10u);
    std::uint32_t next = 0;
    for (const RowBlock& block : work.plan().blocks) {
        EXPECT_EQ(block.begin, next);
        EXPECT_LT(block.begin, block.end);
        next = block.end;
    }
    EXPECT_EQ(next, 301u);
    EXPECT_TRUE(ResidualProduct(Csr{}, 8).plan().blocks.empty());
}

TEST(ResidualProductTest, ACancelLeavesBetweenThePiecesOfALongRow) {
    Fixture fixture;
    const FactorMatrix factors = fixture.factors(16);
    int asked = 0;
    fixture.environment.interrupted = [&] { return ++asked > 3; };
    fixture.environment.checkpoint = [] { throw std::runtime_error("cancelled"); };
    EXPECT_THROW(fixture.compute(factors, 1), std::runtime_error);
    EXPECT_LT(asked, 30);
}

}  // namespace
}  // namespace mf
