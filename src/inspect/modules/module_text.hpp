// SPDX-License-Identifier: Apache-2.0
// Where a module writes in words what went wrong: a buffer of the caller's. What is written is cut
// to fit and ends with 0.
#pragma once

#include <cstddef>

namespace andon::inspect {

struct ModuleText {
  char* text;
  std::size_t bytes;
};

}  // namespace andon::inspect
