// SPDX-License-Identifier: Apache-2.0
// What validation finds: every problem with its place in the document, not only the first.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json/json_reader.hpp"

namespace andon::recipe {

using Problem = base::JsonProblem;  // its place is a pointer in the usual spelling of keys
using Problems = std::vector<Problem>;

// "/Manifests/0/Platform: must be an object; /ComponentName: is missing"
[[nodiscard]] std::string to_text(const Problems& problems);

// Throws invalid_argument "<what> is not valid: <all problems>" if there are any.
void throw_if_any(const Problems& problems, std::string_view what);

}  // namespace andon::recipe
