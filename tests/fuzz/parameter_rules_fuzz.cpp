// SPDX-License-Identifier: Apache-2.0
// How callers name parameters and secrets, and an allowed pattern with a value: the bytes before
// and after a line feed.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/error/error.hpp"
#include "control/parameters/rules.hpp"

namespace {

template <typename Check>
void try_to(const Check& check) {
  try {
    check();
  } catch (const andon::base::Error&) {
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace andon::control;
  constexpr std::size_t kMostPattern = 1024;  // as the API takes them
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const ParameterReference reference = parse_parameter_reference(text);
  // What names a parameter by its ARN names the same one by its key.
  const std::string arn = parameter_arn(Arns(), reference.key) + reference.selector;
  if (parse_parameter_reference(arn).selector != reference.selector) __builtin_trap();
  try_to([&] { check_parameter_name(Arns(), text); });
  try_to([&] { check_parameter_path(text); });
  try_to([&] { check_secret_name(text); });
  (void)is_parameter_label(text);
  (void)parse_secret_reference(text);
  const std::size_t end = text.find('\n');
  if (end != std::string_view::npos && end <= kMostPattern) {
    try_to([&] { check_allowed_pattern(text.substr(0, end), text.substr(end + 1)); });
  }
  return 0;
}
