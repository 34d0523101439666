// SPDX-License-Identifier: Apache-2.0
// The operators of JSONata: arithmetic, comparison, inclusion, ranges, concatenation.
#include <algorithm>
#include <cmath>

#include "query/document/utf8.hpp"
#include "query/jsonata/evaluate/evaluator.hpp"

namespace andon::query::jsonata {
namespace {

bool is_whole(double number) {
  return std::isfinite(number) && number == std::trunc(number);
}

}  // namespace

double Evaluator::checked_number(double number) {
  if (std::isinf(number)) {
    throw Error("D1001",
                std::string("Number out of range: ") + (number < 0 ? "-" : "") + "Infinity");
  }
  return number;
}

std::optional<bool> Evaluator::truth(const Value& value) {
  if (value.is_undefined()) return std::nullopt;
  if (value.is_bool()) return value.boolean();
  if (value.is_string()) return !value.string().empty();
  if (value.is_number()) {
    if (std::isnan(value.number())) return false;
    return checked_number(value.number()) != 0;
  }
  if (value.is_list()) {
    if (value.size() == 1) return truth(value.item(0));
    for (std::size_t i = 0; i < value.size(); ++i) {
      if (truth(value.item(i)).value_or(false)) return true;
    }
    return false;
  }
  if (value.is_object()) return value.member_count() > 0;
  return false;
}

Value Evaluator::binary(const Node& node, const Value& input, const FramePtr& frame) {
  const std::string& op = node.text;
  const Value left = evaluate(*node.left, input, frame);
  const auto right_truth = [&] {
    return truth(evaluate(*node.right, input, frame)).value_or(false);
  };
  if (op == "and") return truth(left).value_or(false) && right_truth();
  if (op == "or") return truth(left).value_or(false) || right_truth();
  const Value right = evaluate(*node.right, input, frame);
  if (op == "=" || op == "!=") {
    if (left.is_undefined() || right.is_undefined()) return false;
    return deep_equal(left, right) == (op == "=");
  }
  if (op == "&") {
    std::string text = left.is_undefined() ? "" : text_of(left);
    if (!right.is_undefined()) text += text_of(right);
    charge(text.size());
    return text;
  }
  if (op == "..") return range(left, right);
  if (op == "in") {
    if (left.is_undefined() || right.is_undefined()) return false;
    const bool scalar = left.is_string() || left.is_number() || left.is_bool() || left.is_null();
    const auto same = [&](const Value& item) {
      if (!scalar) return left.is_same(item);
      return type_letter(left) == type_letter(item) && deep_equal(left, item);
    };
    if (!right.is_list()) return same(right);
    spend(right.size());
    for (std::size_t i = 0; i < right.size(); ++i) {
      if (same(right.item(i))) return true;
    }
    return false;
  }
  if (op == "<" || op == "<=" || op == ">" || op == ">=") return comparison(node, left, right);
  return arithmetic(node, left, right);
}

Value Evaluator::arithmetic(const Node& node, const Value& left, const Value& right) {
  const auto check = [&node](const Value& value, const char* code, const char* side) {
    if (value.is_undefined()) return;
    if (!value.is_number() || std::isnan(value.number())) {
      throw Error(code,
                  std::string("The ") + side + " side of the " + in_quotes(node.text) +
                      " operator must evaluate to a number",
                  node.position);
    }
    (void)checked_number(value.number());
  };
  check(left, "T2001", "left");
  check(right, "T2002", "right");
  if (left.is_undefined() || right.is_undefined()) return {};
  const double a = left.number();
  const double b = right.number();
  switch (node.text.front()) {
    case '+':
      return a + b;
    case '-':
      return a - b;
    case '*':
      return a * b;
    case '/':
      return a / b;
    default:
      return std::fmod(a, b);
  }
}

Value Evaluator::comparison(const Node& node, const Value& left, const Value& right) {
  const auto comparable = [](const Value& value) {
    return value.is_undefined() || value.is_string() || value.is_number();
  };
  if (!comparable(left) || !comparable(right)) {
    throw Error("T2010",
                "The expressions either side of operator " + in_quotes(node.text) +
                    " must evaluate to numeric or string values",
                node.position);
  }
  if (left.is_undefined() || right.is_undefined()) return {};
  if (left.is_string() != right.is_string()) {
    throw Error("T2009",
                "The values " + shown(left) + " and " + shown(right) + " either side of operator " +
                    in_quotes(node.text) + " must be of the same data type",
                node.position);
  }
  const std::string& op = node.text;
  if (left.is_number()) {
    const double a = left.number();
    const double b = right.number();
    if (op == "<") return a < b;
    if (op == "<=") return a <= b;
    return op == ">" ? a > b : a >= b;
  }
  const int order = compare_utf16(left.string(), right.string());
  if (op == "<") return order < 0;
  if (op == "<=") return order <= 0;
  return op == ">" ? order > 0 : order >= 0;
}

Value Evaluator::range(const Value& left, const Value& right) {
  if (!left.is_undefined() && !(left.is_number() && is_whole(left.number()))) {
    throw Error("T2003", "The left side of the range operator (..) must evaluate to an integer");
  }
  if (!right.is_undefined() && !(right.is_number() && is_whole(right.number()))) {
    throw Error("T2004", "The right side of the range operator (..) must evaluate to an integer");
  }
  if (left.is_undefined() || right.is_undefined()) return {};
  if (left.number() > right.number()) return {};
  const double size = right.number() - left.number() + 1;
  constexpr double kMost = 1e7;
  if (size > kMost) {
    throw Error("D2014",
                "The size of the sequence allocated by the range operator (..) must not exceed "
                "1e7.  Attempted to allocate " +
                    number_text(size) + ".");
  }
  const auto count = static_cast<std::size_t>(size);
  if (count > kMaxItems) throw Error("", "Expression evaluation memory limit exceeded");
  charge(count * kItemBytes);
  spend(count);
  Items items(count);
  for (std::size_t i = 0; i < count; ++i) items[i] = left.number() + static_cast<double>(i);
  ListPtr result = make_list(std::move(items));
  result->sequence = true;
  return result;
}

}  // namespace andon::query::jsonata
