// SPDX-License-Identifier: Apache-2.0
// A JPEG as a row of markers (ITU-T T.81, annex B), without decoding it: which segments it has, and
// whether all of its scans are there. Internal to vision/. Pure; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace andon::vision {

namespace jpeg_marker {
inline constexpr std::uint8_t kStartOfFrame = 0xC0;  // baseline; 0xC1 extended, 0xC2 progressive
inline constexpr std::uint8_t kProgressive = 0xC2;
inline constexpr std::uint8_t kFirstReset = 0xD0;
inline constexpr std::uint8_t kLastReset = 0xD7;
inline constexpr std::uint8_t kStartOfImage = 0xD8;
inline constexpr std::uint8_t kEndOfImage = 0xD9;
inline constexpr std::uint8_t kStartOfScan = 0xDA;
inline constexpr std::uint8_t kApp1 = 0xE1;
}  // namespace jpeg_marker

struct JpegSegment {
  std::uint8_t marker = 0;
  std::string_view content;  // without its length; empty for markers that stand alone
};

// Walks the markers from the start of the image. Any number of fill bytes (0xFF) may stand before a
// marker.
class JpegSegments {
 public:
  explicit JpegSegments(std::string_view jpeg) : jpeg_(jpeg) {}

  // Nothing at the end, or where no marker is.
  [[nodiscard]] std::optional<JpegSegment> next();
  // After the head of a scan: passes its data, to the first byte of the next marker.
  void skip_scan();
  [[nodiscard]] std::size_t at() const { return at_; }

 private:
  std::string_view jpeg_;
  std::size_t at_ = 0;
};

// A picture of which only the end is wrong, as some cameras write it: the end marker is missing, or
// zeros stand between the data and it. `bytes` have a right end.
struct MendedJpeg {
  std::string bytes;
  std::string what;  // was wrong, for people
};

// Nothing where the end is right, where a scan is missing, or where it could not be noticed that
// data are missing (arithmetic coding). Whether the data are whole only decoding tells: where zeros
// are left out, `zeros_kept` of them stay, since they may belong to the data.
[[nodiscard]] std::optional<MendedJpeg> mend_end(std::string_view jpeg, std::size_t zeros_kept);

}  // namespace andon::vision
