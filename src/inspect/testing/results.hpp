// SPDX-License-Identifier: Apache-2.0
// For tests: the result messages that the program has written so far.
#pragma once

#include <string>
#include <vector>

#include "base/json/json.hpp"
#include "base/os/file.hpp"

namespace andon::inspect {

// Whole lines only: the last one may still be being written. None where there is no file yet.
[[nodiscard]] inline std::vector<base::json::value> read_results(const base::fs::path& file) {
  std::vector<base::json::value> messages;
  const std::string content = base::read_file_if_exists(file).value_or("");
  for (std::size_t at = 0, end = 0; (end = content.find('\n', at)) != std::string::npos;
       at = end + 1) {
    messages.push_back(base::parse_json(content.substr(at, end - at), "result"));
  }
  return messages;
}

}  // namespace andon::inspect
