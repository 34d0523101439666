// SPDX-License-Identifier: Apache-2.0
// Room: apply. Templates carried to a server: `andon apply`.
// Local paths in a template (Code: ./function), as `aws cloudformation package` has them: packed,
// named by their digest, and put in the place of the path. The same files give the same template.
// Nothing is uploaded here. Blocking.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "base/json/json.hpp"
#include "base/os/file.hpp"

namespace andon::cli {

// Where what stands beside a template lies on the server.
inline constexpr const char* kStackBucket = "andon-stacks";

struct Upload {
  std::string bucket;
  std::string key;
  std::string what;     // for the person: "functions/find-model"
  base::fs::path file;  // as it is; empty: `bytes`
  std::string bytes;
};

// `folder` is where the template lies. Throws invalid_argument, not_found naming resource and path.
[[nodiscard]] std::vector<Upload> take_local_files(base::json::object& document,
                                                   const base::fs::path& folder);

}  // namespace andon::cli
