// SPDX-License-Identifier: Apache-2.0
// YAML is read by its events, so that an alias is seen (and refused) before anything is expanded.
#include "recipe/reader/json_or_yaml.hpp"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "base/error/error.hpp"
#include "base/text/number.hpp"
#include "base/text/utf8.hpp"

namespace andon::recipe {
namespace {

base::Error syntax_error(std::string_view what, std::string_view message) {
  return {base::ErrorCode::invalid_argument,
          std::string(what) + " cannot be read: " + std::string(message)};
}

bool is_text(std::string_view text) {
  return base::is_utf8(text) && text.find('\0') == std::string_view::npos;
}

// Boost.JSON keeps the last of equal keys without a word. `text` has been parsed already, so only
// its tokens matter here.
void refuse_duplicate_keys(std::string_view text, std::string_view what) {
  std::vector<std::set<std::string>> objects;  // keys seen; arrays have an empty one
  std::vector<bool> is_object;
  bool expect_key = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    switch (text[i]) {
      case '{':
      case '[':
        objects.emplace_back();
        is_object.push_back(text[i] == '{');
        expect_key = text[i] == '{';
        break;
      case '}':
      case ']':
        objects.pop_back();
        is_object.pop_back();
        expect_key = false;
        break;
      case ',':
        expect_key = is_object.back();
        break;
      case '"': {
        const auto start = i++;
        while (text[i] != '"') i += text[i] == '\\' ? 2U : 1U;
        if (!expect_key) break;
        expect_key = false;
        const auto key = base::parse_json(text.substr(start, i - start + 1), what).as_string();
        if (!objects.back().emplace(key).second) {
          throw syntax_error(what, "the key \"" + std::string(key) + "\" is there twice");
        }
        break;
      }
      default:
        break;
    }
  }
}

void count_values(const json::value& value, std::size_t& left, std::string_view what) {
  if (left-- == 0) throw syntax_error(what, "it has too many values");
  if (const auto* object = value.if_object()) {
    for (const auto& member : *object) count_values(member.value(), left, what);
  } else if (const auto* array = value.if_array()) {
    for (const auto& element : *array) count_values(element, left, what);
  }
}

bool all_of(std::string_view text, std::string_view allowed) {
  return !text.empty() && text.find_first_not_of(allowed) == std::string_view::npos;
}

// A number that no JSON value holds.
struct Unreadable {};

// Integers of YAML 1.2's core schema: 12, +12, -12, 0o14, 0xC. Nothing for other text.
std::optional<json::value> core_integer(std::string_view text) {
  int base = 10;
  std::string_view digits = text;
  bool negative = false;
  if (digits.starts_with("0o") && all_of(digits.substr(2), "01234567")) {
    base = 8;
    digits.remove_prefix(2);
  } else if (digits.starts_with("0x") && all_of(digits.substr(2), "0123456789abcdefABCDEF")) {
    base = 16;
    digits.remove_prefix(2);
  } else {
    if (digits.starts_with('+') || digits.starts_with('-')) {
      negative = digits.front() == '-';
      digits.remove_prefix(1);
    }
    if (!all_of(digits, "0123456789")) return std::nullopt;
  }
  const auto read = base::parse_uint64(digits, base);
  constexpr std::uint64_t kSignedLimit = std::uint64_t{1} << 63U;
  if (!read) throw Unreadable{};
  const std::uint64_t magnitude = *read;
  if (negative && magnitude <= kSignedLimit) {
    return json::value(static_cast<std::int64_t>(~magnitude + 1));
  }
  if (negative) throw Unreadable{};
  if (magnitude < kSignedLimit) return json::value(static_cast<std::int64_t>(magnitude));
  return json::value(magnitude);
}

// [-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?
std::optional<double> core_float(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789";
  std::string_view rest = text;
  const bool negative = rest.starts_with('-');
  if (rest.starts_with('+') || negative) rest.remove_prefix(1);
  const auto number = rest;
  const auto skip_digits = [&] {
    const auto count = std::min(rest.find_first_not_of(kDigits), rest.size());
    rest.remove_prefix(count);
    return count;
  };
  auto digits = skip_digits();
  if (rest.starts_with('.')) {
    rest.remove_prefix(1);
    digits += skip_digits();
  }
  if (digits == 0) return std::nullopt;
  if (rest.starts_with('e') || rest.starts_with('E')) {
    rest.remove_prefix(1);
    if (rest.starts_with('+') || rest.starts_with('-')) rest.remove_prefix(1);
    if (skip_digits() == 0) return std::nullopt;
  }
  if (!rest.empty()) return std::nullopt;
  const auto value = base::parse_number(number);
  if (!value) throw Unreadable{};
  return negative ? -*value : *value;
}

json::value core_scalar(const std::string& text) {
  if (text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL") {
    return nullptr;
  }
  if (text == "true" || text == "True" || text == "TRUE") return true;
  if (text == "false" || text == "False" || text == "FALSE") return false;
  if (auto integer = core_integer(text)) return *integer;
  if (const auto number = core_float(text)) return *number;
  return json::value(text);
}

class JsonBuilder final : public YAML::EventHandler {
 public:
  JsonBuilder(std::string_view what, const DocumentLimits& limits, const TagReader& tags)
      : what_(what), limits_(limits), tags_(tags), values_left_(limits.max_values) {}

