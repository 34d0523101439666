// SPDX-License-Identifier: Apache-2.0
// A mock file of either form: used, or refused with a base::Error.
#include <cstdint>
#include <string_view>

#include "asl/local/mock_answers.hpp"
#include "base/error/error.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  try {
    auto answers = andon::asl::MockAnswers::parse(text);
    (void)answers.take("S");
  } catch (const andon::base::Error&) {
  }
  return 0;
}
