// SPDX-License-Identifier: Apache-2.0
// The cookie that holds the token of a console's session, and what a page of our own shows beside
// it that no other site can know. Pure; any thread.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "wire/http/http.hpp"

namespace andon::api {

inline constexpr std::string_view kSessionCookie = "andon_session";
// The header that carries csrf_token_of().
inline constexpr std::string_view kCsrfHeader = "X-Andon-Csrf";

// With it a page says that it asks by itself, and nobody is there: no use of its session.
inline constexpr std::string_view kUnattendedHeader = "X-Andon-Unattended";

// What a browser has begun at the identity provider (single_sign_on.hpp).
inline constexpr std::string_view kSignOnCookie = "andon_sign_on";

// The session's token; nothing where there is none, or two of the name.
[[nodiscard]] std::optional<std::string> session_token_of(const wire::HttpRequest& request);

// The value of Set-Cookie: HttpOnly, SameSite=Strict, only for /console, Secure by TLS.
[[nodiscard]] std::string session_cookie(std::string_view token, std::chrono::seconds lasts,
                                         bool is_tls);
[[nodiscard]] std::string ended_cookie(bool is_tls);

// The same of kSignOnCookie; its value is lax, as it must come back from another site, and is sent
// to where that leads alone.
[[nodiscard]] std::optional<std::string> sign_on_cookie_of(const wire::HttpRequest& request);
[[nodiscard]] std::string sign_on_cookie(std::string_view value, std::chrono::seconds lasts,
                                         bool is_tls);

// Made of the token, so that nothing is kept of it.
[[nodiscard]] std::string csrf_token_of(std::string_view session_token);
// Whether the header has it, and no other site's page has sent the request (Origin,
// Sec-Fetch-Site).
[[nodiscard]] bool is_from_own_page(const wire::HttpRequest& request,
                                    std::string_view session_token);

// Whether a page of this server has sent the request, as its Origin says: for what is asked for
// without that header, and changes something or tells more than its answer (WebSockets).
[[nodiscard]] bool is_from_own_origin(const wire::HttpRequest& request);

}  // namespace andon::api
