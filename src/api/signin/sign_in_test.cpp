// SPDX-License-Identifier: Apache-2.0
#include "api/signin/sign_in.hpp"

#include <gmock/gmock.h>

#include "api/iam/iam.hpp"
#include "api/iam/own_access.hpp"
#include "api/iam/passwords.hpp"
#include "api/router.hpp"
#include "api/signin/cookie.hpp"
#include "api/signin/operations.hpp"
#include "api/testing/signed_request.hpp"
#include "base/error/error.hpp"
#include "base/json/json.hpp"

namespace andon::api {
namespace {

namespace json = base::json;
using testing::HasSubstr;
using testing::Not;

class SignInTest : public ApiTest {
 protected:
  SignInTest() {
    passwords.create({eva.id, eva.name}, "Line-3-is-red", control::NextSignIn::as_usual);
    iam.policies.put_inline(
        control::EntityKind::user, "eva", "see",
        R"({"Statement": {"Effect": "Allow", "Action": "iam:List*", "Resource": "*"}})");
  }

  wire::HttpResponse send(const std::string& method, const std::string& target,
                          const std::string& body = {}, wire::Headers headers = {}) {
    if (!headers.find("Content-Type")) headers.set("Content-Type", "application/json");
    headers.set("Host", "127.0.0.1:8080");
    const auto request = received({.method = method, .target = target, .body = body}, headers);
    auto admission = router.admit(request);
    if (admission.refusal) return *std::move(admission.refusal);
    return router.handle(request);
  }
  static std::string outline(const wire::HttpResponse& response) {
    return std::to_string(response.status) + " " + text_of(response);
  }
  std::string sign_in(const std::string& body) {
    return outline(send("POST", "/console/sign-in", body));
  }

  struct Signed {
    std::string cookie;
    std::string csrf;
    [[nodiscard]] wire::Headers headers() const {
      return {{"Cookie", "theme=dark; " + cookie}, {std::string(kCsrfHeader), csrf}};
    }
  };
  Signed signed_in(const std::string& body) {
    const auto response = send("POST", "/console/sign-in", body);
    EXPECT_EQ(response.status, 200) << text_of(response);
    const std::string cookie = header_of(response, "Set-Cookie");
    return {cookie.substr(0, cookie.find(';')),
            std::string(base::parse_json(text_of(response), "answer").at("csrfToken").as_string())};
  }
  std::string call(const Signed& as, const std::string& operation, const std::string& body = "{}") {
    return outline(send("POST", "/console/call/" + operation, body, as.headers()));
  }

