// SPDX-License-Identifier: Apache-2.0
// What the broker knows of the server's truth: which certificates may connect, as whom, which
// things there are, and the limits that hold. This room has the view itself, and the file in which
// the server keeps it: a line a change, appended; a new file, put in the place of the old
// one, at each start of the server. A broker whose server is away goes on with the last view; one
// that has none refuses everybody. A View is a plain value: not thread-safe.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <variant>

#include "policy/decision/decision.hpp"
#include "rights/principal.hpp"

namespace andon::broker {

using rights::Principal;
using rights::PrincipalKind;

struct StringHash {
  using is_transparent = void;
  std::size_t operator()(std::string_view text) const {
    return std::hash<std::string_view>{}(text);
  }
};

// What one thing, or one client of no thing, may use of the broker. The defaults leave room for an
// agent that publishes 2,000 results a second, and for no more than a share of the broker's memory.
struct Limits {
  std::uint64_t message_bytes = 1U << 20U;
  std::uint64_t messages_per_second = 5'000;   // sustained; twice as many at once
  std::uint64_t bytes_per_second = 4U << 20U;  // sustained; four times as many at once
  std::uint64_t retained_messages = 100;
  std::uint64_t retained_bytes = 1U << 20U;
  std::uint64_t sessions = 8;         // client ids, connected or kept
  std::uint64_t subscriptions = 100;  // of one client id
  friend bool operator==(const Limits&, const Limits&) = default;
};

// What a client shows when it connects, as one text: the SHA-256 of its certificate's DER, in
// lower-case hex; or, of a user, trust::user_credential().
using Credential = std::string;

// Changes, as lines of the file.
struct AllowCertificate {
  Credential fingerprint;
  Principal principal;
};
struct RefuseCertificate {
  Credential fingerprint;
};
struct AddThing {
  std::string name;
};
struct RemoveThing {
  std::string name;
};
// An IoT policy as it counts now.
struct SetPolicy {
  std::string name;
  std::string document;  // JSON, on one line
};
struct RemovePolicy {
  std::string name;
};
// What the ARNs of policies begin with: "arn:aws:iot:us-east-1:000000000000:".
struct SetRealm {
  std::string prefix;
};
using Change = std::variant<AllowCertificate, RefuseCertificate, AddThing, RemoveThing, SetPolicy,
                            RemovePolicy, SetRealm, Limits>;

class View {
 public:
  void apply(const Change& change);

  // Null where nobody with that credential may connect.
  [[nodiscard]] const Principal* find(std::string_view credential) const;
  [[nodiscard]] bool has_thing(std::string_view name) const;
  // A client of no thing that may connect, whatever its credential.
  [[nodiscard]] bool has_client(std::string_view name) const;
  // All of a principal's policies, compiled: the same object for the same names, until one of them
  // changes. Null where it has none. What cannot be read counts as a policy that says nothing.
  [[nodiscard]] std::shared_ptr<const policy::PolicySet> policies_of(const Principal& principal);
  [[nodiscard]] const std::string& realm() const { return realm_; }
  [[nodiscard]] const Limits& limits() const { return limits_; }
  [[nodiscard]] std::size_t certificates() const { return principals_.size(); }
  [[nodiscard]] std::size_t policies() const { return policies_.size(); }

 private:
  struct Policy {
    std::string document;
    std::shared_ptr<const policy::NamedPolicy> compiled = nullptr;  // once somebody needed it
  };
  template <typename Value>
  using ByText = std::unordered_map<std::string, Value, StringHash, std::equal_to<>>;

  [[nodiscard]] std::shared_ptr<const policy::NamedPolicy> compiled(const std::string& name);
  void count_client(const Principal& principal, int by);

  ByText<Principal> principals_;
  ByText<int> clients_;  // how many credentials each has
  ByText<Policy> policies_;
  ByText<std::weak_ptr<const policy::PolicySet>> sets_;  // by the names of their policies
  // Those that nobody has any more are looked for when there are so many.
  static constexpr std::size_t kManySets = 1000;
  std::size_t most_sets_ = kManySets;
  std::unordered_set<std::string, StringHash, std::equal_to<>> things_;
  std::string realm_;
  Limits limits_;
};

// One line, with its newline.
[[nodiscard]] std::string to_line(const Change& change);
// Throws base::Error(invalid_argument) that says what is wrong with the line (without newline, at
// most kMaxLineBytes).
inline constexpr std::size_t kMaxLineBytes = 128U << 10U;
[[nodiscard]] Change parse_line(std::string_view line);

}  // namespace andon::broker
