// SPDX-License-Identifier: Apache-2.0
#include "query/rulesql/rule_expression.hpp"

#include <cmath>
#include <compare>
#include <limits>
#include <utility>

#include "base/text/ascii.hpp"
#include "base/text/number.hpp"

namespace andon::query {
namespace {

namespace json = base::json;
using Expression = RuleExpression;
using Kind = RuleExpression::Kind;

// Where a path of members leads in the message, without a copy; null where it is another
// expression, or undefined.
const json::value* find_member(const Expression& expression, const RuleMessage& message) {
  if (expression.kind == Kind::everything) return message.payload;
  if (expression.kind != Kind::member) return nullptr;
  const json::value* const of =
      expression.children.empty() ? message.payload : find_member(expression.children[0], message);
  const json::object* const object = of == nullptr ? nullptr : of->if_object();
  return object == nullptr ? nullptr : object->if_contains(expression.text);
}

bool is_path(const Expression& expression) {
  if (expression.kind == Kind::everything) return true;
  return expression.kind == Kind::member &&
         (expression.children.empty() || is_path(expression.children[0]));
}

RuleValue member(const Expression& expression, const RuleMessage& message) {
  if (is_path(expression)) {
    const json::value* const found = find_member(expression, message);
    return found == nullptr ? RuleValue() : RuleValue(*found);
  }
  const RuleValue of = evaluate(expression.children[0], message);
  const json::object* const object = of ? of->if_object() : nullptr;
  const json::value* const found =
      object == nullptr ? nullptr : object->if_contains(expression.text);
  return found == nullptr ? RuleValue() : RuleValue(*found);
}

RuleValue element(const Expression& expression, const RuleMessage& message) {
  const RuleValue of = evaluate(expression.children[0], message);
  const RuleValue index = evaluate(expression.children[1], message);
  if (!of || !index) return std::nullopt;
  if (const json::array* const array = of->if_array(); array != nullptr && index->is_int64()) {
    const std::int64_t at = index->get_int64();
    if (at < 0 || at >= std::ssize(*array)) return std::nullopt;
    return (*array)[static_cast<std::size_t>(at)];
  }
  if (const json::object* const object = of->if_object(); object != nullptr && index->is_string()) {
    const json::value* const found = object->if_contains(index->get_string());
    return found == nullptr ? RuleValue() : RuleValue(*found);
  }
  return std::nullopt;
}

std::optional<bool> truth(const RuleValue& value) {
  if (!value) return std::nullopt;
  if (value->is_bool()) return value->get_bool();
  if (value->is_string()) {
    if (base::equal_ignoring_case(value->get_string(), "true")) return true;
    if (base::equal_ignoring_case(value->get_string(), "false")) return false;
  }
  return std::nullopt;
}

// `decides` settles it; what is undefined leaves it undefined unless another settles it.
RuleValue chain(const Expression& expression, const RuleMessage& message, bool decides) {
  bool is_known = true;
  for (const Expression& child : expression.children) {
    const auto verdict = truth(evaluate(child, message));
    if (!verdict) {
      is_known = false;
    } else if (*verdict == decides) {
      return json::value(decides);
    }
  }
  return is_known ? RuleValue(!decides) : RuleValue();
}

// Numbers, and texts of numbers beside numbers; texts beside texts.
std::optional<std::partial_ordering> order(const json::value& left, const json::value& right) {
  if (left.is_string() && right.is_string()) {
    return std::string_view(left.get_string()) <=> std::string_view(right.get_string());
  }
  if (left.is_int64() && right.is_int64()) return left.get_int64() <=> right.get_int64();
  const auto one = rule_number(left);
  const auto other = rule_number(right);
  if (!one || !other) return std::nullopt;
  return *one <=> *other;
}

bool is_equal(const json::value& left, const json::value& right) {
  if (const auto found = order(left, right)) return *found == std::partial_ordering::equivalent;
  return left == right;
}

RuleValue compare(const Expression& expression, const RuleMessage& message) {
  const RuleValue left = evaluate(expression.children[0], message);
  const RuleValue right = evaluate(expression.children[1], message);
  if (!left || !right) return std::nullopt;
  const std::string& sign = expression.text;
  if (sign == "=") return json::value(is_equal(*left, *right));
  if (sign == "<>" || sign == "!=") return json::value(!is_equal(*left, *right));
  const auto found = order(*left, *right);
  if (!found) return std::nullopt;
  if (sign == "<") return json::value(*found < 0);
  if (sign == "<=") return json::value(*found <= 0);
  if (sign == ">") return json::value(*found > 0);
  return json::value(*found >= 0);
}

RuleValue whole(char sign, std::int64_t left, std::int64_t right) {
  std::int64_t result = 0;
  bool is_over = false;
  switch (sign) {
    case '+':
      is_over = __builtin_add_overflow(left, right, &result);
      break;
    case '-':
      is_over = __builtin_sub_overflow(left, right, &result);
      break;
    case '*':
      is_over = __builtin_mul_overflow(left, right, &result);
      break;
    default:
      if (right == 0) return std::nullopt;
      // The one quotient that is too large.
      if (right == -1) return sign == '%' ? RuleValue(0) : whole('-', 0, left);
      if (sign == '%') return json::value(left % right);
      if (left % right == 0) return json::value(left / right);
      return json::value(static_cast<double>(left) / static_cast<double>(right));
  }
  if (!is_over) return json::value(result);
  const auto a = static_cast<double>(left);
  const auto b = static_cast<double>(right);
  return json::value(sign == '+' ? a + b : sign == '-' ? a - b : a * b);
}

RuleValue calculate(const Expression& expression, const RuleMessage& message) {
  const RuleValue left = evaluate(expression.children[0], message);
  const RuleValue right = evaluate(expression.children[1], message);
  if (!left || !right) return std::nullopt;
  const char sign = expression.text.front();
  if (left->is_int64() && right->is_int64()) {
    return whole(sign, left->get_int64(), right->get_int64());
  }
  if (sign == '+' && (left->is_string() || right->is_string())) {
    const auto one = rule_text(left);
    const auto other = rule_text(right);
    if (!one || !other || one->size() + other->size() > RuleSql::kMostMade) return std::nullopt;
    return json::value(json::string(*one + *other));
  }
  const auto one = rule_number(left);
  const auto other = rule_number(right);
  if (!one || !other) return std::nullopt;
  switch (sign) {
    case '+':
      return rule_number_value(*one + *other);
    case '-':
      return rule_number_value(*one - *other);
    case '*':
      return rule_number_value(*one * *other);
    default:
      if (*other == 0) return std::nullopt;
      return rule_number_value(sign == '%' ? std::fmod(*one, *other) : *one / *other);
  }
}

RuleValue cast(const Expression& expression, const RuleMessage& message) {
  const RuleValue value = evaluate(expression.children[0], message);
  if (!value || expression.text == "value") return value;
  if (expression.text == "string") {
    const auto text = rule_text(value);
    return text ? RuleValue(json::string(*text)) : RuleValue();
  }
  if (expression.text == "boolean") {
    if (value->is_int64()) return json::value(value->get_int64() != 0);
    const auto known = truth(value);
    return known ? RuleValue(*known) : RuleValue();
  }
  if (value->is_bool()) return json::value(value->get_bool() ? 1 : 0);
  if (value->is_int64() && expression.text != "decimal") return value;
  const auto number = rule_number(value);
  if (!number) return std::nullopt;
  return expression.text == "decimal" ? RuleValue(*number)
                                      : RuleValue(rule_number_value(std::trunc(*number)));
}

RuleValue choose(const Expression& expression, const RuleMessage& message) {
  const std::vector<Expression>& all = expression.children;
  std::size_t i = 0;
  for (; i + 1 < all.size(); i += 2) {
    if (truth(evaluate(all[i], message)).value_or(false)) return evaluate(all[i + 1], message);
  }
  return i < all.size() ? evaluate(all[i], message) : RuleValue();
}

RuleValue match(const Expression& expression, const RuleMessage& message) {
  const std::vector<Expression>& all = expression.children;
  const RuleValue subject = evaluate(all[0], message);
  std::size_t i = 1;
  for (; i + 1 < all.size(); i += 2) {
    const RuleValue wanted = subject ? evaluate(all[i], message) : RuleValue();
    if (wanted && is_equal(*subject, *wanted)) return evaluate(all[i + 1], message);
  }
  return i < all.size() ? evaluate(all[i], message) : RuleValue();
}

RuleValue is_within(const Expression& expression, const RuleMessage& message) {
  const RuleValue value = evaluate(expression.children[0], message);
  const RuleValue list = evaluate(expression.children[1], message);
  const json::array* const array = list ? list->if_array() : nullptr;
  if (!value || array == nullptr) return std::nullopt;
  for (const json::value& one : *array) {
    if (is_equal(*value, one)) return json::value(true);
  }
  return json::value(false);
}

}  // namespace

RuleValue evaluate(const Expression& expression, const RuleMessage& message) {
  switch (expression.kind) {
    case Kind::literal:
      return expression.literal;
    case Kind::member:
      return member(expression, message);
    case Kind::everything:
      return message.payload == nullptr ? RuleValue() : RuleValue(*message.payload);
    case Kind::element:
      return element(expression, message);
    case Kind::array: {
      json::array made;
      for (const Expression& child : expression.children) {
        if (RuleValue value = evaluate(child, message)) made.push_back(*std::move(value));
      }
      return json::value(std::move(made));
    }
    case Kind::object: {
      json::object made;
      for (std::size_t i = 0; i < expression.children.size(); ++i) {
        if (RuleValue value = evaluate(expression.children[i], message)) {
          made[expression.names[i]] = *std::move(value);
        }
      }
      return json::value(std::move(made));
    }
    case Kind::call: {
      std::vector<RuleValue> arguments;
      arguments.reserve(expression.children.size());
      for (const Expression& child : expression.children) {
        arguments.push_back(evaluate(child, message));
      }
      return expression.function(arguments, message);
    }
    case Kind::cast:
      return cast(expression, message);
    case Kind::negate: {
      const RuleValue value = evaluate(expression.children[0], message);
      if (value && value->is_int64()) return whole('-', 0, value->get_int64());
      const auto number = rule_number(value);
      return number ? RuleValue(-*number) : RuleValue();
    }
    case Kind::negative: {
      const auto verdict = truth(evaluate(expression.children[0], message));
      return verdict ? RuleValue(!*verdict) : RuleValue();
    }
    case Kind::both:
      return chain(expression, message, false);
    case Kind::either:
      return chain(expression, message, true);
    case Kind::compare:
      return compare(expression, message);
    case Kind::calculate:
      return calculate(expression, message);
    case Kind::within:
      return is_within(expression, message);
    case Kind::choose:
      return choose(expression, message);
    case Kind::match:
      return match(expression, message);
  }
  return std::nullopt;
}

std::optional<std::string> rule_text(const RuleValue& value) {
  if (!value) return std::nullopt;
  if (value->is_string()) return std::string(value->get_string());
  if (value->is_double()) return base::number_text(value->get_double());
  return base::to_text(*value);
}

std::optional<double> rule_number(const RuleValue& value) {
  if (!value) return std::nullopt;
  if (value->is_number()) return value->to_number<double>();
  if (value->is_string()) return base::parse_number(value->get_string());
  return std::nullopt;
}

json::value rule_number_value(double number) {
  constexpr double kLargest = 9'007'199'254'740'992.0;  // each whole number up to it is exact
  if (std::trunc(number) == number && std::abs(number) <= kLargest) {
    return static_cast<std::int64_t>(number);
  }
  return number;
}

}  // namespace andon::query
