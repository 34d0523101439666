// SPDX-License-Identifier: Apache-2.0
#include "policy/language/condition.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <optional>

#include "base/error/error.hpp"
#include "base/json/json.hpp"
#include "base/text/ascii.hpp"
#include "base/text/encoding.hpp"
#include "base/text/number.hpp"
#include "base/time/time.hpp"

namespace andon::policy {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::size_t kMostConditions = 100;
constexpr std::size_t kMostValues = 500;

struct Address {
  std::array<unsigned char, sizeof(in6_addr)> bytes{};
  int family = AF_UNSPEC;
  unsigned bits = 0;  // that count
};

constexpr unsigned kBitsOfV4 = 32;
constexpr unsigned kBitsOfV6 = 128;
constexpr unsigned kBitsOfByte = 8;

// "10.0.0.0/8", "2001:db8::1". IPv4 within IPv6 (::ffff:10.0.0.1) is IPv4.
std::optional<Address> parse_address(std::string_view text) {
  const std::size_t slash = text.find('/');
  const std::string host(text.substr(0, slash));
  Address address;
  constexpr std::string_view kMapped = "::ffff:";
  const bool is_mapped =
      base::to_lower(host).starts_with(kMapped) && host.find('.') != std::string::npos;
  const std::string plain = is_mapped ? host.substr(kMapped.size()) : host;
  if (inet_pton(AF_INET, plain.c_str(), address.bytes.data()) == 1) {
    address.family = AF_INET;
    address.bits = kBitsOfV4;
  } else if (inet_pton(AF_INET6, plain.c_str(), address.bytes.data()) == 1) {
    address.family = AF_INET6;
    address.bits = kBitsOfV6;
  } else {
    return std::nullopt;
  }
  if (slash != std::string_view::npos) {
    const auto bits = base::parse_integer<unsigned>(text.substr(slash + 1), 0, address.bits);
    if (!bits || is_mapped) return std::nullopt;
    address.bits = *bits;
  }
  return address;
}

bool is_within(const Address& given, const Address& range) {
  if (given.family != range.family || given.bits < range.bits) return false;
  for (unsigned bit = 0; bit < range.bits; ++bit) {
    const unsigned shift = kBitsOfByte - 1 - bit % kBitsOfByte;
    const auto differ = static_cast<unsigned>(given.bytes.at(bit / kBitsOfByte) ^
                                              range.bytes.at(bit / kBitsOfByte));
    if (((differ >> shift) & 1U) != 0) return false;
  }
  return true;
}

// A date, a date and time, or seconds since 1970; in milliseconds.
std::optional<double> parse_date(const std::string& text) {
  constexpr double kMillis = 1000;
  if (const auto seconds = base::parse_number(text)) return *seconds * kMillis;
  auto time = base::parse_iso8601(text);
  if (!time) time = base::parse_iso8601(text + "T00:00:00Z");
  if (!time) return std::nullopt;
  return static_cast<double>(base::to_epoch_millis(*time));
}

std::string scalar_text(const base::json::value& value) {
  if (value.is_string()) return std::string(value.as_string());
  if (value.is_bool()) return value.as_bool() ? "true" : "false";
  if (value.is_number()) return base::to_text(value);
  throw Error(ErrorCode::invalid_argument, "a value is no text, number or flag");
}

template <typename Value>
bool is_in_order(const Value& given, const Value& wanted, auto order) {
  using Order = decltype(order);
  switch (order) {
    case Order::equal:
      return given == wanted;
    case Order::less:
      return given < wanted;
    case Order::less_or_equal:
      return given <= wanted;
    case Order::greater:
      return given > wanted;
    case Order::greater_or_equal:
      return given >= wanted;
  }
  return false;
}

}  // namespace

