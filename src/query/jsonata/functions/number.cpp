// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <charconv>
#include <cmath>

#include "query/jsonata/functions/functions.hpp"
#include "query/regex/regex.hpp"

namespace andon::query::jsonata {
namespace {

Value sum(Evaluator& evaluator, const Items& arguments, const Value& /*context*/) {
  if (arguments[0].is_undefined()) return {};
  double total = 0;
  evaluator.spend(arguments[0].size());
  for (std::size_t i = 0; i < arguments[0].size(); ++i) total += arguments[0].item(i).number();
  return total;
}

Value count(Evaluator& /*evaluator*/, const Items& arguments, const Value& /*context*/) {
  return static_cast<double>(arguments[0].is_undefined() ? 0 : arguments[0].size());
}

template <bool largest>
Value extreme(Evaluator& evaluator, const Items& arguments, const Value& /*context*/) {
  if (arguments[0].is_undefined() || arguments[0].size() == 0) return {};
  evaluator.spend(arguments[0].size());
  double best = arguments[0].item(0).number();
  for (std::size_t i = 1; i < arguments[0].size(); ++i) {
    const double number = arguments[0].item(i).number();
    if (std::isnan(number)) return number;
    best = largest ? std::max(best, number) : std::min(best, number);
  }
  return best;
}

Value average(Evaluator& evaluator, const Items& arguments, const Value& context) {
  if (arguments[0].is_undefined() || arguments[0].size() == 0) return {};
  return sum(evaluator, arguments, context).number() / static_cast<double>(arguments[0].size());
}

Value number(Evaluator& /*evaluator*/, const Items& arguments, const Value& /*context*/) {
  const Value& value = arguments[0];
  if (value.is_undefined() || value.is_number()) return value;
  if (value.is_bool()) return value.boolean() ? 1.0 : 0.0;
  const std::string& text = value.string();
  static const Regex decimal("^-?[0-9]+(\\.[0-9]+)?([Ee][-+]?[0-9]+)?$", {});
  if (text.size() < 1000 && decimal.search(text)) {
    const double read = read_number(text);
    if (std::isfinite(read)) return read;
  } else if (text.size() > 2 && text.size() < 200 && text[0] == '0') {
    const char kind = static_cast<char>(text[1] | 0x20);
    const int radix = kind == 'x' ? 16 : (kind == 'o' ? 8 : (kind == 'b' ? 2 : 0));
    double result = 0;
    bool good = radix != 0;
    for (std::size_t i = 2; i < text.size() && good; ++i) {
      int digit = -1;
      const auto parsed = std::from_chars(&text[i], &text[i] + 1, digit, radix);
      good = parsed.ec == std::errc{} && text[i] != '-';
      result = result * radix + digit;
    }
    if (good) return result;
  }
  throw Error("D3030", "Unable to cast value to a number: " + shown(value));
}

template <double (*change)(double)>
Value apply(Evaluator& /*evaluator*/, const Items& arguments, const Value& /*context*/) {
  if (arguments[0].is_undefined()) return {};
  return change(arguments[0].number());
}

double floor_of(double value) {
  return std::floor(value);
}
double ceiling_of(double value) {
  return std::ceil(value);
}
double magnitude(double value) {
  return std::abs(value);
}

Value round(Evaluator& /*evaluator*/, const Items& arguments, const Value& /*context*/) {
  if (arguments[0].is_undefined()) return {};
  constexpr double kMost = 400;
  double digits = arguments.size() > 1 && arguments[1].is_number() ? arguments[1].number() : 0;
  digits = std::isnan(digits) ? 0 : std::clamp(std::trunc(digits), -kMost, kMost);
  return round_half_even(arguments[0].number(), static_cast<int>(digits));
}

Value square_root(Evaluator& /*evaluator*/, const Items& arguments, const Value& /*context*/) {
  if (arguments[0].is_undefined()) return {};
  if (arguments[0].number() < 0) {
    throw Error("D3060", "The sqrt function cannot be applied to a negative number: " +
                             number_text(arguments[0].number()));
  }
  return std::sqrt(arguments[0].number());
}

Value power(Evaluator& /*evaluator*/, const Items& arguments, const Value& /*context*/) {
  if (arguments[0].is_undefined()) return {};
  if (arguments[1].is_undefined()) return std::nan("");
  const double result = std::pow(arguments[0].number(), arguments[1].number());
  if (!std::isfinite(result)) {
    throw Error("D3061",
                "The power function has resulted in a value that cannot be represented as a JSON "
                "number: base=" +
                    number_text(arguments[0].number()) +
                    ", exponent=" + number_text(arguments[1].number()));
  }
  return result;
}

Value number_picture(Evaluator& /*evaluator*/, const Items& arguments, const Value& /*context*/) {
  if (arguments[0].is_undefined()) return {};
  return format_number(arguments[0].number(), arguments[1].is_string() ? arguments[1].string() : "",
                       arguments.size() > 2 ? arguments[2] : Value());
}

Value format_base(Evaluator& /*evaluator*/, const Items& arguments, const Value& /*context*/) {
  if (arguments[0].is_undefined()) return {};
  double value = round_half_even(arguments[0].number(), 0);
  const bool given = arguments.size() > 1 && arguments[1].is_number();
  const double radix = given ? round_half_even(arguments[1].number(), 0) : 10;
  if (!(radix >= 2 && radix <= 36)) {
    throw Error("D3100",
                "The radix of the formatBase function must be between 2 and 36.  It was given " +
                    number_text(radix));
  }
  if (radix == 10 || !std::isfinite(value)) return number_text(value);
  constexpr std::string_view kDigits = "0123456789abcdefghijklmnopqrstuvwxyz";
  const bool negative = value < 0;
  value = std::abs(value);
  std::string text;
  do {
    text.insert(text.begin(), kDigits[static_cast<std::size_t>(std::fmod(value, radix))]);
    value = std::floor(value / radix);
  } while (value > 0);
  return negative ? "-" + text : text;
}

Value integer_picture(Evaluator& /*evaluator*/, const Items& arguments, const Value& /*context*/) {
  if (arguments[0].is_undefined()) return {};
  return format_integer(std::floor(arguments[0].number()),
                        arguments[1].is_string() ? arguments[1].string() : "");
}

Value integer_reading(Evaluator& /*evaluator*/, const Items& arguments, const Value& /*context*/) {
  if (arguments[0].is_undefined()) return {};
  const auto read =
      parse_integer(arguments[0].string(), arguments[1].is_string() ? arguments[1].string() : "");
  return read ? Value(*read) : Value();
}

}  // namespace

double read_number(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc::result_out_of_range) {
    const bool tiny =
        text.find("e-") != std::string_view::npos || text.find("E-") != std::string_view::npos;
    value = tiny ? 0 : HUGE_VAL;
  }
  return value;
}

