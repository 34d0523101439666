// SPDX-License-Identifier: Apache-2.0
#include "edge/local_http.hpp"

#include <algorithm>

#include "base/error.hpp"

namespace andon::edge {
namespace {

using base::Error;
using base::ErrorCode;

std::string_view reason_of(int status) {
  switch (status) {
    case 200:
      return "OK";
    case 400:
      return "Bad Request";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 503:
      return "Service Unavailable";
    default:
      return "Internal Server Error";
  }
}

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

std::string to_lower(std::string_view text) {
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return lower;
}

// Takes the text up to "\r\n" off the front.
std::string_view take_line(std::string_view& rest) {
  const std::size_t end = rest.find("\r\n");
  const std::string_view line = rest.substr(0, end);
  rest.remove_prefix(end + 2);
  return line;
}

}  // namespace

std::optional<LocalHttpRequest> parse_local_http(std::string_view received) {
  const std::size_t end = received.find("\r\n\r\n");
  if (end == std::string_view::npos || end > kMaxHttpHeadBytes) {
    if (received.size() <= kMaxHttpHeadBytes) return std::nullopt;
    throw Error(ErrorCode::resource_exhausted, "the request's head is too long");
  }
  std::string_view rest = received.substr(0, end + 2);
  const std::string_view line = take_line(rest);
  const std::size_t first = line.find(' ');
  const std::size_t second = first == line.npos ? line.npos : line.find(' ', first + 1);
  if (second == line.npos || !line.substr(second + 1).starts_with("HTTP/1.")) {
    throw Error(ErrorCode::invalid_argument, "not an HTTP/1.1 request");
  }
  LocalHttpRequest request;
  request.method = line.substr(0, first);
  const std::string_view target = line.substr(first + 1, second - first - 1);
  request.path = target.substr(0, target.find('?'));
  while (!rest.empty()) {
    const std::string_view field = take_line(rest);
    const std::size_t colon = field.find(':');
    if (colon == field.npos || colon == 0) {
      throw Error(ErrorCode::invalid_argument, "a header field has no name");
    }
    request.headers[to_lower(field.substr(0, colon))] = trim(field.substr(colon + 1));
  }
  return request;
}

std::string make_local_http_answer(int status, std::string_view json_body) {
  std::string answer = "HTTP/1.1 " + std::to_string(status) + ' ';
  answer += reason_of(status);
  answer += "\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: " +
            std::to_string(json_body.size()) + "\r\n\r\n";
  answer += json_body;
  return answer;
}

}  // namespace andon::edge
