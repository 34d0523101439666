// SPDX-License-Identifier: Apache-2.0
// Room: smtp. Mails as text, and how they get to a mail server.
// A mail of plain text as RFC 5322 and MIME have it: whatever its subject and text hold, they are
// in it as data. Pure; any thread.
#pragma once

#include <string>
#include <string_view>

#include "base/time/time.hpp"

namespace andon::wire {

inline constexpr std::size_t kMostMailAddress = 254;  // RFC 5321, 4.5.3.1.3
inline constexpr std::size_t kMostMailSubject = 200;
inline constexpr std::size_t kMostMailText = 64U << 10U;

struct Mail {
  std::string from;  // addresses
  std::string to;
  std::string subject;  // UTF-8; cut to kMostMailSubject
  std::string text;     // UTF-8; cut to kMostMailText
  std::string id;       // of letters, digits, '-' and '.': the same mail sent again has the same
};

// "name@host": without blanks, quotes, comments and control characters, in ASCII.
[[nodiscard]] bool is_mail_address(std::string_view text);

// The whole mail, with CRLF as line ends.
[[nodiscard]] std::string to_mail_text(const Mail& mail, base::Timestamp now);

}  // namespace andon::wire
