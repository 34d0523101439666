// SPDX-License-Identifier: Apache-2.0
// Which hosts workflows may call: those that the operator has listed, none by default. An entry is
// HOST, HOST:PORT or http://HOST[:PORT]; without a scheme it is https, without a port the scheme's.
// "*.example.com" is every name below example.com. Pure; any thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "wire/http/url.hpp"

namespace andon::api {

class AllowedHosts {
 public:
  AllowedHosts() = default;
  // Throws invalid_argument that names the entry.
  explicit AllowedHosts(const std::vector<std::string>& entries);

  [[nodiscard]] bool empty() const { return entries_.empty(); }
  [[nodiscard]] bool allows(const wire::Url& url) const;

 private:
  struct Entry {
    std::string scheme;
    std::string host;    // a name, or
    std::string suffix;  // ".example.com"
    std::uint16_t port;
  };
  std::vector<Entry> entries_;
};

}  // namespace andon::api
