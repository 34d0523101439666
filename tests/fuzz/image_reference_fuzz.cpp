// SPDX-License-Identifier: Apache-2.0
// The image that an artifact's URI names, and what an engine says of a failure.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "base/error/error.hpp"
#include "edge/images/engine_failure.hpp"
#include "recipe/image/image_reference.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace andon;
  const std::string text(reinterpret_cast<const char*>(data), size);
  try {
    const auto image = recipe::parse_image_uri(text);
    // Never an option, nor anything that a line of text could not hold.
    if (image.name.front() == '-' || recipe::full_image_name(image.name).front() == '-') {
      std::abort();
    }
    if (text.find_first_of(" \t\r\n\\\"'$`;&|<>") != std::string::npos) std::abort();
    std::string again = "docker:" + image.name;
    if (!image.tag.empty()) again += ':' + image.tag;
    if (!image.digest.empty()) again += '@' + image.digest;
    if (again != text) std::abort();
    // Its full name is one, too, and stays what it is.
    const std::string full = recipe::full_image_name(image.name);
    if (recipe::full_image_name(full) != full) std::abort();
  } catch (const base::Error&) {
  }
  const auto failure = edge::engine_failure(edge::EngineTask::pull, "pull", "look", text);
  if (failure.codes().empty() || failure.message().find('\n') != std::string::npos) std::abort();
  return 0;
}