  control::Iam iam{*database, keys, clock, "000000000000"};
  control::Passwords passwords{*database, clock};
  control::Sessions sessions{*database, iam, passwords, clock};
  control::Entity eva = iam.entities.create({.name = "eva"});
  fleet::Arns arns;
  Authorizer authorizer{iam, clock, arns};
  Operation assume{.service = "sts",
                   .name = "AssumeRoleWithWebIdentity",
                   .protocol = Protocol::query,
                   .method = "",
                   .path = "",
                   .success_status = 200,
                   .handler = [this](const OperationContext& context) -> json::value {
                     if (context.input.at("WebIdentityToken") != "right") {
                       throw ServiceError(400, "InvalidIdentityToken", "not this one");
                     }
                     const auto key = keys.create_limited("user/" + eva.id, 2);
                     return {{"Credentials", json::object{{"AccessKeyId", key.id}}}};
                   }};
  SignIn sign_in_{{.iam = iam,
                   .passwords = passwords,
                   .sessions = sessions,
                   .clock = clock,
                   .region = "us-east-1",
                   .find = [this](std::string_view, std::string_view) { return &assume; },
                   .authorizer = &authorizer}};
  Router router{[this] {
                  auto all = iam_operations(iam);
                  for (auto& one : password_operations(iam, passwords, &authorizer)) {
                    all.push_back(std::move(one));
                  }
                  for (auto& one : own_access_operations(authorizer)) all.push_back(std::move(one));
                  for (auto& one : console_operations(iam, sessions)) all.push_back(std::move(one));
                  return all;
                }(),
                s3,
                authenticator,
                {.authorizer = &authorizer, .sign_in = &sign_in_}};
  const std::string right = R"({"user": "eva", "password": "Line-3-is-red"})";
};

TEST_F(SignInTest, AUserSignsInByPasswordAndIsWhoTheyAre) {
  const auto response = send("POST", "/console/sign-in", right);
  EXPECT_EQ(response.status, 200);
  EXPECT_THAT(text_of(response), HasSubstr(R"("principal":"arn:aws:iam::000000000000:user/eva")"));
  EXPECT_EQ(header_of(response, "Cache-Control"), "no-store");
  const std::string cookie = header_of(response, "Set-Cookie");
  EXPECT_THAT(cookie, testing::EndsWith("; Path=/console; HttpOnly; SameSite=Strict; "
                                        "Max-Age=43200"));
  EXPECT_THAT(session_cookie("t", std::chrono::seconds(1), true), HasSubstr("; Secure"));
  const Signed as{cookie.substr(0, cookie.find(';')), {}};
  const std::string shown = outline(send("GET", "/console/session", {}, as.headers()));
  EXPECT_THAT(shown, HasSubstr("200 "));
  EXPECT_THAT(shown, HasSubstr(R"("signedInBy":"password")"));
  EXPECT_THAT(outline(send("GET", "/console/session")),
              HasSubstr(R"(401 {"code":"Unauthenticated")"));
}

TEST_F(SignInTest, WhatIsWrongIsRefusedInTheSameWords) {
  const std::string wrong = sign_in(R"({"user": "eva", "password": "Line-4-is-red"})");
  EXPECT_THAT(wrong, HasSubstr(R"(401 {"code":"SignInFailed")"));
  EXPECT_EQ(sign_in(R"({"user": "nobody", "password": "Line-3-is-red"})"), wrong);
  EXPECT_THAT(sign_in(R"({"user": "eva"})"), HasSubstr("400 {\"code\":\"ValidationError\""));
  EXPECT_THAT(sign_in(R"({"user": "eva", "password": "x", "colour": "red"})"), HasSubstr("colour"));
  EXPECT_THAT(sign_in("{\"password\": \"Line-3-is-red\""), Not(HasSubstr("Line-3")));
  EXPECT_THAT(sign_in(R"({})"), HasSubstr("one of these is needed"));
  EXPECT_THAT(outline(send("POST", "/console/sign-in", right, {{"Content-Type", "text/plain"}})),
              HasSubstr("415 "));
  EXPECT_THAT(outline(send("GET", "/console/nothing")), HasSubstr("404 "));
}

TEST_F(SignInTest, TooManyFailuresAreRefusedAlsoWithTheRightPassword) {
  for (int i = 0; i < 5; ++i) (void)sign_in(R"({"user": "eva", "password": "x"})");
  EXPECT_THAT(sign_in(right), HasSubstr(R"(429 {"code":"TooManyRequests")"));
}

TEST_F(SignInTest, WhoSendsWrongTokensAndLinksKeepsNobodyElseOut) {
  const auto with_token = [&](const std::string& token) {
    return sign_in(R"({"roleArn": "arn:aws:iam::000000000000:role/shift", "webIdentityToken": ")" +
                   token + "\"}");
  };
  for (int i = 0; i < 8; ++i) {
    EXPECT_THAT(with_token("wrong" + std::to_string(i)), HasSubstr("InvalidIdentityToken"));
    EXPECT_THAT(sign_in(R"({"link": "wrong)" + std::to_string(i) + "\"}"), HasSubstr("401 "));
  }
  EXPECT_THAT(with_token("right"), HasSubstr("200 "));
  EXPECT_THAT(sign_in(R"({"link": ")" + sessions.make_link("user/" + eva.id) + "\"}"),
              HasSubstr("200 "));
  for (int i = 0; i < 30; ++i) (void)with_token("more" + std::to_string(i));
  EXPECT_THAT(with_token("right"), HasSubstr("429 ")) << "an address has its limit";
}

