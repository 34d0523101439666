// SPDX-License-Identifier: Apache-2.0
// The parts of a URL, read by the library that will also make the call, so that who checks a host
// and who connects to it cannot disagree. Pure; any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace andon::wire {

struct Url {
  std::string scheme;  // "http", "https"
  std::string host;    // in lower case; an IPv6 address in brackets
  std::uint16_t port = 0;
  std::string path;   // "/" where there is none; percent-encoded as given
  std::string query;  // without the '?'
};

// Nothing for what is no absolute URL of http or https, or has a user, a fragment, blanks or
// control characters in it.
[[nodiscard]] std::optional<Url> read_url(const std::string& text);

}  // namespace andon::wire
