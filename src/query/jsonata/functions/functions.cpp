// SPDX-License-Identifier: Apache-2.0
#include "query/jsonata/functions/functions.hpp"

#include <array>
#include <cmath>
#include <cstdio>

namespace andon::query::jsonata {
namespace {

using Library = std::unordered_map<std::string_view, Native>;

const Library& library() {
  static const Library table = [] {
    Library functions;
    for (const auto* part :
         {&text_functions(), &pattern_functions(), &number_functions(), &list_functions(),
          &object_functions(), &time_functions(), &states_functions()}) {
      for (const NativeEntry& entry : *part) {
        functions.emplace(entry.name,
                          Native{std::string(entry.name), Signature::parse(entry.signature),
                                 entry.arity, entry.call});
      }
    }
    return functions;
  }();
  return table;
}

// A number at 15 significant digits, as JSONata's texts have fractions.
std::string short_number(double number) {
  if (!std::isfinite(number)) return "null";
  if (number == std::trunc(number)) return number_text(number);
  std::array<char, 40> buffer{};
  const int length = std::snprintf(buffer.data(), buffer.size(), "%.15g", number);
  return number_text(read_number({buffer.data(), static_cast<std::size_t>(length)}));
}

class TextWriter {
 public:
  TextWriter(Evaluator& evaluator, bool pretty) : evaluator_(evaluator), pretty_(pretty) {}

  void write(const Value& value, std::size_t depth) {
    evaluator_.spend();
    if (depth > 400) throw Error("D1011", "Stack overflow. The value is nested too deeply");
    if (value.is_list()) {
      write_list(value, depth);
    } else if (value.is_object()) {
      write_object(value, depth);
    } else if (value.is_string()) {
      text += base::to_text(json::value(json::string(value.string())));
    } else if (value.is_number()) {
      text += short_number(Evaluator::checked_number(value.number()));
    } else if (value.is_bool()) {
      text += value.boolean() ? "true" : "false";
    } else if (value.is_function()) {
      text += "\"\"";
    } else {
      text += "null";
    }
    constexpr std::size_t kMost = 16U << 20U;
    if (text.size() > kMost) throw Error("", "Expression evaluation memory limit exceeded");
  }

  std::string text;

 private:
  void new_line(std::size_t depth) {
    if (pretty_) text.append("\n").append(2 * depth, ' ');
  }

  void write_list(const Value& value, std::size_t depth) {
    text += '[';
    for (std::size_t i = 0; i < value.size(); ++i) {
      if (i > 0) text += ',';
      new_line(depth + 1);
      write(value.item(i), depth + 1);
    }
    if (value.size() > 0) new_line(depth);
    text += ']';
  }

  void write_object(const Value& value, std::size_t depth) {
    text += '{';
    bool first = true;
    value.each_member([&](std::string_view key, const Value& member) {
      if (member.is_undefined()) return;
      if (!first) text += ',';
      first = false;
      new_line(depth + 1);
      text += base::to_text(json::value(json::string(key)));
      text += pretty_ ? ": " : ":";
      write(member, depth + 1);
    });
    if (!first) new_line(depth);
    text += '}';
  }

  Evaluator& evaluator_;
  bool pretty_;
};

}  // namespace

const Native* find_native(std::string_view name) {
  const auto found = library().find(name);
  return found == library().end() ? nullptr : &found->second;
}

std::string Evaluator::text_of(const Value& value, bool pretty) {
  if (value.is_string()) return value.string();
  if (value.is_function()) return "";
  if (value.is_number() && !std::isfinite(value.number())) {
    throw Error("D3001", "Attempting to invoke string function on Infinity or NaN");
  }
  const List* list = value.list();
  const bool wrapped = list != nullptr && list->outer_wrapper;
  TextWriter writer(*this, pretty);
  writer.write(wrapped ? value.item(0) : value, 0);
  return std::move(writer.text);
}

}  // namespace andon::query::jsonata
