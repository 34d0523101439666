// SPDX-License-Identifier: Apache-2.0
#include "inspect/video/aravis_address.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/error/error.hpp"
#include "base/text/encoding.hpp"
#include "base/text/split.hpp"

namespace andon::inspect {
namespace {

constexpr std::size_t kMostFeatures = 64;
constexpr std::size_t kMostBytes = 256;  // of a name or a value

[[noreturn]] void refuse(std::string_view text, std::string_view why) {
  throw base::Error(
      base::ErrorCode::invalid_argument,
      fmt::format("{}: {}; aravis://NAME or aravis://NAME?Feature=Value&Feature=Value is needed, "
                  "with the camera's IP address or its name in `arv-tool-0.8`",
                  text, why));
}

std::string decode(std::string_view part, std::string_view text) {
  const auto decoded = base::percent_decode(part);
  if (!decoded) refuse(text, fmt::format("'{}' is not percent-encoded rightly", part));
  if (decoded->size() > kMostBytes) {
    refuse(text, fmt::format("a part has more than {} bytes", kMostBytes));
  }
  if (std::ranges::any_of(*decoded, [](unsigned char c) { return c < 0x20 || c == 0x7F; })) {
    refuse(text, "there are control characters in it");
  }
  return *decoded;
}

bool is_feature_name(std::string_view name) {
  return !name.empty() && std::ranges::all_of(name, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  });
}

// What stands before `sign`, and behind it; nothing where it is not there.
std::pair<std::string_view, std::string_view> cut_at(std::string_view text, char sign) {
  const std::size_t at = text.find(sign);
  if (at == std::string_view::npos) return {text, {}};
  return {text.substr(0, at), text.substr(at + 1)};
}

AravisAddress::Feature read_feature(std::string_view part, std::string_view text) {
  const auto [name, value] = cut_at(part, '=');
  AravisAddress::Feature feature{decode(name, text), decode(value, text)};
  if (!is_feature_name(feature.name)) {
    refuse(text, fmt::format("'{}' is no name of a feature", feature.name));
  }
  return feature;
}

}  // namespace

AravisAddress read_aravis_address(std::string_view text) {
  if (!text.starts_with(kAravisScheme)) refuse(text, "it does not begin with aravis://");
  const auto [name, features] = cut_at(text.substr(kAravisScheme.size()), '?');
  AravisAddress address;
  address.name = decode(name, text);
  if (address.name.empty()) refuse(text, "the camera's name is missing");
  if (features.empty()) return address;
  for (const std::string_view part : base::split(features, '&')) {
    if (address.features.size() == kMostFeatures) {
      refuse(text, fmt::format("it has more than {} features", kMostFeatures));
    }
    address.features.push_back(read_feature(part, text));
  }
  return address;
}

}  // namespace andon::inspect
