// SPDX-License-Identifier: Apache-2.0
// Pictures that cannot be read, counted and the first few named: what is measured on the others
// would not be what was asked for. Internal to evaluate.
#pragma once

#include <cstddef>
#include <string>

#include "base/error/error.hpp"
#include "base/os/file.hpp"

namespace andon::evaluate {

class UnreadablePictures {
 public:
  void note(const base::fs::path& file, const base::Error& error);
  // Throws invalid_argument: "2 of `all` pictures cannot be read: ...".
  void throw_if_any(std::size_t all) const;

 private:
  std::size_t count_ = 0;
  std::string reasons_;
};

}  // namespace andon::evaluate
