// SPDX-License-Identifier: Apache-2.0
// The picture formats behind ImageDecoder, one codec each. Internal to vision/.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "vision/image.hpp"

namespace andon::vision {

// Throws when a picture of that size must not be decoded; called before anything is allocated.
using SizeCheck = std::function<void(Size)>;

class JpegCodec {
 public:
  void decode(std::string_view bytes, std::string_view name, const SizeCheck& check, Image& into);

 private:
  struct HandleCloser {
    void operator()(void* handle) const;
  };

  [[nodiscard]] std::string take_error();

  std::unique_ptr<void, HandleCloser> handle_;  // tjhandle; made when first needed
  std::vector<std::uint8_t> cmyk_;
};

void decode_png(std::string_view bytes, std::string_view name, const SizeCheck& check, Image& into);

}  // namespace andon::vision
