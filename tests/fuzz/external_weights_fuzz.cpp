// SPDX-License-Identifier: Apache-2.0
// Where an ONNX file keeps weights: found, or refused with a base::Error; never outside its folder.
#include <cstdlib>
#include <filesystem>

#include "base/error/error.hpp"
#include "vision/runtime/external_weights.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  try {
    for (const auto& file : andon::vision::external_weights(bytes)) {
      const std::filesystem::path place = std::filesystem::path(file.location).lexically_normal();
      if (place.is_absolute() || *place.begin() == "..") std::abort();
    }
  } catch (const andon::base::Error&) {
  }
  return 0;
}
