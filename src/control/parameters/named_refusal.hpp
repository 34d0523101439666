// SPDX-License-Identifier: Apache-2.0
// A request that is refused with one of the errors that AWS names more closely than base::Error
// does ("ParameterVersionNotFound"). Its message never holds a value that was sent.
#pragma once

#include <string>
#include <string_view>

#include "base/error/error.hpp"

namespace andon::control {

class NamedRefusal final : public base::Error {
 public:
  // `name` is a literal.
  NamedRefusal(base::ErrorCode code, std::string_view name, std::string message)
      : Error(code, std::move(message)), name_(name) {}
  [[nodiscard]] std::string_view name() const { return name_; }

 private:
  std::string_view name_;
};

}  // namespace andon::control
