// SPDX-License-Identifier: Apache-2.0
// A request's target (first line) and headers (the others), as the server hands them on: target
// and query parsing, the claim of a signature, and its verification.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/error/error.hpp"
#include "wire/aws/aws_chunked.hpp"
#include "wire/aws/sigv4.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace andon::wire;
  std::string_view input(reinterpret_cast<const char*>(data), size);
  const auto next_line = [&input] {
    const std::string_view line = input.substr(0, input.find('\n'));
    input.remove_prefix(std::min(line.size() + 1, input.size()));
    return line;
  };
  HttpRequest request;
  request.method = "GET";
  request.target = std::string(next_line());
  const auto target = split_target(request.target);
  if (!target) return 0;
  auto query = parse_query(target->query);
  if (!query) return 0;
  request.path = std::string(target->path);
  request.query = *std::move(query);
  while (!input.empty()) {
    const std::string_view line = next_line();
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    request.headers.add(std::string(line.substr(0, colon)), std::string(line.substr(colon + 1)));
  }
  try {
    const auto claim = read_claim(request);
    if (!claim) return 0;
    const auto verdict = verify(request, *claim, "a secret no input knows", claim->signed_at);
    if (verdict != SignatureVerdict::wrong_signature) std::abort();
    (void)aws_chunked_form(claim->payload_sha256);
  } catch (const andon::base::Error&) {
  }
  return 0;
}
