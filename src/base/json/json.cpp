// SPDX-License-Identifier: Apache-2.0
#include "base/json/json.hpp"

#include "base/json/json_append.hpp"

#include <algorithm>
#include <array>
#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value_stack.hpp>
#include <charconv>
#include <cmath>

#include "base/error/error.hpp"
#include "base/text/number.hpp"
#include "base/text/utf8.hpp"

namespace andon::base {
namespace {

std::string place(std::string_view text, std::size_t offset) {
  const std::string_view before = text.substr(0, std::min(offset, text.size()));
  const auto line = 1 + std::count(before.begin(), before.end(), '\n');
  const std::size_t line_start = before.rfind('\n');
  const std::size_t column =
      line_start == std::string_view::npos ? before.size() + 1 : before.size() - line_start;
  return "line " + std::to_string(line) + ", column " + std::to_string(column);
}

// Builds the value as Boost.JSON's own parser does, but for numbers: none changes on its way in.
// Boost.JSON 1.81 rounds some doubles by a bit, makes integers beyond 64 bits into doubles and
// numbers beyond a double's range into infinity.
class ValueBuilder {
 public:
  // Boost.JSON's names. NOLINTBEGIN(readability-identifier-naming)
  static constexpr std::size_t max_object_size = json::object::max_size();
  static constexpr std::size_t max_array_size = json::array::max_size();
  static constexpr std::size_t max_key_size = json::string::max_size();
  static constexpr std::size_t max_string_size = json::string::max_size();
  // NOLINTEND(readability-identifier-naming)
  using error_code = boost::system::error_code;

  // What is wrong with a number, where that is what ended the parsing.
  [[nodiscard]] const std::string& number_problem() const { return number_problem_; }
  [[nodiscard]] json::value take() { return values_.release(); }

  bool on_document_begin(error_code&) {
    values_.reset({});
    return true;
  }
  bool on_document_end(error_code&) { return true; }
  bool on_object_begin(error_code&) { return true; }
  bool on_object_end(std::size_t size, error_code&) {
    values_.push_object(size);
    return true;
  }
  bool on_array_begin(error_code&) { return true; }
  bool on_array_end(std::size_t size, error_code&) {
    values_.push_array(size);
    return true;
  }
  bool on_key_part(std::string_view part, std::size_t, error_code&) {
    values_.push_chars(part);
    return true;
  }
  bool on_key(std::string_view part, std::size_t, error_code&) {
    values_.push_key(part);
    return true;
  }
  bool on_string_part(std::string_view part, std::size_t, error_code&) {
    values_.push_chars(part);
    return true;
  }
  bool on_string(std::string_view part, std::size_t, error_code&) {
    values_.push_string(part);
    return true;
  }
  // The text is there in one piece, so no number comes in parts.
  bool on_number_part(std::string_view, error_code&) { return true; }
  bool on_int64(std::int64_t number, std::string_view, error_code&) {
    values_.push_int64(number);
    return true;
  }
  bool on_uint64(std::uint64_t number, std::string_view, error_code&) {
    values_.push_uint64(number);
    return true;
  }
  bool on_double(double number, std::string_view text, error_code& error) {
    const bool is_whole = text.find_first_of(".eE") == std::string_view::npos;
    const auto exact = parse_number(text);
    if (is_whole) {
      number_problem_ = "has more digits than the 64 bits of a whole number hold";
    } else if (!exact && std::isfinite(number)) {
      // Smaller than any double: nothing is lost that a double could say.
      values_.push_double(number);
      return true;
    } else if (!exact) {
      number_problem_ = "is beyond the range of numbers (about 1.8e308)";
    } else {
      values_.push_double(*exact);
      return true;
    }
    constexpr std::size_t kShown = 40;
    number_problem_ = "the number " + std::string(text.substr(0, kShown)) +
                      (text.size() > kShown ? "... " : " ") + number_problem_ +
                      "; write it as a text";
    error = json::error::not_exact;
    return false;
  }
  bool on_bool(bool value, error_code&) {
    values_.push_bool(value);
    return true;
  }
  bool on_null(error_code&) {
    values_.push_null();
    return true;
  }
  bool on_comment_part(std::string_view, error_code&) { return true; }
  bool on_comment(std::string_view, error_code&) { return true; }

