// SPDX-License-Identifier: Apache-2.0
#include "vision/metadata.hpp"

#include <fmt/format.h>

#include <charconv>
#include <map>
#include <optional>
#include <utility>

#include "base/error.hpp"

namespace andon::vision {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::size_t kMaxClasses = 10'000;
constexpr std::size_t kMaxTextBytes = 1U << 20U;
constexpr int kMaxSide = 16'384;

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

  [[nodiscard]] std::string quoted() {
    skip_space();
    if (at_ == text_.size() || (text_[at_] != '\'' && text_[at_] != '"')) {
      fail("a quoted text expected");
    }
    const char quote = text_[at_++];
    std::string result;
    while (true) {
      if (at_ == text_.size()) fail("a quoted text has no end");
      char c = text_[at_++];
      if (c == quote) return result;
      if (c == '\\') {
        if (at_ == text_.size()) fail("a quoted text has no end");
        c = unescaped(text_[at_++]);
      }
      result.push_back(c);
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

  static char unescaped(char c) {
    switch (c) {
      case 'n':
        return '\n';
      case 't':
        return '\t';
      case 'r':
        return '\r';
      default:
        return c;
    }
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
