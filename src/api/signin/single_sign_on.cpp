// SPDX-License-Identifier: Apache-2.0
#include "api/signin/single_sign_on.hpp"

#include <algorithm>
#include <utility>

#include "base/error/error.hpp"
#include "base/json/json_reader.hpp"
#include "base/text/ascii.hpp"
#include "base/text/encoding.hpp"
#include "base/text/id.hpp"
#include "trust/digests/digest.hpp"
#include "trust/keys/jwt.hpp"

namespace andon::api {
namespace {

namespace json = base::json;
using base::Error;
using base::ErrorCode;

constexpr std::size_t kSecretBytes = 32;
constexpr std::size_t kMostCookieBytes = 4096;
constexpr std::size_t kMostCode = 4096;
constexpr std::chrono::hours kDocumentKept{1};

std::string text_of(const trust::Sha256& digest) {
  return {reinterpret_cast<const char*>(digest.data()), digest.size()};
}

std::string secret() {
  return base::to_base64url(base::random_bytes(kSecretBytes));
}

class Form {
 public:
  Form& add(std::string_view name, std::string_view value) {
    if (!text_.empty()) text_ += '&';
    text_ += std::string(name) + "=" + base::percent_encode(value);
    return *this;
  }
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  std::string text_;
};

Error refused(const std::string& why) {
  return {ErrorCode::permission_denied, why};
}

}  // namespace

std::string session_name_of(const json::object& claims) {
  constexpr std::size_t kMost = 64;
  for (const char* claim : {"preferred_username", "email", "sub"}) {
    std::string name;
    for (const char c : issuer_text(claims, claim)) {
      const bool is_good =
          base::is_letter_or_digit(c) || std::string_view("_+=,.@-").find(c) != std::string::npos;
      if (is_good && name.size() < kMost) name += c;
    }
    if (name.size() >= 2) return name;
  }
  return "console";
}

SingleSignOn::SingleSignOn(SingleSignOnOptions options, const base::Clock& clock)
    : options_(std::move(options)),
      clock_(clock),
      client_(options_.ca_file),
      key_(base::random_bytes(kSecretBytes)) {}

json::object SingleSignOn::describe() const {
  return {{"issuer", options_.issuer},
          {"roles", json::array(options_.roles.begin(), options_.roles.end())}};
}

json::object SingleSignOn::discovery() const {
  const std::lock_guard lock(mutex_);
  const base::Timestamp now = clock_.now();
  if (document_.empty() || now - document_read_ >= kDocumentKept) {
    document_ = client_.discover(options_.issuer);
    document_read_ = now;
  }
  return document_;
}

std::string SingleSignOn::seal(const std::string& text) const {
  return base::to_base64url(text) + "." +
         base::to_base64url(text_of(trust::hmac_sha256(key_, text)));
}

std::optional<std::string> SingleSignOn::unseal(std::string_view cookie) const {
  const std::size_t dot = cookie.find('.');
  if (dot == std::string_view::npos || cookie.size() > kMostCookieBytes) return std::nullopt;
  const auto text = base::from_base64url(cookie.substr(0, dot));
  if (!text ||
      !trust::equal_in_constant_time(
          cookie.substr(dot + 1), base::to_base64url(text_of(trust::hmac_sha256(key_, *text))))) {
    return std::nullopt;
  }
  return text;
}

SingleSignOn::Begun SingleSignOn::begin(const std::string& role,
                                        const std::string& redirect_uri) const {
  if (std::ranges::find(options_.roles, role) == options_.roles.end()) {
    throw Error(ErrorCode::invalid_argument,
                "role: must be one of those that GET /console/sign-in names");
  }
  const std::string state = secret();
  const std::string nonce = secret();
  const std::string verifier = secret();
  const std::string place = issuer_text(discovery(), "authorization_endpoint");
  if (!place.starts_with("https://") && !place.starts_with("http://")) {
    throw Error(ErrorCode::unavailable, "the identity provider has no authorization endpoint");
  }
  Form form;
  form.add("response_type", "code")
      .add("client_id", options_.client_id)
      .add("redirect_uri", redirect_uri)
      .add("scope", "openid")
      .add("state", state)
      .add("nonce", nonce)
      .add("code_challenge", base::to_base64url(text_of(trust::sha256(verifier))))
      .add("code_challenge_method", "S256");
  const json::object begun{{"state", state},
                           {"nonce", nonce},
                           {"verifier", verifier},
                           {"role", role},
                           {"until", base::to_epoch_millis(clock_.now() + kLasts)}};
  const char separator = place.find('?') == std::string::npos ? '?' : '&';
  return {place + separator + form.text(), seal(base::to_text(begun))};
}

std::string SingleSignOn::exchange(const std::string& code, const std::string& verifier,
                                   const std::string& redirect_uri) const {
  Form form;
  form.add("grant_type", "authorization_code")
      .add("code", code)
      .add("redirect_uri", redirect_uri)
      .add("code_verifier", verifier);
  wire::Headers headers;
  if (options_.client_secret.empty()) {
    form.add("client_id", options_.client_id);
  } else {
    // RFC 6749, 2.3.1: both encoded as in a form first.
    headers.set("Authorization",
                "Basic " + base::to_base64(base::percent_encode(options_.client_id) + ":" +
                                           base::percent_encode(options_.client_secret)));
  }
  const auto answer =
      client_.post_form(issuer_text(discovery(), "token_endpoint"), form.text(), headers);
  const std::string token = issuer_text(answer.body, "id_token");
  if (answer.status != 200 || token.empty()) {
    const std::string error = issuer_text(answer.body, "error").substr(0, 100);
    throw refused("the identity provider gave no token (HTTP " + std::to_string(answer.status) +
                  (error.empty() ? "" : ", " + error) + ")");
  }
  return token;
}

SingleSignOn::Token SingleSignOn::finish(const Return& answer, std::string_view cookie,
                                         const std::string& redirect_uri) const {
  const auto begun = unseal(cookie);
  if (!begun) throw refused("this browser has not begun to sign in, or too long ago");
  const json::value document = base::parse_json(*begun, "the cookie");
  const base::JsonReader reader(document, "the cookie");
  if (base::from_epoch_millis(reader.integer("until")) < clock_.now()) {
    throw refused("it took too long to sign in");
  }
  const bool is_own_state = trust::equal_in_constant_time(answer.state, reader.string("state"));
  if (!is_own_state || answer.code.empty() || answer.code.size() > kMostCode) {
    throw refused("this is no answer to what this browser has asked for");
  }
  if (!answer.issuer.empty() && answer.issuer != options_.issuer) {
    throw refused("another provider has answered");
  }
  const std::string token = exchange(answer.code, reader.string("verifier"), redirect_uri);
  json::object claims;
  try {
    claims = trust::read_jwt(token).claims;
  } catch (const Error& error) {
    throw refused("the identity provider's token is none: " + error.message());
  }
  // Everything else that the token says is verified with its signature, by whom it is given to.
  if (!trust::equal_in_constant_time(issuer_text(claims, "nonce"), reader.string("nonce")) ||
      issuer_text(claims, "iss") != options_.issuer) {
    throw refused("the token is not for what this browser has asked for");
  }
  return {reader.string("role"), token, session_name_of(claims)};
}

}  // namespace andon::api