 private:
  json::value_stack values_;
  std::string number_problem_;
};

// A whole double keeps its fraction, so that it stays a double.
std::string double_text(double number) {
  if (!std::isfinite(number)) return "null";
  std::string text = number_text(number);
  if (text.find_first_of(".e") == std::string::npos) text += ".0";
  return text;
}

template <typename Integer>
void append_integer(std::string& out, Integer number) {
  std::array<char, 24> digits;  // NOLINT(cppcoreguidelines-pro-type-member-init)
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
  out.append(digits.data(), static_cast<std::size_t>(end - digits.data()));
}

// What stands behind a backslash for `c`; 'u': its number; 0: it goes out as it is.
constexpr char escape_of(char c) {
  switch (c) {
    case '"':
    case '\\':
      return c;
    case '\b':
      return 'b';
    case '\f':
      return 'f';
    case '\n':
      return 'n';
    case '\r':
      return 'r';
    case '\t':
      return 't';
    default:
      return static_cast<unsigned char>(c) < 0x20 ? 'u' : '\0';
  }
}

constexpr std::array<char, 256> kEscapes = [] {
  std::array<char, 256> escapes{};
  for (std::size_t i = 0; i < escapes.size(); ++i) escapes[i] = escape_of(static_cast<char>(i));
  return escapes;
}();

// Appends to a text that is given.
class Printer {
 public:
  Printer(std::string& text, bool pretty) : pretty_(pretty), text_(text) {}

  void print(const json::value& value, std::size_t depth) {
    switch (value.kind()) {
      case json::kind::object:
        print_object(value.get_object(), depth);
        break;
      case json::kind::array:
        print_array(value.get_array(), depth);
        break;
      case json::kind::double_:
        text_ += double_text(value.get_double());
        break;
      case json::kind::string:
        append_json_string(text_, value.get_string());
        break;
      case json::kind::int64:
        append_integer(text_, value.get_int64());
        break;
      case json::kind::uint64:
        append_integer(text_, value.get_uint64());
        break;
      case json::kind::bool_:
        text_ += value.get_bool() ? "true" : "false";
        break;
      case json::kind::null:
        text_ += "null";
        break;
    }
  }

 private:
  void print_object(const json::object& object, std::size_t depth) {
    if (object.empty()) {
      text_ += "{}";
      return;
    }
    text_ += '{';
    bool first = true;
    for (const auto& [key, member] : object) {
      separate(first, depth + 1);
      append_json_string(text_, key);
      text_ += pretty_ ? ": " : ":";
      print(member, depth + 1);
    }
    new_line(depth);
    text_ += '}';
  }

  void print_array(const json::array& array, std::size_t depth) {
    if (array.empty()) {
      text_ += "[]";
      return;
    }
    text_ += '[';
    bool first = true;
    for (const auto& element : array) {
      separate(first, depth + 1);
      print(element, depth + 1);
    }
    new_line(depth);
    text_ += ']';
  }

  void separate(bool& first, std::size_t depth) {
    if (!first) text_ += ',';
    first = false;
    new_line(depth);
  }

  void new_line(std::size_t depth) {
    if (pretty_) text_.append("\n").append(2 * depth, ' ');
  }