const Condition::Operator* Condition::find_operator(std::string_view name) {
  using enum Kind;
  using enum Order;
  static constexpr std::array kOperators = {
      Operator{"StringEquals", text, equal, false, false},
      Operator{"StringNotEquals", text, equal, true, false},
      Operator{"StringEqualsIgnoreCase", text, equal, false, true},
      Operator{"StringNotEqualsIgnoreCase", text, equal, true, true},
      Operator{"StringLike", like, equal, false, false},
      Operator{"StringNotLike", like, equal, true, false},
      Operator{"NumericEquals", number, equal, false, false},
      Operator{"NumericNotEquals", number, equal, true, false},
      Operator{"NumericLessThan", number, less, false, false},
      Operator{"NumericLessThanEquals", number, less_or_equal, false, false},
      Operator{"NumericGreaterThan", number, greater, false, false},
      Operator{"NumericGreaterThanEquals", number, greater_or_equal, false, false},
      Operator{"DateEquals", date, equal, false, false},
      Operator{"DateNotEquals", date, equal, true, false},
      Operator{"DateLessThan", date, less, false, false},
      Operator{"DateLessThanEquals", date, less_or_equal, false, false},
      Operator{"DateGreaterThan", date, greater, false, false},
      Operator{"DateGreaterThanEquals", date, greater_or_equal, false, false},
      Operator{"Bool", flag, equal, false, true},
      Operator{"BinaryEquals", bytes, equal, false, false},
      Operator{"IpAddress", address, equal, false, false},
      Operator{"NotIpAddress", address, equal, true, false},
      Operator{"ArnEquals", arn, equal, false, false},
      Operator{"ArnLike", arn, equal, false, false},
      Operator{"ArnNotEquals", arn, equal, true, false},
      Operator{"ArnNotLike", arn, equal, true, false},
      Operator{"Null", null, equal, false, true},
  };
  const auto found = std::ranges::find_if(kOperators, [&](const Operator& candidate) {
    return base::equal_ignoring_case(candidate.name, name);
  });
  return found == kOperators.end() ? nullptr : &*found;
}

Condition::Condition(std::string_view operator_name, std::string_view key,
                     const base::json::value& values, Variables variables)
    : key_(base::to_lower(key)) {
  std::string_view name = operator_name;
  const auto take_prefix = [&name](std::string_view prefix) {
    if (!base::to_lower(name).starts_with(base::to_lower(prefix))) return false;
    name.remove_prefix(prefix.size());
    return true;
  };
  if (take_prefix("ForAllValues:")) set_ = Set::all;
  if (set_ == Set::one && take_prefix("ForAnyValue:")) set_ = Set::any;
  constexpr std::string_view kIfExists = "IfExists";
  if (name.size() > kIfExists.size() &&
      base::equal_ignoring_case(name.substr(name.size() - kIfExists.size()), kIfExists)) {
    is_optional_ = true;
    name.remove_suffix(kIfExists.size());
  }
  operator_ = find_operator(name);
  const bool is_null = operator_ != nullptr && operator_->kind == Kind::null;
  if (operator_ == nullptr || (is_null && (is_optional_ || set_ != Set::one))) {
    throw Error(ErrorCode::invalid_argument, "there is no condition operator '" +
                                                 std::string(operator_name.substr(0, 100)) + "'");
  }
  if (key_.empty()) throw Error(ErrorCode::invalid_argument, "a condition's key is empty");
  if (const auto* list = values.if_array()) {
    if (list->size() > kMostValues) {
      throw Error(ErrorCode::invalid_argument, "a condition has more than 500 values");
    }
    for (const auto& value : *list) add_value(scalar_text(value), variables);
  } else {
    add_value(scalar_text(values), variables);
  }
  if (is_null) {
    if (values_.size() != 1) {
      throw Error(ErrorCode::invalid_argument, "Null takes one value, true or false");
    }
    wants_absence_ = base::to_lower(values_.front().text()) == "true";
  }
}

