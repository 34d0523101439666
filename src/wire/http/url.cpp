// SPDX-License-Identifier: Apache-2.0
#include "wire/http/url.hpp"

#include <curl/curl.h>

#include <algorithm>
#include <memory>

#include "base/text/ascii.hpp"
#include "base/text/number.hpp"

namespace andon::wire {
namespace {

struct FreeUrl {
  void operator()(CURLU* url) const { curl_url_cleanup(url); }
};

// Empty where the URL has no such part.
std::string part_of(CURLU* url, CURLUPart part, unsigned flags = 0) {
  char* text = nullptr;
  if (curl_url_get(url, part, &text, flags) != CURLUE_OK) return {};
  std::string copy = text;
  curl_free(text);
  return copy;
}

}  // namespace

std::optional<Url> read_url(const std::string& text) {
  const bool is_plain = std::ranges::none_of(text, [](char c) {
    return base::is_control(c) || c == ' ' || c == '\\' ||
           (static_cast<unsigned char>(c) & 0x80) != 0;
  });
  const std::size_t host = text.find("://");
  if (!is_plain || host == std::string::npos || text[host + 3] == '/') return std::nullopt;
  const std::unique_ptr<CURLU, FreeUrl> url(curl_url());
  if (url == nullptr) return std::nullopt;
  if (curl_url_set(url.get(), CURLUPART_URL, text.c_str(), CURLU_DISALLOW_USER) != CURLUE_OK) {
    return std::nullopt;
  }
  Url parts{.scheme = base::to_lower(part_of(url.get(), CURLUPART_SCHEME)),
            .host = base::to_lower(part_of(url.get(), CURLUPART_HOST)),
            .path = part_of(url.get(), CURLUPART_PATH),
            .query = part_of(url.get(), CURLUPART_QUERY)};
  const auto port =
      base::parse_integer<std::uint16_t>(part_of(url.get(), CURLUPART_PORT, CURLU_DEFAULT_PORT));
  const bool is_http = parts.scheme == "http" || parts.scheme == "https";
  if (!is_http || parts.host.empty() || !port || *port == 0) return std::nullopt;
  if (text.find('#') != std::string::npos) return std::nullopt;
  parts.port = *port;
  return parts;
}

}  // namespace andon::wire
