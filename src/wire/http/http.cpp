// SPDX-License-Identifier: Apache-2.0
#include "wire/http/http.hpp"

#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/error/error.hpp"
#include "base/text/ascii.hpp"
#include "base/text/encoding.hpp"

namespace andon::wire {
namespace {

std::optional<std::string> decode_form(std::string_view text) {
  if (text.find('+') == std::string_view::npos) return base::percent_decode(text);
  std::string spaced(text);
  std::ranges::replace(spaced, '+', ' ');
  return base::percent_decode(spaced);
}

}  // namespace

void Headers::add(std::string name, std::string value) {
  fields_.emplace_back(std::move(name), std::move(value));
}

void Headers::set(std::string name, std::string value) {
  remove(name);
  add(std::move(name), std::move(value));
}

void Headers::remove(std::string_view name) {
  std::erase_if(fields_,
                [&](const auto& field) { return base::equal_ignoring_case(field.first, name); });
}

std::optional<std::string_view> Headers::find(std::string_view name) const {
  const auto found = std::ranges::find_if(
      fields_, [&](const auto& field) { return base::equal_ignoring_case(field.first, name); });
  if (found == fields_.end()) return std::nullopt;
  return found->second;
}

std::uint64_t Body::size() const {
  if (const auto* spooled = std::get_if<Spooled>(&content_)) return spooled->size;
  return std::get<std::string>(content_).size();
}

std::string Body::read(std::size_t max_bytes) const {
  if (const auto* bytes = std::get_if<std::string>(&content_)) return *bytes;
  if (size() > max_bytes) {
    throw base::Error(base::ErrorCode::resource_exhausted,
                      "the request's body has " + std::to_string(size()) + " bytes; at most " +
                          std::to_string(max_bytes) + " are allowed here");
  }
  std::string bytes(size(), '\0');
  std::size_t filled = 0;
  while (filled < bytes.size()) {
    filled += read_at(filled, bytes.data() + filled, bytes.size() - filled);
  }
  return bytes;
}

std::size_t Body::read_at(std::uint64_t offset, char* buffer, std::size_t buffer_size) const {
  if (offset >= size()) return 0;
  const auto count =
      static_cast<std::size_t>(std::min<std::uint64_t>(buffer_size, size() - offset));
  if (const auto* bytes = std::get_if<std::string>(&content_)) {
    return bytes->copy(buffer, count, static_cast<std::size_t>(offset));
  }
  const auto& spooled = std::get<Spooled>(content_);
  while (true) {
    const ssize_t got = pread(spooled.file.get(), buffer, count, static_cast<off_t>(offset));
    if (got > 0) return static_cast<std::size_t>(got);
    if (got == 0) {
      throw base::Error(base::ErrorCode::internal, "the spool file of a body was cut short");
    }
    if (errno != EINTR) throw base::system_error("cannot read the spool file of a body", errno);
  }
}

std::optional<std::string> HttpRequest::query_value(std::string_view name) const {
  const auto found = std::ranges::find(query, name, [](const auto& item) { return item.first; });
  if (found == query.end()) return std::nullopt;
  return found->second;
}

std::optional<RequestTarget> split_target(std::string_view target) {
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (target.size() > scheme.size() &&
        base::equal_ignoring_case(target.substr(0, scheme.size()), scheme)) {
      const std::size_t slash = target.find_first_of("/?", scheme.size());
      if (slash == std::string_view::npos) return RequestTarget{"/", ""};
      if (target[slash] == '?') return RequestTarget{"/", target.substr(slash + 1)};
      target.remove_prefix(slash);
      break;
    }
  }
  if (!target.starts_with('/')) return std::nullopt;
  const std::size_t mark = target.find('?');
  if (mark == std::string_view::npos) return RequestTarget{target, ""};
  return RequestTarget{target.substr(0, mark), target.substr(mark + 1)};
}

std::optional<std::vector<std::pair<std::string, std::string>>> parse_query(
    std::string_view query) {
  std::vector<std::pair<std::string, std::string>> items;
  while (!query.empty()) {
    const std::string_view item = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(item.size() + 1, query.size()));
    if (item.empty()) continue;
    const std::size_t equals = item.find('=');
    auto name = decode_form(item.substr(0, equals));
    auto value =
        equals == std::string_view::npos ? std::string() : decode_form(item.substr(equals + 1));
    if (!name || !value) return std::nullopt;
    items.emplace_back(*std::move(name), *std::move(value));
  }
  return items;
}

}  // namespace andon::wire
