// SPDX-License-Identifier: Apache-2.0
// A buildspec, the scripts that are made of it, and what a build has written of its phases.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/error/error.hpp"
#include "builds/spec/buildspec.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  (void)andon::builds::read_phases(text);
  try {
    (void)andon::builds::scripts_of(andon::builds::parse_buildspec(text), {});
  } catch (const andon::base::Error&) {
  }
  return 0;
}
