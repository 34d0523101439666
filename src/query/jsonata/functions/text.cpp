// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>

#include "base/text/encoding.hpp"
#include "base/text/utf8.hpp"
#include "query/document/utf8.hpp"
#include "query/jsonata/functions/functions.hpp"

namespace andon::query::jsonata {
namespace {

constexpr double kMostPadding = 7'000'000;

// Where code point `index` of `text` begins.
std::size_t byte_of(std::string_view text, double index) {
  std::size_t at = 0;
  for (double i = 0; i < index && at < text.size(); ++i) at += code_point_at(text, at).length;
  return at;
}

// JavaScript's slice: negative positions count from the end, fractions are cut.
std::string slice(const std::string& text, double begin, double end) {
  const auto length = static_cast<double>(count_code_points(text));
  const auto place = [length](double at) {
    at = std::isnan(at) ? 0 : std::trunc(at);
    return at < 0 ? std::max(0.0, at + length) : std::min(at, length);
  };
  const double from = place(begin);
  const double to = place(end);
  if (from >= to) return "";
  const std::size_t first = byte_of(text, from);
  return text.substr(first, byte_of(std::string_view(text).substr(first), to - from));
}

Value string(Evaluator& evaluator, const Items& arguments, const Value& /*context*/) {
  if (arguments[0].is_undefined()) return {};
  const bool pretty = arguments.size() > 1 && arguments[1].is_bool() && arguments[1].boolean();
  std::string text = evaluator.text_of(arguments[0], pretty);
  evaluator.charge(text.size());
  return text;
}

Value substring(Evaluator& evaluator, const Items& arguments, const Value& /*context*/) {
  if (arguments[0].is_undefined()) return {};
  const std::string& text = arguments[0].string();
  evaluator.charge(text.size());
  const auto length = static_cast<double>(count_code_points(text));
  double start = arguments[1].is_undefined() ? 0 : arguments[1].number();
  if (length + start < 0) start = 0;
  if (arguments.size() < 3 || arguments[2].is_undefined()) return slice(text, start, length);
  const double count = arguments[2].number();
  if (count <= 0) return std::string();
  return slice(text, start, start >= 0 ? start + count : length + start + count);
}

Value substring_before(Evaluator& evaluator, const Items& arguments, const Value& /*context*/) {
  if (arguments[0].is_undefined()) return {};
  const std::string& text = arguments[0].string();
  evaluator.charge(text.size());
  if (arguments[1].is_undefined()) return text;
  return text.substr(0, text.find(arguments[1].string()));
}

Value substring_after(Evaluator& evaluator, const Items& arguments, const Value& /*context*/) {
  if (arguments[0].is_undefined()) return {};
  const std::string& text = arguments[0].string();
  evaluator.charge(text.size());
  if (arguments[1].is_undefined()) return text;
  const std::size_t at = text.find(arguments[1].string());
  return at == std::string::npos ? text : text.substr(at + arguments[1].string().size());
}

template <char32_t (*change)(char32_t)>
Value change_case(Evaluator& evaluator, const Items& arguments, const Value& /*context*/) {
  if (arguments[0].is_undefined()) return {};
  const std::string& text = arguments[0].string();
  evaluator.charge(text.size());
  std::string result;
  for (std::size_t i = 0; i < text.size();) {
    const CodePoint point = code_point_at(text, i);
    if (point.value == 0xDF && change == upper_case) {
      result += "SS";
    } else {
      append_utf8(result, change(point.value));
    }
    i += point.length;
  }
  return result;
}

Value length(Evaluator& evaluator, const Items& arguments, const Value& /*context*/) {
  if (arguments[0].is_undefined()) return {};
  evaluator.spend(arguments[0].string().size() / 64);
  return static_cast<double>(count_code_points(arguments[0].string()));
}

Value trim(Evaluator& evaluator, const Items& arguments, const Value& /*context*/) {
  if (arguments[0].is_undefined()) return {};
  const std::string& text = arguments[0].string();
  evaluator.charge(text.size());
  std::string result;
  for (const char c : text) {
    const bool space = c == ' ' || c == '\t' || c == '\n' || c == '\r';
    if (!space) {
      result += c;
    } else if (!result.empty() && result.back() != ' ') {
      result += ' ';
    }
  }
  if (!result.empty() && result.back() == ' ') result.pop_back();
  return result;
}

Value pad(Evaluator& evaluator, const Items& arguments, const Value& /*context*/) {
  if (arguments[0].is_undefined()) return {};
  const std::string& text = arguments[0].string();
  if (arguments[1].is_undefined()) return text;
  const double width = std::trunc(arguments[1].number());
  std::string filler = " ";
  if (arguments.size() > 2 && arguments[2].is_string() && !arguments[2].string().empty()) {
    filler = arguments[2].string();
  }
  const double missing = std::abs(width) - static_cast<double>(count_code_points(text));
  if (!(missing > 0)) return text;
  if (missing > kMostPadding) throw Error("", "Expression evaluation memory limit exceeded");
  const std::u32string unit = to_code_points(filler);
  std::string padding;
  for (std::size_t i = 0; i < static_cast<std::size_t>(missing); ++i) {
    append_utf8(padding, unit[i % unit.size()]);
  }
  evaluator.charge(padding.size() + text.size());
  return width > 0 ? text + padding : padding + text;
}

Value join(Evaluator& evaluator, const Items& arguments, const Value& /*context*/) {
  if (arguments[0].is_undefined()) return {};
  const std::string separator =
      arguments.size() > 1 && arguments[1].is_string() ? arguments[1].string() : "";
  std::string result;
  for (std::size_t i = 0; i < arguments[0].size(); ++i) {
    if (i > 0) result += separator;
    const Value item = arguments[0].item(i);
    if (item.is_string()) result += item.string();
    evaluator.spend();
  }
  evaluator.charge(result.size());
  return result;
}

Value base64_encode(Evaluator& evaluator, const Items& arguments, const Value& /*context*/) {
  if (arguments[0].is_undefined()) return {};
  evaluator.charge(2 * arguments[0].string().size());
  return base::to_base64(arguments[0].string());
}

Value base64_decode(Evaluator& evaluator, const Items& arguments, const Value& /*context*/) {
  if (arguments[0].is_undefined()) return {};
  evaluator.charge(arguments[0].string().size());
  // Decoded as far as it is base64, with or without padding, either alphabet.
  std::string clean;
  for (const char c : arguments[0].string()) {
    const char plain = c == '-' ? '+' : (c == '_' ? '/' : c);
    const bool letter = (plain >= 'A' && plain <= 'Z') || (plain >= 'a' && plain <= 'z') ||
                        (plain >= '0' && plain <= '9') || plain == '+' || plain == '/';
    if (plain == '=') break;
    if (letter) clean += plain;
  }
  if (clean.size() % 4 == 1) clean.pop_back();
  // The last letter's spare bits are dropped, as lenient decoders do.
  if (clean.size() % 4 != 0) {
    constexpr std::string_view kAlphabet =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const std::size_t spare = clean.size() % 4 == 2 ? 16 : 4;
    const std::size_t value = kAlphabet.find(clean.back());
    clean.back() = kAlphabet[value - value % spare];
  }
  while (clean.size() % 4 != 0) clean += '=';
  const std::string bytes = base::from_base64(clean).value_or("");
  std::string text;
  for (std::size_t i = 0; i < bytes.size();) {
    const CodePoint point = code_point_at(bytes, i);
    append_utf8(text, point.value);  // bytes that are no UTF-8 become U+0080..U+00FF
    i += point.length;
  }
  return text;
}

std::string percent_encode(std::string_view text, std::string_view kept) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string result;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
                       kept.find(c) != std::string_view::npos;
    if (plain) {
      result += c;
    } else {
      result += '%';
      result += kHex[byte >> 4U];
      result += kHex[byte & 0x0FU];
    }
  }
  return result;
}

