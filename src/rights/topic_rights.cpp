// SPDX-License-Identifier: Apache-2.0
#include "rights/topic_rights.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "base/error/error.hpp"
#include "fleet/names/topic.hpp"
#include "rights/topic_filter.hpp"
#include "wire/mqtt/mqtt_topic.hpp"

namespace andon::rights {
namespace {

// %t is the thing's name; docs/broker.md shows the same table.
constexpr std::array kThingWrites{"$aws/things/%t/#", "andon/things/%t/#"};
constexpr std::array kThingReadsToo{"cmd/andon/%t/#", "andon/broadcast/#"};
// Of a thing without policies.
constexpr std::array kUnruledThingWrites{"dt/+/%t/#"};
constexpr std::array kUnruledThingReadsToo{"dt/+/%t/#", "cmd/+/%t/#"};
// Of a claim; %t is its template's name.
constexpr std::array kClaimWrites{"$aws/certificates/create/json",
                                  "$aws/certificates/create-from-csr/json",
                                  "$aws/provisioning-templates/%t/provision/json"};
constexpr std::array kClaimReads{"$aws/certificates/create/json/#",
                                 "$aws/certificates/create-from-csr/json/#",
                                 "$aws/provisioning-templates/%t/provision/json/#"};
// What no policy gives a thing, as what is not its own of these is another's or the server's.
constexpr std::array kReserved{"$aws/#", "$SYS/#", "andon/#", "cmd/andon/#"};

constexpr std::string_view kRuleTopics = "$aws/rules/";

// "#" does not match what begins with '$'.
constexpr std::array kEverything{"#", "$aws/#"};
constexpr std::array kBrokersOwn{"$SYS/#"};

// Of one client; few clients have more topics.
constexpr std::size_t kMostRemembered = 256;

std::string filled_in(std::string_view pattern, std::string_view thing) {
  std::string filter(pattern);
  constexpr std::string_view kName = "%t";
  const std::size_t at = filter.find(kName);
  if (at != std::string::npos) filter.replace(at, kName.size(), thing);
  return filter;
}

template <std::size_t Size>
void add(std::vector<std::string>& filters, const std::array<const char*, Size>& patterns,
         std::string_view thing) {
  for (const char* pattern : patterns) filters.push_back(filled_in(pattern, thing));
}

bool any_matches(const std::vector<std::string>& filters, std::string_view topic) {
  return std::ranges::any_of(
      filters, [topic](const std::string& filter) { return wire::topic_matches(filter, topic); });
}

bool is_reserved_topic(std::string_view topic) {
  return std::ranges::any_of(
      kReserved, [topic](const char* filter) { return wire::topic_matches(filter, topic); });
}

bool reaches_reserved(std::string_view filter) {
  return std::ranges::any_of(kReserved,
                             [filter](const char* reserved) { return may_meet(reserved, filter); });
}

}  // namespace

std::string_view to_string(Action action) {
  switch (action) {
    case Action::connect:
      return "iot:Connect";
    case Action::publish:
      return "iot:Publish";
    case Action::retain:
      return "iot:RetainPublish";
    case Action::subscribe:
      return "iot:Subscribe";
    case Action::receive:
      return "iot:Receive";
  }
  throw base::Error(base::ErrorCode::internal, "an action has no name");
}

TopicRights::TopicRights(const Principal& principal,
                         std::shared_ptr<const policy::PolicySet> policies, std::string prefix,
                         const Connection& connection)
    : kind_(principal.kind),
      policies_(std::move(policies)),
      prefix_(std::move(prefix)),
      client_id_(connection.client_id) {
  for (const auto& [key, value] : principal.facts) context_.set(key, value);
  context_.set("iot:ClientId", connection.client_id);
  if (!connection.source_ip.empty()) context_.set("aws:SourceIp", connection.source_ip);
  const std::string& name = principal.name;
  switch (kind_) {
    case PrincipalKind::thing:
      add(writable_, kThingWrites, name);
      add(readable_, kThingWrites, name);
      add(readable_, kThingReadsToo, name);
      if (policies_ == nullptr) {
        add(writable_, kUnruledThingWrites, name);
        add(readable_, kUnruledThingReadsToo, name);
      }
      break;
    case PrincipalKind::client:
      break;
    case PrincipalKind::claim:
      add(writable_, kClaimWrites, name);
      add(readable_, kClaimReads, name);
      break;
    case PrincipalKind::consumer:
    case PrincipalKind::server:
      add(writable_, kEverything, name);
      add(readable_, kEverything, name);
      add(readable_, kBrokersOwn, name);
      break;
  }
}

Ruling TopicRights::decide(std::string_view action, std::string_view resource) const {
  if (policies_ == nullptr) return {};
  policy::Decision decision =
      policies_->decide({.action = action, .resource = resource, .context = context_});
  return {.is_allowed = decision.is_allowed(),
          .verdict = decision.verdict,
          .policy = std::move(decision.policy)};
}

Ruling TopicRights::by_policies(std::string_view action, std::string_view kind,
                                std::string_view name, bool is_reserved) const {
  if (name.size() > kMostTopicBytes) return {};
  std::string resource = prefix_;
  resource.append(kind).append(name);
  Ruling ruling = decide(action, resource);
  if (is_reserved && kind_ == PrincipalKind::thing) ruling.is_allowed = false;
  return ruling;
}

Ruling TopicRights::connect() const {
  // What is too long for a policy is none that a Deny could have meant to spare.
  if (policies_ != nullptr && client_id_.size() > kMostTopicBytes) return {};
  Ruling ruling = by_policies(to_string(Action::connect), "client/", client_id_, false);
  if (kind_ != PrincipalKind::client) {
    ruling.is_allowed = ruling.verdict != policy::Verdict::denied_explicitly;
  }
  return ruling;
}

// Who asks a device for something does so through the server, which decides whether he may and
// writes it down; a thing's own answers are among its own topics.
bool TopicRights::is_kept_from(std::string_view topic) const {
  const bool is_of_them = kind_ == PrincipalKind::server || kind_ == PrincipalKind::thing;
  return !is_of_them && fleet::is_command_topic(topic);
}

Ruling TopicRights::publish(std::string_view topic) const {
  if (is_kept_from(topic)) return {};
  if (any_matches(writable_, topic)) return {.is_allowed = true};
  // What is said to a topic rule alone reaches nobody else.
  const bool is_reserved = is_reserved_topic(topic) && !topic.starts_with(kRuleTopics);
  return by_policies(to_string(Action::publish), "topic/", topic, is_reserved);
}

Ruling TopicRights::retain(std::string_view topic) const {
  if (is_kept_from(topic)) return {};
  if (any_matches(writable_, topic)) return {.is_allowed = true};
  return by_policies(to_string(Action::retain), "topic/", topic, is_reserved_topic(topic));
}

Ruling TopicRights::subscribe(std::string_view filter) const {
  const bool is_own = std::ranges::any_of(
      readable_, [filter](const std::string& right) { return covers(right, filter); });
  if (is_own) return {.is_allowed = true};
  return by_policies(to_string(Action::subscribe), "topicfilter/", filter,
                     reaches_reserved(filter));
}

Ruling TopicRights::receive(std::string_view topic) const {
  if (any_matches(readable_, topic)) return {.is_allowed = true};
  return by_policies(to_string(Action::receive), "topic/", topic, is_reserved_topic(topic));
}

Ruling TopicRights::read_retained(std::string_view topic) const {
  if (any_matches(readable_, topic)) return {.is_allowed = true};
  return by_policies("iot:GetRetainedMessage", "topic/", topic, is_reserved_topic(topic));
}

Ruling TopicRights::ask(std::string_view action, std::string_view resource) const {
  return decide(action, prefix_ + std::string(resource));
}

bool TopicRights::may(Action action, std::string_view topic) {
  const auto answer = [&] {
    switch (action) {
      case Action::publish:
        return publish(topic).is_allowed;
      case Action::retain:
        return retain(topic).is_allowed;
      case Action::subscribe:
        return subscribe(topic).is_allowed;
      case Action::receive:
        return receive(topic).is_allowed;
      case Action::connect:
        break;
    }
    return connect().is_allowed;
  };
  if (policies_ == nullptr) return answer();
  if (topic.size() > kMostTopicBytes) return answer();  // own topics may be longer
  key_.assign(1, static_cast<char>(action)).append(topic);
  const auto found = remembered_.find(key_);
  if (found != remembered_.end()) return found->second;
  if (remembered_.size() >= kMostRemembered) remembered_.clear();
  return remembered_[key_] = answer();
}

}  // namespace andon::rights
