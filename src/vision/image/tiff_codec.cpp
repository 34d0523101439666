// SPDX-License-Identifier: Apache-2.0
// TIFF 6.0 and BigTIFF without a library of their own: the pictures that cameras and tools write.
#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <span>

#include "base/error/error.hpp"
#include "vision/image/byte_reader.hpp"
#include "vision/image/codecs.hpp"
#include "vision/image/tiff_compression.hpp"

namespace andon::vision {
namespace {

using base::Error;
using base::ErrorCode;

enum Tag : std::uint16_t {
  kWidth = 256,
  kHeight = 257,
  kBits = 258,
  kCompression = 259,
  kPhotometric = 262,
  kFillOrder = 266,
  kStripOffsets = 273,
  kOrientation = 274,
  kSamples = 277,
  kRowsPerStrip = 278,
  kStripBytes = 279,
  kPlanar = 284,
  kPredictor = 317,
  kColourMap = 320,
  kTileWidth = 322,
  kTileHeight = 323,
  kTileOffsets = 324,
  kTileBytes = 325,
  kInkSet = 332,
  kSampleFormat = 339,
  kJpegTables = 347,
};

constexpr std::uint32_t kWhiteIsZero = 0;
constexpr std::uint32_t kBlackIsZero = 1;
constexpr std::uint32_t kRgb = 2;
constexpr std::uint32_t kPalette = 3;
constexpr std::uint32_t kCmyk = 5;
constexpr std::uint32_t kYcbcr = 6;
constexpr std::uint32_t kJpeg = 7;
constexpr std::size_t kMaxParts = 1U << 20U;

// The first directory of a file. Numbers of eight bytes are those of BigTIFF; none that a picture
// in memory needs is more than four hold.
class Directory {
 public:
  Directory(std::string_view bytes, std::string_view name)
      : reader_(bytes, bytes.starts_with("MM") ? ByteReader::Order::big : ByteReader::Order::little,
                fmt::format("{} as a TIFF", name)),
        name_(name),
        is_big_(reader_.u16(2) == kBigTiff) {
    start_ = is_big_ ? place(8) : reader_.u32(4);
    count_ = is_big_ ? place(start_) : reader_.u16(start_);
    start_ += is_big_ ? 8 : 2;
    if (is_big_ && reader_.u16(4) != 8) too_large();
  }

  // All values of a tag that has whole numbers; empty where the tag is not there.
  [[nodiscard]] std::vector<std::uint32_t> values(Tag tag) const {
    std::vector<std::uint32_t> result;
    const auto found = find(tag);
    if (!found) return result;
    const std::size_t width = width_of(found->type);
    if (width == 0 || found->count > kMaxParts) return result;
    const std::size_t at = place_of(*found, width);
    (void)reader_.bytes(at, found->count * width);
    for (std::size_t k = 0; k < found->count; ++k) result.push_back(number(at + k * width, width));
    return result;
  }

  [[nodiscard]] std::uint32_t value(Tag tag, std::uint32_t otherwise) const {
    const std::vector<std::uint32_t> all = values(tag);
    return all.empty() ? otherwise : all.front();
  }

  // The bytes of a tag that has some; empty where it is not there.
  [[nodiscard]] std::string_view blob(Tag tag) const {
    const auto found = find(tag);
    if (!found || found->type != kUndefined) return {};
    return reader_.bytes(place_of(*found, 1), found->count);
  }

  [[nodiscard]] std::string_view bytes(std::size_t at, std::size_t count) const {
    return reader_.bytes(at, count);
  }

 private:
  static constexpr std::uint16_t kBigTiff = 43;
  static constexpr std::uint16_t kUndefined = 7;

  struct Entry {
    std::uint16_t type;
    std::size_t count;
    std::size_t value;  // where it stands, or where it stands where
  };

  [[noreturn]] void too_large() const {
    throw Error(ErrorCode::data_corrupted,
                fmt::format("{} is a damaged TIFF: it points beyond what a file holds", name_));
  }

