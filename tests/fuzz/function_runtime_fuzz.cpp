// SPDX-License-Identifier: Apache-2.0
// What a function says to the runtime API, what names a function, and what a requirements.txt
// holds: nothing but base::Error comes out, and a payload of an error is JSON.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/error/error.hpp"
#include "base/json/json.hpp"
#include "functions/package/packages.hpp"
#include "functions/registry/names.hpp"
#include "functions/sandboxes/runtime_request.hpp"
#include "wire/local/local_http.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  namespace functions = andon::functions;
  const std::string text(data, data + size);
  try {
    const auto request =
        andon::wire::parse_local_http(text, {.head_bytes = 16'384, .body_bytes = 1U << 20U});
    if (request) {
      const auto asked = functions::read_runtime_request(*request);
      const bool is_of_call = asked.kind == functions::RuntimeRequest::Kind::response ||
                              asked.kind == functions::RuntimeRequest::Kind::error;
      if (is_of_call != !asked.id.empty()) std::abort();
      (void)andon::base::parse_json(functions::error_payload(*request), "an error");
    }
  } catch (const andon::base::Error&) {
  }
  try {
    if (functions::parse_function_ref(text).name.empty()) std::abort();
  } catch (const andon::base::Error&) {
  }
  try {
    (void)functions::read_requirements(text);
  } catch (const andon::base::Error&) {
  }
  return 0;
}
