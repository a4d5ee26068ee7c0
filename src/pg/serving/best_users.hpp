// The best of many users by a number, as a function returns them.
#pragma once

#include <algorithm>
#include <cmath>

#include "pg/sql/results.hpp"

namespace mf::pg {

/// The n users with the greatest numbers so far: greater first, ties by id, integers by value and others by bytes.
/// Users whose number is NaN are left out. Memory grows with the users that enter. O(log n) for one that does.
class BestUsers {
  public:
    explicit BestUsers(std::size_t n) : n_(n) {}

    /// False if no user with that number can be among them.
    bool may_enter(float number) const {
        return n_ > 0 && !std::isnan(number) && (users_.size() < n_ || number >= users_.front().number);
    }
    void push(float number, Id id) {
        if (!may_enter(number)) return;
        users_.push_back({number, std::move(id)});
        std::push_heap(users_.begin(), users_.end(), before);
        if (users_.size() <= n_) return;
        std::pop_heap(users_.begin(), users_.end(), before);
        users_.pop_back();
    }

    /// Adds them as rows (id, number, rank) to a function's result. To be called once.
    void put(FunctionCallInfo fcinfo, IdKind overload, IdKind kind) {
        std::sort_heap(users_.begin(), users_.end(), before);
        IdTable ids(kind);
        std::vector<ListRow> rows;
        for (const User& user : users_) rows.push_back({user.id.intern_in(ids), user.number});
        put_list(fcinfo, overload, ids, rows, nullptr);
    }

  private:
    struct User {
        float number;
        Id id;
    };
    static bool before(const User& a, const User& b) {
        if (a.number != b.number) return a.number > b.number;
        return a.id.kind == IdKind::Integer ? a.id.integer < b.id.integer : a.id.bytes < b.id.bytes;
    }

    std::size_t n_;
    std::vector<User> users_;  ///< a heap with the last of them on top
};

}  // namespace mf::pg
