// SPDX-License-Identifier: Apache-2.0
// The first byte chooses the form, the second the size of the pieces; the rest is the body.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "base/error/error.hpp"
#include "wire/aws/aws_chunked.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace andon::wire;
  if (size < 2) return 0;
  const auto form = static_cast<AwsChunkedForm>(data[0] % 3);
  const std::size_t piece = 1U + data[1];
  std::string_view body(reinterpret_cast<const char*>(data) + 2, size - 2);
  constexpr std::uint64_t kDecodedSize = 11;
  std::uint64_t given = 0;
  try {
    AwsChunkedDecoder decoder(form, kDecodedSize, {});
    while (!body.empty()) {
      decoder.feed(body.substr(0, piece), [&](std::string_view bytes) { given += bytes.size(); });
      body.remove_prefix(std::min(piece, body.size()));
    }
    (void)decoder.finish();
    if (given != kDecodedSize) std::abort();
  } catch (const andon::base::Error&) {
    if (given > kDecodedSize) std::abort();
  }
  return 0;
}
