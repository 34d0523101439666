// SPDX-License-Identifier: Apache-2.0
// What a query may name of a thing's shadows: "shadow.reported.motor.speed",
// "shadow.name.lamp.desired.on", "shadow.hasDelta", "shadow.version". Below reported and desired a
// dot leads into an object; the values of a list are those of its elements. Numbers, texts, true
// and false are values, as texts.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fleet/shadows/shadow.hpp"
#include "store/sql/database.hpp"

namespace andon::control {

struct ShadowField {
  std::string name = {};               // of the shadow; empty: the classic one
  std::string section;                 // "reported", "desired", "hasDelta", "version"
  std::vector<std::string> path = {};  // below reported and desired
};
// Nothing for what is no field of a shadow.
[[nodiscard]] std::optional<ShadowField> read_shadow_field(std::string_view field);

// Reads the shadows of one thing after the other. Made for one transaction, which must outlive it.
class ShadowFields {
 public:
  explicit ShadowFields(store::Transaction& tx) : tx_(tx) {}
  ShadowFields(const ShadowFields&) = delete;
  ShadowFields& operator=(const ShadowFields&) = delete;
  ~ShadowFields() = default;

  // None where there is no such shadow.
  [[nodiscard]] std::vector<std::string> values(const std::string& thing, const ShadowField& field);

 private:
  store::Transaction& tx_;
  std::string thing_;  // whose shadow is in `shadow_`: a query names the same several times
  std::string name_;
  std::optional<fleet::Shadow> shadow_;
  bool has_read_ = false;
};

}  // namespace andon::control
