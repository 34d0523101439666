// SPDX-License-Identifier: Apache-2.0
#include "vision/image/jpeg_structure.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <vector>

namespace andon::vision {
namespace {

using namespace jpeg_marker;

std::uint8_t byte_of(char c) {
  return static_cast<std::uint8_t>(c);
}

bool is_reset(std::uint8_t marker) {
  return marker >= kFirstReset && marker <= kLastReset;
}

bool stands_alone(std::uint8_t marker) {
  constexpr std::uint8_t kTemporary = 0x01;
  return is_reset(marker) || marker == kStartOfImage || marker == kEndOfImage ||
         marker == kTemporary;
}

// Which coefficients of which components have come, to their last bit. A scan of a progressive
// picture brings some of them (T.81, B.2.3), any other scan all of its components'.
class Coefficients {
 public:
  // False for a frame that is not understood.
  [[nodiscard]] bool begin(const JpegSegment& frame) {
    constexpr std::size_t kFixed = 6;
    constexpr std::size_t kComponent = 3;
    if (frame.content.size() < kFixed) return false;
    const std::size_t count = byte_of(frame.content[kFixed - 1]);
    if (count == 0 || count > kMost || frame.content.size() < kFixed + count * kComponent) {
      return false;
    }
    is_progressive_ = frame.marker == kProgressive;
    for (std::size_t i = 0; i < count; ++i) {
      components_.push_back({byte_of(frame.content[kFixed + i * kComponent]), {}});
    }
    return true;
  }

  void add(const JpegSegment& scan) {
    const std::string_view text = scan.content;
    if (text.empty()) return;
    const std::size_t count = byte_of(text[0]);
    if (text.size() < 1 + 2 * count + 3) return;
    std::size_t first = byte_of(text[1 + 2 * count]);
    std::size_t last = byte_of(text[2 + 2 * count]);
    const bool is_last_bit = (byte_of(text[3 + 2 * count]) & 0x0FU) == 0;
    if (!is_progressive_) {
      first = 0;
      last = kCoefficients - 1;
    } else if (!is_last_bit) {
      return;
    }
    for (std::size_t i = 0; i < count; ++i) {
      for (Component& component : components_) {
        if (component.id != byte_of(text[1 + 2 * i])) continue;
        for (std::size_t k = first; k <= last && k < kCoefficients; ++k) component.has[k] = true;
      }
    }
  }

  [[nodiscard]] bool are_whole() const {
    return !components_.empty() && std::ranges::all_of(components_, [](const Component& it) {
      return std::ranges::all_of(it.has, [](bool has) { return has; });
    });
  }

 private:
  static constexpr std::size_t kMost = 4;
  static constexpr std::size_t kCoefficients = 64;
  struct Component {
    std::uint8_t id;
    std::array<bool, kCoefficients> has;
  };
  std::vector<Component> components_;
  bool is_progressive_ = false;
};

}  // namespace

std::optional<JpegSegment> JpegSegments::next() {
  constexpr std::uint8_t kFill = 0xFF;
  std::size_t at = at_;
  if (at >= jpeg_.size() || byte_of(jpeg_[at]) != kFill) return std::nullopt;
  while (at < jpeg_.size() && byte_of(jpeg_[at]) == kFill) ++at;
  if (at == jpeg_.size() || jpeg_[at] == 0) return std::nullopt;
  JpegSegment segment{byte_of(jpeg_[at++]), {}};
  if (!stands_alone(segment.marker)) {
    if (jpeg_.size() - at < 2) return std::nullopt;
    const std::size_t length =
        static_cast<std::size_t>(byte_of(jpeg_[at]) << 8U) | byte_of(jpeg_[at + 1]);
    if (length < 2 || length > jpeg_.size() - at) return std::nullopt;
    segment.content = jpeg_.substr(at + 2, length - 2);
    at += length;
  }
  at_ = at;
  return segment;
}

void JpegSegments::skip_scan() {
  while (at_ < jpeg_.size()) {
    at_ = std::min(jpeg_.find('\xFF', at_), jpeg_.size());
    if (at_ + 1 >= jpeg_.size()) return;
    const std::uint8_t after = byte_of(jpeg_[at_ + 1]);
    if (after == 0xFF) {
      ++at_;
    } else if (after == 0 || is_reset(after)) {
      at_ += 2;
    } else {
      return;
    }
  }
}

std::optional<MendedJpeg> mend_end(std::string_view jpeg, std::size_t zeros_kept) {
  JpegSegments segments(jpeg);
  Coefficients coefficients;
  std::size_t data_begin = 0;
  std::size_t end = 0;
  while (true) {
    const std::size_t before = segments.at();
    const auto segment = segments.next();
    if (!segment || segment->marker == kEndOfImage) {
      end = before;
      // What is neither an end nor the end of the file is another fault.
      if (!segment && jpeg.size() - before > 1) return std::nullopt;
      break;
    }
    if (segment->marker >= kStartOfFrame && segment->marker <= kProgressive) {
      if (!coefficients.begin(*segment)) return std::nullopt;
    } else if (segment->marker == kStartOfScan) {
      coefficients.add(*segment);
      data_begin = segments.at();
      segments.skip_scan();
    }
  }
  if (!coefficients.are_whole()) return std::nullopt;
  const bool has_end = jpeg.size() - end >= 2;
  std::size_t data_end = end;
  while (data_end > data_begin && jpeg[data_end - 1] == 0) --data_end;
  // A zero that follows 0xFF belongs to it.
  if (data_end < end && data_end > 0 && jpeg[data_end - 1] == '\xFF') ++data_end;
  const std::size_t zeros = end - data_end;
  if ((has_end && zeros == 0) || zeros < zeros_kept) return std::nullopt;
  MendedJpeg mended{std::string(jpeg.substr(0, data_end + zeros_kept)), {}};
  mended.bytes += "\xFF\xD9";
  mended.what = has_end ? fmt::format("{} stray zeros stand before its end", zeros - zeros_kept)
                        : "its end marker is missing";
  return mended;
}

}  // namespace andon::vision
