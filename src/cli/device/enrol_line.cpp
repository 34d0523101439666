// SPDX-License-Identifier: Apache-2.0
#include "cli/device/enrol_line.hpp"

#include <fmt/format.h>

#include <string_view>

#include "base/error/error.hpp"
#include "base/text/ascii.hpp"
#include "base/text/encoding.hpp"

namespace andon::cli {
namespace {

constexpr std::size_t kMostOfATerminal = 4'000;
constexpr std::string_view kScheme = "https://";

[[noreturn]] void refuse(const std::string& why) {
  throw base::Error(base::ErrorCode::invalid_argument, why);
}

std::string host_of(const std::string& url) {
  const std::string_view rest =
      url.starts_with(kScheme) ? std::string_view(url).substr(kScheme.size()) : "";
  const std::size_t colon = rest.find(':');
  const std::string_view host = rest.substr(0, colon);
  const std::string_view port = colon == rest.npos ? "443" : rest.substr(colon + 1);
  if (!base::is_name_of(host, "-.") || !base::is_name_of(port, "")) {
    refuse("apt cannot be told of a server at '" + url +
           "': start andon-server with --host and a name or an IPv4 address first");
  }
  return std::string(host);
}

// For printf: lines by \n. PEM has no other letters than these.
std::string pem_for_printf(const std::string& pem) {
  std::string text;
  for (const char c : pem) {
    if (c == '\n') {
      text += "\\n";
    } else if (c != '\r') {
      if (!base::is_name_of(std::string_view(&c, 1), "+/=- ")) refuse("the CA is not in PEM");
      text += c;
    }
  }
  return text;
}

}  // namespace

std::string to_shell(const EnrolLine& line) {
  const std::string host = host_of(line.url);
  if (!base::is_name_of(line.token, "-._")) refuse("the token is not one");
  // In parentheses, so that a shell that goes on keeps its own settings; read whole before it runs.
  std::string text = fmt::format(
      "(set -e; umask 022; cd /etc/apt; mkdir -p keyrings; "
      "printf %s '{}' | base64 -d >keyrings/andon.gpg; "
      "printf -- '{}' >keyrings/andon-ca.pem; "
      "echo 'Acquire::https::{} {{ CaInfo \"/etc/apt/keyrings/andon-ca.pem\"; Proxy "
      "\"DIRECT\"; }};' >apt.conf.d/60andon; "
      "echo 'deb [signed-by=/etc/apt/keyrings/andon.gpg] {}/packages/ stable main' "
      ">sources.list.d/andon.list; "
      "export DEBIAN_FRONTEND=noninteractive; "
      "apt-get -qq -o Acquire::http::Timeout=10 update || :; "
      "apt-get -qq -y --no-install-recommends install andon-edge </dev/null; "
      "printf %s '{}' | /usr/lib/andon/enrol)",
      base::to_base64(line.repository_key), pem_for_printf(line.ca_pem), host, line.url,
      line.token);
  if (text.size() > kMostOfATerminal) {
    refuse(
        fmt::format("the line would have {} bytes, more than terminals take: is the repository's "
                    "key an Ed25519 one, as ./dev package makes it?",
                    text.size()));
  }
  return text;
}

}  // namespace andon::cli
