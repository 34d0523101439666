// SPDX-License-Identifier: Apache-2.0
#include "functions/sandboxes/runtime_request.hpp"

#include <algorithm>

#include "base/error/error.hpp"
#include "base/json/json.hpp"
#include "base/text/utf8.hpp"

namespace andon::functions {
namespace {

constexpr std::string_view kRoot = "/2018-06-01/runtime/";
constexpr std::string_view kInvocation = "invocation/";
constexpr std::size_t kMostType = 256;
constexpr std::size_t kMostMessage = 262'144;
constexpr std::size_t kIdLength = 36;  // of a UUID

}  // namespace

RuntimeRequest read_runtime_request(const wire::LocalHttpRequest& request) {
  using Kind = RuntimeRequest::Kind;
  std::string_view path = request.path;
  if (!path.starts_with(kRoot)) return {};
  path.remove_prefix(kRoot.size());
  if (path == "invocation/next" && request.method == "GET") return {.kind = Kind::next, .id = {}};
  if (request.method != "POST") return {};
  if (path == "init/error") return {.kind = Kind::init_error, .id = {}};
  if (!path.starts_with(kInvocation)) return {};
  path.remove_prefix(kInvocation.size());
  const std::size_t slash = path.find('/');
  if (slash != kIdLength) return {};
  const std::string id(path.substr(0, slash));
  path.remove_prefix(slash + 1);
  if (path == "response") return {.kind = Kind::response, .id = id};
  if (path == "error") return {.kind = Kind::error, .id = id};
  return {};
}

std::string error_payload(const wire::LocalHttpRequest& request) {
  try {
    const base::json::value value = base::parse_json(request.body, "a function's error");
    if (value.is_object()) return request.body;
  } catch (const base::Error&) {
    // What it says is told as text.
  }
  const auto header = request.headers.find("lambda-runtime-function-error-type");
  const std::string type = header == request.headers.end() || header->second.empty()
                               ? "Unhandled"
                               : base::to_valid_utf8(header->second.substr(0, kMostType));
  return error_payload(type, base::to_valid_utf8(request.body.substr(0, kMostMessage)));
}

std::string error_payload(std::string_view type, std::string_view message) {
  return base::to_text(base::json::object{{"errorType", type}, {"errorMessage", message}});
}

}  // namespace andon::functions
