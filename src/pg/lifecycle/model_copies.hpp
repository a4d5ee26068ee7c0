// Copies of models on all nodes of a Citus cluster, so that functions find a model wherever a query calls them: the row
// of the live version, its factors of items and maps of features, and the grants. They are reference tables, made when
// the first model is distributed, and written by the transaction that changes the model: all nodes see it from its
// commit on. Nobody reads them but workers (pg/sql/catalog.hpp). The factors of users are not copied: a worker solves a
// user's from the history, which it reads anyway, and they are the same.
#pragma once

#include "pg/sql/catalog.hpp"

namespace mf::pg {

/// Makes the tables of copies, unless they are there and fit. To be called with the model locked, as all below.
void create_copies(const Catalog& catalog);

/// Copies the model as the current transaction has it now. Throws object_not_in_prerequisite_state if it reads
/// relations that only the coordinator has.
void copy_model(const Catalog& catalog, const std::string& model);

/// Deletes them, if there are any.
void delete_copies(const Catalog& catalog, const std::string& model);

/// Copies the model as copy_model() does if there are copies of the model; if it was dropped, deletes them.
void update_copies(const Catalog& catalog, const std::string& model);

/// Gives the copies of a model that is being renamed its new name.
void rename_copies(const Catalog& catalog, const std::string& from, const std::string& to);

}  // namespace mf::pg