  [[nodiscard]] std::optional<Entry> find(Tag tag) const {
    const std::size_t length = is_big_ ? 20 : 12;
    for (std::size_t i = 0; i < count_; ++i) {
      const std::size_t at = start_ + length * i;
      if (reader_.u16(at) != tag) continue;
      const std::size_t count = is_big_ ? place(at + 4) : reader_.u32(at + 4);
      return Entry{reader_.u16(at + 2), count, at + (is_big_ ? 12U : 8U)};
    }
    return std::nullopt;
  }

  // Where the values of an entry are: in it where they fit.
  [[nodiscard]] std::size_t place_of(const Entry& entry, std::size_t width) const {
    if (entry.count * width <= (is_big_ ? 8U : 4U)) return entry.value;
    return is_big_ ? place(entry.value) : reader_.u32(entry.value);
  }

  [[nodiscard]] static std::size_t width_of(std::uint16_t type) {
    switch (type) {
      case 1:
        return 1;
      case 3:
        return 2;
      case 4:
        return 4;
      case 16:
        return 8;
      default:
        return 0;
    }
  }

  [[nodiscard]] std::uint32_t place(std::size_t at) const {
    const std::uint64_t value = reader_.u64(at);
    if (value > 0xFFFF'FFFF) too_large();
    return static_cast<std::uint32_t>(value);
  }

  [[nodiscard]] std::uint32_t number(std::size_t at, std::size_t width) const {
    return width == 1   ? reader_.u8(at)
           : width == 2 ? reader_.u16(at)
           : width == 4 ? reader_.u32(at)
                        : place(at);
  }

  ByteReader reader_;
  std::string_view name_;
  bool is_big_;
  std::size_t start_;
  std::size_t count_;
};

class TiffDecoder {
 public:
  TiffDecoder(std::string_view bytes, std::string_view name)
      : directory_(bytes, name), name_(name), is_big_endian_(bytes.starts_with("MM")) {}

  Orientation decode(const SizeCheck& check, Image& into) {
    read_format();
    check(size_);
    read_parts(check);
    into.size = size_;
    into.rgb.resize(into.row_bytes() * static_cast<std::size_t>(size_.height));
    const std::size_t planes = is_planar_ ? samples_ : 1;
    const std::size_t parts = across_ * down_;
    if (offsets_.size() < parts * planes || counts_.size() < parts * planes) {
      damaged("it has too few strips or tiles");
    }
    // Beyond the colours lies alpha, which is dropped.
    const std::size_t colours = photometric_ == kCmyk ? 4 : 3;
    for (std::size_t plane = 0; plane < std::min(planes, colours); ++plane) {
      for (std::size_t part = 0; part < parts; ++part) {
        read_part(plane * parts + part, part, plane, into);
      }
    }
    const std::uint32_t orientation = directory_.value(kOrientation, 1);
    return orientation >= 1 && orientation <= 8 ? static_cast<Orientation>(orientation)
                                                : Orientation::upright;
  }

 private:
  [[noreturn]] void refuse(std::string_view why) const {
    throw Error(ErrorCode::invalid_argument, fmt::format("{} is a TIFF {}", name_, why));
  }
  [[noreturn]] void damaged(std::string_view why) const {
    throw Error(ErrorCode::data_corrupted,
                fmt::format("{} is a damaged or truncated TIFF ({}x{}): {}", name_, size_.width,
                            size_.height, why));
  }

  void read_format() {
    const std::uint32_t width = directory_.value(kWidth, 0);
    const std::uint32_t height = directory_.value(kHeight, 0);
    constexpr std::uint32_t kMost = 0x7FFF'FFFF;
    if (width > kMost || height > kMost) refuse("with an impossible size");
    size_ = {static_cast<int>(width), static_cast<int>(height)};
    samples_ = directory_.value(kSamples, 1);
    photometric_ = directory_.value(kPhotometric, kBlackIsZero);
    bits_ = directory_.value(kBits, 1);
    is_planar_ = directory_.value(kPlanar, 1) == 2;
    predictor_ = directory_.value(kPredictor, 1);
    const std::uint32_t compression = directory_.value(kCompression, 1);
    switch (compression) {
      case 1:
      case 5:
      case 8:
      case 32'773:
      case 32'946:
        compression_ = static_cast<TiffCompression>(compression);
        break;
      case kJpeg:
        is_jpeg_ = true;
        break;
      default:
        refuse(
            fmt::format("with compression {}; none, LZW, Deflate, PackBits and JPEG are "
                        "understood",
                        compression));
    }
    check_samples();
    if (is_jpeg_) check_jpeg();
  }

