// SPDX-License-Identifier: Apache-2.0
// What a collector answers: a line with status and Retry-After, then the body.
#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "wire/otlp/otlp_message.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::size_t end = std::min(text.find('\n'), text.size());
  const std::string first(text.substr(0, end));
  andon::wire::IncomingResponse response{
      .status = std::atoi(first.c_str()), .headers = {}, .body = std::string(text.substr(end))};
  const std::size_t blank = first.find(' ');
  if (blank != std::string::npos) response.headers.set("Retry-After", first.substr(blank + 1));
  const auto answer = andon::wire::read_otlp_answer(response);
  if (answer.wait > std::chrono::seconds(300) || answer.reason.size() > 1000) std::abort();
  return 0;
}
