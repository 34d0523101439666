// SPDX-License-Identifier: Apache-2.0
#include "api/stacks/types/calls.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <condition_variable>
#include <future>
#include <memory>
#include <mutex>

#include "base/text/encoding.hpp"
#include "workflow/shared/refusal.hpp"

namespace andon::api {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::chrono::seconds kPatience{30};
constexpr std::size_t kMostBody = 16U << 20U;

bool has_any(std::string_view code, std::initializer_list<std::string_view> parts) {
  return std::ranges::any_of(
      parts, [code](std::string_view part) { return code.find(part) != std::string_view::npos; });
}

ErrorCode code_of(int status, std::string_view code) {
  if (has_any(code, {"AccessDenied", "Unauthorized"})) return ErrorCode::permission_denied;
  if (status == 404 || has_any(code, {"NotFound", "NoSuch", "DoesNotExist"})) {
    return ErrorCode::not_found;
  }
  if (has_any(code, {"AlreadyExists", "AlreadyOwned", "ResourceExists"})) {
    return ErrorCode::already_exists;
  }
  if (status == 409 || has_any(code, {"Conflict"})) return ErrorCode::conflict;
  if (status == 429 || has_any(code, {"Throttl", "Limit", "Quota"})) {
    return ErrorCode::resource_exhausted;
  }
  if (status == 503) return ErrorCode::unavailable;
  return status >= 500 ? ErrorCode::internal : ErrorCode::invalid_argument;
}

// The exception in flight.
Error failure(std::string_view service, std::string_view operation) {
  const std::string name = std::string(service) + ":" + std::string(operation) + ": ";
  try {
    throw;
  } catch (const ServiceError& error) {
    return {code_of(error.http_status(), error.code()), name + error.what()};
  } catch (const workflow::Refusal& refusal) {
    return {code_of(400, refusal.code()), name + refusal.message()};
  } catch (const Error& error) {
    return {error.code(), name + error.message()};
  } catch (const std::exception& error) {
    return {ErrorCode::internal, name + error.what()};
  }
}

}  // namespace

json::value StackCalls::call(std::string_view service, std::string_view operation,
                             const json::object& input) const {
  try {
    const Operation* row = calls_.find(service, operation);
    if (row != nullptr && row->later) return call_later(*row, input);
    return calls_.call(caller_, service, operation, input);
  } catch (...) {
    throw failure(service, operation);
  }
}

json::value StackCalls::call_later(const Operation& operation, const json::object& input) const {
  // Shared with an answer that comes when nobody waits any more.
  const auto told = std::make_shared<std::promise<json::value>>();
  auto answer = told->get_future();
  calls_.call(caller_, operation, input,
              Answer([told](json::value output, const std::exception_ptr& error) {
                if (error) {
                  told->set_exception(error);
                } else {
                  told->set_value(std::move(output));
                }
              }));
  if (answer.wait_for(kPatience) != std::future_status::ready) {
    throw Error(ErrorCode::deadline_exceeded, "no answer after 30 seconds");
  }
  return answer.get();
}

std::optional<json::value> StackCalls::find(std::string_view service, std::string_view operation,
                                            const json::object& input) const {
  try {
    return call(service, operation, input);
  } catch (const Error& error) {
    if (error.code() == ErrorCode::not_found) return std::nullopt;
    throw;
  }
}

void StackCalls::call_unless_gone(std::string_view service, std::string_view operation,
                                  const json::object& input) const {
  (void)find(service, operation, input);
}

void StackCalls::pause(std::chrono::milliseconds time) const {
  std::mutex mutex;
  std::condition_variable_any stopped;
  std::unique_lock lock(mutex);
  (void)stopped.wait_for(lock, stop_, time, [] { return false; });
  if (stop_.stop_requested()) throw Error(ErrorCode::cancelled, "the server ends");
}

std::string StackCalls::s3(const S3Ask& ask) const {
  wire::HttpRequest request;
  request.method = ask.method;
  request.path = "/" + ask.bucket;
  if (!ask.key.empty()) request.path += "/" + base::percent_encode(ask.key, base::Slash::keep);
  request.target = request.path + (ask.query.empty() ? "" : "?" + ask.query);
  request.query =
      wire::parse_query(ask.query).value_or(std::vector<std::pair<std::string, std::string>>{});
  for (const auto& [name, value] : ask.headers) request.headers.set(name, value);
  request.body = wire::Body(ask.body);
  request.is_tls = true;
  request.peer_address = caller_.source_ip.empty() ? "" : caller_.source_ip + ":0";
  try {
    wire::HttpResponse response = s3_.call(caller_, request);
    if (const auto* text = std::get_if<std::string>(&response.body)) return *text;
    auto& file = std::get<wire::FileBody>(response.body);
    return wire::Body(std::move(file.file), file.size).read(kMostBody);
  } catch (...) {
    throw failure("s3", std::string(ask.method) + " s3://" + ask.bucket +
                            (ask.key.empty() ? "" : "/" + ask.key) +
                            (ask.query.empty() ? "" : "?" + ask.query));
  }
}

std::optional<std::string> StackCalls::find_s3(const S3Ask& ask) const {
  try {
    return s3(ask);
  } catch (const Error& error) {
    if (error.code() == ErrorCode::not_found) return std::nullopt;
    throw;
  }
}

}  // namespace andon::api
