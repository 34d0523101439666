// SPDX-License-Identifier: Apache-2.0
#include "fleet/shadows/shadow.hpp"

#include <algorithm>

#include "base/json/json_reader.hpp"

namespace andon::fleet {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::string_view kSections[] = {"desired", "reported"};
// state, section, and what is in them.
constexpr base::JsonLimits kRequest{.max_bytes = 64U << 10U, .max_depth = kMostShadowDepth + 4};

bool is_deeper_than(const json::value& value, std::size_t levels) {
  const auto inner_is = [levels](const json::value& inner) {
    return is_deeper_than(inner, levels - 1);
  };
  if (const json::object* const object = value.if_object()) {
    if (levels == 0) return true;
    return std::ranges::any_of(*object,
                               [&](const auto& member) { return inner_is(member.value()); });
  }
  if (const json::array* const array = value.if_array()) {
    if (levels == 0) return true;
    return std::ranges::any_of(*array, inner_is);
  }
  return false;
}

// Each value with the time of its change in its place.
json::value stamp(const json::value& value, std::int64_t now_s) {
  const json::object* const inner = value.if_object();
  if (inner == nullptr) return json::object{{"timestamp", now_s}};
  json::object stamped;
  for (const auto& [key, member] : *inner) stamped[key] = stamp(member, now_s);
  return stamped;
}

void merge(json::object& state, json::object& metadata, const json::object& patch,
           std::int64_t now_s) {
  for (const auto& [key, value] : patch) {
    if (value.is_null()) {
      state.erase(key);
      metadata.erase(key);
      continue;
    }
    json::value& old = state[key];
    json::value& old_stamp = metadata[key];
    if (const json::object* const inner = value.if_object()) {
      if (!old.is_object()) {
        old = json::object{};
        old_stamp = json::object{};
      }
      merge(old.get_object(), old_stamp.get_object(), *inner, now_s);
      continue;
    }
    old = value;
    old_stamp = stamp(value, now_s);
  }
}

// Of what differs, with the stamps of `metadata`, if it is given.
struct Difference {
  json::object state;
  json::object metadata;
};
Difference difference(const json::object& desired, const json::object& reported,
                      const json::object& metadata) {
  Difference delta;
  for (const auto& [key, value] : desired) {
    const json::value* const is = reported.if_contains(key);
    const json::value* const stamps = metadata.if_contains(key);
    if (is != nullptr && is->is_object() && value.is_object()) {
      static const json::object none;
      Difference inner =
          difference(value.get_object(), is->get_object(),
                     stamps != nullptr && stamps->is_object() ? stamps->get_object() : none);
      if (inner.state.empty()) continue;
      delta.state[key] = std::move(inner.state);
      delta.metadata[key] = std::move(inner.metadata);
    } else if (is == nullptr || *is != value) {
      delta.state[key] = value;
      if (stamps != nullptr) delta.metadata[key] = *stamps;
    }
  }
  return delta;
}

json::object section(const json::object& all, std::string_view name) {
  const json::value* const found = all.if_contains(name);
  return found != nullptr && found->is_object() ? found->get_object() : json::object{};
}

void put_section(json::object& all, std::string_view name, json::object value) {
  if (value.empty()) {
    all.erase(name);
  } else {
    all[name] = std::move(value);
  }
}

Difference difference(const Shadow& shadow) {
  return difference(section(shadow.state, "desired"), section(shadow.state, "reported"),
                    section(shadow.metadata, "desired"));
}

json::object standing(const Shadow& shadow) {
  return {
      {"state", shadow.state}, {"metadata", shadow.metadata}, {"version", shadow.seen_version()}};
}

std::string token_of(const json::object& request) {
  const std::string token =
      base::JsonReader(request, "shadow request").optional_string("clientToken").value_or("");
  if (token.size() > kMostShadowToken) {
    throw Error(ErrorCode::invalid_argument,
                "clientToken has more than " + std::to_string(kMostShadowToken) + " bytes");
  }
  return token;
}

void put_token(json::object& message, const std::string& token) {
  if (!token.empty()) message["clientToken"] = token;
}

const Shadow& require(const std::optional<Shadow>& shadow, std::string_view name) {
  if (!shadow || shadow->is_deleted) {
    throw Error(ErrorCode::not_found, "No shadow exists with name: '" + std::string(name) + "'");
  }
  return *shadow;
}

// What `request` makes of a section of the state.
void update_section(Shadow& shadow, std::string_view key, const json::value& value,
                    std::int64_t now_s) {
  if (std::ranges::find(kSections, key) == std::end(kSections)) {
    throw Error(ErrorCode::invalid_argument,
                "state may have 'desired' and 'reported', not '" + std::string(key) + "'");
  }
  if (value.is_null()) {
    shadow.state.erase(key);
    shadow.metadata.erase(key);
    return;
  }
  if (!value.is_object()) {
    throw Error(ErrorCode::invalid_argument,
                "state." + std::string(key) + " must be an object or null");
  }
  if (is_deeper_than(value, kMostShadowDepth)) {
    throw Error(ErrorCode::invalid_argument, "state." + std::string(key) + " is nested more than " +
                                                 std::to_string(kMostShadowDepth) + " deep");
  }
  json::object now = section(shadow.state, key);
  json::object stamps = section(shadow.metadata, key);
  merge(now, stamps, value.get_object(), now_s);
  put_section(shadow.state, key, std::move(now));
  put_section(shadow.metadata, key, std::move(stamps));
}

int code_of(const Error& error) {
  switch (error.code()) {
    case ErrorCode::invalid_argument:
      return 400;
    case ErrorCode::not_found:
      return 404;
    case ErrorCode::conflict:
      return 409;
    case ErrorCode::resource_exhausted:
      return 413;
    case ErrorCode::permission_denied:
      return 403;
    default:
      return 500;
  }
}

}  // namespace

