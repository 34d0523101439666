// SPDX-License-Identifier: Apache-2.0
// The line that a fresh Debian runs as root to become a device: sh, apt and coreutils do for it.
// Pure; any thread.
#pragma once

#include <string>

namespace andon::fleet {

struct EnrolLine {
  std::string url;             // "https://host:8443", of the device plane
  std::string repository_key;  // an OpenPGP public key, binary
  std::string ca_pem;          // the CA's certificate: apt believes the server by it
  std::string token;           // "andon1.…"
  std::string proxy;  // "http://proxy:3128", by which the device reaches the server; or empty
};

// Throws invalid_argument for a proxy that cannot be in the line; there may be none.
void require_enrol_proxy(const std::string& proxy);

// One line without a line end, shorter than the 4,095 bytes that a terminal takes. It brings what
// apt must believe, installs andon-edge and hands the token to /usr/lib/andon/enrol by a pipe, so
// that no other user sees it in a list of processes. Throws invalid_argument where the host is none
// that apt's configuration can name (an IPv6 address), the proxy is none or has a password in it,
// which every user of the device would see, or what is given would not fit.
[[nodiscard]] std::string to_shell(const EnrolLine& line);

}  // namespace andon::fleet
