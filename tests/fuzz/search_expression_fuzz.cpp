// SPDX-License-Identifier: Apache-2.0
// SearchExpression of SageMaker's Search: read, or refused with a base::Error; what was read says
// of any resource whether it fits. The resource is the input itself.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "api/sagemaker/search_expression.hpp"
#include "base/error/error.hpp"
#include "base/json/json.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  namespace base = andon::base;
  try {
    const base::json::value input = base::parse_json(
        std::string_view(reinterpret_cast<const char*>(data), size), "input", {1U << 16U, 32});
    if (!input.is_object()) return 0;
    const auto expression = andon::api::read_search_expression(input.get_object());
    (void)andon::api::matches(expression, input.get_object());
  } catch (const base::Error&) {
    return 0;
  }
  return 0;
}
