// SPDX-License-Identifier: Apache-2.0
// A list of images, as somebody wrote it: paths, or a base::Error.
#include <cstdlib>

#include "base/error/error.hpp"
#include "inspect/source/list_source.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try {
    const auto paths =
        andon::inspect::parse_list({reinterpret_cast<const char*>(data), size}, "/folder/list.txt");
    if (paths.empty()) std::abort();
  } catch (const andon::base::Error&) {
  }
  return 0;
}
