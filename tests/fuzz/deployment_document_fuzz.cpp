// SPDX-License-Identifier: Apache-2.0
// A deployment document that is accepted is written and read back to the same text.
#include <cstdlib>
#include <string_view>

#include "base/error.hpp"
#include "recipe/deployment_document.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace andon;
  std::string text(reinterpret_cast<const char*>(data), size);
  try {
    text = base::to_text(recipe::to_json(recipe::parse_deployment_document(text)));
  } catch (const base::Error&) {
    return 0;
  }
  const auto again = recipe::to_json(recipe::parse_deployment_document(text));
  if (base::to_text(again) != text) std::abort();
  return 0;
}