TEST_F(SignInTest, ASessionMayWhatItsUsersPoliciesAllowAndNothingElse) {
  const Signed as = signed_in(right);
  EXPECT_THAT(call(as, "iam/ListUsers"), HasSubstr(R"(200 {"Users":[{)"));
  const std::string denied = call(as, "iam/CreateUser", R"({"UserName": "max"})");
  EXPECT_THAT(denied, HasSubstr(R"(403 {"code":"AccessDeniedException")"));
  EXPECT_THAT(denied, HasSubstr("user/eva is not authorized to perform: iam:CreateUser"));
  // A change counts for the next call.
  iam.policies.put_inline(
      control::EntityKind::user, "eva", "make",
      R"({"Statement": {"Effect": "Allow", "Action": "iam:CreateUser", "Resource": "*"}})");
  EXPECT_THAT(call(as, "iam/CreateUser", R"({"UserName": "max"})"), HasSubstr("200 {\"User\":{"));
  EXPECT_THAT(call(as, "iam/CreateUser", R"({"UserName": "max"})"),
              HasSubstr(R"(409 {"code":"EntityAlreadyExists")"));
  EXPECT_THAT(call(as, "iam/CreateUser", R"({"UserName": "m", "Colour": "red"})"),
              HasSubstr("Colour"));
  EXPECT_THAT(call(as, "iam/CreateUser", "["), HasSubstr("400 "));
  EXPECT_THAT(call(as, "iam/Nothing"), HasSubstr("404 "));
  EXPECT_THAT(call(as, "nothing"), HasSubstr("404 "));
}

TEST_F(SignInTest, WhoeverIsSignedInIsToldWhatTheyMayWithoutARightForThat) {
  const std::string questions =
      R"({"questions": [{"action": "iam:ListUsers", "resource": "*"},)"
      R"({"action": "iam:CreateUser", "resource": "arn:aws:iam::000000000000:user/max"}]})";
  const std::string see_only =
      R"(200 {"answers":[{"action":"iam:ListUsers","resource":"*","isAllowed":true},)"
      R"({"action":"iam:CreateUser","resource":"arn:aws:iam::000000000000:user/max",)"
      R"("isAllowed":false}]})";
  const Signed as = signed_in(right);
  EXPECT_EQ(call(as, "andon/GetOwnAccess", questions), see_only);
  // A session of a role, and its own policy narrows it.
  iam.entities.create({.kind = control::EntityKind::role,
                       .name = "shift",
                       .trust = R"({"Version": "2012-10-17", "Statement": [{"Effect": "Allow",
                         "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}]})"});
  iam.policies.put_inline(
      control::EntityKind::role, "shift", "all",
      R"({"Statement": {"Effect": "Allow", "Action": "iam:*", "Resource": "*"}})");
  const std::string of_role =
      "role/" + iam.entities.require(control::EntityKind::role, "shift").id + "/eva";
  const auto as_role = [&](const std::string& policy) {
    const auto key = keys.create_session(of_role, std::chrono::hours(1), policy);
    return signed_in(R"({"accessKeyId": ")" + key.id + R"(", "secretAccessKey": ")" + key.secret +
                     R"(", "sessionToken": ")" + key.session_token + "\"}");
  };
  EXPECT_THAT(call(as_role({}), "andon/GetOwnAccess", questions), Not(HasSubstr("false")));
  EXPECT_EQ(call(as_role(R"({"Statement": {"Effect": "Allow", "Action": "iam:List*",)"
                         R"("Resource": "*"}})"),
                 "andon/GetOwnAccess", questions),
            see_only);
  EXPECT_THAT(call(as, "andon/GetOwnAccess"), HasSubstr("questions: must be 1 to 200"));
  EXPECT_THAT(call(as, "andon/GetOwnAccess", R"({"questions": [{"action": "iam:ListUsers"}]})"),
              HasSubstr("400 "));
}

TEST_F(SignInTest, ACallNeedsTheCsrfTokenAndAPageOfTheServersOwn) {
  const Signed as = signed_in(right);
  Signed without = as;
  without.csrf = "";
  EXPECT_THAT(call(without, "iam/ListUsers"), HasSubstr(R"(403 {"code":"InvalidCsrfToken")"));
  const auto from = [&](const std::string& name, const std::string& value) {
    wire::Headers headers = as.headers();
    headers.set(name, value);
    return send("POST", "/console/call/iam/ListUsers", "{}", headers).status;
  };
  EXPECT_EQ(from("Origin", "http://127.0.0.1:8080"), 200);
  EXPECT_EQ(from("Origin", "http://evil.example"), 403);
  EXPECT_EQ(from("Origin", "null"), 403);
  EXPECT_EQ(from("Sec-Fetch-Site", "cross-site"), 403);
  EXPECT_EQ(from("Sec-Fetch-Site", "same-origin"), 200);
  EXPECT_EQ(from("Cookie", as.cookie + "; " + as.cookie), 401);
  EXPECT_EQ(from("Cookie", "x"), 401);
}

