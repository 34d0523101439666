// SPDX-License-Identifier: Apache-2.0
#include "api/endpoints/http_exchange.hpp"

#include <algorithm>
#include <array>

#include "base/error/error.hpp"
#include "base/text/ascii.hpp"
#include "base/text/encoding.hpp"
#include "base/text/number.hpp"
#include "base/text/utf8.hpp"
#include "wire/http/http_response_head.hpp"
#include "workflow/tasks/integration.hpp"

namespace andon::api {
namespace {

using control::Authorization;
using control::HttpParameter;
using workflow::TaskFailure;

constexpr std::size_t kMostCause = 32'768;
constexpr std::size_t kLeastHidden = 6;  // shorter ones would hide what is no secret

constexpr std::array<std::string_view, 7> kMethods = {"GET",   "POST",    "PUT", "DELETE",
                                                      "PATCH", "OPTIONS", "HEAD"};
// As AWS lists them, in lower case; and what begins with one of the prefixes.
constexpr std::array<std::string_view, 33> kForbidden = {"a-im",
                                                         "accept-charset",
                                                         "accept-datetime",
                                                         "accept-encoding",
                                                         "authorization",
                                                         "cache-control",
                                                         "connection",
                                                         "content-encoding",
                                                         "content-length",
                                                         "content-md5",
                                                         "date",
                                                         "expect",
                                                         "forwarded",
                                                         "from",
                                                         "host",
                                                         "http2-settings",
                                                         "if-match",
                                                         "if-modified-since",
                                                         "if-none-match",
                                                         "if-range",
                                                         "if-unmodified-since",
                                                         "max-forwards",
                                                         "origin",
                                                         "pragma",
                                                         "proxy-authorization",
                                                         "referer",
                                                         "server",
                                                         "te",
                                                         "trailer",
                                                         "transfer-encoding",
                                                         "upgrade",
                                                         "via",
                                                         "warning"};
constexpr std::array<std::string_view, 3> kForbiddenPrefixes = {"x-forwarded-", "x-amz-",
                                                                "x-amzn-"};

[[noreturn]] void refuse(const std::string& why) {
  throw TaskFailure("States.Runtime", why);
}

const json::object& object_of(const json::value& value, const std::string& what) {
  const auto* object = value.if_object();
  if (object == nullptr) refuse(what + " must be an object");
  return *object;
}

const json::value* find(const json::object& object, std::string_view key) {
  const auto* value = object.if_contains(key);
  return value == nullptr || value->is_null() ? nullptr : value;
}

std::string text_of(const json::object& object, std::string_view key) {
  const auto* value = find(object, key);
  if (value == nullptr || !value->is_string() || value->get_string().empty()) {
    refuse(std::string(key) + " must be a text that is not empty");
  }
  return std::string(value->get_string());
}

// A text, number or boolean as text.
std::string scalar(const json::value& value, const std::string& what) {
  if (value.is_string()) return std::string(value.get_string());
  if (value.is_object() || value.is_array())
    refuse(what + " must be a text, a number or a boolean");
  if (value.is_null()) return "";
  return base::to_text(value);
}

// One value, or a list of them.
std::vector<std::string> scalars(const json::value& value, const std::string& what) {
  std::vector<std::string> texts;
  if (const auto* list = value.if_array()) {
    for (const json::value& one : *list) texts.push_back(scalar(one, what));
  } else {
    texts.push_back(scalar(value, what));
  }
  return texts;
}

void check_header(const std::string& name, const std::string& value) {
  if (!base::is_name_of(name, "!#$%&'*+-.^_`|~")) refuse("Headers: '" + name + "' is no name");
  const std::string lower = base::to_lower(name);
  const bool is_forbidden = std::ranges::find(kForbidden, lower) != kForbidden.end() ||
                            std::ranges::any_of(kForbiddenPrefixes, [&](std::string_view prefix) {
                              return lower.starts_with(prefix);
                            });
  if (is_forbidden) refuse("Headers: '" + name + "' may not be set");
  if (std::ranges::any_of(value, [](char c) { return base::is_control(c) && c != '\t'; })) {
    refuse("Headers: the value of '" + name + "' has a control character");
  }
}

std::string basic_token(const Authorization& authorization) {
  return base::to_base64(authorization.name + ":" + authorization.secret);
}

void add_headers(wire::OutgoingRequest& request, const json::object& parameters,
                 const Authorization& authorization, const std::string& region) {
  if (const auto* given = find(parameters, "Headers")) {
    for (const auto& member : object_of(*given, "Headers")) {
      for (std::string& value :
           scalars(member.value(), "Headers: '" + std::string(member.key()) + "'")) {
        check_header(std::string(member.key()), value);
        request.headers.add(std::string(member.key()), std::move(value));
      }
    }
  }
  request.headers.set("User-Agent", "Amazon|StepFunctions|HttpInvoke|" + region);
  request.headers.set("Range", "bytes=0-" + std::to_string(kMostHttpBytes));
  for (const HttpParameter& one : authorization.headers) request.headers.set(one.key, one.value);
  if (authorization.type == control::AuthorizationType::basic) {
    request.headers.set("Authorization", "Basic " + basic_token(authorization));
  } else if (!authorization.name.empty()) {
    request.headers.set(authorization.name, authorization.secret);
  }
}

std::string query_of(const json::object& parameters, const Authorization& authorization) {
  std::string query;
  const auto add = [&query](std::string_view key, std::string_view value) {
    if (!query.empty()) query += '&';
    query += base::percent_encode(key) + "=" + base::percent_encode(value);
  };
  if (const auto* given = find(parameters, "QueryParameters")) {
    for (const auto& member : object_of(*given, "QueryParameters")) {
      const std::string_view key = member.key();
      if (std::ranges::find(authorization.query, key, &HttpParameter::key) !=
          authorization.query.end()) {
        continue;
      }
      for (const std::string& value :
           scalars(member.value(), "QueryParameters: '" + std::string(key) + "'")) {
        add(key, value);
      }
    }
  }
  for (const HttpParameter& one : authorization.query) add(one.key, one.value);
  return query;
}

// Null where there is none.
json::value body_of(const json::object& parameters, const Authorization& authorization) {
  const auto* given = find(parameters, "RequestBody");
  json::value body = given == nullptr ? json::value() : *given;
  if (authorization.body.empty()) return body;
  if (body.is_null()) body = json::object();
  if (!body.is_object()) {
    refuse("RequestBody must be an object, for the connection has parameters of the body, too");
  }
  for (const HttpParameter& one : authorization.body) body.get_object()[one.key] = one.value;
  return body;
}

void add_body(wire::OutgoingRequest& request, const json::object& parameters,
              const Authorization& authorization) {
  const json::value body = body_of(parameters, authorization);
  std::string encoding = "NONE";
  std::string array_format = "INDICES";
  if (const auto* given = find(parameters, "Transform")) {
    const json::object& transform = object_of(*given, "Transform");
    if (transform.contains("RequestBodyEncoding"))
      encoding = text_of(transform, "RequestBodyEncoding");
    if (encoding != "NONE" && encoding != "URL_ENCODED") {
      refuse("RequestBodyEncoding must be NONE or URL_ENCODED");
    }
    if (const auto* options = find(transform, "RequestEncodingOptions")) {
      const json::object& more = object_of(*options, "RequestEncodingOptions");
      if (more.contains("ArrayFormat")) array_format = text_of(more, "ArrayFormat");
    }
  }
  if (body.is_null()) return;
  const bool has_type = request.headers.find("Content-Type").has_value();
  if (encoding == "URL_ENCODED") {
    request.body = form_encoded(object_of(body, "RequestBody"), array_format);
    if (!has_type) request.headers.set("Content-Type", "application/x-www-form-urlencoded");
    return;
  }
  request.body = body.is_string() ? std::string(body.get_string()) : base::to_text(body);
  if (!has_type) {
    request.headers.set("Content-Type", body.is_string() ? "text/plain; charset=UTF-8"
                                                         : "application/json; charset=UTF-8");
  }
}

void encode(const std::string& key, const json::value& value, std::string_view array_format,
            std::string& form) {
  if (const auto* object = value.if_object()) {
    for (const auto& member : *object) {
      encode(key + "[" + std::string(member.key()) + "]", member.value(), array_format, form);
    }
    return;
  }
  if (const auto* list = value.if_array()) {
    if (array_format == "COMMAS") {
      std::string joined;
      for (const json::value& one : *list) {
        if (!joined.empty()) joined += ',';
        joined += base::percent_encode(scalar(one, "with COMMAS, what is in a list"));
      }
      if (!form.empty()) form += '&';
      form += base::percent_encode(key) + "=" + joined;
      return;
    }
    for (std::size_t i = 0; i < list->size(); ++i) {
      std::string inner = key;
      if (array_format == "INDICES") inner += "[" + std::to_string(i) + "]";
      if (array_format == "BRACKETS") inner += "[]";
      encode(inner, (*list)[i], array_format, form);
    }
    return;
  }
  if (!form.empty()) form += '&';
  form += base::percent_encode(key) + "=" + base::percent_encode(scalar(value, key));
}

// What the connection has given, wherever the other side repeats it.
std::string without_secrets(std::string text, const Authorization& authorization) {
  std::vector<std::string> secrets = {authorization.secret};
  if (authorization.type == control::AuthorizationType::basic) {
    secrets.push_back(basic_token(authorization));
  }
  for (const auto* list : {&authorization.headers, &authorization.query, &authorization.body}) {
    for (const HttpParameter& one : *list) {
      if (one.is_secret) secrets.push_back(one.value);
    }
  }
  for (const std::string& secret : secrets) {
    if (secret.size() < kLeastHidden) continue;
    for (std::size_t at = text.find(secret); at != std::string::npos; at = text.find(secret, at)) {
      text.replace(at, secret.size(), "***");
    }
  }
  return text;
}

void check_content(const wire::IncomingResponse& response) {
  const std::string type = base::to_lower(response.headers.find("Content-Type").value_or(""));
  for (const char* binary : {"application/octet-stream", "image/", "video/", "audio/"}) {
    if (type.starts_with(binary)) {
      refuse("The response is of type '" + type.substr(0, 100) + "', which is no text");
    }
  }
  if (!base::is_utf8(response.body)) refuse("The response is no text: it is not UTF-8");
}

bool is_json(const wire::IncomingResponse& response) {
  const std::string type = base::to_lower(response.headers.find("Content-Type").value_or(""));
  const std::string_view media = std::string_view(type).substr(0, type.find(';'));
  return media == "application/json" || media.ends_with("+json");
}

json::value body_value(const wire::IncomingResponse& response, const std::string& text) {
  if (is_json(response)) {
    try {
      return base::parse_json(text, "the response", {.max_depth = 1000});
    } catch (const base::Error&) {
      return json::string(text);  // it only says that it is JSON
    }
  }
  return json::string(text);
}

}  // namespace

std::string form_encoded(const json::object& members, std::string_view array_format) {
  constexpr std::array<std::string_view, 4> kFormats = {"INDICES", "REPEAT", "COMMAS", "BRACKETS"};
  if (std::ranges::find(kFormats, array_format) == kFormats.end()) {
    refuse("ArrayFormat must be INDICES, REPEAT, COMMAS or BRACKETS");
  }
  std::string form;
  for (const auto& member : members) {
    encode(std::string(member.key()), member.value(), array_format, form);
  }
  return form;
}

std::string connection_arn_of(const json::value& parameters) {
  const json::object& given = object_of(parameters, "The parameters of http:invoke");
  const auto* authentication = find(given, "Authentication");
  const auto* invocation = find(given, "InvocationConfig");
  if ((authentication == nullptr) == (invocation == nullptr)) {
    refuse("Exactly one of Authentication and InvocationConfig must be given, with ConnectionArn");
  }
  return text_of(object_of(authentication == nullptr ? *invocation : *authentication,
                           authentication == nullptr ? "InvocationConfig" : "Authentication"),
                 "ConnectionArn");
}

wire::OutgoingRequest http_request(const json::value& parameters,
                                   const Authorization& authorization, const AllowedHosts& allowed,
                                   const std::string& region) {
  const json::object& given = object_of(parameters, "The parameters of http:invoke");
  for (const auto& member : given) {
    constexpr std::array<std::string_view, 8> kKnown = {
        "ApiEndpoint", "Method",    "Headers",        "QueryParameters",
        "RequestBody", "Transform", "Authentication", "InvocationConfig"};
    if (std::ranges::find(kKnown, std::string_view(member.key())) == kKnown.end()) {
      refuse("http:invoke has no parameter '" + std::string(member.key()) + "'");
    }
  }
  wire::OutgoingRequest request;
  request.method = text_of(given, "Method");
  if (std::ranges::find(kMethods, request.method) == kMethods.end()) {
    refuse("Method must be GET, POST, PUT, DELETE, PATCH, OPTIONS or HEAD");
  }
  request.url = text_of(given, "ApiEndpoint");
  const auto url = wire::read_url(request.url);
  if (!url) refuse("ApiEndpoint is no URL of https, or has a user or a fragment in it");
  if (!allowed.allows(*url)) {
    const std::string host = url->host + ":" + std::to_string(url->port);
    throw TaskFailure("States.Permissions",
                      (allowed.empty() ? "Workflows may call no host yet, and so not "
                                       : "Workflows may not call ") +
                          url->scheme + "://" + host +
                          ": list it with andon-server's option --http-allow");
  }
  const std::string query = query_of(given, authorization);
  if (!query.empty()) {
    request.url += (url->query.empty() ? (request.url.ends_with('?') ? "" : "?") : "&") + query;
  }
  add_headers(request, given, authorization, region);
  add_body(request, given, authorization);
  request.max_response_bytes = kMostHttpBytes;
  return request;
}

json::value http_result(const wire::IncomingResponse& response,
                        const Authorization& authorization) {
  const std::string reason(wire::status_text(response.status));
  if (response.status < 200 || response.status > 299) {
    std::string cause = base::is_utf8(response.body) ? response.body : "";
    cause = without_secrets(std::move(cause), authorization);
    if (cause.empty()) cause = reason;
    throw TaskFailure("States.Http.StatusCode." + std::to_string(response.status),
                      std::string(base::utf8_prefix(cause, kMostCause)));
  }
  check_content(response);
  json::object headers;
  for (const auto& [name, value] : response.headers.fields()) {
    auto& values = headers[base::to_lower(name)];
    if (!values.is_array()) values = json::array();
    values.as_array().emplace_back(without_secrets(base::to_valid_utf8(value), authorization));
  }
  const std::string text = without_secrets(response.body, authorization);
  return json::object{{"Headers", std::move(headers)},
                      {"ResponseBody", body_value(response, text)},
                      {"StatusCode", response.status},
                      {"StatusText", reason}};
}

}  // namespace andon::api
