#include "core/evaluation/list_variety.hpp"

#include <Eigen/Core>
#include <algorithm>
#include <cmath>

namespace mf {

ListVariety list_variety(std::span<const std::uint32_t> list, const ItemIndex& items,
                         std::span<const std::uint32_t> interactions, double users) {
    ListVariety variety;
    if (list.empty()) return variety;
    const auto count = static_cast<double>(list.size());
    double bits = 0;
    for (const std::uint32_t item : list) bits += std::log2(users / std::max(interactions[item], std::uint32_t{1}));
    variety.novelty = bits / count;
    if (list.size() < 2) return variety;
    Eigen::VectorXd sum = Eigen::VectorXd::Zero(items.factors());
    double units = 0;
    for (const std::uint32_t item : list) {
        // The square of any float but zero is a normal double.
        const auto row = Eigen::Map<const Eigen::VectorXf>(items.row(item), items.factors()).cast<double>();
        const double norm = row.norm();
        if (norm == 0) continue;
        units += 1;
        sum += row / norm;
    }
    variety.similarity = (sum.squaredNorm() - units) / (count * (count - 1));
    return variety;
}

}  // namespace mf