json::object delta_of(const Shadow& shadow) {
  return difference(shadow).state;
}

json::object parse_shadow_request(std::string_view payload) {
  if (payload.empty()) return {};
  json::value value = base::parse_json(payload, "shadow request", kRequest);
  if (value.is_object()) return std::move(value.get_object());
  throw Error(ErrorCode::invalid_argument, "the shadow request must be a JSON object");
}

ShadowStep get_shadow(const std::optional<Shadow>& shadow, std::string_view name,
                      const json::object& request, std::int64_t now_s) {
  const std::string token = token_of(request);
  ShadowStep step{.shadow = require(shadow, name), .accepted = {}, .told = {}};
  json::object state = step.shadow.state;
  if (json::object delta = delta_of(step.shadow); !delta.empty()) state["delta"] = std::move(delta);
  step.accepted = {{"state", std::move(state)},
                   {"metadata", step.shadow.metadata},
                   {"version", step.shadow.version},
                   {"timestamp", now_s}};
  put_token(step.accepted, token);
  return step;
}

ShadowStep update_shadow(Shadow shadow, const json::object& request, std::int64_t now_s) {
  const base::JsonReader reader(request, "shadow update");
  const json::object& state = reader.child("state").object();
  if (const auto version = reader.optional_integer("version");
      version && *version != shadow.seen_version()) {
    throw Error(ErrorCode::conflict, "Version conflict: the shadow has version " +
                                         std::to_string(shadow.seen_version()) + ", not " +
                                         std::to_string(*version));
  }
  const std::string token = token_of(request);
  json::object previous = standing(shadow);
  if (shadow.is_deleted) {
    shadow.state.clear();
    shadow.metadata.clear();
    shadow.is_deleted = false;
  }
  json::object told_metadata;
  for (const auto& [key, value] : state) {
    update_section(shadow, key, value, now_s);
    if (!value.is_null()) told_metadata[key] = stamp(value, now_s);
  }
  if (base::to_text(shadow.state).size() > kMostShadowBytes) {
    throw Error(ErrorCode::resource_exhausted,
                "the shadow would have more than " + std::to_string(kMostShadowBytes) + " bytes");
  }
  ++shadow.version;
  ShadowStep step{.shadow = std::move(shadow), .accepted = {}, .told = {}};
  step.accepted = {{"state", state},
                   {"metadata", std::move(told_metadata)},
                   {"version", step.shadow.version},
                   {"timestamp", now_s}};
  put_token(step.accepted, token);
  if (Difference delta = difference(step.shadow); !delta.state.empty()) {
    json::object message{{"version", step.shadow.version},
                         {"timestamp", now_s},
                         {"state", std::move(delta.state)},
                         {"metadata", std::move(delta.metadata)}};
    put_token(message, token);
    step.told.emplace_back("update/delta", std::move(message));
  }
  json::object documents{
      {"previous", std::move(previous)}, {"current", standing(step.shadow)}, {"timestamp", now_s}};
  put_token(documents, token);
  step.told.emplace_back("update/documents", std::move(documents));
  return step;
}

ShadowStep delete_shadow(const std::optional<Shadow>& shadow, std::string_view name,
                         const json::object& request, std::int64_t now_s) {
  const std::string token = token_of(request);
  ShadowStep step{.shadow = require(shadow, name), .accepted = {}, .told = {}};
  step.shadow.is_deleted = true;
  step.shadow.state.clear();
  step.shadow.metadata.clear();
  step.accepted = {{"version", step.shadow.version}, {"timestamp", now_s}};
  put_token(step.accepted, token);
  return step;
}

json::object shadow_rejection(const Error& error, const json::object& request, std::int64_t now_s) {
  json::object message{
      {"code", code_of(error)}, {"message", error.message()}, {"timestamp", now_s}};
  if (const json::value* const token = request.if_contains("clientToken");
      token != nullptr && token->is_string()) {
    message["clientToken"] = *token;
  }
  return message;
}

json::object patch_between(const json::object& from, const json::object& to) {
  json::object patch;
  for (const auto& [key, value] : to) {
    const json::value* const before = from.if_contains(key);
    if (before != nullptr && before->is_object() && value.is_object()) {
      json::object inner = patch_between(before->get_object(), value.get_object());
      if (!inner.empty()) patch[key] = std::move(inner);
    } else if (before == nullptr || *before != value) {
      patch[key] = value;
    }
  }
  for (const auto& [key, value] : from) {
    if (!to.contains(key)) patch[key] = nullptr;
  }
  return patch;
}

}  // namespace andon::fleet