  [[nodiscard]] json::value take() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark& /*mark*/) override {}
  void OnDocumentEnd() override {}

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t /*anchor*/) override {
    fail(mark, "aliases (*name) are not accepted: write the value out");
  }

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    refuse_anchor(mark, anchor);
    add(mark, nullptr, "");
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    refuse_anchor(mark, anchor);
    if (!is_text(value)) fail(mark, "a value is not text in UTF-8");
    if (tag == "?" || tag.empty()) {
      add(mark, is_key() ? json::value(value) : plain_scalar(mark, value), value);
    } else if (tag == "!" || tag == "tag:yaml.org,2002:str") {
      add(mark, json::value(value), value);
    } else if (is_key()) {
      fail(mark, "a key must be plain text");
    } else {
      add(mark, tagged(mark, tag, json::value(value)), "");
    }
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value /*style*/) override {
    open(mark, tag, anchor, json::array{});
  }
  void OnSequenceEnd() override { close(); }

  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value /*style*/) override {
    open(mark, tag, anchor, json::object{});
  }
  void OnMapEnd() override { close(); }

 private:
  // One that is being filled; `key` waits for its value.
  struct Level {
    json::value container;
    std::optional<std::string> key;
    std::string tag;  // of the container; empty: none
    YAML::Mark mark;
  };

  [[noreturn]] void fail(const YAML::Mark& mark, std::string_view why) const {
    throw syntax_error(what_, "line " + std::to_string(mark.line + 1) + ", column " +
                                  std::to_string(mark.column + 1) + ": " + std::string(why));
  }

  [[nodiscard]] bool is_key() const {
    return !levels_.empty() && levels_.back().container.is_object() && !levels_.back().key;
  }

  [[nodiscard]] json::value plain_scalar(const YAML::Mark& mark, const std::string& text) const {
    try {
      return core_scalar(text);
    } catch (const Unreadable&) {
      fail(mark, "the number " + text.substr(0, 40) +
                     " is beyond 64 bits or the range of numbers; write it in quotes");
    }
  }

  void refuse_anchor(const YAML::Mark& mark, YAML::anchor_t anchor) const {
    if (anchor != YAML::NullAnchor) fail(mark, "anchors (&name) are not accepted");
  }

  void open(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
            json::value container) {
    refuse_anchor(mark, anchor);
    const bool has_tag = !tag.empty() && tag != "?";
    if (has_tag && !tags_) fail(mark, "tags (!name) are not accepted");
    if (levels_.size() == limits_.max_depth) fail(mark, "it is nested too deeply");
    if (is_key()) {
      fail(mark, "a key must be plain text");
    }
    levels_.push_back({std::move(container), std::nullopt, has_tag ? tag : std::string(), mark});
  }

  void close() {
    json::value done = std::move(levels_.back().container);
    const std::string tag = std::move(levels_.back().tag);
    const YAML::Mark mark = levels_.back().mark;
    levels_.pop_back();
    if (!tag.empty()) done = tagged(mark, tag, std::move(done));
    add(mark, std::move(done), "");
  }

  [[nodiscard]] json::value tagged(const YAML::Mark& mark, const std::string& tag,
                                   json::value value) const {
    if (!tags_) fail(mark, "tags (!name) are not accepted");
    auto made = tags_(tag, std::move(value));
    if (!made) fail(mark, "the tag " + tag.substr(0, 40) + " is not accepted here");
    return *std::move(made);
  }

  void add(const YAML::Mark& mark, json::value value, const std::string& text) {
    if (values_left_-- == 0) fail(mark, "it has too many values");
    if (levels_.empty()) {
      root_ = std::move(value);
      return;
    }
    Level& level = levels_.back();
    if (auto* array = level.container.if_array()) {
      array->push_back(std::move(value));
    } else if (!level.key) {
      if (text == "<<") fail(mark, "merge keys (<<) are not accepted");
      if (level.container.get_object().contains(text)) {
        fail(mark, "the key \"" + text + "\" is there twice");
      }
      level.key = text;
    } else {
      level.container.get_object()[*level.key] = std::move(value);
      level.key.reset();
    }
  }

  std::string_view what_;
  DocumentLimits limits_;
  const TagReader& tags_;
  std::size_t values_left_;
  std::vector<Level> levels_;
  json::value root_;
};

json::value parse_yaml(std::string_view text, std::string_view what, const DocumentLimits& limits,
                       const TagReader& tags) {
  try {
    std::istringstream stream{std::string(text)};
    YAML::Parser parser(stream);
    JsonBuilder builder(what, limits, tags);
    if (!parser.HandleNextDocument(builder)) throw syntax_error(what, "it is empty");
    JsonBuilder second(what, limits, tags);
    if (parser.HandleNextDocument(second)) {
      throw syntax_error(what, "it holds a second document (---)");
    }
    return builder.take();
  } catch (const YAML::Exception& error) {
    throw syntax_error(what, "line " + std::to_string(error.mark.line + 1) + ", column " +
                                 std::to_string(error.mark.column + 1) + ": " + error.msg);
  }
}

}  // namespace

json::value parse_json_or_yaml(std::string_view text, std::string_view what,
                               const DocumentLimits& limits) {
  return parse_json_or_yaml(text, what, limits, {});
}

json::value parse_json_or_yaml(std::string_view text, std::string_view what,
                               const DocumentLimits& limits, const TagReader& tags) {
  if (text.size() > limits.max_bytes) {
    throw syntax_error(what, "it has " + std::to_string(text.size()) + " bytes, more than the " +
                                 std::to_string(limits.max_bytes) + " allowed");
  }
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  if (!is_text(text)) throw syntax_error(what, "it is not text in UTF-8");
  const auto first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) throw syntax_error(what, "it is empty");
  if (text[first] != '{' && text[first] != '[') return parse_yaml(text, what, limits, tags);
  auto value = base::parse_json(text, what, {limits.max_bytes, limits.max_depth});
  refuse_duplicate_keys(text, what);
  std::size_t left = limits.max_values;
  count_values(value, left, what);
  return value;
}

}  // namespace andon::recipe
