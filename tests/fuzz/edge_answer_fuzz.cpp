// SPDX-License-Identifier: Apache-2.0
// The data plane's answer to a question for component candidates, and what is kept of a deployment.
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/error/error.hpp"
#include "base/json/json.hpp"
#include "edge/cloud/data_plane.hpp"
#include "edge/state/installed_set.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text(data, data + size);
  try {
    static_cast<void>(andon::edge::parse_candidate(text, "com.example.Hello"));
  } catch (const andon::base::Error&) {
  }
  try {
    static_cast<void>(
        andon::edge::parse_installed_set(andon::base::parse_json(text, "installed set")));
  } catch (const andon::base::Error&) {
  }
  return 0;
}
