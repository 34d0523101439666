// SPDX-License-Identifier: Apache-2.0
#include "wire/aws/sigv4_canonical.hpp"

#include <algorithm>
#include <utility>

#include "base/text/ascii.hpp"
#include "base/text/encoding.hpp"
#include "base/text/split.hpp"

namespace andon::wire {
namespace {

// Escapes what the sender did not and the other way round; a "%2F" stays one.
std::optional<std::string> encode_again(std::string_view text) {
  const auto decoded = base::percent_decode(text);
  if (!decoded) return std::nullopt;
  return base::percent_encode(*decoded);
}

std::optional<std::string> s3_path(std::string_view path) {
  std::vector<std::string> segments;
  for (const std::string_view segment : base::split(path, '/')) {
    auto encoded = encode_again(segment);
    if (!encoded) return std::nullopt;
    segments.push_back(*std::move(encoded));
  }
  return base::join(segments, "/");
}

// RFC 3986, section 5.2.4, and empty segments go too.
std::string normalised_path(std::string_view path) {
  std::vector<std::string> kept;
  for (const std::string_view segment : base::split(path, '/')) {
    if (segment.empty() || segment == ".") continue;
    if (segment != "..") {
      kept.push_back(base::percent_encode(segment));
    } else if (!kept.empty()) {
      kept.pop_back();
    }
  }
  std::string text = "/" + base::join(kept, "/");
  if (path.ends_with('/') && !kept.empty()) text += '/';
  return text;
}

std::optional<std::string> canonical_query(std::string_view query) {
  std::vector<std::pair<std::string, std::string>> items;
  for (const std::string_view item : base::split(query, '&')) {
    if (item.empty()) continue;
    const std::size_t equals = item.find('=');
    auto name = encode_again(item.substr(0, equals));
    auto value =
        equals == std::string_view::npos ? std::string() : encode_again(item.substr(equals + 1));
    if (!name || !value) return std::nullopt;
    if (*name == "X-Amz-Signature") continue;
    items.emplace_back(*std::move(name), *std::move(value));
  }
  std::ranges::sort(items);
  std::string text;
  for (const auto& [name, value] : items) {
    if (!text.empty()) text += '&';
    text.append(name).append("=").append(value);
  }
  return text;
}

std::string canonical_headers(const Headers& headers, const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) {
    text.append(name).append(":");
    bool first = true;
    for (const auto& [field, value] : headers.fields()) {
      if (!base::equal_ignoring_case(field, name)) continue;
      if (!std::exchange(first, false)) text += ',';
      text += base::join(base::split_words(value), " ");
    }
    text += '\n';
  }
  return text;
}

}  // namespace

PathRule path_rule_of(std::string_view service) {
  return service == "s3" ? PathRule::s3 : PathRule::normalised;
}

std::optional<std::string> canonical_request(const CanonicalInput& input) {
  const auto target = split_target(input.target);
  if (!target) return std::nullopt;
  const auto path = input.path_rule == PathRule::s3 ? s3_path(target->path)
                                                    : std::optional(normalised_path(target->path));
  const auto query = canonical_query(target->query);
  if (!path || !query) return std::nullopt;
  std::string text(input.method);
  text.append("\n").append(*path).append("\n").append(*query).append("\n");
  text.append(canonical_headers(input.headers, input.signed_headers)).append("\n");
  text.append(base::join(input.signed_headers, ";")).append("\n").append(input.payload_sha256);
  return text;
}

}  // namespace andon::wire
