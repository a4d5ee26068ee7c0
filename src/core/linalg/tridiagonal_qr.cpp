#include "core/linalg/tridiagonal_qr.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace mf {
namespace {

/// Rotations of columns, which are applied in batches.
class Rotations {
  public:
    Rotations(RotatedRows& vectors, Environment& environment) : vectors_(vectors), environment_(environment) {
        batch_.reserve(kMost);
    }

    void add(std::size_t column, double cosine, double sine) {
        batch_.push_back({cosine, sine, column});
        if (batch_.size() == kMost) apply();
    }

    void apply() {
        const auto rotate = kernels().rotate_columns;
        parallel_for(environment_, vectors_.groups(),
                     [&](std::size_t g, int) { rotate(vectors_.group(g), batch_.data(), batch_.size()); });
        batch_.clear();
    }

  private:
    static constexpr std::size_t kMost = std::size_t{1} << 15;  // 0.8 MB, and some tens of milliseconds
    RotatedRows& vectors_;
    Environment& environment_;
    std::vector<Rotation> batch_;
};

/// √(a² + b²): where neither square is out of range, without the time that std::hypot takes, which is a tenth of the
/// whole for 64 rows.
double length_of(double a, double b) {
    const double square = a * a + b * b;
    constexpr double kSmall = 0x1.0p-900, kLarge = 0x1.0p900;
    return square > kSmall && square < kLarge ? std::sqrt(square) : std::hypot(a, b);
}

/// The eigenvalue of the last 2×2 block that is nearer to its last element.
double wilkinson_shift(double before, double beside, double last) {
    const double half_gap = 0.5 * (before - last);
    if (half_gap == 0) return last - std::fabs(beside);
    return last - beside * (beside / (half_gap + std::copysign(length_of(half_gap, beside), half_gap)));
}

/// One QR step on the unreduced block of rows begin to end: chases the bulge that the shifted first rotation makes
/// down the diagonal and out.
void step(std::span<double> diagonal, std::span<double> beside, std::size_t begin, std::size_t end,
          Rotations& rotations) {
    double bulge = beside[begin];
    double first = diagonal[begin] - wilkinson_shift(diagonal[end - 1], beside[end - 1], diagonal[end]);
    for (std::size_t k = begin; k < end && bulge != 0; ++k) {
        const double length = length_of(first, bulge);
        const double c = first / length, s = -bulge / length;
        if (k > begin) beside[k - 1] = length;
        const double above = diagonal[k], below = diagonal[k + 1], corner = beside[k];
        diagonal[k] = c * c * above - 2 * c * s * corner + s * s * below;
        diagonal[k + 1] = s * s * above + 2 * c * s * corner + c * c * below;
        beside[k] = c * s * (above - below) + (c * c - s * s) * corner;
        first = beside[k];
        if (k + 1 < end) {
            bulge = -s * beside[k + 1];
            beside[k + 1] *= c;
        }
        rotations.add(k, c, s);
    }
}

bool all_finite(std::span<const double> values) {
    return std::ranges::all_of(values, [](double value) { return std::isfinite(value); });
}

}  // namespace

bool diagonalize(std::span<double> diagonal, std::span<double> beside, RotatedRows& vectors, Environment& environment) {
    if (!all_finite(diagonal) || !all_finite(beside)) return false;
    constexpr std::size_t kStepsARow = 30;  // two or three are usual
    constexpr double kPrecision = std::numeric_limits<double>::epsilon();
    Rotations rotations(vectors, environment);
    std::size_t steps_left = kStepsARow * diagonal.size();
    for (std::size_t end = diagonal.size() - 1; end > 0;) {
        const auto is_small = [&](std::size_t i) {
            return std::fabs(beside[i]) <= kPrecision * (std::fabs(diagonal[i]) + std::fabs(diagonal[i + 1])) ||
                   std::fabs(beside[i]) < std::numeric_limits<double>::min();
        };
        if (is_small(end - 1)) {
            beside[--end] = 0;
            continue;
        }
        std::size_t begin = end - 1;
        while (begin > 0 && !is_small(begin - 1)) --begin;
        if (begin > 0) beside[begin - 1] = 0;
        if (steps_left-- == 0) return false;
        step(diagonal, beside, begin, end, rotations);
    }
    rotations.apply();
    return all_finite(diagonal);
}

}  // namespace mf