  bool pretty_;
  std::string& text_;
};

// JSON is UTF-8. Other bytes can only be in texts and keys, which are whatever they were made of.
std::string as_utf8(std::string text) {
  return is_utf8(text) ? text : to_valid_utf8(text);
}

}  // namespace

json::value parse_json(std::string_view text, std::string_view what, const JsonLimits& limits) {
  const std::string name(what);
  if (text.size() > limits.max_bytes) {
    throw Error(ErrorCode::invalid_argument,
                name + " is too large: " + std::to_string(text.size()) + " bytes, at most " +
                    std::to_string(limits.max_bytes) + " are read");
  }
  json::parse_options options;
  options.max_depth = limits.max_depth;
  json::basic_parser<ValueBuilder> parser(options);
  boost::system::error_code error;
  const std::size_t parsed = parser.write_some(false, text.data(), text.size(), error);
  if (!parser.handler().number_problem().empty()) {
    throw Error(ErrorCode::invalid_argument,
                name + " cannot be read: " + parser.handler().number_problem() + " (" +
                    place(text, parsed) + ")");
  }
  if (!error && parsed < text.size()) error = json::error::extra_data;
  if (error) {
    throw Error(ErrorCode::invalid_argument,
                name + " is not valid JSON: " + error.message() + " at " + place(text, parsed));
  }
  return parser.handler().take();
}

void append_json_string(std::string& out, std::string_view text) {
  constexpr std::string_view kHex = "0123456789abcdef";
  out += '"';
  std::size_t begin = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const char escape = kEscapes[byte];
    if (escape == '\0') continue;
    out.append(text, begin, i - begin);
    begin = i + 1;
    out += '\\';
    out += escape;
    if (escape != 'u') continue;
    out += "00";
    out += kHex[byte >> 4U];
    out += kHex[byte & 0xFU];
  }
  out.append(text, begin);
  out += '"';
}

void append_json_number(std::string& out, std::int64_t number) {
  append_integer(out, number);
}

void append_json(std::string& out, const json::value& value) {
  Printer(out, false).print(value, 0);
}

std::string to_text(const json::value& value) {
  std::string text;
  append_json(text, value);
  return as_utf8(std::move(text));
}

std::string to_pretty_text(const json::value& value) {
  std::string text;
  Printer(text, true).print(value, 0);
  return as_utf8(std::move(text)) + '\n';
}

std::vector<std::string> split_pointer(std::string_view pointer) {
  std::vector<std::string> tokens;
  if (pointer.empty()) return tokens;
  if (pointer.front() != '/') {
    throw Error(ErrorCode::invalid_argument,
                "JSON pointer '" + std::string(pointer) + "' does not begin with '/'");
  }
  for (std::size_t i = 0; i < pointer.size(); ++i) {
    const char c = pointer[i];
    if (c == '/') {
      tokens.emplace_back();
    } else if (c == '~') {
      const char escape = i + 1 < pointer.size() ? pointer[i + 1] : '\0';
      if (escape != '0' && escape != '1') {
        throw Error(ErrorCode::invalid_argument,
                    "JSON pointer '" + std::string(pointer) + "' has '~' without 0 or 1 behind it");
      }
      tokens.back() += escape == '0' ? '~' : '/';
      ++i;
    } else {
      tokens.back() += c;
    }
  }
  return tokens;
}

std::string join_pointer(const std::vector<std::string>& tokens) {
  std::string pointer;
  for (const std::string& token : tokens) {
    pointer += '/';
    for (const char c : token) {
      if (c == '~') {
        pointer += "~0";
      } else if (c == '/') {
        pointer += "~1";
      } else {
        pointer += c;
      }
    }
  }
  return pointer;
}

const json::value* find_pointer(const json::value& document, std::string_view pointer) {
  const json::value* current = &document;
  for (const std::string& token : split_pointer(pointer)) {
    if (const auto* object = current->if_object()) {
      current = object->if_contains(token);
    } else if (const auto* array = current->if_array()) {
      const auto index = parse_integer<std::size_t>(token);
      const bool is_index = index && (token == "0" || token.front() != '0');
      current = is_index ? array->if_contains(*index) : nullptr;
    } else {
      current = nullptr;
    }
    if (current == nullptr) return nullptr;
  }
  return current;
}

}  // namespace andon::base
