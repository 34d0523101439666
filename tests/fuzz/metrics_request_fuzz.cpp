// SPDX-License-Identifier: Apache-2.0
// The head of a request to the metrics endpoint: always an answer.
#include <cstdlib>

#include "inspect/metrics_server.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string answer = andon::inspect::answer_metrics(
      {reinterpret_cast<const char*>(data), size}, [] { return std::string("one 1\n"); });
  if (!answer.starts_with("HTTP/1.1 ")) std::abort();
  return 0;
}
