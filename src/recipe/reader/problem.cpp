// SPDX-License-Identifier: Apache-2.0
#include "recipe/reader/problem.hpp"

#include "base/error/error.hpp"

namespace andon::recipe {

std::string to_text(const Problems& problems) {
  std::string text;
  for (const auto& problem : problems) {
    if (!text.empty()) text += "; ";
    if (!problem.place.empty()) text += problem.place + " ";
    text += problem.message;
  }
  return text;
}

void throw_if_any(const Problems& problems, std::string_view what) {
  if (problems.empty()) return;
  throw base::Error(base::ErrorCode::invalid_argument,
                    std::string(what) + " is not valid: " + to_text(problems));
}

}  // namespace andon::recipe
