// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <turbojpeg.h>

#include "base/error.hpp"
#include "vision/codecs.hpp"

namespace andon::vision {
namespace {

using base::Error;
using base::ErrorCode;

// Adobe writes CMYK inverted (255 is no ink), which is what cameras' tools and OpenCV expect.
void cmyk_to_rgb(const std::vector<std::uint8_t>& cmyk, std::vector<std::uint8_t>& rgb) {
  for (std::size_t from = 0, to = 0; from < cmyk.size(); from += 4, to += 3) {
    const int black = cmyk[from + 3];
    for (std::size_t channel = 0; channel < 3; ++channel) {
      const int ink = 255 - cmyk[from + channel];
      rgb[to + channel] = static_cast<std::uint8_t>(black - ((ink * black) >> 8));
    }
  }
}

// What libjpeg can make in less time than the whole: it leaves out frequencies.
Size scaled_size(Size size, Size least) {
  if (least.width < 1 || least.height < 1) return size;
  for (const int denominator : {8, 4, 2}) {
    const tjscalingfactor factor{1, denominator};
    const Size scaled{TJSCALED(size.width, factor), TJSCALED(size.height, factor)};
    if (scaled.width >= least.width && scaled.height >= least.height) return scaled;
  }
  return size;
}

}  // namespace

void JpegCodec::HandleCloser::operator()(void* handle) const {
  tjDestroy(handle);
}

// The reason of the failure just met. The handle is given up: after some failures it would refuse
// the next, good picture too.
std::string JpegCodec::take_error() {
  std::string reason = tjGetErrorStr2(handle_.get());
  handle_.reset();
  return reason;
}

void JpegCodec::decode(std::string_view bytes, std::string_view name, const SizeCheck& check,
                       const Size& least, Image& into) {
  if (handle_ == nullptr) handle_.reset(tjInitDecompress());
  if (handle_ == nullptr) {
    throw Error(ErrorCode::resource_exhausted, "no memory for a JPEG decoder");
  }
  const auto* data = reinterpret_cast<const unsigned char*>(bytes.data());
  Size size;
  int subsampling = 0;
  int colour_space = 0;
  if (tjDecompressHeader3(handle_.get(), data, bytes.size(), &size.width, &size.height,
                          &subsampling, &colour_space) != 0) {
    throw Error(ErrorCode::data_corrupted,
                fmt::format("cannot read the JPEG header of {}: {}", name, take_error()));
  }
  check(size);
  into.size = scaled_size(size, least);
  into.rgb.resize(into.row_bytes() * static_cast<std::size_t>(into.size.height));
  const bool is_cmyk = colour_space == TJCS_CMYK || colour_space == TJCS_YCCK;
  if (is_cmyk) cmyk_.resize(into.rgb.size() / 3 * 4);
  // A truncated picture is only a warning to libjpeg, which makes up the rest in grey.
  constexpr int kFlags = TJFLAG_STOPONWARNING | TJFLAG_LIMITSCANS;
  if (tjDecompress2(handle_.get(), data, bytes.size(), is_cmyk ? cmyk_.data() : into.rgb.data(),
                    into.size.width, 0, into.size.height, is_cmyk ? TJPF_CMYK : TJPF_RGB,
                    kFlags) != 0) {
    throw Error(ErrorCode::data_corrupted,
                fmt::format("{} is a damaged or truncated JPEG ({}x{}): {}", name, size.width,
                            size.height, take_error()));
  }
  if (is_cmyk) cmyk_to_rgb(cmyk_, into.rgb);
}

}  // namespace andon::vision
