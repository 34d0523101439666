// SPDX-License-Identifier: Apache-2.0
#include "vision/heads/metadata.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>
#include <utility>

#include "base/error/error.hpp"
#include "base/text/utf8.hpp"

namespace andon::vision {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::size_t kMaxClasses = 10'000;
constexpr std::size_t kMaxTextBytes = 1U << 20U;
constexpr int kMaxSide = 16'384;
// UTF-16's halves of a character.
constexpr char32_t kHighHalves = 0xD800;
constexpr char32_t kLowHalves = 0xDC00;
constexpr char32_t kAfterHalves = 0xE000;

std::string shortened(std::string_view text) {
  constexpr std::size_t kShown = 80;
  if (text.size() <= kShown) return std::string(text);
  return fmt::format("{}... ({} bytes)", text.substr(0, kShown), text.size());
}

// Reads the few literals that Python's and JSON's notation share.
class LiteralReader {
 public:
  LiteralReader(std::string_view text, std::string_view what) : text_(text), what_(what) {
    if (text.size() > kMaxTextBytes) fail("it is too long");
  }

  [[nodiscard]] bool take(char wanted) {
    skip_space();
    if (at_ == text_.size() || text_[at_] != wanted) return false;
    ++at_;
    return true;
  }

  void expect(char wanted) {
    if (!take(wanted)) fail(fmt::format("'{}' expected", wanted));
  }

  void expect_end() {
    skip_space();
    if (at_ != text_.size()) fail("there is more after its end");
  }

  // As UTF-8, whatever bytes it has.
  [[nodiscard]] std::string quoted() {
    skip_space();
    if (at_ + 1 < text_.size() && text_[at_] == 'u') ++at_;  // Python 2's u'...'
    if (at_ == text_.size() || (text_[at_] != '\'' && text_[at_] != '"')) {
      fail("a quoted text expected");
    }
    const char quote = text_[at_++];
    std::string result;
    while (true) {
      const char c = taken();
      if (c == quote) return base::to_valid_utf8(result);
      if (c == '\\') {
        append_escaped(result);
      } else {
        result.push_back(c);
      }
    }
  }

  [[nodiscard]] std::optional<int> optional_integer() {
    skip_space();
    int value = 0;
    const char* begin = text_.data() + at_;
    const auto [end, error] = std::from_chars(begin, text_.data() + text_.size(), value);
    if (error != std::errc{}) return std::nullopt;
    at_ += static_cast<std::size_t>(end - begin);
    return value;
  }

  [[nodiscard]] int integer() {
    const auto value = optional_integer();
    if (!value) fail("a whole number expected");
    return *value;
  }

  // Any value; of one that is neither a text nor has others inside, its characters.
  std::string_view value(int depth = 0) {
    constexpr int kDeepest = 16;
    if (depth > kDeepest) fail("it is nested too deeply");
    skip_space();
    const std::size_t start = at_;
    if (at_ < text_.size() && (text_[at_] == '\'' || text_[at_] == '"')) {
      (void)quoted();
      return {};
    }
    for (const std::string_view pair : {"{}", "[]", "()"}) {
      if (!take(pair[0])) continue;
      while (!take(pair[1])) {
        (void)value(depth + 1);
        if (take(':')) (void)value(depth + 1);
        if (take(',')) continue;
        expect(pair[1]);
        break;
      }
      return {};
    }
    constexpr std::string_view kEnds = " \n\t\r,:{}[]()'\"";
    at_ = std::min(text_.find_first_of(kEnds, at_), text_.size());
    if (at_ == start) fail("a value expected");
    return text_.substr(start, at_ - start);
  }

  [[noreturn]] void fail(std::string_view why) const {
    throw Error(ErrorCode::invalid_argument, fmt::format("cannot read {} at character {}: {}: {}",
                                                         what_, at_ + 1, why, shortened(text_)));
  }

 private:
  void skip_space() {
    while (at_ < text_.size() &&
           (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\t' || text_[at_] == '\r')) {
      ++at_;
    }
  }

  char taken() {
    if (at_ == text_.size()) fail("a quoted text has no end");
    return text_[at_++];
  }

  // What follows a backslash in JSON (RFC 8259, 7) or Python (its language reference, 2.4.1); they
  // mean the same wherever both have it. Python leaves one that it does not know as it is.
  void append_escaped(std::string& result) {
    constexpr std::string_view kLetters = "abfnrtv\\'\"/";
    constexpr std::string_view kMeanings = "\a\b\f\n\r\t\v\\'\"/";
    const char c = taken();
    const std::size_t letter = kLetters.find(c);
    if (letter != std::string_view::npos) {
      result.push_back(kMeanings[letter]);
    } else if (c == 'x') {
      append_code_point(result, digits(2));
    } else if (c == 'u') {
      append_code_point(result, utf16());
    } else if (c == 'U') {
      append_code_point(result, digits(8));
    } else if (c >= '0' && c <= '7') {
      append_code_point(result, octal(c));
    } else if (c == 'N') {
      fail("characters by their names (\\N{...}) are not understood; write \\u and four digits");
    } else if (c != '\n') {
      result.push_back('\\');
      result.push_back(c);
    }
  }

  void append_code_point(std::string& result, char32_t value) const {
    constexpr char32_t kLast = 0x10FFFF;
    if (value > kLast) fail("there is no such character");
    // Half of a pair is no character.
    const bool is_half = value >= kHighHalves && value < kAfterHalves;
    base::append_utf8(result, is_half ? char32_t{0xFFFD} : value);
  }

  char32_t digits(std::size_t count) {
    const std::string_view text = text_.substr(at_, count);
    std::uint32_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, 16);
    if (error != std::errc{} || text.size() != count || end != text.data() + count) {
      fail(fmt::format("{} hexadecimal digits expected", count));
    }
    at_ += count;
    return value;
  }

