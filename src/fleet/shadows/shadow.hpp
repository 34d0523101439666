// SPDX-License-Identifier: Apache-2.0
// Room: shadows. Shadows of things: documents of what is desired and what is reported, as AWS IoT
// has them. Server and device keep theirs by the same rules, which are these.
// One document, what an operation makes of it, and what is told of it. Values; pure; any thread.
// Errors are base::Error: invalid_argument naming the member, conflict for a version that is not
// the shadow's, not_found, resource_exhausted where it would be too large.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error/error.hpp"
#include "base/json/json.hpp"

namespace andon::fleet {

namespace json = base::json;

inline constexpr std::size_t kMostShadowBytes = 8U << 10U;  // of the state, as JSON
inline constexpr std::size_t kMostShadowDepth = 8;          // below desired and reported
inline constexpr std::size_t kMostShadowToken = 64;

struct Shadow {
  json::object state;     // "desired" and "reported", where there is something
  json::object metadata;  // the same, with {"timestamp": seconds} in the place of each value
  std::int64_t version = 0;
  bool is_deleted = false;  // its version goes on where it is made again

  // The version that who updates must have seen.
  [[nodiscard]] std::int64_t seen_version() const { return is_deleted ? 0 : version; }
  friend bool operator==(const Shadow&, const Shadow&) = default;
};

// What is desired and not reported so; empty where all is.
[[nodiscard]] json::object delta_of(const Shadow& shadow);

// A request's payload as it came, which may be empty.
[[nodiscard]] json::object parse_shadow_request(std::string_view payload);

// What became of a request: the shadow after it, what who asked is told, and what goes onto the
// shadow's topics ("update/delta") beside.
struct ShadowStep {
  Shadow shadow;
  json::object accepted;
  std::vector<std::pair<std::string, json::object>> told;
};

// State with its delta, metadata, version, timestamp. `name` is for the error.
[[nodiscard]] ShadowStep get_shadow(const std::optional<Shadow>& shadow, std::string_view name,
                                    const json::object& request, std::int64_t now_s);
// `request` is {"state": {"desired": ..., "reported": ...}, "version": ..., "clientToken": ...}.
// Objects merge, null takes away, all else replaces. Tells documents, and delta where there is one.
[[nodiscard]] ShadowStep update_shadow(Shadow shadow, const json::object& request,
                                       std::int64_t now_s);
[[nodiscard]] ShadowStep delete_shadow(const std::optional<Shadow>& shadow, std::string_view name,
                                       const json::object& request, std::int64_t now_s);

// The payload of .../rejected, with the codes of HTTP.
[[nodiscard]] json::object shadow_rejection(const base::Error& error, const json::object& request,
                                            std::int64_t now_s);

// What makes `from` out of `to`'s sections: an object that merged into `from` gives `to`; members
// that are gone are null.
[[nodiscard]] json::object patch_between(const json::object& from, const json::object& to);

}  // namespace andon::fleet
