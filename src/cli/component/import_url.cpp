// SPDX-License-Identifier: Apache-2.0
#include "cli/component/import_url.hpp"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>
#include <tuple>

#include "base/error/error.hpp"
#include "base/text/escape.hpp"
#include "wire/http/url.hpp"

namespace andon::cli {
namespace {

using base::Error;
using base::ErrorCode;

struct Network {
  std::uint32_t address;
  int bits;
};

// RFC 6890, and multicast and what is reserved.
constexpr std::array<Network, 10> kPrivate{{{0x00000000, 8},
                                            {0x0a000000, 8},
                                            {0x64400000, 10},
                                            {0x7f000000, 8},
                                            {0xa9fe0000, 16},
                                            {0xac100000, 12},
                                            {0xc0000000, 24},
                                            {0xc0a80000, 16},
                                            {0xc6120000, 15},
                                            {0xe0000000, 3}}};

bool is_private_v4(std::uint32_t address) {
  return std::ranges::any_of(kPrivate, [&](const Network& network) {
    return (address ^ network.address) >> static_cast<unsigned>(32 - network.bits) == 0;
  });
}

bool is_private_v6(const in6_addr& address) {
  const auto* const bytes = &address.s6_addr[0];
  const auto v4_at = [&](int offset) {
    std::uint32_t value = 0;
    std::memcpy(&value, bytes + offset, sizeof value);
    return ntohl(value);
  };
  constexpr std::array<std::uint8_t, 12> kTranslated{0, 0x64, 0xff, 0x9b};  // RFC 6052
  const bool is_global = (bytes[0] & 0xe0U) == 0x20;                        // 2000::/3
  if (std::equal(kTranslated.begin(), kTranslated.end(), bytes)) return is_private_v4(v4_at(12));
  if (bytes[0] == 0x20 && bytes[1] == 0x02) return is_private_v4(v4_at(2));  // 6to4
  if (IN6_IS_ADDR_V4MAPPED(&address) != 0) return is_private_v4(v4_at(12));
  return !is_global;
}

bool is_private(const sockaddr& address) {
  if (address.sa_family == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, &address, sizeof v4);
    return is_private_v4(ntohl(v4.sin_addr.s_addr));
  }
  if (address.sa_family == AF_INET6) {
    sockaddr_in6 v6{};
    std::memcpy(&v6, &address, sizeof v6);
    return is_private_v6(v6.sin6_addr);
  }
  return true;
}

wire::Url url_of(const std::string& text) {
  const auto url = wire::read_url(text);
  if (url) return *url;
  throw Error(ErrorCode::invalid_argument, "\"" + base::escape_line(text) +
                                               "\" is no URL of http or https, or has a user or a "
                                               "fragment in it");
}

}  // namespace

bool has_private_address(const std::string& host) {
  std::string name = host;
  if (name.starts_with('[') && name.ends_with(']')) name = name.substr(1, name.size() - 2);
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* list = nullptr;
  const int failure = getaddrinfo(name.c_str(), nullptr, &hints, &list);
  if (failure != 0) {
    throw Error(ErrorCode::unavailable, "the address of " + base::escape_line(host) +
                                            " is not known: " + gai_strerror(failure));
  }
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> found(list, &freeaddrinfo);
  for (const addrinfo* one = found.get(); one != nullptr; one = one->ai_next) {
    if (is_private(*one->ai_addr)) return true;
  }
  return false;
}

void require_public(const std::string& url, const std::string& named) {
  const wire::Url wanted = url_of(url);
  if (!named.empty()) {
    const wire::Url given = url_of(named);
    if (std::tie(wanted.scheme, wanted.host, wanted.port) ==
        std::tie(given.scheme, given.host, given.port)) {
      return;
    }
  }
  if (!has_private_address(wanted.host)) return;
  throw Error(ErrorCode::permission_denied,
              "the recipe names an artifact at " + base::escape_line(wanted.host) +
                  ", which is an address of this machine or of a network of its own; where you "
                  "trust the recipe with that, say --private-addresses");
}

}  // namespace andon::cli