TEST_F(SignInTest, WhatAPageAsksByItselfKeepsNoSession) {
  const Signed as = signed_in(right);
  const Signed idle = signed_in(right);
  wire::Headers unattended = idle.headers();
  unattended.set(std::string(kUnattendedHeader), "1");
  const auto by_itself = [&] {
    return outline(send("POST", "/console/call/iam/ListUsers", "{}", unattended));
  };
  for (int i = 0; i < 5; ++i) {
    clock.advance(std::chrono::minutes(11));
    EXPECT_THAT(call(as, "iam/ListUsers"), HasSubstr("200 "));
    EXPECT_THAT(by_itself(), HasSubstr("200 "));
    EXPECT_EQ(send("GET", "/console/session", {}, idle.headers()).status, 200);
  }
  clock.advance(std::chrono::minutes(6));
  EXPECT_THAT(call(as, "iam/ListUsers"), HasSubstr("200 "));
  EXPECT_THAT(by_itself(), HasSubstr("401 "));
  EXPECT_EQ(send("GET", "/console/session", {}, idle.headers()).status, 401);
}

TEST_F(SignInTest, ACookieIsForNothingOutsideOfTheConsole) {
  const Signed as = signed_in(right);
  EXPECT_NE(send("GET", "/things", {}, as.headers()).status, 200);
  EXPECT_EQ(send("GET", "/bucket/key", {}, as.headers()).status, 403);
}

TEST_F(SignInTest, SigningOutEndsTheSessionAndTakesTheCookieBack) {
  const Signed as = signed_in(right);
  const auto out = send("POST", "/console/sign-out", {}, as.headers());
  EXPECT_EQ(out.status, 200);
  EXPECT_THAT(header_of(out, "Set-Cookie"), HasSubstr("andon_session=; "));
  EXPECT_THAT(header_of(out, "Set-Cookie"), HasSubstr("Max-Age=0"));
  EXPECT_THAT(call(as, "iam/ListUsers"), HasSubstr("401 "));
}

TEST_F(SignInTest, APasswordThatMustBeChangedIsChangedWithTheSignIn) {
  passwords.update({eva.id, eva.name}, {}, control::NextSignIn::must_change);
  EXPECT_THAT(sign_in(right), HasSubstr(R"(403 {"code":"PasswordResetRequired")"));
  EXPECT_THAT(sign_in(R"({"user": "eva", "password": "x", "newPassword": "Line-4-is-red"})"),
              HasSubstr("401 "));
  EXPECT_THAT(sign_in(R"({"user": "eva", "password": "Line-3-is-red", "newPassword": "short"})"),
              HasSubstr(R"(400 {"code":"PasswordPolicyViolation")"));
  const Signed as =
      signed_in(R"({"user": "eva", "password": "Line-3-is-red", "newPassword": "Line-4-is-red"})");
  EXPECT_THAT(call(as, "iam/ListUsers"), HasSubstr("200 "));
  EXPECT_THAT(sign_in(right), HasSubstr("401 "));
  EXPECT_THAT(
      sign_in(R"({"user": "eva", "password": "Line-4-is-red", "newPassword": "L-5-is-red"})"),
      HasSubstr("400 "));
}

TEST_F(SignInTest, AUserChangesTheirPasswordWhereAPolicyOrTheAccountLetsThem) {
  const Signed as = signed_in(right);
  const std::string change = R"({"OldPassword": "Line-3-is-red", "NewPassword": "Line-4-is-red"})";
  EXPECT_THAT(call(as, "iam/ChangePassword", change), HasSubstr("403 {\"code\":\"AccessDenied\""));
  passwords.set_policy({.users_may_change = true});
  iam.policies.put_inline(
      control::EntityKind::user, "eva", "deny",
      R"({"Statement": {"Effect": "Deny", "Action": "iam:ChangePassword", "Resource": "*"}})");
  EXPECT_THAT(call(as, "iam/ChangePassword", change), HasSubstr("with an explicit deny"));
  iam.policies.remove_inline(control::EntityKind::user, "eva", "deny");
  EXPECT_THAT(
      call(as, "iam/ChangePassword", R"({"OldPassword": "wrong", "NewPassword": "Line-4-is-red"})"),
      HasSubstr("The old password was incorrect."));
  EXPECT_THAT(call(as, "iam/ChangePassword", change), HasSubstr("200 "));
  EXPECT_THAT(call(as, "iam/ListUsers"), HasSubstr("401 "));  // the session ended with it
}

