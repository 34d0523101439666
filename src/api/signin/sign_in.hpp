// SPDX-License-Identifier: Apache-2.0
// Room: signin. How people sign in to what stands below /console/, by name and password, by an
// access key, by the token of an OpenID provider, or by a link that is good once; JSON in and out:
//   GET  /console/sign-in    what else there is than a password: {"singleSignOn"}
//   POST /console/sign-in    sets the cookie of a new session
//   GET  /console/sign-on    to the identity provider, and back to
//   GET  /console/sign-on/done  which sets it, too
//   GET  /console/session    who one is, and the CSRF token
//   POST /console/sign-out   ends the session
// The router calls operations of the table for a session (router.hpp). Whether a name is there
// cannot be told from an answer or its time; failures are limited (control/passwords); each
// sign-in and each refusal is audited. Any thread.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "api/audit/call_audit.hpp"
#include "api/signin/sign_in_request.hpp"
#include "api/signin/single_sign_on.hpp"
#include "api/table/authorizer.hpp"
#include "api/table/operation.hpp"
#include "base/json/fwd.hpp"
#include "base/time/time.hpp"
#include "control/audit/audit_log.hpp"
#include "control/iam/iam.hpp"
#include "control/sessions/sessions.hpp"
#include "wire/http/http.hpp"

namespace andon::api {

inline constexpr std::string_view kConsolePath = "/console/";

// By which door its calls come, in the audit log.
inline constexpr std::string_view kConsoleVia = "console";

struct SessionCaller {
  Caller caller;
  std::string session_id;
};

struct SignInParts {
  control::Iam& iam;
  control::Passwords& passwords;
  control::Sessions& sessions;
  const base::Clock& clock;
  std::string region;
  // Rows of the operation table: AssumeRoleWithWebIdentity. Null: nobody signs in by a token.
  std::function<const Operation*(std::string_view service, std::string_view name)> find;
  const Authorizer* authorizer = nullptr;
  control::AuditLog* audit = nullptr;  // null: nothing is recorded
  const SingleSignOn* single_sign_on = nullptr;
  std::string console_url = {};  // "https://andon.plant.example"; empty: as the browser asks for it
};

class SignIn {
 public:
  // All that it is given must outlive it.
  explicit SignIn(SignInParts parts) : parts_(std::move(parts)) {}

  // One of the requests above; 404 for what is none.
  [[nodiscard]] wire::HttpResponse handle(const wire::HttpRequest& request,
                                          const std::string& request_id);

  // Who asks with the cookie of a session. Throws ServiceError: 401 Unauthenticated where there is
  // no such session (any more), 403 InvalidCsrfToken where a page of our own did not send it.
  [[nodiscard]] SessionCaller caller_of(const wire::HttpRequest& request);
  // Whether there is such a session, before the body is read. Throws as caller_of().
  void admit(const wire::HttpRequest& head) { (void)caller_of(head); }

 private:
  struct Asking {
    control::ConsoleSession session;
    std::string token;
  };
  [[nodiscard]] Asking require_session(const wire::HttpRequest& request);
  [[nodiscard]] Caller as_caller(const control::ConsoleSession& session,
                                 const wire::HttpRequest& request) const;
  [[nodiscard]] base::json::object describe(const control::ConsoleSession& session,
                                            std::string_view token) const;
  [[nodiscard]] wire::HttpResponse answer(const wire::HttpRequest& request, CallAudit& audit);
  [[nodiscard]] wire::HttpResponse sign_in(const wire::HttpRequest& request, CallAudit& audit);
  [[nodiscard]] wire::HttpResponse ways() const;
  [[nodiscard]] wire::HttpResponse sign_on(const wire::HttpRequest& request);
  [[nodiscard]] wire::HttpResponse signed_on(const wire::HttpRequest& request, CallAudit& audit);
  [[nodiscard]] std::string redirect_uri(const wire::HttpRequest& request) const;
  // The answer that sets the cookie of a new session of who has been verified.
  [[nodiscard]] wire::HttpResponse begun(control::NewSession session,
                                         const wire::HttpRequest& request, CallAudit& audit);
  [[nodiscard]] wire::HttpResponse show(const wire::HttpRequest& request);
  [[nodiscard]] wire::HttpResponse sign_out(const wire::HttpRequest& request, CallAudit& audit);

  // Who it is; each throws ServiceError where it is nobody.
  [[nodiscard]] control::NewSession verify(const PasswordSignIn& wanted, const Caller& from,
                                           CallAudit& audit);
  [[nodiscard]] control::NewSession verify(const KeySignIn& wanted, const Caller& from,
                                           CallAudit& audit);
  [[nodiscard]] control::NewSession verify(const TokenSignIn& wanted, const Caller& from,
                                           CallAudit& audit);
  [[nodiscard]] control::NewSession verify(const LinkSignIn& wanted, const Caller& from,
                                           CallAudit& audit);

  SignInParts parts_;
};

// Whether it is for the console: not signed, and below its path.
[[nodiscard]] bool is_for_console(const wire::HttpRequest& request);

}  // namespace andon::api
