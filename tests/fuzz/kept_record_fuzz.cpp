// SPDX-License-Identifier: Apache-2.0
// What an agent finds of services that an earlier one has left, and what a keeper gets as its
// order.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "base/error/error.hpp"
#include "edge/process/kept_record.hpp"
#include "keep/record/order.hpp"
#include "keep/record/state_file.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace andon;
  std::string text(data, data + size);
  keep::KeptState state;
  if (keep::parse_state(text.data(), text.size(), state) && state.word_count > keep::kLastWords) {
    std::abort();
  }
  static keep::OrderView order;
  static_cast<void>(keep::parse_order(text.data(), text.size(), order));
  try {
    const edge::KeptRecord record = edge::parse_kept_record(text);
    const std::string written = edge::to_text(record);
    if (edge::to_text(edge::parse_kept_record(written)) != written) std::abort();
  } catch (const base::Error&) {
    return 0;
  }
  return 0;
}
