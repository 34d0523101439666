// SPDX-License-Identifier: Apache-2.0
#include "report/chart/picture.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>

#include "base/error/error.hpp"
#include "base/text/encoding.hpp"
#include "base/text/utf8.hpp"
#include "report/chart/html.hpp"
#include "vision/draw/annotate.hpp"
#include "vision/draw/label_layout.hpp"
#include "vision/image/decode.hpp"

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

std::string small_jpeg(const vision::Image& image, int long_side) {
  const int longest = std::max(image.size.width, image.size.height);
  if (longest <= long_side) return vision::encode_jpeg(image, kQuality);
  const auto side = [&](int length) {
    return std::max(1, static_cast<int>(std::int64_t{length} * long_side / longest));
  };
  return vision::encode_jpeg(shrink(image, {side(image.size.width), side(image.size.height)}),
                             kQuality);
}

std::string embedded(const vision::Image& image) {
  return "data:image/jpeg;base64," + base::to_base64(small_jpeg(image, kLongSide));
}

constexpr double kLettersInLines = 8;  // height of the letters
constexpr double kLetterWidth = 0.58;  // of their height, in the mean

std::string frame(const OverlayBox& box, double line) {
  const Look& look = look_of(box.style);
  std::string dashes;
  if (look.dashes == "4 2") dashes = fmt::format("{:.1f} {:.1f}", 4 * line, 2 * line);
  return fmt::format(
      "<rect x=\"{:.1f}\" y=\"{:.1f}\" width=\"{:.1f}\" height=\"{:.1f}\" fill=\"none\" "
      "stroke=\"{}\" stroke-width=\"{:.1f}\" stroke-dasharray=\"{}\"><title>{}</title></rect>\n",
      box.box.x, box.box.y, box.box.width, box.box.height, look.colour, line, dashes,
      escape(box.label));
}

// All frames, the strongest last; then the labels, for which the strongest chooses first.
std::string overlay(std::vector<OverlayBox> boxes, double line, vision::Size size) {
  std::stable_sort(boxes.begin(), boxes.end(), [](const OverlayBox& a, const OverlayBox& b) {
    return a.strength > b.strength;
  });
  std::string text;
  for (auto box = boxes.rbegin(); box != boxes.rend(); ++box) text += frame(*box, line);
  const double letters = kLettersInLines * line;
  std::vector<vision::Label> labels;
  for (const OverlayBox& box : boxes) {
    const auto count = static_cast<double>(base::count_code_points(box.label));
    labels.push_back({{static_cast<float>(box.box.x), static_cast<float>(box.box.y),
                       static_cast<float>(box.box.width), static_cast<float>(box.box.height)},
                      count > 0 ? (count * kLetterWidth + 0.5) * letters : 0,
                      1.25 * letters});
  }
  const auto corners = vision::place_labels(labels, size);
  for (std::size_t i = 0; i < boxes.size(); ++i) {
    if (!corners[i]) continue;
    text += fmt::format(
        "<text x=\"{:.1f}\" y=\"{:.1f}\" style=\"font-size:{:.1f}px;fill:{};stroke-width:{:.1f}\">"
        "{}</text>\n",
        corners[i]->left + 0.25 * letters, corners[i]->top + 0.98 * letters, letters,
        look_of(boxes[i].style).colour, 2 * line, escape(boxes[i].label));
  }
  return text;
}

}  // namespace

std::string small_jpeg(const base::fs::path& file, int long_side) {
  const std::string bytes = base::read_file(file, kMaxFileBytes);
  vision::ImageDecoder decoder;
  return small_jpeg(decoder.decode(bytes, file.filename().string()), long_side);
}

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
    body += overlay(picture.boxes, line, size) + "</svg>\n";
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
