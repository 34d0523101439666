// SPDX-License-Identifier: Apache-2.0
// Parameters and secrets as values, and what is asked about them.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time/time.hpp"
#include "control/shared/tags.hpp"

namespace andon::control {

// ---- parameters

enum class ParameterType : std::uint8_t { string, string_list, secure_string };
[[nodiscard]] std::string_view to_string(ParameterType type);  // "SecureString"
[[nodiscard]] std::optional<ParameterType> parameter_type(std::string_view word);

enum class ParameterTier : std::uint8_t { standard, advanced };
[[nodiscard]] std::string_view to_string(ParameterTier tier);  // "Standard"

// A version of a parameter.
struct Parameter {
  std::string name;
  std::string key;  // the name without a slash in front, as its ARN has it
  std::int64_t version = 0;
  ParameterType type = ParameterType::string;
  ParameterTier tier = ParameterTier::standard;
  std::string description;
  std::string allowed_pattern;
  base::Timestamp modified;
  std::string modified_by;          // an ARN
  std::string value;                // empty where it was not asked for
  std::vector<std::string> labels;  // where they were asked for
};

// What a SecureString is given as: its text, or the base64 of what is stored.
enum class Reveal : std::uint8_t { opened, sealed };

struct NewParameter {
  enum class Existing : std::uint8_t { refuse, overwrite };
  // `by_size`: Standard, where the value fits and it was not Advanced before.
  enum class Tier : std::uint8_t { as_it_was, standard, advanced, by_size };

  std::string name;
  std::string value;
  std::optional<ParameterType> type;           // nothing: as it was
  std::optional<std::string> description;      // nothing: as it was
  std::optional<std::string> allowed_pattern;  // nothing: as it was; empty: none
  Tier tier = Tier::as_it_was;
  Existing existing = Existing::refuse;
  std::string by;  // an ARN
  TagMap tags = {};
};

struct PutParameterOutcome {
  std::int64_t version = 0;
  ParameterTier tier = ParameterTier::standard;
};

// All filters hold; of one filter's values any.
struct ParameterFilter {
  enum class Key : std::uint8_t { name, path, type, key_id, tier, data_type, label, tag };
  enum class Option : std::uint8_t { equals, begins_with, contains, recursive, one_level };
  Key key = Key::name;
  Option option = Option::equals;
  std::vector<std::string> values;
  std::string tag = {};  // of Key::tag: the tag's key
};

struct LabelOutcome {
  std::int64_t version = 0;
  std::vector<std::string> done;     // were attached, or taken off
  std::vector<std::string> invalid;  // no labels, or not this version's
};

// The key that SecureStrings are sealed with, by the name that AWS's own has.
inline constexpr std::string_view kParameterKeyId = "alias/aws/ssm";

// ---- secrets

struct SecretValue {
  std::string bytes;
  bool is_binary = false;
};

struct Secret {
  std::int64_t id = 0;
  std::string name;
  std::string arn;
  std::string description;
  base::Timestamp created;
  base::Timestamp changed;
  std::optional<base::Timestamp> accessed;  // a day
  std::optional<base::Timestamp> deleted;   // its deletion was asked for
  TagMap tags;
  std::map<std::string, std::vector<std::string>> stages;  // of the versions that have any
};

struct SecretVersion {
  std::string id;
  bool is_binary = false;
  base::Timestamp created;
  std::optional<base::Timestamp> accessed;  // a day
  std::vector<std::string> stages;
};

struct SecretContent {
  std::string arn;
  std::string name;
  SecretVersion version;
  SecretValue value;
};

// What was done, to which secret and version ("" where none was made).
struct SecretChange {
  std::string arn;
  std::string name;
  std::string version_id;
  std::vector<std::string> stages;
};

struct NewSecret {
  std::string name;
  std::string description;
  std::optional<SecretValue> value;
  std::string token;  // becomes the version's id
  TagMap tags;
};

struct SecretUpdate {
  std::optional<std::string> description;
  std::optional<SecretValue> value;
  std::string token;
};

// All filters hold; of one filter's values any.
struct SecretFilter {
  enum class Key : std::uint8_t { description, name, tag_key, tag_value, all };
  Key key = Key::name;
  std::vector<std::string> values;  // "!" in front: those that do not have it
};

struct SecretQuery {
  std::vector<SecretFilter> filters;
  bool with_deleted = false;
  bool oldest_first = false;  // else the newest
};

inline constexpr std::string_view kSecretCurrent = "AWSCURRENT";
inline constexpr std::string_view kSecretPrevious = "AWSPREVIOUS";

}  // namespace andon::control