double round_half_even(double number, int digits) {
  // Shifting the decimal text, not the binary number, keeps 2.675 a tie.
  const auto shifted = [](double value, int by) {
    std::string text = number_text(value);
    int exponent = by;
    if (const std::size_t e = text.find('e'); e != std::string::npos) {
      exponent += static_cast<int>(read_number(text.substr(e + (text[e + 1] == '+' ? 2 : 1))));
      text.resize(e);
    }
    return read_number(text + "e" + std::to_string(exponent));
  };
  if (!std::isfinite(number)) return number;
  const double value = digits != 0 ? shifted(number, digits) : number;
  if (!std::isfinite(value)) return std::nan("");
  double result = std::floor(value + 0.5);
  if (std::abs(value) >= 4503599627370496.0) result = value;  // 2^52: no fraction left
  if (std::abs(result - value) == 0.5 && std::abs(std::fmod(result, 2)) == 1) result -= 1;
  if (digits != 0) result = shifted(result, -digits);
  return result == 0 ? 0 : result;
}

const std::vector<NativeEntry>& number_functions() {
  static const std::vector<NativeEntry> table = {
      {"sum", "<a<n>:n>", 1, sum},
      {"count", "<a:n>", 1, count},
      {"max", "<a<n>:n>", 1, extreme<true>},
      {"min", "<a<n>:n>", 1, extreme<false>},
      {"average", "<a<n>:n>", 1, average},
      {"number", "<(nsb)-:n>", 1, number},
      {"floor", "<n-:n>", 1, apply<floor_of>},
      {"ceil", "<n-:n>", 1, apply<ceiling_of>},
      {"abs", "<n-:n>", 1, apply<magnitude>},
      {"round", "<n-n?:n>", 2, round},
      {"sqrt", "<n-:n>", 1, square_root},
      {"power", "<n-n:n>", 2, power},
      {"formatNumber", "<n-so?:s>", 3, number_picture},
      {"formatBase", "<n-n?:s>", 2, format_base},
      {"formatInteger", "<n-s:s>", 2, integer_picture},
      {"parseInteger", "<s-s:n>", 2, integer_reading},
  };
  return table;
}

}  // namespace andon::query::jsonata
