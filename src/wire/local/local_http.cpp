// SPDX-License-Identifier: Apache-2.0
#include "wire/local/local_http.hpp"

#include <algorithm>
#include <charconv>

#include "base/error/error.hpp"
#include "base/text/ascii.hpp"
#include "base/text/split.hpp"

namespace andon::wire {
namespace {

using base::Error;
using base::ErrorCode;

std::string_view reason_of(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 202:
      return "Accepted";
    case 400:
      return "Bad Request";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 413:
      return "Content Too Large";
    case 503:
      return "Service Unavailable";
    default:
      return "Internal Server Error";
  }
}

// Takes the text up to "\r\n" off the front.
std::string_view take_line(std::string_view& rest) {
  const std::size_t end = rest.find("\r\n");
  const std::string_view line = rest.substr(0, end);
  rest.remove_prefix(end + 2);
  return line;
}

std::size_t body_length(const LocalHttpRequest& request) {
  if (request.headers.contains("transfer-encoding")) {
    throw Error(ErrorCode::invalid_argument, "a body is only possible with a Content-Length");
  }
  const auto field = request.headers.find("content-length");
  if (field == request.headers.end()) return 0;
  std::size_t length = 0;
  const char* end = field->second.data() + field->second.size();
  const auto [stop, error] = std::from_chars(field->second.data(), end, length);
  if (error == std::errc::result_out_of_range) {
    throw Error(ErrorCode::resource_exhausted, "the request's body is too large");
  }
  if (error != std::errc{} || stop != end) {
    throw Error(ErrorCode::invalid_argument, "Content-Length is not a number");
  }
  return length;
}

}  // namespace

std::optional<LocalHttpRequest> parse_local_http(std::string_view received,
                                                 const LocalHttpSize& most) {
  const std::size_t end = received.find("\r\n\r\n");
  if (end == std::string_view::npos || end > most.head_bytes) {
    if (received.size() <= most.head_bytes) return std::nullopt;
    throw Error(ErrorCode::resource_exhausted, "the request's head is too long");
  }
  std::string_view rest = received.substr(0, end + 2);
  const std::string_view line = take_line(rest);
  const std::size_t first = line.find(' ');
  const std::size_t second = first == line.npos ? line.npos : line.find(' ', first + 1);
  if (second == line.npos || !line.substr(second + 1).starts_with("HTTP/1.")) {
    throw Error(ErrorCode::invalid_argument, "this is no HTTP/1.1 request");
  }
  LocalHttpRequest request;
  request.method = line.substr(0, first);
  const std::string_view target = line.substr(first + 1, second - first - 1);
  request.path = target.substr(0, target.find('?'));
  while (!rest.empty()) {
    const std::string_view field = take_line(rest);
    const std::size_t colon = field.find(':');
    if (field.starts_with(' ') || field.starts_with('\t')) {
      throw Error(ErrorCode::invalid_argument, "a header field goes on over several lines");
    }
    if (colon == field.npos || colon == 0) {
      throw Error(ErrorCode::invalid_argument, "a header field has no name");
    }
    const auto [kept, is_new] = request.headers.try_emplace(base::to_lower(field.substr(0, colon)),
                                                            base::trim(field.substr(colon + 1)));
    if (!is_new && kept->first == "content-length") {
      throw Error(ErrorCode::invalid_argument, "Content-Length is there twice");
    }
  }
  const std::size_t length = body_length(request);
  if (length > most.body_bytes) {
    throw Error(ErrorCode::resource_exhausted, "the request's body is too large");
  }
  const std::string_view body = received.substr(end + 4);
  if (body.size() < length) return std::nullopt;
  request.body = body.substr(0, length);
  return request;
}

std::string to_text(const LocalHttpAnswer& answer) {
  std::string text = "HTTP/1.1 " + std::to_string(answer.status) + ' ';
  text += reason_of(answer.status);
  text += "\r\nContent-Type: " + answer.content_type;
  for (const auto& [name, value] : answer.headers) text += "\r\n" + name + ": " + value;
  text += "\r\nConnection: close\r\nContent-Length: " + std::to_string(answer.body.size());
  text += "\r\n\r\n" + answer.body;
  return text;
}

}  // namespace andon::wire
