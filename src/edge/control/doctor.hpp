// SPDX-License-Identifier: Apache-2.0
// What a person would look at first where a device does not do what it should: each check with what
// was found and, where it is bad, what to do. Reads only; works with and without a running agent.
// Blocks; any thread but the agent's loop.
#pragma once

#include <string>
#include <vector>

#include "base/json/json.hpp"
#include "edge/state/layout.hpp"

namespace andon::edge {

namespace json = base::json;

enum class Verdict { good, doubtful, bad };

struct Finding {
  std::string check;  // "disk space"
  Verdict verdict = Verdict::good;
  std::string text;
};

[[nodiscard]] std::vector<Finding> examine(const Layout& layout);
[[nodiscard]] Verdict worst_of(const std::vector<Finding>& findings);

[[nodiscard]] json::object to_json(const std::vector<Finding>& findings);  // {"checks": [...]}
[[nodiscard]] std::string to_readable(const std::vector<Finding>& findings);

}  // namespace andon::edge
