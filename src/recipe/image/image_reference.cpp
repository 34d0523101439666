// SPDX-License-Identifier: Apache-2.0
#include "recipe/image/image_reference.hpp"

#include <algorithm>
#include <array>

#include "base/error/error.hpp"
#include "base/text/ascii.hpp"
#include "base/text/escape.hpp"
#include "base/text/number.hpp"
#include "base/text/split.hpp"

namespace andon::recipe {
namespace {

constexpr std::string_view kScheme = "docker:";
constexpr std::string_view kSha256 = "sha256:";
constexpr std::string_view kDefaultRegistry = "docker.io";
constexpr std::size_t kMostName = 255;
constexpr std::size_t kMostTag = 128;
constexpr std::size_t kSha256Digits = 64;

bool is_small(char c) {
  return base::is_digit(c) || (c >= 'a' && c <= 'z');
}

// Small letters and digits; between them one dot, one or two underscores, or hyphens.
bool is_path_part(std::string_view part) {
  if (part.empty() || !is_small(part.front()) || !is_small(part.back())) return false;
  while (!part.empty()) {
    const auto is_word = [](char c) { return is_small(c); };
    part.remove_prefix(static_cast<std::size_t>(
        std::find_if_not(part.begin(), part.end(), is_word) - part.begin()));
    const auto end = std::find_if(part.begin(), part.end(), is_word);
    const std::string_view between = part.substr(0, static_cast<std::size_t>(end - part.begin()));
    const bool is_separator = between.empty() || between == "." || between == "_" ||
                              between == "__" ||
                              between.find_first_not_of('-') == std::string_view::npos;
    if (!is_separator) return false;
    part.remove_prefix(between.size());
  }
  return true;
}

// What stands before the first slash is a registry where a host's name looks like one.
bool looks_like_registry(std::string_view part) {
  return part == "localhost" || part.find_first_of(".:") != std::string_view::npos;
}

bool is_host_label(std::string_view label) {
  return !label.empty() && base::is_name_of(label, "-") && label.front() != '-' &&
         label.back() != '-';
}

bool is_registry(std::string_view registry) {
  std::string_view host = registry;
  if (host.starts_with('[')) {
    const std::size_t end = host.find(']');
    if (end == std::string_view::npos || end < 3) return false;
    const std::string_view address = host.substr(1, end - 1);
    if (address.find_first_not_of("0123456789abcdefABCDEF:.") != std::string_view::npos) {
      return false;
    }
    host.remove_prefix(end + 1);
    if (host.empty()) return true;
    if (host.front() != ':') return false;
  } else {
    host = host.substr(0, host.find(':'));
    const auto labels = base::split(host, '.');
    if (!std::ranges::all_of(labels, is_host_label)) return false;
    if (host.size() == registry.size()) return true;
    host = registry.substr(host.size());
  }
  const auto port = base::parse_integer<std::uint16_t>(host.substr(1));
  return port && *port != 0;
}

bool is_tag(std::string_view tag) {
  return !tag.empty() && tag.size() <= kMostTag && base::is_name_of(tag, "-_.") &&
         tag.front() != '-' && tag.front() != '.';
}

bool is_digest(std::string_view digest) {
  if (!digest.starts_with(kSha256)) return false;
  digest.remove_prefix(kSha256.size());
  return digest.size() == kSha256Digits &&
         digest.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

base::Error refused(std::string_view uri, const std::string& why) {
  constexpr std::size_t kMostShown = 300;
  return {base::ErrorCode::invalid_argument,
          "the image \"" + base::escape_line(uri.substr(0, kMostShown)) + "\" " + why};
}

void check_name(std::string_view uri, std::string_view name) {
  if (name.empty()) throw refused(uri, "has no name: write docker:NAME@sha256:DIGEST");
  if (name.size() > kMostName) {
    throw refused(uri, "has a name of more than " + std::to_string(kMostName) + " characters");
  }
  auto parts = base::split(name, '/');
  if (parts.size() > 1 && looks_like_registry(parts.front())) {
    if (!is_registry(parts.front())) {
      throw refused(uri, "names a registry that is not HOST or HOST:PORT");
    }
    parts.erase(parts.begin());
  }
  for (const std::string_view part : parts) {
    if (is_path_part(part)) continue;
    throw refused(uri,
                  "has no name that registries know: small letters and digits, with . _ or - "
                  "between them, and / between its parts");
  }
}

}  // namespace

bool is_image_uri(std::string_view uri) {
  return uri.starts_with(kScheme);
}

ImageReference parse_image_uri(std::string_view uri) {
  if (!is_image_uri(uri)) throw refused(uri, "must begin with docker:");
  std::string_view rest = uri.substr(kScheme.size());
  ImageReference image;
  if (const std::size_t at = rest.find('@'); at != std::string_view::npos) {
    image.digest = rest.substr(at + 1);
    rest = rest.substr(0, at);
    if (!is_digest(image.digest)) {
      throw refused(uri, "has a digest that is not sha256: and 64 digits 0-9, a-f");
    }
  }
  // A colon before the last slash is that of a registry's port.
  const std::size_t slash = rest.rfind('/');
  const std::size_t colon = rest.find(':', slash == std::string_view::npos ? 0 : slash);
  if (colon != std::string_view::npos) {
    image.tag = rest.substr(colon + 1);
    rest = rest.substr(0, colon);
    if (!is_tag(image.tag)) {
      throw refused(uri,
                    "has a tag that is none: at most 128 letters, digits, _ . -, the first "
                    "neither . nor -");
    }
  }
  check_name(uri, rest);
  image.name = rest;
  return image;
}

ImageReference parse_pinned_image_uri(std::string_view uri) {
  ImageReference image = parse_image_uri(uri);
  if (!image.digest.empty()) return image;
  const std::string tag = image.tag.empty() ? "latest" : image.tag;
  throw refused(uri,
                "names no digest, so that it can be another image tomorrow and cannot be "
                "verified: write docker:" +
                    image.name + (image.tag.empty() ? "" : ':' + image.tag) +
                    "@sha256:DIGEST, with the digest that skopeo inspect --format "
                    "'{{.Digest}}' docker://" +
                    full_image_name(image.name) + ':' + tag + " tells");
}

std::string registry_of(std::string_view name) {
  const std::size_t slash = name.find('/');
  const std::string_view first = name.substr(0, slash);
  const bool has_one = slash != std::string_view::npos && looks_like_registry(first);
  return std::string(has_one ? first : kDefaultRegistry);
}

std::string full_image_name(std::string_view name) {
  const std::size_t slash = name.find('/');
  if (slash == std::string_view::npos) {
    return std::string(kDefaultRegistry) + "/library/" + std::string(name);
  }
  if (looks_like_registry(name.substr(0, slash))) return std::string(name);
  return std::string(kDefaultRegistry) + '/' + std::string(name);
}

}  // namespace andon::recipe
