// SPDX-License-Identifier: Apache-2.0
#include "api/signin/sign_in.hpp"

#include <utility>
#include <variant>

#include "api/signin/answer.hpp"
#include "api/signin/cookie.hpp"
#include "api/table/authenticator.hpp"
#include "api/table/presigned_v2.hpp"
#include "base/error/error.hpp"
#include "base/json/json.hpp"
#include "base/log/log.hpp"
#include "base/text/encoding.hpp"
#include "control/parameters/named_refusal.hpp"
#include "trust/digests/digest.hpp"

namespace andon::api {
namespace {

namespace json = base::json;
using base::Error;
using base::ErrorCode;
using control::SignInBy;
using wire::HttpRequest;
using wire::HttpResponse;

constexpr std::string_view kService = "signin";
constexpr std::string_view kSignOn = "/console/sign-on";
constexpr std::string_view kSignedOn = "/console/sign-on/done";

ServiceError nobody(const std::string& why) {
  return {401, "SignInFailed", why};
}

ServiceError not_signed_in() {
  return {401, "Unauthenticated", "nobody is signed in, or the session has ended: sign in"};
}

HttpResponse to_page(std::string_view location) {
  HttpResponse response{.status = 303};
  response.headers.set("Location", std::string(location));
  response.headers.set("Cache-Control", "no-store");
  return response;
}

control::Attempt attempt_of(const std::string& user, const Caller& from) {
  return {.user = user, .address = from.source_ip};
}

// By what nobody guesses (a token, a link, a cookie): a failure is that one's and its sender's, or
// strangers could keep everybody out who comes with another one.
control::Attempt attempt_with(const std::string& secret, const Caller& from) {
  return attempt_of("secret " + trust::sha256_hex(secret), from);
}

// What an error of the server's own parts is to a page.
ServiceError as_answer(const std::exception_ptr& failure, const std::string& request_id) {
  try {
    std::rethrow_exception(failure);
  } catch (const ServiceError& error) {
    return error;
  } catch (const control::NamedRefusal& refusal) {
    return {400, std::string(refusal.name()), refusal.message()};
  } catch (const Error& error) {
    switch (error.code()) {
      case ErrorCode::invalid_argument:
        return {400, "ValidationError", error.message()};
      case ErrorCode::resource_exhausted:
        return {429, "TooManyRequests", error.message()};
      case ErrorCode::unavailable:
        return {503, "ServiceUnavailable", error.message()};
      case ErrorCode::conflict:
        return {409, "Conflict", error.message()};
      case ErrorCode::permission_denied:
      case ErrorCode::not_found:
        return nobody(error.message());
      default:
        base::log_error("a sign-in failed", {{"request", request_id}, {"error", error.message()}});
    }
  } catch (const std::exception& error) {
    base::log_error("a sign-in failed", {{"request", request_id}, {"error", error.what()}});
  }
  return {500, "InternalFailure",
          "a defect of the server: its log has more, under request " + request_id};
}

// A form of another site can send texts, but no JSON without being asked first whether it may.
void require_json(const HttpRequest& request) {
  if (request.headers.find("Content-Type").value_or("").starts_with("application/json")) return;
  throw ServiceError(415, "UnsupportedMediaType", "the body must be JSON (application/json)");
}

// What a page fetches by itself keeps no session: it would never end under an open page.
bool is_use(const HttpRequest& request) {
  return request.method != "GET" && !request.headers.find(kUnattendedHeader);
}

std::string_view kind_of(control::Principal::Kind kind) {
  switch (kind) {
    case control::Principal::Kind::account:
      return "account";
    case control::Principal::Kind::user:
      return "user";
    case control::Principal::Kind::role_session:
      break;
  }
  return "role";
}

std::chrono::seconds left_of(const control::ConsoleSession& session, base::Timestamp now) {
  return std::chrono::duration_cast<std::chrono::seconds>(session.ends - now);
}

}  // namespace

bool is_for_console(const HttpRequest& request) {
  return request.path.starts_with(kConsolePath) && !is_signed(request);
}

SignIn::Asking SignIn::require_session(const HttpRequest& request) {
  const auto token = session_token_of(request);
  std::optional<control::ConsoleSession> session;
  if (token) {
    session = is_use(request) ? parts_.sessions.use(*token) : parts_.sessions.find(*token);
  }
  if (!session) throw not_signed_in();
  return {*std::move(session), *token};
}

Caller SignIn::as_caller(const control::ConsoleSession& session, const HttpRequest& request) const {
  Caller caller = caller_of_nobody(request);
  caller.access_key_id = session.access_key;
  caller.principal = session.principal;
  caller.account_id = parts_.iam.entities.account();
  caller.region = parts_.region;
  caller.session_policy = session.session_policy;
  caller.token_issued = session.begun;
  return caller;
}

SessionCaller SignIn::caller_of(const HttpRequest& request) {
  const Asking asking = require_session(request);
  if (request.method != "GET" && !is_from_own_page(request, asking.token)) {
    throw ServiceError(403, "InvalidCsrfToken",
                       "the header X-Andon-Csrf must have the session's csrfToken "
                       "(GET /console/session), and the request come from the server's own page");
  }
  return {as_caller(asking.session, request), asking.session.id};
}

json::object SignIn::describe(const control::ConsoleSession& session,
                              std::string_view token) const {
  const auto principal = parts_.iam.principals.find(session.principal);
  if (!principal) throw not_signed_in();
  const bool is_account = principal->kind == control::Principal::Kind::account;
  return {{"id", session.id},
          {"principal", principal->arn},
          {"name", is_account ? std::string("root") : principal->name},
          {"kind", kind_of(principal->kind)},
          {"account", parts_.iam.entities.account()},
          {"region", parts_.region},
          {"signedInBy", to_string(session.by)},
          {"begun", base::to_iso8601(session.begun)},
          {"ends", base::to_iso8601(session.ends)},
          {"idleSeconds", std::chrono::seconds(control::kSessionIdles).count()},
          {"csrfToken", csrf_token_of(token)}};
}

control::NewSession SignIn::verify(const PasswordSignIn& wanted, const Caller& from,
                                   CallAudit& audit) {
  using Standing = control::Passwords::Standing;
  auto& passwords = parts_.passwords;
  const auto user = parts_.iam.entities.find(control::EntityKind::user, wanted.user);
  // A name that is not there may be a password that was typed into the wrong field.
  audit.set_detail(user ? "password of " + user->name : "password of an unknown user");
  if (!passwords.check(user ? user->id : "", attempt_of(wanted.user, from), wanted.password)) {
    throw nobody("the user or the password is wrong");
  }
  const control::PasswordOwner owner{user->id, user->name};
  const Standing standing = passwords.standing_of(passwords.require(owner));
  if (standing == Standing::too_old) {
    throw ServiceError(403, "PasswordExpired",
                       "the password is too old: an administrator has to set a new one");
  }
  if (standing == Standing::must_change && wanted.new_password.empty()) {
    throw ServiceError(403, "PasswordResetRequired",
                       "the password must be changed: sign in with newPassword, too");
  }
  if (standing == Standing::good && !wanted.new_password.empty()) {
    throw Error(ErrorCode::invalid_argument,
                "newPassword: is for a password that must be changed; iam:ChangePassword changes "
                "another one");
  }
  if (!wanted.new_password.empty()) {
    passwords.change(owner, wanted.new_password);
    audit.set_detail("password of " + user->name + ", which was changed");
  }
  return {.principal = std::string(control::Principals::kUserPrefix) + user->id,
          .by = SignInBy::password};
}

control::NewSession SignIn::verify(const KeySignIn& wanted, const Caller& from, CallAudit& audit) {
  const control::Attempt attempt = attempt_of(wanted.access_key_id, from);
  parts_.passwords.count(attempt);
  const auto key = parts_.iam.keys.find(wanted.access_key_id);
  audit.set_detail(key ? "access key " + key->id : "an unknown access key");
  const bool is_secret =
      trust::equal_in_constant_time(wanted.secret, key ? key->secret : std::string(40, '-'));
  const bool is_token =
      trust::equal_in_constant_time(wanted.session_token, key ? key->session_token : std::string());
  const bool is_good = key && is_secret && is_token && !key->is_disabled &&
                       key->certificate.empty() &&
                       (!key->expires || *key->expires > parts_.clock.now()) &&
                       parts_.iam.principals.find(key->principal);
  if (!is_good) throw nobody("the access key or its secret is wrong");
  parts_.passwords.was_right(attempt);
  return {.principal = key->principal, .by = SignInBy::key, .access_key = key->id};
}

control::NewSession SignIn::verify(const TokenSignIn& wanted, const Caller& from,
                                   CallAudit& audit) {
  const Operation* const assume =
      parts_.find ? parts_.find("sts", "AssumeRoleWithWebIdentity") : nullptr;
  if (assume == nullptr) throw nobody("this server takes no tokens");
  const control::Attempt attempt = attempt_with(wanted.token, from);
  parts_.passwords.count(attempt);
  audit.set_detail("token of an identity provider");
  const json::object input{{"RoleArn", wanted.role_arn},
                           {"RoleSessionName", wanted.session_name},
                           {"WebIdentityToken", wanted.token}};
  const json::value output = assume->handler({.caller = from, .input = input});
  const std::string id(output.at("Credentials").at("AccessKeyId").as_string());
  const auto key = parts_.iam.keys.find(id);
  if (!key) throw nobody("the role was deleted meanwhile");
  parts_.passwords.was_right(attempt);
  return {.principal = key->principal, .by = SignInBy::identity_token, .access_key = key->id};
}

control::NewSession SignIn::verify(const LinkSignIn& wanted, const Caller& from, CallAudit& audit) {
  const control::Attempt attempt = attempt_with(wanted.token, from);
  parts_.passwords.count(attempt);
  audit.set_detail("link");
  const auto principal = parts_.sessions.take_link(wanted.token);
  if (!principal) {
    throw nobody("the link was used before, or its time is over: `andon console` makes another");
  }
  parts_.passwords.was_right(attempt);
  return {.principal = *principal, .by = SignInBy::link};
}

HttpResponse SignIn::sign_in(const HttpRequest& request, CallAudit& audit) {
  audit.set_operation(kService, "SignIn", control::AuditAccess::write);
  require_json(request);
  const SignInRequest wanted = read_sign_in(request.body.read(kMostSignInBytes));
  audit.begin();
  const Caller from = caller_of_nobody(request);
  control::NewSession session =
      std::visit([&](const auto& one) { return verify(one, from, audit); }, wanted);
  return begun(std::move(session), request, audit);
}

HttpResponse SignIn::begun(control::NewSession session, const HttpRequest& request,
                           CallAudit& audit) {
  const Caller from = caller_of_nobody(request);
  session.address = from.source_ip;
  session.user_agent = from.user_agent;
  const auto begun = parts_.sessions.begin(session);
  audit.set_caller(as_caller(begun.session, request), parts_.authorizer);
  HttpResponse response = console_answer(describe(begun.session, begun.token));
  response.headers.set(
      "Set-Cookie",
      session_cookie(begun.token, left_of(begun.session, parts_.clock.now()), request.is_tls));
  audit.succeeded();
  return response;
}

HttpResponse SignIn::ways() const {
  json::object ways;
  if (parts_.single_sign_on != nullptr && parts_.single_sign_on->is_on()) {
    ways["singleSignOn"] = parts_.single_sign_on->describe();
  }
  return console_answer(ways);
}

std::string SignIn::redirect_uri(const HttpRequest& request) const {
  const std::string origin = parts_.console_url.empty()
                                 ? (request.is_tls ? "https://" : "http://") +
                                       std::string(request.headers.find("Host").value_or(""))
                                 : parts_.console_url;
  return origin + std::string(kSignedOn);
}

HttpResponse SignIn::sign_on(const HttpRequest& request) {
  if (parts_.single_sign_on == nullptr || !parts_.single_sign_on->is_on()) {
    throw ServiceError(404, "NotFound", "this server has no single sign-on");
  }
  const auto begun =
      parts_.single_sign_on->begin(request.query_value("role").value_or(""), redirect_uri(request));
  HttpResponse response = to_page(begun.location);
  response.headers.set("Set-Cookie",
                       sign_on_cookie(begun.cookie, SingleSignOn::kLasts, request.is_tls));
  return response;
}

HttpResponse SignIn::signed_on(const HttpRequest& request, CallAudit& audit) {
  audit.set_operation(kService, "SignIn", control::AuditAccess::write);
  audit.set_detail("single sign-on");
  audit.begin();
  if (parts_.single_sign_on == nullptr || !parts_.single_sign_on->is_on()) {
    throw ServiceError(404, "NotFound", "this server has no single sign-on");
  }
  const Caller from = caller_of_nobody(request);
  const std::string cookie = sign_on_cookie_of(request).value_or("");
  const control::Attempt attempt = attempt_with(cookie, from);
  parts_.passwords.count(attempt);
  const auto text = [&](std::string_view name) { return request.query_value(name).value_or(""); };
  if (const std::string error = text("error"); !error.empty()) {
    throw nobody("the identity provider has refused: " + error.substr(0, 100));
  }
  SingleSignOn::Token token = parts_.single_sign_on->finish(
      {.code = text("code"), .state = text("state"), .issuer = text("iss")}, cookie,
      redirect_uri(request));
  const control::NewSession session = verify(
      TokenSignIn{std::move(token.role), std::move(token.id_token), std::move(token.session_name)},
      from, audit);
  parts_.passwords.was_right(attempt);
  const HttpResponse signed_in = begun(session, request, audit);
  HttpResponse response = to_page(kConsolePath);
  response.headers.set("Set-Cookie",
                       std::string(signed_in.headers.find("Set-Cookie").value_or("")));
  response.headers.add("Set-Cookie", sign_on_cookie("", std::chrono::seconds{0}, request.is_tls));
  return response;
}

HttpResponse SignIn::show(const HttpRequest& request) {
  const Asking asking = require_session(request);
  return console_answer(describe(asking.session, asking.token));
}

HttpResponse SignIn::sign_out(const HttpRequest& request, CallAudit& audit) {
  audit.set_operation(kService, "SignOut", control::AuditAccess::write);
  const SessionCaller asking = caller_of(request);
  audit.set_caller(asking.caller, parts_.authorizer);
  audit.begin();
  parts_.sessions.end(asking.session_id);
  audit.succeeded();
  HttpResponse response = console_answer(nullptr);
  response.headers.set("Set-Cookie", ended_cookie(request.is_tls));
  return response;
}

HttpResponse SignIn::answer(const HttpRequest& request, CallAudit& audit) {
  const std::string method_and_path = request.method + " " + request.path;
  if (method_and_path == "POST /console/sign-in") return sign_in(request, audit);
  if (method_and_path == "GET /console/sign-in") return ways();
  if (method_and_path == "GET /console/sign-on") return sign_on(request);
  if (method_and_path == "GET /console/sign-on/done") return signed_on(request, audit);
  if (method_and_path == "GET /console/session") return show(request);
  if (method_and_path == "POST /console/sign-out") return sign_out(request, audit);
  throw ServiceError(404, "NotFound", "there is no " + method_and_path.substr(0, 200) + " here");
}

HttpResponse SignIn::handle(const HttpRequest& request, const std::string& request_id) {
  CallAudit audit(parts_.audit, kConsoleVia, request_id, request);
  audit.set_operation(kService, "Ask", control::AuditAccess::read);
  HttpResponse response;
  try {
    response = answer(request, audit);
  } catch (...) {
    const ServiceError error = as_answer(std::current_exception(), request_id);
    const bool is_sign_on = request.path.starts_with(kSignOn);
    // A page asks who it is before anybody has signed in.
    if (request.method != "GET" || is_sign_on) audit.failed(error.http_status(), error.code());
    // People look at this one.
    response = is_sign_on
                   ? to_page(std::string(kConsolePath) +
                             "#sign-on=" + base::percent_encode(error.code() + ": " + error.what()))
                   : console_error(error);
  }
  try {
    audit.record();
  } catch (const Error& error) {
    return console_error({503, "ServiceUnavailable", error.message()});
  }
  return response;
}

}  // namespace andon::api