TEST_F(SignInTest, AnAccessKeySignsInAndItsSessionEndsWithIt) {
  const auto key = keys.create_limited("user/" + eva.id, 2);
  const auto body = [&](const std::string& id, const std::string& secret) {
    return R"({"accessKeyId": ")" + id + R"(", "secretAccessKey": ")" + secret + "\"}";
  };
  const std::string wrong = sign_in(body(key.id, "wrong"));
  EXPECT_THAT(wrong, HasSubstr("401 "));
  EXPECT_EQ(sign_in(body("AKIANOTHERE", key.secret)), wrong);
  const Signed as = signed_in(body(key.id, key.secret));
  EXPECT_THAT(call(as, "iam/ListUsers"), HasSubstr("200 "));
  keys.set_disabled("user/" + eva.id, key.id, true);
  EXPECT_THAT(call(as, "iam/ListUsers"), HasSubstr("401 "));
  // A device's key is none of a person.
  const auto device = keys.create_temporary("thing/line-3", std::chrono::hours(1));
  EXPECT_THAT(sign_in(R"({"accessKeyId": ")" + device.id + R"(", "secretAccessKey": ")" +
                      device.secret + R"(", "sessionToken": ")" + device.session_token + "\"}"),
              HasSubstr("401 "));
}

TEST_F(SignInTest, ALinkSignsInOnceAsWhoAskedForIt) {
  const auto ask = [&](const control::AccessKey& key) {
    return router.handle(signed_request(
        {.method = "POST", .target = "/andon/v1/console-links", .body = "{}", .service = "andon"},
        key, clock.now()));
  };
  const auto made = ask(operator_key);
  ASSERT_EQ(made.status, 200) << text_of(made);
  const json::value link = base::parse_json(text_of(made), "answer");
  EXPECT_EQ(link.at("path").as_string(),
            "/console/#link=" + std::string(link.at("link").as_string()));
  const std::string body = R"({"link": ")" + std::string(link.at("link").as_string()) + "\"}";
  const Signed as = signed_in(body);
  EXPECT_THAT(call(as, "iam/CreateUser", R"({"UserName": "max"})"), HasSubstr("200 "));
  EXPECT_THAT(sign_in(body), HasSubstr("401 "));
  // Nothing that ends makes something that lasts.
  EXPECT_THAT(call(as, "andon/CreateConsoleLink"), HasSubstr("403 "));
  EXPECT_EQ(ask(keys.create_session("user/" + eva.id, std::chrono::hours(1), {})).status, 403);
}

TEST_F(SignInTest, SessionsAreListedAndEndedByWhoMay) {
  const Signed of_eva = signed_in(right);
  const Signed of_account = signed_in(R"({"accessKeyId": ")" + operator_key.id +
                                      R"(", "secretAccessKey": ")" + operator_key.secret + "\"}");
  EXPECT_THAT(call(of_eva, "andon/ListConsoleSessions"), HasSubstr("403 "));
  const std::string listed =
      call(of_account, "andon/ListConsoleSessions", R"({"userName": "eva"})");
  EXPECT_THAT(listed, HasSubstr("user/eva"));
  EXPECT_THAT(listed, Not(HasSubstr(":root")));
  EXPECT_EQ(call(of_account, "andon/EndConsoleSessions", R"({"userName": "eva"})"),
            R"(200 {"ended":1})");
  EXPECT_THAT(call(of_eva, "iam/ListUsers"), HasSubstr("401 "));
  EXPECT_THAT(call(of_account, "iam/ListUsers"), HasSubstr("200 "));
}

}  // namespace
}  // namespace andon::api