  void check_samples() {
    for (const std::uint32_t bits : directory_.values(kBits)) {
      if (bits != bits_) refuse("with samples of different sizes");
    }
    if (directory_.value(kSampleFormat, 1) != 1) refuse("whose samples are not whole numbers");
    if (directory_.value(kFillOrder, 1) != 1) refuse("with its bits in reverse order");
    if (predictor_ != 1 && (predictor_ != 2 || bits_ < 8)) refuse("with an unknown predictor");
    const bool is_grey = photometric_ == kWhiteIsZero || photometric_ == kBlackIsZero;
    const bool fits_bits = bits_ == 8 || bits_ == 16 || (bits_ == 1 && is_grey && samples_ == 1);
    if (!fits_bits) refuse(fmt::format("with {} bits a sample; 8 and 16 are understood", bits_));
    const bool fits = (is_grey && samples_ >= 1 && samples_ <= 2) ||
                      (photometric_ == kRgb && samples_ >= 3 && samples_ <= 4) ||
                      (photometric_ == kPalette && samples_ == 1 && bits_ == 8) ||
                      (photometric_ == kCmyk && samples_ >= 4 && samples_ <= 5 &&
                       directory_.value(kInkSet, 1) == 1) ||
                      (photometric_ == kYcbcr && is_jpeg_ && samples_ == 3);
    if (!fits) {
      refuse(
          fmt::format("of kind {} with {} samples a pixel; grey, RGB and CMYK (with or without "
                      "alpha), 8-bit palettes and JPEG's YCbCr are understood",
                      photometric_, samples_));
    }
    if (photometric_ == kPalette) {
      palette_ = directory_.values(kColourMap);
      if (palette_.size() < 3 * 256) damaged("its palette is too short");
    }
  }

  // TIFF Technical Note 2: each strip or tile is a JPEG, whose tables may stand in the directory.
  void check_jpeg() {
    const bool fits = bits_ == 8 && !is_planar_ && predictor_ == 1 &&
                      (photometric_ == kYcbcr || (photometric_ == kRgb && samples_ == 3) ||
                       (photometric_ <= kBlackIsZero && samples_ == 1));
    if (!fits) refuse("whose JPEGs are neither grey nor colour of 8 bits in one plane");
    jpeg_tables_ = directory_.blob(kJpegTables);
    // Without its ends, which the strip or tile has.
    if (!jpeg_tables_.empty() &&
        (jpeg_tables_.size() < 4 || !jpeg_tables_.starts_with("\xFF\xD8") ||
         !jpeg_tables_.ends_with("\xFF\xD9"))) {
      damaged("its JPEG tables are none");
    }
    if (!jpeg_tables_.empty()) jpeg_tables_ = jpeg_tables_.substr(2, jpeg_tables_.size() - 4);
  }

  void read_parts(const SizeCheck& check) {
    const std::uint32_t tile_width = directory_.value(kTileWidth, 0);
    if (tile_width > 0) {
      const std::uint32_t tile_height = directory_.value(kTileHeight, 0);
      constexpr std::uint32_t kMost = 0x7FFF'FFFF;
      if (tile_width > kMost || tile_height > kMost) refuse("with an impossible size");
      part_ = {static_cast<int>(tile_width), static_cast<int>(tile_height)};
      check(part_);
      offsets_ = directory_.values(kTileOffsets);
      counts_ = directory_.values(kTileBytes);
    } else {
      const auto height = static_cast<std::uint32_t>(size_.height);
      const std::uint32_t rows = directory_.value(kRowsPerStrip, height);
      if (rows == 0) damaged("its strips have no rows");
      part_ = {size_.width, static_cast<int>(std::min(rows, height))};
      offsets_ = directory_.values(kStripOffsets);
      counts_ = directory_.values(kStripBytes);
    }
    const auto times = [](int whole, int part) {
      return (static_cast<std::size_t>(whole) + static_cast<std::size_t>(part) - 1) /
             static_cast<std::size_t>(part);
    };
    across_ = times(size_.width, part_.width);
    down_ = times(size_.height, part_.height);
  }

