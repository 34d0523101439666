// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <turbojpeg.h>

#include <array>

#include "base/error/error.hpp"
#include "vision/image/codecs.hpp"
#include "vision/image/jpeg_structure.hpp"

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

// Narrower ones libjpeg brings to their full width in another way.
constexpr int kLeastForPlanes = 8;

bool has_half_columns(int subsampling) {
  return subsampling == TJSAMP_420 || subsampling == TJSAMP_422;
}

const unsigned char* data_of(std::string_view bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

// A truncated picture is only a warning to libjpeg, which makes up the rest in grey. A picture
// whose end alone is wrong is decoded once more with a right end, and then without any warning.
constexpr int kFlags = TJFLAG_STOPONWARNING | TJFLAG_LIMITSCANS;

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
                       const Freedom& freedom, Image& into) {
  warning_.clear();
  need_handle();
  Header header;
  if (tjDecompressHeader3(handle_.get(), data_of(bytes), bytes.size(), &header.size.width,
                          &header.size.height, &header.subsampling, &header.colour_space) != 0) {
    throw Error(ErrorCode::data_corrupted,
                fmt::format("cannot read the JPEG header of {}: {}", name, take_error()));
  }
  check(header.size);
  into.size = scaled_size(header.size, freedom.least);
  const bool is_whole = into.size == header.size;
  into.has_planes = is_whole && freedom.may_give_planes && header.colour_space == TJCS_YCbCr &&
                    has_half_columns(header.subsampling) && header.size.width >= kLeastForPlanes;
  if (decode_pixels(bytes, header, into)) return;
  const std::string reason = take_error();
  if (decode_mended(bytes, header, into)) return;
  throw Error(ErrorCode::data_corrupted,
              fmt::format("{} is a damaged or truncated JPEG ({}x{}): {}", name, header.size.width,
                          header.size.height, reason));
}

void JpegCodec::need_handle() {
  if (handle_ == nullptr) handle_.reset(tjInitDecompress());
  if (handle_ == nullptr) {
    throw Error(ErrorCode::resource_exhausted, "no memory for a JPEG decoder");
  }
}

bool JpegCodec::decode_pixels(std::string_view bytes, const Header& header, Image& into) {
  return (into.has_planes ? decode_planes(bytes, header, into) : decode_rgb(bytes, header, into)) ==
         0;
}

bool JpegCodec::decode_mended(std::string_view bytes, const Header& header, Image& into) {
  for (const std::size_t zeros_kept : {0U, 1U}) {
    const auto mended = mend_end(bytes, zeros_kept);
    if (!mended) return false;
    need_handle();
    if (decode_pixels(mended->bytes, header, into)) {
      warning_ = mended->what;
      return true;
    }
    (void)take_error();
  }
  return false;
}

int JpegCodec::decode_planes(std::string_view bytes, const Header& header, Image& into) {
  into.rgb.clear();
  YcbcrPlanes& planes = into.planes;
  planes.chroma = header.subsampling == TJSAMP_420 ? YcbcrPlanes::Chroma::half_columns_and_rows
                                                   : YcbcrPlanes::Chroma::half_columns;
  const auto columns = [&](int plane) {
    return static_cast<std::size_t>(tjPlaneWidth(plane, header.size.width, header.subsampling));
  };
  const auto rows = [&](int plane) {
    return static_cast<std::size_t>(tjPlaneHeight(plane, header.size.height, header.subsampling));
  };
  planes.luma_row_bytes = columns(0);
  planes.chroma_row_bytes = columns(1);
  planes.chroma_rows = static_cast<int>(rows(1));
  planes.luma.resize(columns(0) * rows(0));
  planes.blue.resize(columns(1) * rows(1));
  planes.red.resize(columns(1) * rows(1));
  std::array<unsigned char*, 3> targets{planes.luma.data(), planes.blue.data(), planes.red.data()};
  return tjDecompressToYUVPlanes(handle_.get(), data_of(bytes), bytes.size(), targets.data(),
                                 header.size.width, nullptr, header.size.height, kFlags);
}

int JpegCodec::decode_rgb(std::string_view bytes, const Header& header, Image& into) {
  into.rgb.resize(into.row_bytes() * static_cast<std::size_t>(into.size.height));
  const bool is_cmyk = header.colour_space == TJCS_CMYK || header.colour_space == TJCS_YCCK;
  if (is_cmyk) cmyk_.resize(into.rgb.size() / 3 * 4);
  const int status = tjDecompress2(handle_.get(), data_of(bytes), bytes.size(),
                                   is_cmyk ? cmyk_.data() : into.rgb.data(), into.size.width, 0,
                                   into.size.height, is_cmyk ? TJPF_CMYK : TJPF_RGB, kFlags);
  if (status == 0 && is_cmyk) cmyk_to_rgb(cmyk_, into.rgb);
  return status;
}

}  // namespace andon::vision
