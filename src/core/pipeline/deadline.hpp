// The end of a search by time.
#pragma once

#include <chrono>

namespace mf {

class Deadline {
  public:
    /// Counts from now.
    explicit Deadline(double seconds) : seconds_(seconds) {}
    bool is_over() const { return elapsed() >= seconds_; }
    double elapsed() const { return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count(); }

  private:
    double seconds_;
    std::chrono::steady_clock::time_point begin_ = std::chrono::steady_clock::now();
};

}  // namespace mf
