// SPDX-License-Identifier: Apache-2.0
// What a forge's push says of itself: lines of headers, an empty line, the body.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "events/webhooks/signature.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  andon::wire::Headers headers;
  for (int i = 0; i < 10; ++i) {
    const std::size_t end = text.find('\n');
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) break;
    headers.set(std::string(line.substr(0, colon)), std::string(line.substr(colon + 1)));
  }
  (void)andon::events::verify_push(headers, text, "a secret of the webhook",
                                   andon::base::from_epoch_millis(1'795'341'600'000));
  return 0;
}
