// SPDX-License-Identifier: Apache-2.0
// What somebody sends who wants to sign in to the console. Values; pure.
#pragma once

#include <string>
#include <string_view>
#include <variant>

namespace andon::api {

struct PasswordSignIn {
  std::string user;
  std::string password;
  std::string new_password;  // empty: none
};
struct KeySignIn {
  std::string access_key_id;
  std::string secret;
  std::string session_token;  // of temporary credentials; else empty
};
// A token of an OpenID provider takes a role, as AssumeRoleWithWebIdentity.
struct TokenSignIn {
  std::string role_arn;
  std::string token;
  std::string session_name;
};
struct LinkSignIn {
  std::string token;
};
using SignInRequest = std::variant<PasswordSignIn, KeySignIn, TokenSignIn, LinkSignIn>;

// A JSON object with the members of one of the four ("user", "password", "newPassword";
// "accessKeyId", "secretAccessKey", "sessionToken"; "roleArn", "webIdentityToken",
// "roleSessionName"; "link"). Throws invalid_argument, without what was sent.
[[nodiscard]] SignInRequest read_sign_in(std::string_view body);

inline constexpr std::size_t kMostSignInBytes = 32'768;

}  // namespace andon::api
