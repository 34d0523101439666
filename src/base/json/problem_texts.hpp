// SPDX-License-Identifier: Apache-2.0
// Problems of a document as people read them, for who goes on without what is wrong. Any thread.
#pragma once

#include <string>
#include <vector>

#include "base/json/json_reader.hpp"

namespace andon::base {

// One text a problem: "mqtt.version must be text".
[[nodiscard]] std::vector<std::string> problem_texts(const std::vector<JsonProblem>& problems);

}  // namespace andon::base
