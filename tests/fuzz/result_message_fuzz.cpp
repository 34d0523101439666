// SPDX-License-Identifier: Apache-2.0
// Results from devices, and what consumers say of them: what is taken is written and read the same.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "base/error/error.hpp"
#include "fleet/messages/result_message.hpp"
#include "fleet/names/topic.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace andon;
  const std::string text(data, data + size);
  try {
    const fleet::ResultMessage result = fleet::parse_result_message(text);
    if (result.image.empty() || result.image.size() > 1024) std::abort();
  } catch (const base::Error&) {
  }
  try {
    const auto digests = fleet::parse_stored_message(text);
    if (fleet::parse_stored_message(fleet::make_stored_message(digests)) != digests) std::abort();
  } catch (const base::Error&) {
  }
  if (const auto thing = fleet::thing_of_results(text)) {
    if (fleet::DeviceTopics(*thing).results() != text) std::abort();
  }
  if (const auto consumer = fleet::consumer_of_stored(text)) {
    if (!fleet::is_consumer_name(*consumer)) std::abort();
  }
  return 0;
}
