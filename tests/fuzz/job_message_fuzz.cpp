// SPDX-License-Identifier: Apache-2.0
// Job messages from the broker.
#include <cstddef>
#include <cstdint>
#include <string>

#include "base/error/error.hpp"
#include "fleet/messages/job_message.hpp"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string text(data, data + size);
  try {
    static_cast<void>(andon::fleet::parse_next_job(text));
  } catch (const andon::base::Error&) {
  }
  try {
    static_cast<void>(andon::fleet::parse_update_answer(text));
  } catch (const andon::base::Error&) {
  }
  return 0;
}
