// SPDX-License-Identifier: Apache-2.0
// What anybody may send to sign in: the value of a Cookie header, a line end, the body.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "api/signin/cookie.hpp"
#include "api/signin/sign_in_request.hpp"
#include "api/signin/single_sign_on.hpp"
#include "base/error/error.hpp"
#include "base/time/time.hpp"
#include "control/passwords/password_policy.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace andon;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::size_t end = text.find('\n');
  wire::HttpRequest request;
  request.headers.add("Cookie", std::string(text.substr(0, end)));
  if (const auto token = api::session_token_of(request)) {
    (void)api::is_from_own_page(request, *token);
  }
  if (const auto cookie = api::sign_on_cookie_of(request)) {
    const base::SystemClock clock;
    const api::SingleSignOn sign_on({.issuer = "https://login.example"}, clock);
    try {
      (void)sign_on.finish({.code = "x", .state = *cookie, .issuer = ""}, *cookie, "http://x/");
    } catch (const base::Error&) {  // nobody has begun
    }
  }
  const std::string_view body = end == std::string_view::npos ? text : text.substr(end + 1);
  (void)control::password_problem(std::nullopt, "eva", body);
  try {
    (void)api::read_sign_in(body);
  } catch (const base::Error&) {
    return 0;
  }
  return 0;
}
