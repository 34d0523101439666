// SPDX-License-Identifier: Apache-2.0
// What a video or a camera gives while it is open, picture by picture. Belongs to one thread at a
// time.
#pragma once

#include <chrono>

#include "vision/pixels/image.hpp"

namespace andon::inspect {

class PictureStream {
 public:
  PictureStream() = default;
  PictureStream(const PictureStream&) = delete;
  PictureStream& operator=(const PictureStream&) = delete;
  virtual ~PictureStream() = default;

  // incomplete: there was a picture of which parts were lost on the way.
  enum class Next { picture, incomplete, timeout, end };
  // Fills `into`, whose buffer is used again. Throws unavailable where the stream has broken.
  [[nodiscard]] virtual Next next(std::chrono::milliseconds timeout, vision::Image& into) = 0;

  // When pictures come: again and again; when something at the camera's input makes it take one,
  // so that silence says nothing; or one each time that the camera is asked.
  enum class Pace { by_itself, by_input, when_asked };
  [[nodiscard]] virtual Pace pace() const { return Pace::by_itself; }
  // Takes one picture. Throws unavailable where the stream has broken.
  virtual void ask() {}
};

}  // namespace andon::inspect
