// SPDX-License-Identifier: Apache-2.0
#include "inspect/video/aravis_camera.hpp"

#include <fmt/format.h>

#include <vector>

#include "base/error/error.hpp"
#include "inspect/modules/module.hpp"

namespace andon::inspect {

using base::Error;
using base::ErrorCode;
namespace abi = aravis_abi;

namespace {

constexpr ModuleName kModule{
    "andon-inspect-aravis.so", abi::kEntry, abi::kVersion,
    "GigE Vision and USB3 Vision cameras need andon-inspect-aravis.so beside this program, and the "
    "Debian package libaravis-0.8-0"};

vision::RawFormat format_of(vision::Size size, const char* pixel_format) {
  return vision::parse_raw_format(fmt::format("{}x{}:{}", size.width, size.height, pixel_format));
}

}  // namespace

AravisLibrary::AravisLibrary() : functions_(functions_of<abi::Functions>(kModule)) {}

AravisCamera::AravisCamera(const AravisLibrary& library, const AravisAddress& address)
    : functions_(library.functions()), name_(address.name) {
  std::vector<abi::Feature> features;
  features.reserve(address.features.size());
  for (const AravisAddress::Feature& feature : address.features) {
    features.push_back({feature.name.c_str(), feature.value.c_str()});
  }
  ModuleReason reason;
  camera_ = functions_.open(name_.c_str(), features.data(), features.size(), &description_,
                            reason.text());
  if (camera_ == nullptr) {
    throw Error(ErrorCode::unavailable,
                fmt::format("cannot open the camera {}: {}", name_, reason.string()));
  }
  try {
    check_format();
  } catch (...) {
    functions_.close(camera_);
    throw;
  }
}

AravisCamera::~AravisCamera() {
  functions_.close(camera_);
}

void AravisCamera::check_format() const {
  try {
    (void)format_of({2, 2}, description_.pixel_format);
  } catch (const Error&) {
    throw Error(ErrorCode::failed_precondition,
                fmt::format("the camera {} sends {}, which is not understood; of those that it has "
                            "({}) choose Mono, RGB, BGR or Bayer: aravis://{}?PixelFormat=...",
                            name_, description_.pixel_format, description_.pixel_formats, name_));
  }
}

PictureStream::Next AravisCamera::next(std::chrono::milliseconds timeout, vision::Image& into) {
  abi::Picture picture{};
  ModuleReason reason;
  switch (functions_.next(camera_, static_cast<int>(timeout.count()), &picture, reason.text())) {
    case abi::Next::timeout:
      return Next::timeout;
    case abi::Next::incomplete:
      return Next::incomplete;
    case abi::Next::error:
      throw Error(ErrorCode::unavailable, fmt::format("{}: {}", name_, reason.string()));
    case abi::Next::picture:
      break;
  }
  const vision::Size size{picture.width, picture.height};
  if (format_.size != size) format_ = format_of(size, description_.pixel_format);
  vision::decode_raw({reinterpret_cast<const char*>(picture.bytes), picture.size}, name_, format_,
                     into);
  return Next::picture;
}

PictureStream::Pace AravisCamera::pace() const {
  switch (description_.trigger) {
    case abi::Trigger::none:
      return Pace::by_itself;
    case abi::Trigger::input:
      return Pace::by_input;
    case abi::Trigger::software:
      return Pace::when_asked;
  }
  return Pace::by_itself;
}

void AravisCamera::ask() {
  ModuleReason reason;
  if (functions_.trigger(camera_, reason.text()) == 0) return;
  throw Error(ErrorCode::unavailable,
              fmt::format("{} was not triggered: {}", name_, reason.string()));
}

}  // namespace andon::inspect
