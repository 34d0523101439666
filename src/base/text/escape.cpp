// SPDX-License-Identifier: Apache-2.0
#include "base/text/escape.hpp"

#include "base/text/ascii.hpp"
#include "base/text/encoding.hpp"
#include "base/text/utf8.hpp"

namespace andon::base {
namespace {

// Beyond ASCII: the other control characters, line and paragraph separators, and what turns text
// around, so that a name is not what it looks like.
bool steers(char32_t c) {
  return (c >= 0x80 && c <= 0x9F) || (c >= 0x200E && c <= 0x200F) || (c >= 0x2028 && c <= 0x202E) ||
         (c >= 0x2066 && c <= 0x2069);
}

std::string write_out_controls(std::string_view text, std::string_view kept) {
  std::string safe;
  safe.reserve(text.size());
  while (!text.empty()) {
    const std::size_t length = utf8_length(text);
    const std::string_view one = text.substr(0, length == 0 ? 1 : length);
    text.remove_prefix(one.size());
    const bool is_bad = length == 0 || (length == 1 && is_control(one.front())) ||
                        (length > 1 && steers(code_point_at(one, 0).value));
    if (!is_bad || kept.find(one.front()) != kept.npos) {
      safe += one;
      continue;
    }
    for (const char& c : one) safe += "\\x" + to_hex(as_bytes({&c, 1}));
  }
  return safe;
}

}  // namespace

std::string escape_markup(std::string_view text, MarkupControls controls) {
  std::string safe;
  safe.reserve(text.size());
  for (const char c : text) {
    switch (c) {
      case '&':
        safe += "&amp;";
        break;
      case '<':
        safe += "&lt;";
        break;
      case '>':
        safe += "&gt;";
        break;
      case '"':
        safe += "&quot;";
        break;
      case '\'':
        safe += "&#39;";
        break;
      case '\t':
      case '\n':
        safe += c;
        break;
      default:
        if (!is_control(c) || c == 0x7F) {
          safe += c;
        } else if (controls == MarkupControls::replace) {
          safe += '?';
        } else {
          safe.append("&#").append(std::to_string(static_cast<int>(c))).append(";");
        }
    }
  }
  return safe;
}

std::string escape_label(std::string_view text) {
  std::string safe;
  safe.reserve(text.size());
  for (const char c : text) {
    if (c == '\\' || c == '"') safe += '\\';
    if (c == '\n') {
      safe += "\\n";
    } else {
      safe += c;
    }
  }
  return safe;
}

std::string escape_json(std::string_view text) {
  std::string safe;
  safe.reserve(text.size());
  for (const char& c : text) {
    if (c == '\\' || c == '"') {
      safe.append("\\").append(1, c);
    } else if (c == '\n') {
      safe += "\\n";
    } else if (c == '\t') {
      safe += "\\t";
    } else if (static_cast<unsigned char>(c) < 0x20) {
      safe += "\\u00" + to_hex(as_bytes({&c, 1}));
    } else {
      safe += c;
    }
  }
  return safe;
}

std::string escape_controls(std::string_view text) {
  return write_out_controls(text, "\n\t");
}

std::string escape_line(std::string_view text) {
  return write_out_controls(text, {});
}

}  // namespace andon::base
