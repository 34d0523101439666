// SPDX-License-Identifier: Apache-2.0
// What somebody at a device asks for: local deployments. What is taken once is taken again as it
// was written.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "base/error/error.hpp"
#include "base/json/json.hpp"
#include "edge/local/local_request.hpp"

namespace {

using namespace andon;

void wish(const base::json::object& request) {
  edge::LocalDeployment local;
  try {
    local = edge::parse_local_document(edge::local_document(request), "d1", {});
  } catch (const base::Error&) {
    return;
  }
  if (local.document.components.size() !=
      edge::parse_local_document(edge::local_document(request), "d1", {})
          .document.components.size()) {
    std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    const base::json::value value =
        base::parse_json(std::string(data, data + size), "request", {.max_bytes = 64U << 10U});
    if (!value.is_object()) return 0;
    wish(value.get_object());
  } catch (const base::Error&) {
    return 0;
  }
  return 0;
}
