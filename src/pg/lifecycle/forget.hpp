// Forgetting a user: what models have stored of one.
#pragma once

#include "pg/sql/catalog.hpp"
#include "pg/sql/ids.hpp"

namespace mf::pg {

/// A version that had factors of the user.
struct ForgottenFrom {
    std::string model;
    std::int32_t version;
};

/// Deletes the user's factors from all versions of the model, or of all models that the caller manages for a null name,
/// in the order of names and versions. Waits for trainings of those models that are under way, since they may have read
/// the user's rows. Versions whose users have ids of another type are passed over; throws datatype_mismatch or
/// invalid_text_representation if that is so of all versions of a named model, undefined_object,
/// insufficient_privilege.
std::vector<ForgottenFrom> forget_user(const Catalog& catalog, const IdView& user, const char* model);

}  // namespace mf::pg
