// SPDX-License-Identifier: Apache-2.0
#include "wire/smtp/mail_message.hpp"

#include <algorithm>

#include "base/text/ascii.hpp"
#include "base/text/encoding.hpp"

namespace andon::wire {
namespace {

constexpr std::size_t kMostLocalPart = 64;
constexpr std::size_t kEncodedLine = 76;  // RFC 2045, 6.8
constexpr std::size_t kWordBytes = 42;    // 56 characters of base64: a word has at most 75

// At most `most` bytes, and no part of a character.
std::string_view cut(std::string_view text, std::size_t most) {
  if (text.size() <= most) return text;
  std::size_t end = most;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) --end;
  return text.substr(0, end);
}

// RFC 2047: words of base64, one a line.
std::string encoded_subject(std::string_view subject) {
  std::string line;
  for (const char c : subject) line += base::is_control(c) ? ' ' : c;
  std::string_view left = cut(line, kMostMailSubject);
  const bool is_plain = std::ranges::all_of(left, [](char c) { return c >= ' ' && c <= '~'; }) &&
                        left.find("=?") == std::string_view::npos && left.size() <= kEncodedLine;
  if (is_plain) return std::string(left);
  std::string words;
  while (!left.empty()) {
    const std::string_view word = cut(left, kWordBytes);
    // Of what is no UTF-8 there may be no end of a character.
    const std::string_view taken = word.empty() ? left.substr(0, kWordBytes) : word;
    if (!words.empty()) words += "\r\n ";
    words += "=?UTF-8?B?" + base::to_base64(taken) + "?=";
    left.remove_prefix(taken.size());
  }
  return words;
}

std::string with_line_ends(std::string_view text) {
  std::string made;
  for (const char c : text) {
    if (c == '\r') continue;
    if (c == '\n') made += '\r';
    made += c;
  }
  return made;
}

}  // namespace

bool is_mail_address(std::string_view text) {
  const std::size_t at = text.find('@');
  if (at == std::string_view::npos || text.size() > kMostMailAddress || at > kMostLocalPart) {
    return false;
  }
  const std::string_view host = text.substr(at + 1);
  return base::is_name_of(text.substr(0, at), "._%+-=") && base::is_name_of(host, ".-") &&
         text.front() != '-' && host.front() != '-' && host.front() != '.' && host.back() != '.';
}

std::string to_mail_text(const Mail& mail, base::Timestamp now) {
  std::string date = base::to_http_date(now);
  if (date.ends_with("GMT")) date.replace(date.size() - 3, 3, "+0000");
  const std::string host = mail.from.substr(mail.from.find('@') + 1);
  std::string text = "Date: " + date + "\r\nFrom: <" + mail.from + ">\r\nTo: <" + mail.to +
                     ">\r\nSubject: " + encoded_subject(mail.subject) + "\r\nMessage-ID: <" +
                     mail.id + "@" + host +
                     ">\r\nAuto-Submitted: auto-generated\r\nMIME-Version: 1.0\r\n"
                     "Content-Type: text/plain; charset=utf-8\r\n"
                     "Content-Transfer-Encoding: base64\r\n\r\n";
  // Encoded, so that no line is too long, none is a lone dot, and none ends the mail.
  const std::string body = base::to_base64(with_line_ends(cut(mail.text, kMostMailText)));
  for (std::size_t at = 0; at < body.size(); at += kEncodedLine) {
    text += body.substr(at, kEncodedLine) + "\r\n";
  }
  return text;
}

}  // namespace andon::wire
