// SPDX-License-Identifier: Apache-2.0
#include "api/endpoints/allowed_hosts.hpp"

#include <algorithm>

#include "base/error/error.hpp"

namespace andon::api {

AllowedHosts::AllowedHosts(const std::vector<std::string>& entries) {
  for (const std::string& text : entries) {
    std::string url = text.find("://") == std::string::npos ? "https://" + text : text;
    const std::size_t star = url.find("://*.");
    const bool is_below = star != std::string::npos;
    if (is_below) url.erase(star + 3, 2);
    const auto parts = wire::read_url(url);
    const bool is_host = parts && parts->path == "/" && parts->query.empty() &&
                         !url.ends_with('/') && parts->host.find('*') == std::string::npos;
    if (!is_host) {
      throw base::Error(base::ErrorCode::invalid_argument,
                        "'" + text +
                            "' is no host that workflows may be allowed to call: it is HOST, "
                            "HOST:PORT or http://HOST:PORT, and HOST may begin with '*.'");
    }
    entries_.push_back({parts->scheme, is_below ? "" : parts->host,
                        is_below ? "." + parts->host : "", parts->port});
  }
}

bool AllowedHosts::allows(const wire::Url& url) const {
  return std::ranges::any_of(entries_, [&url](const Entry& entry) {
    const bool fits = entry.suffix.empty() ? url.host == entry.host
                                           : url.host.size() > entry.suffix.size() &&
                                                 url.host.ends_with(entry.suffix);
    return fits && url.scheme == entry.scheme && url.port == entry.port;
  });
}

}  // namespace andon::api
