// The exceptions of the core. Each class is one kind of answer to the caller; the PostgreSQL side maps a class to
// an SQLSTATE and the three texts to MESSAGE, DETAIL and HINT.
#pragma once

#include <stdexcept>
#include <string>

namespace mf {

/// Base of all errors that the core reports on purpose. The message starts in lower case and has no full stop; detail
/// and hint are full sentences or empty.
class Error : public std::runtime_error {
  public:
    explicit Error(const std::string& message, std::string detail = {}, std::string hint = {})
        : std::runtime_error(message), detail_(std::move(detail)), hint_(std::move(hint)) {}
    const std::string& detail() const { return detail_; }
    const std::string& hint() const { return hint_; }

  private:
    std::string detail_;
    std::string hint_;
};

/// An option or argument is outside its range, or contradicts another one.
class InvalidArgument : public Error {
  public:
    using Error::Error;
};

/// The interactions themselves cannot be used: there are none, they are not finite, or the chosen rule does not merge
/// them.
class InvalidData : public Error {
  public:
    using Error::Error;
};

/// The computation needs more memory than its budget; thrown before the memory is allocated.
class MemoryLimitExceeded : public Error {
  public:
    using Error::Error;
};

/// A computation produced no finite result.
class NumericalFailure : public Error {
  public:
    using Error::Error;
};

}  // namespace mf