  // Samples of a pixel that lie together.
  [[nodiscard]] std::size_t together() const { return is_planar_ ? 1 : samples_; }

  void read_part(std::size_t index, std::size_t part, std::size_t plane, Image& into) {
    const int left = static_cast<int>(part % across_) * part_.width;
    const int top = static_cast<int>(part / across_) * part_.height;
    if (is_jpeg_) {
      read_jpeg(index, left, top, into);
      return;
    }
    const bool is_tiled = across_ > 1 || part_.width != size_.width;
    const int rows = is_tiled ? part_.height : std::min(part_.height, size_.height - top);
    const std::size_t row_bits = static_cast<std::size_t>(part_.width) * together() * bits_;
    const std::size_t row_bytes = (row_bits + 7) / 8;
    unpacked_.resize(row_bytes * static_cast<std::size_t>(rows));
    const std::string_view packed = directory_.bytes(offsets_[index], counts_[index]);
    // A tile at the lower edge may leave out what nobody sees.
    const int seen_rows = std::min(rows, size_.height - top);
    if (unpack_tiff(compression_, packed, unpacked_) <
        row_bytes * static_cast<std::size_t>(seen_rows)) {
      damaged(fmt::format("strip or tile {} ends too early", index));
    }
    const int columns = std::min(part_.width, size_.width - left);
    for (int y = 0; y < seen_rows; ++y) {
      std::uint8_t* row = unpacked_.data() + static_cast<std::size_t>(y) * row_bytes;
      undo_predictor(row);
      std::uint8_t* out = into.row(top + y) + static_cast<std::size_t>(left) * 3;
      for (int x = 0; x < columns; ++x, out += 3) {
        put(row, static_cast<std::size_t>(x), plane, out);
      }
    }
  }

  void read_jpeg(std::size_t index, int left, int top, Image& into) {
    const std::string_view packed = directory_.bytes(offsets_[index], counts_[index]);
    if (!packed.starts_with("\xFF\xD8")) damaged(fmt::format("strip or tile {} is no JPEG", index));
    // What the colours mean is said by the TIFF; libjpeg would guess. Adobe's marker tells it.
    std::string whole("\xFF\xD8");
    if (samples_ == 3) {
      constexpr std::string_view kAdobe(
          "\xFF\xEE\0\x0E"
          "Adobe\0\x64\0\0\0\0",
          15);
      whole += kAdobe;
      whole += photometric_ == kYcbcr ? '\1' : '\0';
    }
    whole += jpeg_tables_;
    whole += packed.substr(2);
    const SizeCheck fits = [&](Size size) {
      if (size.width > part_.width || size.height > part_.height) {
        damaged(fmt::format("strip or tile {} is larger than it says", index));
      }
    };
    jpeg_.decode(whole, name_, fits, JpegCodec::Freedom{}, jpeg_part_);
    const int columns = std::min(part_.width, size_.width - left);
    const int rows = std::min(part_.height, size_.height - top);
    if (jpeg_part_.size.width < columns || jpeg_part_.size.height < rows) {
      damaged(fmt::format("strip or tile {} ends too early", index));
    }
    const auto bytes = static_cast<std::size_t>(columns) * 3;
    for (int y = 0; y < rows; ++y) {
      std::uint8_t* out = into.row(top + y) + static_cast<std::size_t>(left) * 3;
      const std::uint8_t* from = jpeg_part_.row(y);
      const bool is_inverted = photometric_ == kWhiteIsZero;
      std::transform(from, from + bytes, out, [&](std::uint8_t value) {
        return static_cast<std::uint8_t>(is_inverted ? 255 - value : value);
      });
    }
  }

