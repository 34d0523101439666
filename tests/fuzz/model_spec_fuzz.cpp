// SPDX-License-Identifier: Apache-2.0
// What is said beside a model: understood, or refused with a base::Error.
#include "base/error/error.hpp"
#include "base/json/json.hpp"
#include "vision/heads/model_spec.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  try {
    (void)andon::vision::parse_model_spec(andon::base::parse_json(text, "fuzz"));
  } catch (const andon::base::Error&) {
  }
  return 0;
}