void Condition::add_value(const std::string& text, Variables variables) {
  const bool has_wildcards = operator_->kind == Kind::like || operator_->kind == Kind::arn;
  const Pattern pattern(
      text, {.wildcards = has_wildcards ? PatternSyntax::Wildcards::match
                                        : PatternSyntax::Wildcards::are_letters,
             .variables = variables == Variables::replace ? PatternSyntax::Variables::replace
                                                          : PatternSyntax::Variables::are_text,
             .letter_case = operator_->ignores_case ? PatternSyntax::Case::ignored
                                                    : PatternSyntax::Case::matters});
  const auto require = [&](bool is_good, const char* what) {
    if (is_good || pattern.has_variables()) return;
    throw Error(ErrorCode::invalid_argument,
                std::string(operator_->name) + ": \"" + text.substr(0, 100) + "\" is no " + what);
  };
  switch (operator_->kind) {
    case Kind::number:
      require(base::parse_number(text).has_value(), "number");
      break;
    case Kind::date:
      require(parse_date(text).has_value(), "date");
      break;
    case Kind::flag:
    case Kind::null:
      require(base::to_lower(text) == "true" || base::to_lower(text) == "false", "true or false");
      break;
    case Kind::bytes:
      require(base::from_base64(text).has_value(), "base64");
      break;
    case Kind::address:
      require(parse_address(text).has_value(), "address or range of addresses");
      break;
    case Kind::arn:
      require(text == "*" || text.starts_with("arn:") || text.starts_with("*"), "ARN");
      break;
    case Kind::text:
    case Kind::like:
      break;
  }
  values_.push_back(pattern);
}

bool Condition::compare(const std::string& given, const std::string& wanted) const {
  switch (operator_->kind) {
    case Kind::number: {
      const auto left = base::parse_number(given);
      const auto right = base::parse_number(wanted);
      return left && right && is_in_order(*left, *right, operator_->order);
    }
    case Kind::date: {
      const auto left = parse_date(given);
      const auto right = parse_date(wanted);
      return left && right && is_in_order(*left, *right, operator_->order);
    }
    case Kind::address: {
      const auto left = parse_address(given);
      const auto right = parse_address(wanted);
      return left && right && is_within(*left, *right);
    }
    default:
      return false;
  }
}

// Whether one value of the request fits one of the policy's; not yet turned round.
bool Condition::is_met_by(const std::string& given, const Context& context) const {
  return std::ranges::any_of(values_, [&](const Pattern& wanted) {
    switch (operator_->kind) {
      case Kind::number:
      case Kind::date:
      case Kind::address: {
        if (!wanted.has_variables()) return compare(given, wanted.text());
        std::string expanded;
        return wanted.expand(context, expanded) == Fit::yes && compare(given, expanded);
      }
      case Kind::arn:
        return wanted.fit_arn(given, context) == Fit::yes;
      case Kind::text:
      case Kind::like:
      case Kind::flag:
      case Kind::bytes:
      case Kind::null:
        break;
    }
    return wanted.fit(given, context) == Fit::yes;
  });
}

bool Condition::holds(const Context& context) const {
  const auto* given = context.find(key_);
  if (operator_->kind == Kind::null) return (given == nullptr) == wants_absence_;
  if (given == nullptr) {
    if (is_optional_ || set_ == Set::all) return true;
    return operator_->is_negated && set_ == Set::one;
  }
  const auto is_good = [&](const std::string& value) {
    return is_met_by(value, context) != operator_->is_negated;
  };
  // Without a set operator, of a key with several values: one that fits, or none that must not.
  const bool needs_all = set_ == Set::all || (set_ == Set::one && operator_->is_negated);
  return needs_all ? std::ranges::all_of(*given, is_good) : std::ranges::any_of(*given, is_good);
}

std::vector<Condition> read_conditions(const base::json::value& block, Variables variables) {
  const auto* operators = block.if_object();
  if (operators == nullptr) {
    throw Error(ErrorCode::invalid_argument, "Condition: must be an object");
  }
  std::vector<Condition> conditions;
  for (const auto& [name, keys] : *operators) {
    const auto* members = keys.if_object();
    if (members == nullptr) {
      throw Error(ErrorCode::invalid_argument,
                  "Condition: " + std::string(name).substr(0, 100) + " must hold an object");
    }
    for (const auto& [key, values] : *members) {
      if (conditions.size() == kMostConditions) {
        throw Error(ErrorCode::invalid_argument, "Condition: more than 100 of them");
      }
      try {
        conditions.emplace_back(name, key, values, variables);
      } catch (Error& error) {
        throw error.with_context("Condition");
      }
    }
  }
  return conditions;
}

}  // namespace andon::policy
