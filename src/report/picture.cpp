// SPDX-License-Identifier: Apache-2.0
#include "report/picture.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "base/encoding.hpp"
#include "base/error.hpp"
#include "report/html.hpp"
#include "vision/annotate.hpp"
#include "vision/decode.hpp"

namespace andon::report {
namespace {

constexpr int kLongSide = 640;
constexpr int kQuality = 80;
constexpr std::size_t kMaxFileBytes = 256U << 20U;

struct Look {
  std::string_view colour;
  std::string_view dashes;  // in line widths
};

const Look& look_of(BoxStyle style) {
  static constexpr std::array<Look, 6> kLooks{{{"#0072b2", "4 2"},
                                               {"#c8102e", "4 2"},
                                               {"#00855f", ""},
                                               {"#e07000", ""},
                                               {"#0072b2", ""},
                                               {"#e07000", "4 2"}}};
  return kLooks.at(static_cast<std::size_t>(style));
}

// Each pixel is the mean of those that it stands for.
vision::Image shrink(const vision::Image& image, vision::Size size) {
  vision::Image small{size, {}};
  small.rgb.resize(small.row_bytes() * static_cast<std::size_t>(size.height));
  const auto edge = [](int at, int from, int to) {
    return static_cast<int>(std::int64_t{at} * from / to);
  };
  for (int y = 0; y < size.height; ++y) {
    const int top = edge(y, image.size.height, size.height);
    const int bottom = std::max(top + 1, edge(y + 1, image.size.height, size.height));
    for (int x = 0; x < size.width; ++x) {
      const int left = edge(x, image.size.width, size.width);
      const int right = std::max(left + 1, edge(x + 1, image.size.width, size.width));
      std::array<std::uint32_t, 3> sum{};
      for (int sy = top; sy < bottom; ++sy) {
        const std::uint8_t* pixel = image.row(sy) + static_cast<std::size_t>(left) * 3;
        for (int sx = left; sx < right; ++sx, pixel += 3) {
          for (std::size_t c = 0; c < 3; ++c) sum[c] += pixel[c];
        }
      }
      const auto count = static_cast<std::uint32_t>((bottom - top) * (right - left));
      std::uint8_t* target = small.row(y) + static_cast<std::size_t>(x) * 3;
      for (std::size_t c = 0; c < 3; ++c) {
        target[c] = static_cast<std::uint8_t>((sum[c] + count / 2) / count);
      }
    }
  }
  return small;
}

std::string embedded(const vision::Image& image) {
  const int longest = std::max(image.size.width, image.size.height);
  std::string jpeg;
  if (longest <= kLongSide) {
    jpeg = vision::encode_jpeg(image, kQuality);
  } else {
    const auto side = [&](int length) {
      return std::max(1, static_cast<int>(std::int64_t{length} * kLongSide / longest));
    };
    jpeg = vision::encode_jpeg(shrink(image, {side(image.size.width), side(image.size.height)}),
                               kQuality);
  }
  return "data:image/jpeg;base64," + base::to_base64(jpeg);
}

std::string overlay(const OverlayBox& box, double line, vision::Size size) {
  const Look& look = look_of(box.style);
  std::string dashes;
  if (look.dashes == "4 2") dashes = fmt::format("{:.1f} {:.1f}", 4 * line, 2 * line);
  std::string text = fmt::format(
      "<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\" fill=\"none\" "
      "stroke=\"{}\" stroke-width=\"{:.1f}\" stroke-dasharray=\"{}\"><title>{}</title></rect>\n",
      box.box.x, box.box.y, box.box.width, box.box.height, look.colour, line, dashes,
      escape(box.label));
  if (box.label.empty()) return text;
  const double letters = 7 * line;
  // Above the box, or below it where there is no room; that of the second model always below, since
  // its box is mostly the first one's.
  const bool fits_above = box.box.y - 2 * line > letters;
  const double below = box.box.y + box.box.height + letters;
  const bool fits_below = below + 2 * line < size.height;
  const bool is_above = fits_above && (box.style != BoxStyle::second || !fits_below);
  const double y = is_above ? box.box.y - 2 * line : below;
  const bool is_at_end = box.box.x > 0.7 * size.width;
  text += fmt::format(
      "<text x=\"{:.1f}\" y=\"{:.1f}\" style=\"font-size:{:.1f}px;fill:{};stroke-width:{:.1f}\" "
      "class=\"{}\">{}</text>\n",
      is_at_end ? box.box.x + box.box.width : box.box.x, y, letters, look.colour, 2 * line,
      is_at_end ? "right" : "", escape(box.label));
  return text;
}

}  // namespace

std::string picture(const Picture& picture) {
  std::string body;
  try {
    const std::string bytes = base::read_file(picture.file, kMaxFileBytes);
    vision::ImageDecoder decoder;
    const vision::Image& image = decoder.decode(bytes, picture.file.filename().string());
    const vision::Size size = image.size;
    const double line = std::max(size.width, size.height) / 300.0;
    const int shown = std::min(460, std::max(260, size.width));
    body = fmt::format(
        "<svg class=\"picture\" viewBox=\"0 0 {0} {1}\" width=\"{2}\" role=\"img\" "
        "aria-label=\"{3}\">\n<image width=\"{0}\" height=\"{1}\" href=\"{4}\"/>\n",
        size.width, size.height, shown, escape(picture.file.filename().string()), embedded(image));
    for (const OverlayBox& box : picture.boxes) body += overlay(box, line, size);
    body += "</svg>\n";
  } catch (const base::Error& error) {
    body = note(error.message());
  }
  return fmt::format("<figure>{}<figcaption>{}</figcaption></figure>\n", body,
                     escape(picture.caption));
}

std::string picture_legend(const std::vector<std::pair<BoxStyle, std::string>>& styles) {
  std::string text = "<p class=\"note\">";
  for (const auto& [style, meaning] : styles) {
    const Look& look = look_of(style);
    text += fmt::format(
        "<svg width=\"30\" height=\"12\" style=\"display:inline\"><rect x=\"2\" y=\"2\" "
        "width=\"24\" height=\"8\" fill=\"none\" stroke=\"{}\" stroke-width=\"2\" "
        "stroke-dasharray=\"{}\"/></svg>{}&emsp;\n",
        look.colour, look.dashes, escape(meaning));
  }
  return text + "</p>\n";
}

}  // namespace andon::report