  // TIFF 6.0, section 14: each sample is stored as the difference to the pixel before.
  void undo_predictor(std::uint8_t* row) const {
    if (predictor_ != 2) return;
    const std::size_t step = together();
    const std::size_t count = static_cast<std::size_t>(part_.width) * step;
    for (std::size_t i = step; i < count; ++i) {
      if (bits_ == 8) {
        row[i] = static_cast<std::uint8_t>(row[i] + row[i - step]);
      } else {
        const std::uint32_t sum = sample16(row, i) + sample16(row, i - step);
        row[2 * i + (is_big_endian_ ? 0 : 1)] = static_cast<std::uint8_t>(sum >> 8U);
        row[2 * i + (is_big_endian_ ? 1 : 0)] = static_cast<std::uint8_t>(sum);
      }
    }
  }

  [[nodiscard]] std::uint32_t sample16(const std::uint8_t* row, std::size_t i) const {
    return is_big_endian_ ? static_cast<std::uint32_t>(row[2 * i] << 8U | row[2 * i + 1])
                          : static_cast<std::uint32_t>(row[2 * i + 1] << 8U | row[2 * i]);
  }

  // Sample `i` of a row in 8 bits.
  [[nodiscard]] std::uint8_t sample(const std::uint8_t* row, std::size_t i) const {
    if (bits_ == 8) return row[i];
    if (bits_ == 16) return static_cast<std::uint8_t>(sample16(row, i) >> 8U);
    return (row[i / 8] >> (7 - i % 8) & 1) != 0 ? 255 : 0;
  }

  void put(const std::uint8_t* row, std::size_t x, std::size_t plane, std::uint8_t* out) const {
    if (photometric_ == kRgb && is_planar_) {
      out[plane] = sample(row, x);
    } else if (photometric_ == kRgb) {
      for (std::size_t c = 0; c < 3; ++c) out[c] = sample(row, x * samples_ + c);
    } else if (photometric_ == kCmyk && is_planar_) {
      if (plane < 3) {
        out[plane] = sample(row, x);
      } else {
        print_black(sample(row, x), out);
      }
    } else if (photometric_ == kCmyk) {
      for (std::size_t c = 0; c < 3; ++c) out[c] = sample(row, x * samples_ + c);
      print_black(sample(row, x * samples_ + 3), out);
    } else if (photometric_ == kPalette) {
      for (std::size_t c = 0; c < 3; ++c) {
        out[c] = static_cast<std::uint8_t>(palette_[c * 256 + row[x]] >> 8U);
      }
    } else if (plane == 0) {  // beyond it alpha, which is dropped
      const std::uint8_t grey = sample(row, x * together());
      const auto value =
          static_cast<std::uint8_t>(photometric_ == kWhiteIsZero ? 255 - grey : grey);
      out[0] = out[1] = out[2] = value;
    }
  }

  // From inks (0 is none) to light.
  static void print_black(int black, std::uint8_t* inks) {
    for (std::size_t c = 0; c < 3; ++c) {
      inks[c] = static_cast<std::uint8_t>(((255 - inks[c]) * (255 - black) + 127) / 255);
    }
  }

  Directory directory_;
  std::string_view name_;
  bool is_big_endian_;
  Size size_;
  std::uint32_t samples_ = 1;
  std::uint32_t photometric_ = kBlackIsZero;
  std::uint32_t bits_ = 8;
  std::uint32_t predictor_ = 1;
  bool is_planar_ = false;
  TiffCompression compression_ = TiffCompression::none;
  std::vector<std::uint32_t> palette_;  // 256 reds, greens, blues of 16 bits
  // Strips are tiles as wide as the picture.
  Size part_;
  std::size_t across_ = 0;
  std::size_t down_ = 0;
  std::vector<std::uint32_t> offsets_;
  std::vector<std::uint32_t> counts_;
  std::vector<std::uint8_t> unpacked_;
  bool is_jpeg_ = false;
  std::string_view jpeg_tables_;
  JpegCodec jpeg_;
  Image jpeg_part_;
};

}  // namespace

Orientation decode_tiff(std::string_view bytes, std::string_view name, const SizeCheck& check,
                        Image& into) {
  return TiffDecoder(bytes, name).decode(check, into);
}

}  // namespace andon::vision
