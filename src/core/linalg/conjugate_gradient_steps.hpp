// The steps of conjugate gradient that the systems of ranking and of rating factors have in common.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>

#include "core/linalg/kernels.hpp"

namespace mf {

/// No further step if it would lower the row's least-squares problem by less than about this share of it. With 20 M
/// ratings the loss of iterations 2 to 7 was that of exact solutions within 4e-5 for a share of 1e-5, within 1.2e-4 for
/// 1e-4, at 1.8 and 1.0 steps a row in the sixth iteration; this is between the two.
constexpr float kStepTolerance = 3e-5f;

/// Nor unless it would also be less than this share of factors · D factors, D being the diagonal preconditioner: where
/// training begins, factors explain next to nothing of a row's problem and grow tenfold with each half-step. Rows that
/// were left as they are would stay zero, all of them if there are few items.
constexpr float kGrowthTolerance = 1e-3f;

/// What the steps work on: `blocks` times kLanes numbers each.
struct StepVectors {
    std::size_t blocks;
    const float* inverse;  ///< of the diagonal preconditioner
    float* residual;       ///< right-hand side − system · factors; changed
    float* direction;      ///< of the last step; need not be set
    float* product;        ///< −system · direction; need not be set
};

/// Improves factors by at most `most` steps of preconditioned conjugate gradient (Hestenes and Stiefel 1952), and
/// returns the value of the row's least-squares problem for the result, given that for what factors was; or NaN where
/// single precision does not suffice: then what factors holds is of no use. multiply() sets vectors.product from
/// vectors.direction; moved(length) is called after each step of that length.
template <class Multiply, class Moved>
double take_steps(const Kernels& kernels, const StepVectors& vectors, int most, double value, float* factors,
                  const Multiply& multiply, const Moved& moved) {
    const auto [blocks, inverse, residual, direction, product] = vectors;
    const auto gains_little = [&](float gain) {
        if (gain <= std::numeric_limits<float>::min()) return true;
        if (gain > kStepTolerance * static_cast<float>(value)) return false;
        return gain <= kGrowthTolerance * kernels.weighted_square(factors, vectors.inverse, vectors.blocks);
    };
    float last_gain = 0;
    for (int step = 0; step < most; ++step) {
        // What the step gains, if the preconditioner is the system; in any case near.
        const float gain = kernels.precondition(inverse, residual, blocks, product);
        if (gains_little(gain)) break;
        if (step == 0)
            std::copy_n(product, blocks * kLanes, direction);
        else
            kernels.scale_and_add(gain / last_gain, product, blocks, direction);
        last_gain = gain;

        multiply();
        const float curvature = -kernels.dot(direction, product, blocks);
        const float length = gain / curvature;
        if (!(curvature > 0) || !std::isfinite(length)) return std::numeric_limits<double>::quiet_NaN();
        kernels.add_scaled(length, direction, blocks, factors);
        kernels.add_scaled(length, product, blocks, residual);
        value -= static_cast<double>(length) * static_cast<double>(gain);
        moved(length);
    }
    return value;
}

}  // namespace mf
