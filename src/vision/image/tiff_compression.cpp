// SPDX-License-Identifier: Apache-2.0
#include "vision/image/tiff_compression.hpp"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace andon::vision {
namespace {

// TIFF 6.0, section 9.
std::size_t unpack_bits(std::string_view packed, std::span<std::uint8_t> out) {
  std::size_t at = 0;
  std::size_t written = 0;
  while (at < packed.size() && written < out.size()) {
    const auto head = static_cast<signed char>(packed[at++]);
    if (head == -128) continue;
    if (head >= 0) {
      const std::size_t count =
          std::min({static_cast<std::size_t>(head) + 1, packed.size() - at, out.size() - written});
      std::memcpy(out.data() + written, packed.data() + at, count);
      at += count;
      written += count;
    } else if (at < packed.size()) {
      const std::size_t count = std::min(static_cast<std::size_t>(1 - head), out.size() - written);
      std::fill_n(out.data() + written, count, static_cast<std::uint8_t>(packed[at++]));
      written += count;
    }
  }
  return written;
}

// TIFF 6.0, section 13: codes of 9 to 12 bits, the highest bit first, one code early to widen.
class LzwDecoder {
 public:
  LzwDecoder(std::string_view packed, std::span<std::uint8_t> out) : packed_(packed), out_(out) {}

  std::size_t run() {
    int previous = -1;
    for (int code = next_code(); code >= 0 && code != kEnd; code = next_code()) {
      if (code == kClear) {
        next_ = kFirst;
        width_ = 9;
        previous = -1;
        continue;
      }
      if (code > next_ || (code == next_ && previous < 0)) break;  // not a code yet: damaged
      if (!write(code, previous)) break;
      if (previous >= 0 && next_ < kCodes) {
        prefix_[static_cast<std::size_t>(next_)] = static_cast<std::uint16_t>(previous);
        suffix_[static_cast<std::size_t>(next_)] = first_byte(code == next_ ? previous : code);
        length_[static_cast<std::size_t>(next_)] = length_of(previous) + 1;
        ++next_;
        if (next_ + 1 >= (1 << width_) && width_ < 12) ++width_;
      }
      previous = code;
      if (written_ == out_.size()) break;
    }
    return written_;
  }

 private:
  static constexpr int kClear = 256;
  static constexpr int kEnd = 257;
  static constexpr int kFirst = 258;
  static constexpr int kCodes = 4096;

  int next_code() {
    while (bits_ < width_) {
      if (at_ == packed_.size()) return -1;
      buffer_ = (buffer_ << 8U) | static_cast<std::uint8_t>(packed_[at_++]);
      bits_ += 8;
    }
    bits_ -= width_;
    return static_cast<int>((buffer_ >> static_cast<unsigned>(bits_)) &
                            ((1U << static_cast<unsigned>(width_)) - 1));
  }

  [[nodiscard]] std::size_t length_of(int code) const {
    return code < kClear ? 1 : length_[static_cast<std::size_t>(code)];
  }
  [[nodiscard]] std::uint8_t first_byte(int code) const {
    while (code >= kFirst) code = prefix_[static_cast<std::size_t>(code)];
    return static_cast<std::uint8_t>(code);
  }

  // The bytes of `code`, which may be the one that is about to be made of `previous`.
  bool write(int code, int previous) {
    const bool is_new = code == next_;
    const int known = is_new ? previous : code;
    if (known == kClear || known == kEnd) return false;
    const std::size_t length = length_of(known);
    const std::size_t room = out_.size() - written_;
    int walk = known;
    for (std::size_t i = length; i-- > 0;) {
      const std::uint8_t byte =
          walk < kClear ? static_cast<std::uint8_t>(walk) : suffix_[static_cast<std::size_t>(walk)];
      if (i < room) out_[written_ + i] = byte;
      if (walk >= kFirst) walk = prefix_[static_cast<std::size_t>(walk)];
    }
    written_ += std::min(length, room);
    if (is_new && written_ < out_.size()) out_[written_++] = first_byte(previous);
    return true;
  }

  std::string_view packed_;
  std::span<std::uint8_t> out_;
  std::size_t at_ = 0;
  std::size_t written_ = 0;
  std::uint32_t buffer_ = 0;
  int bits_ = 0;
  int width_ = 9;
  int next_ = kFirst;
  std::array<std::uint16_t, kCodes> prefix_{};
  std::array<std::uint8_t, kCodes> suffix_{};
  std::array<std::size_t, kCodes> length_{};
};

std::size_t unpack_deflate(std::string_view packed, std::span<std::uint8_t> out) {
  z_stream stream{};
  if (inflateInit(&stream) != Z_OK) return 0;
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
  stream.avail_in = static_cast<uInt>(packed.size());
  stream.next_out = out.data();
  stream.avail_out = static_cast<uInt>(out.size());
  (void)inflate(&stream, Z_FINISH);
  const std::size_t written = out.size() - stream.avail_out;
  inflateEnd(&stream);
  return written;
}

}  // namespace

std::size_t unpack_tiff(TiffCompression compression, std::string_view packed,
                        std::span<std::uint8_t> out) {
  switch (compression) {
    case TiffCompression::none: {
      const std::size_t count = std::min(packed.size(), out.size());
      std::memcpy(out.data(), packed.data(), count);
      return count;
    }
    case TiffCompression::lzw:
      return LzwDecoder(packed, out).run();
    case TiffCompression::deflate:
    case TiffCompression::old_deflate:
      return unpack_deflate(packed, out);
    case TiffCompression::pack_bits:
      return unpack_bits(packed, out);
  }
  return 0;
}

}  // namespace andon::vision
