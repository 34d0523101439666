// SPDX-License-Identifier: Apache-2.0
// One frame as it is shown to who looks on: scaled, with what was found drawn into it, as a JPEG of
// bounded size. Pure; any thread.
#pragma once

#include <string>

#include "inspect/results/result.hpp"
#include "vision/pixels/image.hpp"

namespace andon::inspect {

struct LivePicture {
  vision::Size size;
  std::string jpeg;
};

// The longer side of the picture becomes `max_side` at most (the bar comes below it); fewer pixels
// and less quality where it would have more than `max_bytes`. Masks are left out. `image` must be
// mixed colours.
[[nodiscard]] LivePicture draw_live(const vision::Image& image, const Inspection& inspection,
                                    int max_side, std::size_t max_bytes);

}  // namespace andon::inspect
