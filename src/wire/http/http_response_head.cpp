// SPDX-License-Identifier: Apache-2.0
#include "wire/http/http_response_head.hpp"

#include <algorithm>
#include <boost/beast/http/status.hpp>

#include "base/error/error.hpp"
#include "base/text/ascii.hpp"
#include "base/time/time.hpp"

namespace andon::wire {
namespace {

std::uint64_t body_size(const HttpResponse& response) {
  if (const auto* file = std::get_if<FileBody>(&response.body)) return file->size;
  return std::get<std::string>(response.body).size();
}

bool breaks_the_message(std::string_view text) {
  return std::ranges::any_of(text, [](char c) { return c == '\r' || c == '\n' || c == '\0'; });
}

void add_field(std::string& head, std::string_view name, std::string_view value) {
  if (name.empty() || breaks_the_message(name) || breaks_the_message(value)) {
    throw base::Error(
        base::ErrorCode::internal,
        "the response's header field '" + std::string(name.substr(0, 64)) + "' holds a line end");
  }
  head.append(name).append(": ").append(value).append("\r\n");
}

}  // namespace

std::string_view status_text(int status) {
  const auto known = boost::beast::http::int_to_status(static_cast<unsigned>(status));
  if (known == boost::beast::http::status::unknown) return "Unknown";
  const auto text = boost::beast::http::obsolete_reason(known);
  return {text.data(), text.size()};
}

bool may_have_body(int status) {
  return status >= 200 && status != 204 && status != 304;
}

std::string response_head(const HttpResponse& response, bool is_head, bool keep_alive) {
  std::string head = "HTTP/1.1 " + std::to_string(response.status) + " ";
  head.append(status_text(response.status)).append("\r\n");
  const std::uint64_t size = body_size(response);
  const bool keeps_own_length = is_head && size == 0;
  bool has_length = false;
  for (const auto& [name, value] : response.headers.fields()) {
    if (base::equal_ignoring_case(name, "Connection") ||
        base::equal_ignoring_case(name, "Transfer-Encoding")) {
      continue;
    }
    if (base::equal_ignoring_case(name, "Content-Length")) {
      if (!keeps_own_length || has_length) continue;
      has_length = true;
    }
    add_field(head, name, value);
  }
  if (!has_length && may_have_body(response.status)) {
    add_field(head, "Content-Length", std::to_string(size));
  }
  if (!response.headers.find("Date")) {
    add_field(head, "Date", base::to_http_date(base::SystemClock().now()));
  }
  add_field(head, "Connection", keep_alive ? "keep-alive" : "close");
  return head += "\r\n";
}

}  // namespace andon::wire
