// SPDX-License-Identifier: Apache-2.0
// Room: registry. Which functions there are: their versions, aliases and settings as Lambda has
// them, in tables of their own. The room knows no processes and no files: what a version's code is
// is a digest here (package/), and running it is the business of sandboxes/ and invocations/.
// Plain values.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/json/json.hpp"
#include "base/time/time.hpp"

namespace andon::functions {

namespace json = base::json;

inline constexpr std::string_view kLatest = "$LATEST";
inline constexpr std::int64_t kLatestNumber = 0;
// A member of a configuration that is not shown: of PackageType Image {"uri", "runtime",
// "handler"}.
inline constexpr std::string_view kImageMember = "_image";

// A package: the digest of the ZIP archive that it came as.
struct Code {
  std::string sha256;  // lower-case hex
  std::uint64_t bytes = 0;
};

struct Version {
  std::string function;
  std::int64_t number = kLatestNumber;
  // What its owner said of it, by the names of AWS's FunctionConfiguration, with the defaults:
  // Runtime, Role, Handler, Description, Timeout, MemorySize, Environment ...
  json::object config;
  Code code;
  std::optional<Code> next_code;  // being prepared, while the other one serves
  std::string revision;
  base::Timestamp modified;
  std::string state;  // Pending, Active, Failed
  std::string state_reason;
  std::string state_reason_code;
  std::string update_status;  // Successful, InProgress, Failed
  std::string update_reason;
  std::string update_reason_code;

  [[nodiscard]] std::string label() const {
    return number == kLatestNumber ? std::string(kLatest) : std::to_string(number);
  }
  [[nodiscard]] std::string text(std::string_view member) const;
  [[nodiscard]] std::int64_t whole_number(std::string_view member) const;
  // What it is run with; of an image that of its mapping and its own command.
  [[nodiscard]] std::string runtime() const;
  [[nodiscard]] std::string handler() const;
  [[nodiscard]] std::map<std::string, std::string> environment() const;
  [[nodiscard]] std::int64_t ephemeral_mib() const;
  [[nodiscard]] std::string log_group() const;
  // ARNs of its layers, in their order.
  [[nodiscard]] std::vector<std::string> layers() const;
};

struct Alias {
  std::string function;
  std::string name;
  std::int64_t version = 0;
  std::string description;
  // At most one more version, and how many of the calls go there (0 to 1).
  std::optional<std::int64_t> other_version;
  double other_weight = 0;
  std::string revision;
};

// How events of a version or alias are handled ("$LATEST": of the function).
struct EventConfig {
  std::string function;
  std::string qualifier;
  std::optional<std::int64_t> most_retries;
  std::optional<std::int64_t> most_age_s;
  std::optional<std::string> on_success;  // ARNs
  std::optional<std::string> on_failure;
  base::Timestamp modified;
};

// A resource's policy: statements by their ids.
struct Permissions {
  json::array statements;
  std::string revision;
};

// What a name leads to: for a call, an alias has chosen one of its versions.
struct Resolved {
  Version version;
  std::string qualifier;  // as it was asked for; empty: none was given
  std::optional<std::int64_t> reserved;
};

}  // namespace andon::functions
