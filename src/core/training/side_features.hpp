// What is known of items or users besides their interactions, as the trainers take it: a sparse matrix with a row for
// each of them and a column for each feature.
#pragma once

#include <optional>
#include <vector>

#include "core/base/parallel.hpp"
#include "core/data/features.hpp"

namespace mf {

// All functions here have checkpoints.

/// How the values of a feature become entries of the matrix.
struct FeatureScale {
    bool is_number = false;
    double center = 0;  ///< of a number
    double scale = 1;
};

/// Features of the rows of one side. The last column is the intercept, which is 1 in every row.
struct SideFeatures {
    Csr by_row;
    Csr by_feature;  ///< transpose(by_row)

    std::uint32_t count() const { return by_row.column_count; }
};

/// The scales that follow from the data, one for each column. A number is standardized. A category weighs by what it
/// tells, the logarithm of the inverse of the share of rows that have it, in such a unit that the categories of a row
/// have length 1 in the root of the mean square. What no row has weighs nothing. O(entries).
std::vector<FeatureScale> feature_scales(const FeatureValues& values, Environment& environment);

/// Entries of the matrix from values as they were read, with the intercept. A number is (value − center) · scale,
/// within three standard deviations of its mean. A category of an item is value · scale / √L, where L is the length of
/// all its value · scale: so an item with four times as many features is twice as long. That many people have described
/// an item tells of its popularity, and yet a few items with thousands of features shall not outweigh all others.
/// O(entries).
Csr scale_features(const Csr& values, const std::vector<FeatureScale>& scales, Environment& environment);

/// Both forms of the matrix. O(entries).
SideFeatures side_features(const FeatureValues& values, const std::vector<FeatureScale>& scales,
                           Environment& environment);

/// The same with the scales that follow from the values, which it returns in `scales`; nothing of null. O(entries).
std::optional<SideFeatures> side_features(const FeatureValues* values, std::vector<FeatureScale>& scales,
                                          Environment& environment);

}  // namespace mf
