// SPDX-License-Identifier: Apache-2.0
// A command line that can be read but makes no sense: an option that is missing beside another, two
// that do not go together, a value that is none. run_program() ends with 2 for it, as for one that
// cannot be read, and says where to read on; to everybody else it is invalid_argument.
#pragma once

#include <string>
#include <utility>

#include "base/error/error.hpp"

namespace andon::options {

class UsageError : public base::Error {
 public:
  explicit UsageError(std::string message)
      : Error(base::ErrorCode::invalid_argument, std::move(message)) {}
};

}  // namespace andon::options
