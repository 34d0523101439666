// SPDX-License-Identifier: Apache-2.0
#include "api/s3/format/byte_range.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <utility>

#include "base/error/error.hpp"
#include "base/text/ascii.hpp"
#include "base/text/number.hpp"

namespace andon::api {
namespace {

// A number of any length; what is beyond 64 bits is as far as they reach.
std::optional<std::uint64_t> read_position(std::string_view text) {
  if (text.empty() || !std::all_of(text.begin(), text.end(), base::is_digit)) return std::nullopt;
  return base::parse_uint64(text).value_or(UINT64_MAX);
}

}  // namespace

RangeAnswer read_range(std::string_view header, std::uint64_t size) {
  constexpr std::string_view kUnit = "bytes=";
  if (!header.starts_with(kUnit)) return {};
  header.remove_prefix(kUnit.size());
  const std::size_t dash = header.find('-');
  if (dash == std::string_view::npos || header.find(',') != std::string_view::npos) return {};
  const std::string_view first_text = header.substr(0, dash);
  const std::string_view last_text = header.substr(dash + 1);
  if (first_text.empty()) {
    const auto count = read_position(last_text);
    if (!count) return {};
    if (*count == 0 || size == 0) return {RangeKind::unsatisfiable, {}};
    const std::uint64_t taken = std::min(*count, size);
    return {RangeKind::part, {size - taken, taken}};
  }
  const auto first = read_position(first_text);
  const auto last = last_text.empty() ? std::optional(UINT64_MAX) : read_position(last_text);
  if (!first || !last || *last < *first) return {};
  if (*first >= size) return {RangeKind::unsatisfiable, {}};
  return {RangeKind::part, {*first, std::min(*last, size - 1) - *first + 1}};
}

std::optional<ByteRange> read_exact_range(std::string_view header, std::uint64_t size) {
  constexpr std::string_view kUnit = "bytes=";
  if (!header.starts_with(kUnit)) return std::nullopt;
  header.remove_prefix(kUnit.size());
  const std::size_t dash = std::min(header.find('-'), header.size());
  const auto first = read_position(header.substr(0, dash));
  const auto last = read_position(header.substr(std::min(dash + 1, header.size())));
  if (!first || !last || *last < *first || *last >= size) return std::nullopt;
  return ByteRange{*first, *last - *first + 1};
}

wire::HttpResponse file_response(const wire::HttpRequest& request, base::UniqueFd file,
                                 std::string_view etag) {
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) throw base::system_error("cannot read a blob", errno);
  const auto size = static_cast<std::uint64_t>(status.st_size);
  const std::string quoted = "\"" + std::string(etag) + "\"";
  wire::HttpResponse response;
  response.headers.add("ETag", quoted);
  response.headers.add("Accept-Ranges", "bytes");
  if (request.headers.find("If-None-Match") == quoted) {
    response.status = 304;
    return response;
  }
  response.headers.add("Content-Type", "application/octet-stream");
  RangeAnswer answer;
  const auto range = request.headers.find("Range");
  const auto condition = request.headers.find("If-Range");
  if (range && request.method == "GET" && (!condition || *condition == quoted)) {
    answer = read_range(*range, size);
  }
  if (answer.kind == RangeKind::unsatisfiable) {
    response.status = 416;
    response.headers.add("Content-Range", "bytes */" + std::to_string(size));
    response.body = std::string();
    return response;
  }
  if (answer.kind == RangeKind::whole) answer.range = {0, size};
  if (answer.kind == RangeKind::part) {
    response.status = 206;
    const std::uint64_t last = answer.range.offset + answer.range.size - 1;
    response.headers.add("Content-Range", "bytes " + std::to_string(answer.range.offset) + "-" +
                                              std::to_string(last) + "/" + std::to_string(size));
  }
  response.body = wire::FileBody{std::move(file), answer.range.offset, answer.range.size};
  return response;
}

}  // namespace andon::api
