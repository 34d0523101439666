// SPDX-License-Identifier: Apache-2.0
#include "wire/sigv4_canonical.hpp"

#include <algorithm>
#include <utility>

#include "base/encoding.hpp"

namespace andon::wire {
namespace {

std::vector<std::string_view> split(std::string_view text, char separator) {
  std::vector<std::string_view> parts;
  while (true) {
    const std::size_t end = text.find(separator);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

// Escapes what the sender did not and the other way round; a "%2F" stays one.
std::optional<std::string> encode_again(std::string_view text) {
  const auto decoded = base::percent_decode(text);
  if (!decoded) return std::nullopt;
  return base::percent_encode(*decoded);
}

std::optional<std::string> s3_path(std::string_view path) {
  std::vector<std::string> segments;
  for (const std::string_view segment : split(path, '/')) {
    auto encoded = encode_again(segment);
    if (!encoded) return std::nullopt;
    segments.push_back(*std::move(encoded));
  }
  return join(segments, '/');
}

// RFC 3986, section 5.2.4, and empty segments go too.
std::string normalised_path(std::string_view path) {
  std::vector<std::string> kept;
  for (const std::string_view segment : split(path, '/')) {
    if (segment.empty() || segment == ".") continue;
    if (segment != "..") {
      kept.push_back(base::percent_encode(segment));
    } else if (!kept.empty()) {
      kept.pop_back();
    }
  }
  std::string text = "/" + join(kept, '/');
  if (path.ends_with('/') && !kept.empty()) text += '/';
  return text;
}

std::optional<std::string> canonical_query(std::string_view query) {
  std::vector<std::pair<std::string, std::string>> items;
  for (const std::string_view item : split(query, '&')) {
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

bool is_space(char c) {
  return c == ' ' || c == '\t';
}

void append_trimmed(std::string& text, std::string_view value) {
  bool pending_space = false;
  bool started = false;
  for (const char c : value) {
    if (is_space(c)) {
      pending_space = started;
      continue;
    }
    if (pending_space) text += ' ';
    pending_space = false;
    started = true;
    text += c;
  }
}

std::string canonical_headers(const Headers& headers, const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) {
    text.append(name).append(":");
    bool first = true;
    for (const auto& [field, value] : headers.fields()) {
      if (!equal_ignoring_case(field, name)) continue;
      if (!std::exchange(first, false)) text += ',';
      append_trimmed(text, value);
    }
    text += '\n';
  }
  return text;
}

}  // namespace

std::string to_lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

std::string join(const std::vector<std::string>& items, char separator) {
  std::string text;
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (i > 0) text += separator;
    text += items[i];
  }
  return text;
}

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
  text.append(join(input.signed_headers, ';')).append("\n").append(input.payload_sha256);
  return text;
}

}  // namespace andon::wire
