// SPDX-License-Identifier: Apache-2.0
#include "base/json.hpp"

#include <algorithm>
#include <array>
#include <boost/json/serialize.hpp>
#include <boost/json/stream_parser.hpp>
#include <charconv>
#include <cmath>

#include "base/error.hpp"

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

std::string number_text(double number) {
  if (!std::isfinite(number)) return "null";
  std::array<char, 32> buffer{};
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), number).ptr;
  std::string text(buffer.data(), end);
  if (text.find_first_of(".e") == std::string::npos) text += ".0";
  return text;
}

class Printer {
 public:
  explicit Printer(bool pretty) : pretty_(pretty) {}

  void print(const json::value& value, std::size_t depth) {
    switch (value.kind()) {
      case json::kind::object:
        print_object(value.get_object(), depth);
        break;
      case json::kind::array:
        print_array(value.get_array(), depth);
        break;
      case json::kind::double_:
        text_ += number_text(value.get_double());
        break;
      default:
        text_ += json::serialize(value);
    }
  }

  [[nodiscard]] std::string take() { return std::move(text_); }

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
      text_ += json::serialize(json::string(key));
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
  std::string text_;
};

bool is_missing(const json::value* value) {
  return value == nullptr || value->is_null();
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
  json::stream_parser parser({}, options);
  boost::system::error_code error;
  const std::size_t parsed = parser.write_some(text.data(), text.size(), error);
  if (!error && parsed < text.size()) error = json::error::extra_data;
  if (!error) parser.finish(error);
  if (error) {
    throw Error(ErrorCode::invalid_argument,
                name + " is not valid JSON: " + error.message() + " at " + place(text, parsed));
  }
  return parser.release();
}

std::string to_text(const json::value& value) {
  Printer printer(false);
  printer.print(value, 0);
  return printer.take();
}

std::string to_pretty_text(const json::value& value) {
  Printer printer(true);
  printer.print(value, 0);
  return printer.take() + '\n';
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
      std::size_t index = 0;
      const auto [end, error] = std::from_chars(token.data(), token.data() + token.size(), index);
      const bool is_index = error == std::errc{} && end == token.data() + token.size() &&
                            (token == "0" || token.front() != '0');
      current = is_index ? array->if_contains(index) : nullptr;
    } else {
      current = nullptr;
    }
    if (current == nullptr) return nullptr;
  }
  return current;
}

JsonReader::JsonReader(const json::value& value, std::string where)
    : object_(value.if_object()), where_(std::move(where)) {
  if (object_ == nullptr) {
    throw Error(ErrorCode::invalid_argument, where_ + " must be an object");
  }
}

const json::value* JsonReader::find(std::string_view key) const {
  const json::value* member = object_->if_contains(key);
  return is_missing(member) ? nullptr : member;
}

std::string JsonReader::path(std::string_view key) const {
  return where_.empty() ? std::string(key) : where_ + "." + std::string(key);
}

std::optional<std::string> JsonReader::optional_string(std::string_view key) const {
  const json::value* member = find(key);
  if (member == nullptr) return std::nullopt;
  if (!member->is_string()) {
    throw Error(ErrorCode::invalid_argument, path(key) + " must be a string");
  }
  return std::string(member->get_string());
}

std::optional<std::int64_t> JsonReader::optional_integer(std::string_view key) const {
  const json::value* member = find(key);
  if (member == nullptr) return std::nullopt;
  boost::system::error_code error;
  const auto number = member->to_number<std::int64_t>(error);
  if (error) throw Error(ErrorCode::invalid_argument, path(key) + " must be a whole number");
  return number;
}

std::optional<double> JsonReader::optional_number(std::string_view key) const {
  const json::value* member = find(key);
  if (member == nullptr) return std::nullopt;
  boost::system::error_code error;
  const auto number = member->to_number<double>(error);
  if (error) throw Error(ErrorCode::invalid_argument, path(key) + " must be a number");
  return number;
}

std::optional<bool> JsonReader::optional_bool(std::string_view key) const {
  const json::value* member = find(key);
  if (member == nullptr) return std::nullopt;
  if (!member->is_bool()) {
    throw Error(ErrorCode::invalid_argument, path(key) + " must be true or false");
  }
  return member->get_bool();
}

const json::object* JsonReader::optional_object(std::string_view key) const {
  const json::value* member = find(key);
  if (member == nullptr) return nullptr;
  if (!member->is_object()) {
    throw Error(ErrorCode::invalid_argument, path(key) + " must be an object");
  }
  return &member->get_object();
}

const json::array* JsonReader::optional_array(std::string_view key) const {
  const json::value* member = find(key);
  if (member == nullptr) return nullptr;
  if (!member->is_array()) {
    throw Error(ErrorCode::invalid_argument, path(key) + " must be a list");
  }
  return &member->get_array();
}

std::string JsonReader::string(std::string_view key) const {
  auto text = optional_string(key);
  if (!text) throw Error(ErrorCode::invalid_argument, path(key) + " is missing");
  return *std::move(text);
}

std::int64_t JsonReader::integer(std::string_view key) const {
  const auto number = optional_integer(key);
  if (!number) throw Error(ErrorCode::invalid_argument, path(key) + " is missing");
  return *number;
}

JsonReader JsonReader::child(std::string_view key) const {
  const json::value* member = find(key);
  if (member == nullptr) throw Error(ErrorCode::invalid_argument, path(key) + " is missing");
  return {*member, path(key)};
}

}  // namespace andon::base
