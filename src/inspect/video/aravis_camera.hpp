// SPDX-License-Identifier: Apache-2.0
// The Aravis module, opened once and kept, and one camera that it has opened. A camera belongs to
// one thread at a time.
#pragma once

#include <string>

#include "inspect/video/aravis_abi.hpp"
#include "inspect/video/aravis_address.hpp"
#include "inspect/video/picture_stream.hpp"
#include "vision/image/raw.hpp"

namespace andon::inspect {

class AravisLibrary {
 public:
  // Throws failed_precondition naming what to install.
  AravisLibrary();

  [[nodiscard]] const aravis_abi::Functions& functions() const { return functions_; }

 private:
  const aravis_abi::Functions& functions_;
};

class AravisCamera final : public PictureStream {
 public:
  // Takes control of the camera, sets its features and starts it. Throws unavailable with Aravis'
  // reason, and failed_precondition where it sends pictures that are not understood.
  AravisCamera(const AravisLibrary& library, const AravisAddress& address);
  ~AravisCamera() override;

  [[nodiscard]] Next next(std::chrono::milliseconds timeout, vision::Image& into) override;
  [[nodiscard]] Pace pace() const override;
  void ask() override;

 private:
  void check_format() const;

  const aravis_abi::Functions& functions_;
  const std::string name_;
  aravis_abi::Description description_{};
  aravis_abi::Camera* camera_;
  vision::RawFormat format_;  // of the last picture
};

}  // namespace andon::inspect
