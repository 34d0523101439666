// SPDX-License-Identifier: Apache-2.0
// What one client of the broker may: connect under its client id, publish, subscribe, receive. The
// one decision, for the broker's module and for TestAuthorization.
//
// A thing has andon's own topics whatever its policies say, so that no policy cuts it off from its
// server unseen; only an explicit Deny of iot:Connect shuts it out, and then wholly. Beyond them
// its policies decide, or, where it has none, what is wired in. What is between the server and
// another thing no policy opens to it. Commands to devices, and answers to them, nobody publishes
// but the server and the thing itself. A `client` has nothing but what its policies allow.
//
// In a policy, + and # of a topic filter are characters like others; * and ? are its wildcards, and
// reach over slashes. Not thread-safe: it remembers what it has decided.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "policy/decision/decision.hpp"
#include "policy/language/context.hpp"
#include "rights/principal.hpp"

namespace andon::rights {

// Policies say nothing of longer topics and filters, nor does AWS IoT take any.
inline constexpr std::size_t kMostTopicBytes = 256;

enum class Action : std::uint8_t { connect, publish, retain, subscribe, receive };
[[nodiscard]] std::string_view to_string(Action action);  // "iot:Connect"

struct Ruling {
  bool is_allowed = false;
  policy::Verdict verdict = policy::Verdict::denied_implicitly;  // of the policies, if asked
  std::shared_ptr<const policy::NamedPolicy> policy = nullptr;   // that decided; null: none did
};

// What a connection says of itself.
struct Connection {
  std::string client_id;
  std::string source_ip;  // empty: not known
};

class TopicRights {
 public:
  TopicRights() = default;  // nothing
  // `policies` are the principal's, compiled; null where it has none. `prefix` is that of the
  // account's ARNs: "arn:aws:iot:us-east-1:000000000000:".
  TopicRights(const Principal& principal, std::shared_ptr<const policy::PolicySet> policies,
              std::string prefix, const Connection& connection);

  // Its client id, and that it may be there at all.
  [[nodiscard]] Ruling connect() const;
  [[nodiscard]] Ruling publish(std::string_view topic) const;
  // As a retained message, where it may publish there.
  [[nodiscard]] Ruling retain(std::string_view topic) const;
  [[nodiscard]] Ruling subscribe(std::string_view filter) const;  // without $share/<group>/
  [[nodiscard]] Ruling receive(std::string_view topic) const;

  // Over HTTPS, what is no action on messages that come and go.
  // To read the message that the broker keeps on the topic.
  [[nodiscard]] Ruling read_retained(std::string_view topic) const;
  // What the policies alone say of "iot:GetThingShadow" on "thing/line-4": a thing has its own
  // shadows unless `verdict` is denied_explicitly, and no other's whatever they say.
  [[nodiscard]] Ruling ask(std::string_view action, std::string_view resource) const;

  // The same of publish() to receive(); remembered for the topics that come again and again.
  [[nodiscard]] bool may(Action action, std::string_view topic);

 private:
  [[nodiscard]] Ruling decide(std::string_view action, std::string_view resource) const;
  [[nodiscard]] Ruling by_policies(std::string_view action, std::string_view kind,
                                   std::string_view name, bool is_reserved) const;
  [[nodiscard]] bool is_kept_from(std::string_view topic) const;

  PrincipalKind kind_ = PrincipalKind::client;
  std::shared_ptr<const policy::PolicySet> policies_;
  std::string prefix_;
  std::string client_id_;
  policy::Context context_;
  std::vector<std::string> writable_;  // filters that need no policy
  std::vector<std::string> readable_;
  std::unordered_map<std::string, bool> remembered_;  // by action and topic
  std::string key_;                                   // of the last question: spares its memory
};

}  // namespace andon::rights
