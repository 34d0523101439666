// SPDX-License-Identifier: Apache-2.0
// Paths below /packages/ from anybody: what becomes the name of a file stays below its directory.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "api/device/package_files.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string name = andon::api::package_file_name(std::string(data, data + size));
  if (name.empty()) return 0;
  if (name.front() == '/' || name.front() == '.' || name.back() == '/') std::abort();
  if (name.find("/.") != std::string::npos || name.find("//") != std::string::npos) std::abort();
  if (name.find('\0') != std::string::npos) std::abort();
  return 0;
}
