// SPDX-License-Identifier: Apache-2.0
// Room: sessions. People who have signed in: sessions of the console, and links that sign in once.
// What the tables hold, as values.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/time/time.hpp"

namespace andon::control {

// How somebody signed in.
enum class SignInBy : std::uint8_t { password, key, identity_token, link };
[[nodiscard]] std::string_view to_string(
    SignInBy by);  // "password", "key", "identityToken", "link"

struct ConsoleSession {
  std::string id;         // to be shown; the token is a secret, and not kept
  std::string principal;  // "operator", "user/<id>", "role/<id>/<session>"
  SignInBy by = SignInBy::password;
  std::string access_key;  // that it was begun with, and ends with; empty: none
  std::string address;     // where it was begun
  std::string user_agent;
  base::Timestamp begun;
  base::Timestamp used;  // to the minute
  base::Timestamp ends;
  // Of the key that it was begun with: allows no more than this policy document; empty: none.
  std::string session_policy = {};
};

struct NewSession {
  std::string principal;
  SignInBy by = SignInBy::password;
  std::string access_key = {};
  std::string address = {};
  std::string user_agent = {};
};

struct BegunSession {
  ConsoleSession session;
  std::string token;  // 256 bits at random
};

inline constexpr std::chrono::hours kSessionLasts{12};
inline constexpr std::chrono::hours kSessionIdles{1};
inline constexpr std::chrono::minutes kSignInLinkLasts{15};

}  // namespace andon::control
