// SPDX-License-Identifier: Apache-2.0
#include "api/signin/cookie.hpp"

#include "base/text/encoding.hpp"
#include "base/text/split.hpp"
#include "trust/digests/digest.hpp"

namespace andon::api {
namespace {

constexpr std::size_t kMostCookies = 16'384;
constexpr std::size_t kMostToken = 128;
constexpr std::size_t kMostSignOn = 4096;

std::string cookie(std::string_view value, std::chrono::seconds lasts, bool is_tls) {
  std::string text =
      std::string(kSessionCookie) + "=" + std::string(value) +
      "; Path=/console; HttpOnly; SameSite=Strict; Max-Age=" + std::to_string(lasts.count());
  if (is_tls) text += "; Secure";
  return text;
}

// "http://host:8080" -> "host:8080".
std::string_view authority_of(std::string_view origin) {
  const std::size_t at = origin.find("://");
  return at == std::string_view::npos ? std::string_view() : origin.substr(at + 3);
}

bool is_from_another_site(const wire::HttpRequest& request) {
  const auto site = request.headers.find("Sec-Fetch-Site");
  if (site && *site != "same-origin" && *site != "none") return true;
  const auto origin = request.headers.find("Origin");
  return origin && authority_of(*origin) != request.headers.find("Host").value_or("");
}

}  // namespace

namespace {

// Nothing where there is none of the name, or two, or one that is too long.
std::optional<std::string> cookie_of(const wire::HttpRequest& request, std::string_view wanted,
                                     std::size_t most) {
  std::optional<std::string> token;
  for (const auto& [name, value] : request.headers.fields()) {
    if (name.size() != 6 || !wire::Headers{{name, ""}}.find("Cookie")) continue;
    if (value.size() > kMostCookies) return std::nullopt;
    for (const std::string_view piece : base::split(value, ';')) {
      const std::string_view one = base::trim(piece, " \t");
      const std::size_t equals = one.find('=');
      if (equals == std::string_view::npos || one.substr(0, equals) != wanted) continue;
      if (token) return std::nullopt;
      token = std::string(one.substr(equals + 1));
    }
  }
  if (!token || token->empty() || token->size() > most) return std::nullopt;
  return token;
}

}  // namespace

std::optional<std::string> session_token_of(const wire::HttpRequest& request) {
  return cookie_of(request, kSessionCookie, kMostToken);
}

std::optional<std::string> sign_on_cookie_of(const wire::HttpRequest& request) {
  return cookie_of(request, kSignOnCookie, kMostSignOn);
}

std::string sign_on_cookie(std::string_view value, std::chrono::seconds lasts, bool is_tls) {
  return std::string(kSignOnCookie) + "=" + std::string(value) +
         "; Path=/console/sign-on; HttpOnly; SameSite=Lax; Max-Age=" +
         std::to_string(lasts.count()) + (is_tls ? "; Secure" : "");
}

std::string session_cookie(std::string_view token, std::chrono::seconds lasts, bool is_tls) {
  return cookie(token, lasts, is_tls);
}

std::string ended_cookie(bool is_tls) {
  return cookie("", std::chrono::seconds{0}, is_tls);
}

std::string csrf_token_of(std::string_view session_token) {
  const trust::Sha256 digest = trust::hmac_sha256(session_token, "andon console csrf");
  return base::to_base64url({reinterpret_cast<const char*>(digest.data()), digest.size()});
}

bool is_from_own_page(const wire::HttpRequest& request, std::string_view session_token) {
  if (is_from_another_site(request)) return false;
  return trust::equal_in_constant_time(request.headers.find(kCsrfHeader).value_or(""),
                                       csrf_token_of(session_token));
}

bool is_from_own_origin(const wire::HttpRequest& request) {
  return request.headers.find("Origin") && !is_from_another_site(request);
}

}  // namespace andon::api
