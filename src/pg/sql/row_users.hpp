// The users of rows, where nothing else of the rows is needed.
#pragma once

#include <functional>

#include "pg/sql/row_receiver.hpp"

namespace mf::pg {

/// Collects the distinct users of the rows that it gets. `check` is called after each batch with the users so far: it
/// throws where they have become too many.
class RowUsers : public RowSink {
  public:
    RowUsers(IdKind kind, std::function<void(const IdTable&)> check) : users_(kind), check_(std::move(check)) {}

    void rows(const RowBatch& batch) override {
        std::uint32_t indices[kBatchRows];
        batch.with_users([&](auto ids) { users_.intern(ids, indices); });
        check_(users_);
    }

    const IdTable& users() const { return users_; }

  private:
    IdTable users_;
    std::function<void(const IdTable&)> check_;
};

}  // namespace mf::pg
