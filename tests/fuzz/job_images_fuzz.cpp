// SPDX-License-Identifier: Apache-2.0
// The file that names commands for images: read, or refused with a base::Error.
#include <cstdint>
#include <string_view>

#include "base/error/error.hpp"
#include "workflow/modeljobs/image_commands.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  try {
    const auto images = andon::workflow::ImageCommands::parse(text, "images.yaml");
    (void)images.require("repository/image:1");
  } catch (const andon::base::Error&) {
  }
  return 0;
}
