// SPDX-License-Identifier: Apache-2.0
#include "api/signin/sign_in_request.hpp"

#include "base/error/error.hpp"
#include "base/json/json_reader.hpp"

namespace andon::api {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::size_t kDeepest = 4;

base::json::value parsed(std::string_view body) {
  try {
    return base::parse_json(body, "request body",
                            {.max_bytes = kMostSignInBytes, .max_depth = kDeepest});
  } catch (const Error&) {  // whose message may show some of a password
    throw Error(ErrorCode::invalid_argument, "the request body is not a JSON object");
  }
}

std::string text(const base::JsonReader& reader, std::string_view key) {
  return reader.optional_string(key).value_or("");
}

}  // namespace

SignInRequest read_sign_in(std::string_view body) {
  const base::json::value value = parsed(body);
  const base::JsonReader reader(value, "", {.separator = ": "});
  if (reader.has("link")) {
    reader.allow_only({"link"});
    return LinkSignIn{reader.required_text("link")};
  }
  if (reader.has("accessKeyId")) {
    reader.allow_only({"accessKeyId", "secretAccessKey", "sessionToken"});
    return KeySignIn{reader.required_text("accessKeyId"), reader.required_text("secretAccessKey"),
                     text(reader, "sessionToken")};
  }
  if (reader.has("webIdentityToken")) {
    reader.allow_only({"roleArn", "webIdentityToken", "roleSessionName"});
    const std::string name = text(reader, "roleSessionName");
    return TokenSignIn{reader.required_text("roleArn"), reader.required_text("webIdentityToken"),
                       name.empty() ? "console" : name};
  }
  if (reader.has("user")) {
    reader.allow_only({"user", "password", "newPassword"});
    return PasswordSignIn{reader.required_text("user"), reader.required_text("password"),
                          text(reader, "newPassword")};
  }
  throw Error(ErrorCode::invalid_argument,
              "one of these is needed: user and password; accessKeyId and secretAccessKey; roleArn "
              "and webIdentityToken; link");
}

}  // namespace andon::api
