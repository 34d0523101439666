// SPDX-License-Identifier: Apache-2.0
// What lies in a job's directory, damaged: an order, or a result.
#include <cstdint>
#include <string_view>

#include "base/error/error.hpp"
#include "job/order/order.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  try {
    static_cast<void>(to_text(andon::job::parse_order(text)));
  } catch (const andon::base::Error&) {
  }
  try {
    static_cast<void>(to_text(andon::job::parse_result(text)));
  } catch (const andon::base::Error&) {
  }
  return 0;
}