  char32_t octal(char first) {
    auto value = static_cast<char32_t>(first - '0');
    for (int i = 0; i < 2 && at_ < text_.size(); ++i) {
      if (text_[at_] < '0' || text_[at_] > '7') break;
      value = value * 8 + static_cast<char32_t>(text_[at_++] - '0');
    }
    return value;
  }

  // JSON has a pair for a character beyond U+FFFF.
  char32_t utf16() {
    const char32_t first = digits(4);
    if (first < kHighHalves || first >= kLowHalves || !text_.substr(at_).starts_with("\\u")) {
      return first;
    }
    const std::size_t back = at_;
    at_ += 2;
    const char32_t second = digits(4);
    if (second >= kLowHalves && second < kAfterHalves) {
      return 0x10000 + ((first - kHighHalves) << 10U) + (second - kLowHalves);
    }
    at_ = back;
    return first;
  }

  std::string_view text_;
  std::string_view what_;
  std::size_t at_ = 0;
};

int class_id(LiteralReader& reader) {
  if (const auto id = reader.optional_integer()) return *id;
  const std::string text = reader.quoted();
  LiteralReader inner(text, "a class id");
  const int id = inner.integer();
  inner.expect_end();
  return id;
}

std::vector<std::string> labels_in_order(std::map<int, std::string> by_id,
                                         const LiteralReader& reader) {
  std::vector<std::string> labels;
  for (auto& [id, label] : by_id) {
    if (std::cmp_not_equal(id, labels.size())) {
      reader.fail(fmt::format("class ids must be 0 to {} without gaps; {} is one of them",
                              by_id.size() - 1, id));
    }
    labels.push_back(std::move(label));
  }
  return labels;
}

}  // namespace

std::vector<std::string> parse_names(std::string_view text) {
  LiteralReader reader(text, "the model's class names");
  std::map<int, std::string> by_id;
  const bool has_ids = reader.take('{');
  if (!has_ids) reader.expect('[');
  const char end = has_ids ? '}' : ']';
  while (!reader.take(end)) {
    if (!by_id.empty()) {
      reader.expect(',');
      if (reader.take(end)) break;
    }
    if (by_id.size() == kMaxClasses) reader.fail("there are too many classes");
    int id = static_cast<int>(by_id.size());
    if (has_ids) {
      id = class_id(reader);
      reader.expect(':');
    }
    if (!by_id.emplace(id, reader.quoted()).second) {
      reader.fail(fmt::format("class {} is there twice", id));
    }
  }
  reader.expect_end();
  return labels_in_order(std::move(by_id), reader);
}

std::optional<bool> parse_flag(std::string_view text, std::string_view key) {
  try {
    LiteralReader reader(text, "the model's settings");
    reader.expect('{');
    while (!reader.take('}')) {
      const std::string name = reader.quoted();
      reader.expect(':');
      const std::string_view value = reader.value();
      if (name == key) {
        if (value == "True" || value == "true") return true;
        if (value == "False" || value == "false") return false;
        return std::nullopt;
      }
      if (reader.take(',')) continue;
      reader.expect('}');
      break;
    }
  } catch (const Error&) {  // what is not understood tells nothing
    return std::nullopt;
  }
  return std::nullopt;
}

KeypointShape parse_keypoint_shape(std::string_view text) {
  LiteralReader reader(text, "the model's keypoints");
  const char end = reader.take('(') ? ')' : ']';
  if (end == ']') reader.expect('[');
  const int count = reader.integer();
  reader.expect(',');
  const int values = reader.integer();
  reader.expect(end);
  reader.expect_end();
  if (count < 1 || count > kMaxKeypoints || values < 2 || values > 3) {
    reader.fail(fmt::format("1 to {} of 2 or 3 values expected", kMaxKeypoints));
  }
  return {static_cast<std::size_t>(count), static_cast<std::size_t>(values)};
}

int parse_stride(std::string_view text) {
  constexpr int kMostLevels = 16;
  LiteralReader reader(text, "the model's stride");
  int largest = 0;
  const auto take = [&](int stride) {
    if (stride < 1 || stride > kMaxSide) reader.fail(fmt::format("must be 1 to {}", kMaxSide));
    largest = std::max(largest, stride);
  };
  if (const auto stride = reader.optional_integer()) {
    take(*stride);
    if (reader.take('.') && reader.integer() != 0) reader.fail("a whole number expected");
  } else {
    const char end = reader.take('(') ? ')' : ']';
    if (end == ']') reader.expect('[');
    for (int count = 0; count == 0 || !reader.take(end); ++count) {
      if (count == kMostLevels) reader.fail("there are too many");
      if (count > 0) reader.expect(',');
      take(reader.integer());
    }
  }
  reader.expect_end();
  return largest;
}

Size parse_image_size(std::string_view text) {
  LiteralReader reader(text, "the model's image size");
  Size size;
  const auto side = reader.optional_integer();
  if (side) {
    size = {*side, *side};
  } else {
    const char end = reader.take('(') ? ')' : ']';
    if (end == ']') reader.expect('[');
    size.height = reader.integer();
    size.width = size.height;
    if (reader.take(',')) size.width = reader.integer();
    reader.expect(end);
  }
  reader.expect_end();
  if (size.width < 1 || size.height < 1 || size.width > kMaxSide || size.height > kMaxSide) {
    reader.fail(fmt::format("sides must be 1 to {}", kMaxSide));
  }
  return size;
}

}  // namespace andon::vision