constexpr std::string_view kComponentCharacters = "-_.!~*'()";
constexpr std::string_view kUrlCharacters = "-_.!~*'();/?:@&=+$,#";

template <const std::string_view& kept>
Value encode_url(Evaluator& evaluator, const Items& arguments, const Value& /*context*/) {
  if (arguments[0].is_undefined()) return {};
  evaluator.charge(3 * arguments[0].string().size());
  return percent_encode(arguments[0].string(), kept);
}

std::string decode(const std::string& text, std::string_view stay_encoded,
                   const std::string& function) {
  std::string result;
  bool good = true;
  for (std::size_t i = 0; i < text.size() && good; ++i) {
    if (text[i] != '%') {
      result += text[i];
      continue;
    }
    const auto byte = i + 3 <= text.size() ? base::from_hex(text.substr(i + 1, 2)) : std::nullopt;
    good = byte.has_value();
    if (!good) break;
    if (stay_encoded.find(byte->front()) != std::string_view::npos) {
      result += text.substr(i, 3);
    } else {
      result += *byte;
    }
    i += 2;
  }
  if (!good || !base::is_utf8(result)) {
    throw Error("D3140", "Malformed URL passed to $" + function +
                             "(): " + base::to_text(json::value(json::string(text))));
  }
  return result;
}

Value decode_component(Evaluator& evaluator, const Items& arguments, const Value& /*context*/) {
  if (arguments[0].is_undefined()) return {};
  evaluator.charge(arguments[0].string().size());
  return decode(arguments[0].string(), "", "decodeUrlComponent");
}

Value decode_url(Evaluator& evaluator, const Items& arguments, const Value& /*context*/) {
  if (arguments[0].is_undefined()) return {};
  evaluator.charge(arguments[0].string().size());
  return decode(arguments[0].string(), ";/?:@&=+$,#", "decodeUrl");
}

}  // namespace

const std::vector<NativeEntry>& text_functions() {
  static const std::vector<NativeEntry> table = {
      {"string", "<x-b?:s>", 1, string},
      {"substring", "<s-nn?:s>", 3, substring},
      {"substringBefore", "<s-s:s>", 2, substring_before},
      {"substringAfter", "<s-s:s>", 2, substring_after},
      {"lowercase", "<s-:s>", 1, change_case<lower_case>},
      {"uppercase", "<s-:s>", 1, change_case<upper_case>},
      {"length", "<s-:n>", 1, length},
      {"trim", "<s-:s>", 1, trim},
      {"pad", "<s-ns?:s>", 3, pad},
      {"join", "<a<s>s?:s>", 2, join},
      {"base64encode", "<s-:s>", 1, base64_encode},
      {"base64decode", "<s-:s>", 1, base64_decode},
      {"encodeUrlComponent", "<s-:s>", 1, encode_url<kComponentCharacters>},
      {"encodeUrl", "<s-:s>", 1, encode_url<kUrlCharacters>},
      {"decodeUrlComponent", "<s-:s>", 1, decode_component},
      {"decodeUrl", "<s-:s>", 1, decode_url},
  };
  return table;
}

}  // namespace andon::query::jsonata
