// SPDX-License-Identifier: Apache-2.0
// Requests to the token exchange service and the metrics endpoint.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "base/error/error.hpp"
#include "inspect/results/metrics_server.hpp"
#include "wire/local/local_http.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  constexpr andon::wire::LocalHttpSize kMost{.head_bytes = 200, .body_bytes = 100};
  try {
    const auto request = andon::wire::parse_local_http(std::string(data, data + size), kMost);
    if (!request) return 0;
    if (request->body.size() > kMost.body_bytes) std::abort();
    const std::string answer = andon::wire::to_text(
        andon::inspect::answer_metrics(*request, [] { return std::string("one 1\n"); }));
    if (!answer.starts_with("HTTP/1.1 ")) std::abort();
  } catch (const andon::base::Error&) {
  }
  return 0;
}
