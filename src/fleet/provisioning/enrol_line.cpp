// SPDX-License-Identifier: Apache-2.0
#include "fleet/provisioning/enrol_line.hpp"

#include <fmt/format.h>

#include <string_view>

#include "base/error/error.hpp"
#include "base/text/ascii.hpp"
#include "base/text/encoding.hpp"

namespace andon::fleet {
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

void require_enrol_proxy(const std::string& proxy) {
  if (proxy.empty()) return;
  const std::size_t host = proxy.find("://");
  const std::string scheme = proxy.substr(0, host);
  if (host == proxy.npos || (scheme != "http" && scheme != "https" && scheme != "socks5h")) {
    refuse("proxy: '" + proxy + "' must be http://, https:// or socks5h:// and HOST:PORT");
  }
  const std::string_view rest = std::string_view(proxy).substr(host + 3);
  if (rest.find('@') != rest.npos) {
    refuse(
        "proxy: what is in the line is read by others, so it has no password: see "
        "docs/install.md");
  }
  // Letters that neither a shell nor apt reads otherwise.
  if (rest.empty() || !base::is_name_of(rest, "-.:[]")) {
    refuse("proxy: '" + proxy + "' names no host and port");
  }
}

std::string to_shell(const EnrolLine& line) {
  const std::string host = host_of(line.url);
  if (!base::is_name_of(line.token, "-._")) refuse("the token is not one");
  require_enrol_proxy(line.proxy);
  // In parentheses, so that a shell that goes on keeps its own settings; read whole before it runs.
  std::string text = fmt::format(
      "(set -e; umask 022; cd /etc/apt; mkdir -p keyrings; "
      "printf %s '{}' | base64 -d >keyrings/andon.gpg; "
      "printf -- '{}' >keyrings/andon-ca.pem; "
      "echo 'Acquire::https {{ {} {{ CaInfo \"/etc/apt/keyrings/andon-ca.pem\"; }}; Proxy::{} "
      "\"{}\"; }};' >apt.conf.d/60andon; "
      "echo 'deb [signed-by=/etc/apt/keyrings/andon.gpg] {}/packages/ stable main' "
      ">sources.list.d/andon.list; "
      "export DEBIAN_FRONTEND=noninteractive; "
      // A machine that was just installed may be at its own updates.
      "n=0; until apt-get -qq -o Acquire::http::Timeout=10 update || :; "
      "apt-cache show andon-edge >/dev/null 2>&1 || [ $n = 12 ]; do n=$((n+1)); sleep 5; done; "
      "apt-get -qq -y -o DPkg::Lock::Timeout=600 --no-install-recommends install andon-edge "
      "</dev/null; "
      "printf %s '{}' | {}/usr/lib/andon/enrol)",
      base::to_base64(line.repository_key), pem_for_printf(line.ca_pem), host, host,
      line.proxy.empty() ? "DIRECT" : line.proxy, line.url, line.token,
      // As andon-edge's option.
      line.proxy.empty() ? "" : "ANDON_PROXY='" + line.proxy + "' ");
  if (text.size() > kMostOfATerminal) {
    refuse(
        fmt::format("the line would have {} bytes, more than terminals take: is the repository's "
                    "key an Ed25519 one, as ./dev package makes it?",
                    text.size()));
  }
  return text;
}

}  // namespace andon::fleet
