// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <png.h>

#include <algorithm>
#include <csetjmp>
#include <cstring>

#include "base/error/error.hpp"
#include "vision/image/byte_reader.hpp"
#include "vision/image/codecs.hpp"

namespace andon::vision {
namespace {

using base::Error;
using base::ErrorCode;

struct Reader {
  std::string_view bytes;
  std::size_t at = 0;
  char problem[160] = "";
};

void read_bytes(png_structp png, png_bytep to, std::size_t count) {
  auto& reader = *static_cast<Reader*>(png_get_io_ptr(png));
  if (count > reader.bytes.size() - reader.at) png_error(png, "the file ends too early");
  std::memcpy(to, reader.bytes.data() + reader.at, count);
  reader.at += count;
}

void on_error(png_structp png, png_const_charp message) {
  auto& reader = *static_cast<Reader*>(png_get_error_ptr(png));
  std::strncpy(reader.problem, message, sizeof reader.problem - 1);
  std::longjmp(*png_set_longjmp_fn(png, std::longjmp, sizeof(std::jmp_buf)), 1);
}

void on_warning(png_structp, png_const_charp) {}

// libpng reports errors by longjmp: the two functions that set the jump own nothing that has a
// destructor.
bool read_header(png_structp png, png_infop info, Size& size) {
  if (setjmp(*png_set_longjmp_fn(png, std::longjmp, sizeof(std::jmp_buf))) != 0) return false;
  png_read_info(png, info);
  size = {static_cast<int>(png_get_image_width(png, info)),
          static_cast<int>(png_get_image_height(png, info))};
  return true;
}

bool read_pixels(png_structp png, png_infop info, Image& into) {
  if (setjmp(*png_set_longjmp_fn(png, std::longjmp, sizeof(std::jmp_buf))) != 0) return false;
  png_set_expand(png);
  png_set_strip_16(png);
  png_set_strip_alpha(png);
  png_set_gray_to_rgb(png);
  const int passes = png_set_interlace_handling(png);
  png_read_update_info(png, info);
  if (png_get_rowbytes(png, info) != into.row_bytes()) png_error(png, "unexpected row size");
  for (int pass = 0; pass < passes; ++pass) {
    for (int y = 0; y < into.size.height; ++y) png_read_row(png, into.row(y), nullptr);
  }
  png_read_end(png, info);
  return true;
}

// Chunks come before the pixels of the first frame.
bool is_animated(std::string_view bytes) {
  constexpr std::size_t kSignature = 8;
  const ByteReader reader(bytes, ByteReader::Order::big, "a PNG");
  for (std::size_t at = kSignature; bytes.size() >= 8 && at <= bytes.size() - 8;) {
    const std::string_view type = bytes.substr(at + 4, 4);
    if (type == "acTL") return true;
    if (type == "IDAT") return false;
    at += std::size_t{12} + reader.u32(at);
  }
  return false;
}

Orientation orientation_of(png_structp png, png_infop info) {
  png_bytep exif = nullptr;
  png_uint_32 size = 0;
  if (png_get_eXIf_1(png, info, &size, &exif) == 0) return Orientation::upright;
  return read_exif_orientation({reinterpret_cast<const char*>(exif), size});
}

class PngHandle {
 public:
  explicit PngHandle(Reader& reader)
      : png_(png_create_read_struct(PNG_LIBPNG_VER_STRING, &reader, on_error, on_warning)),
        info_(png_ == nullptr ? nullptr : png_create_info_struct(png_)) {
    if (info_ == nullptr) {
      png_destroy_read_struct(&png_, nullptr, nullptr);
      throw Error(ErrorCode::resource_exhausted, "no memory for a PNG decoder");
    }
    png_set_read_fn(png_, &reader, read_bytes);
    // An ancillary chunk may unpack to gigabytes; pictures need none of them.
    png_set_chunk_malloc_max(png_, 8U << 20U);
    png_set_user_limits(png_, 0x7FFFFFFF, 0x7FFFFFFF);
  }
  PngHandle(const PngHandle&) = delete;
  PngHandle& operator=(const PngHandle&) = delete;
  ~PngHandle() { png_destroy_read_struct(&png_, &info_, nullptr); }

  [[nodiscard]] png_structp png() const { return png_; }
  [[nodiscard]] png_infop info() const { return info_; }

 private:
  png_structp png_;
  png_infop info_;
};

}  // namespace

Orientation decode_png(std::string_view bytes, std::string_view name, const SizeCheck& check,
                       Image& into) {
  if (is_animated(bytes)) {
    throw Error(ErrorCode::invalid_argument,
                fmt::format("{} is an animated PNG; a single picture is needed", name));
  }
  Reader reader{bytes};
  const PngHandle handle(reader);
  if (!read_header(handle.png(), handle.info(), into.size)) {
    throw Error(ErrorCode::data_corrupted,
                fmt::format("cannot read the PNG header of {}: {}", name, reader.problem));
  }
  check(into.size);
  into.rgb.resize(into.row_bytes() * static_cast<std::size_t>(into.size.height));
  if (!read_pixels(handle.png(), handle.info(), into)) {
    throw Error(ErrorCode::data_corrupted,
                fmt::format("{} is a damaged or truncated PNG ({}x{}): {}", name, into.size.width,
                            into.size.height, reader.problem));
  }
  return orientation_of(handle.png(), handle.info());
}

}  // namespace andon::vision
