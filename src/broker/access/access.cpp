// SPDX-License-Identifier: Apache-2.0
#include "broker/access/access.hpp"

#include <algorithm>
#include <utility>

#include "fleet/provisioning/provisioning_message.hpp"
#include "rights/topic_filter.hpp"

namespace andon::broker {
namespace {

constexpr std::uint64_t kMessagesAtOnce = 2;  // seconds of the steady rate
constexpr std::uint64_t kBytesAtOnce = 4;
// Beside the things of the view: what guards memory against client ids that are never repeated.
constexpr std::size_t kMaxSessions = 200'000;

bool has_limits(PrincipalKind kind) {
  return kind == PrincipalKind::thing || kind == PrincipalKind::client ||
         kind == PrincipalKind::claim;
}

// Many devices may be provisioned at once with the same claim.
constexpr std::uint64_t kSessionsOfClaim = 32;  // times as many as a thing may have

// No thing has a slash in its name.
std::string usage_key(const Principal& principal) {
  switch (principal.kind) {
    case PrincipalKind::client:
      return "client/" + principal.name;
    case PrincipalKind::claim:
      return "claim/" + principal.name;
    default:
      return principal.name;
  }
}

}  // namespace

Access::Consequences Access::replace_view(std::span<const Change> changes) {
  view_ = View();
  for (const Change& change : changes) view_.apply(change);
  return settle_sessions({.all = true, .policies = {}});
}

Access::Consequences Access::apply(std::span<const Change> changes) {
  Touched touched;
  for (const Change& change : changes) {
    view_.apply(change);
    if (const auto* set = std::get_if<SetPolicy>(&change)) touched.policies.insert(set->name);
    if (const auto* gone = std::get_if<RemovePolicy>(&change)) touched.policies.insert(gone->name);
    if (std::holds_alternative<SetRealm>(change)) touched.all = true;
  }
  return settle_sessions(touched);
}

bool Access::is_touched(const Session& session, const Principal& principal,
                        const Touched& touched) const {
  if (principal != session.principal) return true;
  if (principal.policies.empty()) return false;
  return touched.all || (!touched.policies.empty() &&
                         std::ranges::any_of(principal.policies, [&](const std::string& name) {
                           return touched.policies.contains(name);
                         }));
}

Access::Consequences Access::settle_sessions(const Touched& touched) {
  Consequences consequences;
  for (auto entry = sessions_.begin(); entry != sessions_.end();) {
    auto& [client_id, session] = *entry;
    const Principal* const principal = view_.find(session.fingerprint);
    bool may_stay = principal != nullptr && principal->kind == session.principal.kind &&
                    principal->name == session.principal.name;
    if (may_stay && is_touched(session, *principal, touched)) {
      session.principal = *principal;
      session.rights = rights_of(session, client_id);
      const auto may_have = [&rights = session.rights](const std::string& filter) {
        return rights.may(rights::Action::subscribe, rights::without_share(filter));
      };
      may_stay =
          session.rights.connect().is_allowed && std::ranges::all_of(session.filters, may_have);
      if (principal->kind == PrincipalKind::thing && session.connection != nullptr) {
        consequences.changed_things.insert(principal->name);
      }
    }
    if (may_stay) {
      ++entry;
      continue;
    }
    consequences.ended.push_back(client_id);
    ++counters_.ended_sessions;
    forget(entry++);
  }
  // What a thing that is gone has used is forgotten with it.
  std::erase_if(usage_, [this](const auto& entry) {
    constexpr std::string_view kClient = "client/";
    const std::string_view key = entry.first;
    const bool is_there = key.starts_with(kClient) ? view_.has_client(key.substr(kClient.size()))
                                                   : view_.has_thing(key);
    return entry.second.sessions == 0 && !is_there;
  });
  return consequences;
}

rights::TopicRights Access::rights_of(const Session& session, std::string_view client_id) {
  return {session.principal,
          view_.policies_of(session.principal),
          view_.realm(),
          {.client_id = std::string(client_id), .source_ip = session.source_ip}};
}

std::string Access::objection(const Principal& principal, std::string_view client_id) const {
  switch (principal.kind) {
    case PrincipalKind::server:
      return view_.has_thing(client_id) ? "the client id is a thing's" : "";
    case PrincipalKind::client:
    case PrincipalKind::claim:
      if (client_id.starts_with("andon-server")) return "the client id is the server's";
      [[fallthrough]];
    case PrincipalKind::consumer:
      // "line-1#2" is line-1's, too.
      return view_.has_thing(client_id.substr(0, client_id.find('#')))
                 ? "the client id is a thing's"
                 : "";
    case PrincipalKind::thing: {
      const bool is_its_own =
          client_id.starts_with(principal.name) &&
          (client_id.size() == principal.name.size() || client_id[principal.name.size()] == '#');
      return is_its_own ? "" : "a thing's client id is its name, or its name, # and more";
    }
  }
  return "its kind is not known";
}

Access::ConnectAnswer Access::connect(ConnectionId connection, const Connecting& connecting,
                                      TimePoint now) {
  const auto refuse = [this](Decision decision, std::string reason) {
    ++(decision == Decision::over_limit ? counters_.over_limit : counters_.refused_connections);
    return ConnectAnswer{decision, {}, std::move(reason)};
  };
  const Principal* const principal = view_.find(connecting.fingerprint);
  if (principal == nullptr) {
    return refuse(Decision::refused, "its certificate is not registered or not active");
  }
  if (std::string why = objection(*principal, connecting.client_id); !why.empty()) {
    return refuse(Decision::refused, std::move(why));
  }
  auto found = sessions_.find(connecting.client_id);
  const bool is_anothers =
      found != sessions_.end() && (found->second.principal.kind != principal->kind ||
                                   found->second.principal.name != principal->name ||
                                   (principal->kind == PrincipalKind::claim &&
                                    found->second.fingerprint != connecting.fingerprint));
  Session wanted{.connection = connection,
                 .fingerprint = std::string(connecting.fingerprint),
                 .principal = *principal,
                 .is_kept = connecting.is_kept,
                 .disconnected = {},
                 .source_ip = std::string(connecting.source_ip),
                 .rights = {},
                 .filters = {}};
  wanted.rights = rights_of(wanted, connecting.client_id);
  if (!wanted.rights.connect().is_allowed) {
    return refuse(Decision::refused, "its policies do not let it connect with this client id");
  }
  if (is_anothers) {
    if (principal->kind == PrincipalKind::client || principal->kind == PrincipalKind::claim) {
      return refuse(Decision::refused, "the client id is in use by another");
    }
    // A consumer's kept session under an id that a thing now has: the id is the thing's.
    forget(found);
    found = sessions_.end();
  }
  if (found == sessions_.end()) {
    if (sessions_.size() >= kMaxSessions) make_room(now);
    if (sessions_.size() >= kMaxSessions) {
      return refuse(Decision::over_limit, "the broker holds too many sessions");
    }
    if (has_limits(principal->kind)) {
      Usage& usage = usage_[usage_key(*principal)];
      const std::uint64_t most = view_.limits().sessions *
                                 (principal->kind == PrincipalKind::claim ? kSessionsOfClaim : 1);
      if (usage.sessions >= most) make_room(now);
      if (usage.sessions >= most) {
        return refuse(Decision::over_limit, "it has too many client ids");
      }
      ++usage.sessions;
    }
    found = sessions_.emplace(std::string(connecting.client_id), Session{}).first;
  }
  Session& session = found->second;
  // Of a session that goes on the broker has the subscriptions still.
  if (connecting.is_kept) wanted.filters = std::move(session.filters);
  session = std::move(wanted);
  return {Decision::allowed, principal->name, {}};
}

void Access::disconnect(ConnectionId connection, std::string_view client_id, TimePoint now) {
  const auto found = sessions_.find(client_id);
  if (found == sessions_.end() || found->second.connection != connection) return;
  if (!found->second.is_kept) return forget(found);
  found->second.connection = nullptr;
  found->second.disconnected = now;
}

void Access::forget(Sessions::iterator session) {
  if (has_limits(session->second.principal.kind)) {
    const auto usage = usage_.find(usage_key(session->second.principal));
    if (usage != usage_.end() && usage->second.sessions > 0) --usage->second.sessions;
  }
  sessions_.erase(session);
}

void Access::sweep(TimePoint now) {
  swept_ = now;
  for (auto session = sessions_.begin(); session != sessions_.end();) {
    const bool is_old =
        session->second.connection == nullptr && now - session->second.disconnected > kKeptSession;
    if (is_old) {
      forget(session++);
    } else {
      ++session;
    }
  }
}

void Access::make_room(TimePoint now) {
  constexpr std::chrono::seconds kBetweenSweeps{10};
  if (now - swept_ >= kBetweenSweeps) sweep(now);
}

Decision Access::publish(std::string_view client_id, const Publishing& message, TimePoint now) {
  const auto found = sessions_.find(client_id);
  if (found == sessions_.end()) {
    ++counters_.refused_publishes;
    return Decision::refused;
  }
  rights::TopicRights& rights = found->second.rights;
  if (!rights.may(rights::Action::publish, message.topic) ||
      (message.is_retained && !rights.may(rights::Action::retain, message.topic))) {
    ++counters_.refused_publishes;
    return Decision::refused;
  }
  if (!has_limits(found->second.principal.kind)) return Decision::allowed;
  const Decision decision = keep_to_limits(found->second, message, now);
  if (decision != Decision::allowed) ++counters_.over_limit;
  return decision;
}

Decision Access::keep_to_limits(Session& session, const Publishing& message, TimePoint now) {
  const Limits& limits = view_.limits();
  Usage& usage = usage_[usage_key(session.principal)];
  const std::uint64_t size = message.topic.size() + message.payload_bytes;
  if (message.payload_bytes > limits.message_bytes) return Decision::over_limit;
  if (!usage.messages.take(1, limits.messages_per_second,
                           kMessagesAtOnce * limits.messages_per_second, now) ||
      !usage.bytes.take(size, limits.bytes_per_second, kBytesAtOnce * limits.bytes_per_second,
                        now)) {
    return Decision::over_limit;
  }
  if (message.is_retained && !keeps_to_retained(usage, message)) return Decision::over_limit;
  return Decision::allowed;
}

bool Access::keeps_to_retained(Usage& usage, const Publishing& message) const {
  const auto before = usage.retained.find(message.topic);
  const std::uint64_t bytes_before = before == usage.retained.end() ? 0 : before->second;
  if (message.payload_bytes == 0) {  // takes it away
    usage.retained_bytes -= bytes_before;
    if (before != usage.retained.end()) usage.retained.erase(before);
    return true;
  }
  const std::uint64_t size = message.topic.size() + message.payload_bytes;
  const std::uint64_t bytes = usage.retained_bytes - bytes_before + size;
  const std::size_t count = usage.retained.size() + (before == usage.retained.end() ? 1 : 0);
  if (bytes > view_.limits().retained_bytes || count > view_.limits().retained_messages) {
    return false;
  }
  usage.retained_bytes = bytes;
  usage.retained.insert_or_assign(std::string(message.topic), size);
  return true;
}

Decision Access::subscribe(std::string_view client_id, std::string_view filter,
                           std::size_t subscriptions) {
  const auto found = sessions_.find(client_id);
  if (found == sessions_.end() ||
      !found->second.rights.may(rights::Action::subscribe, rights::without_share(filter))) {
    ++counters_.refused_subscriptions;
    return Decision::refused;
  }
  Session& session = found->second;
  if (!has_limits(session.principal.kind)) return Decision::allowed;
  // The broker has none: the session that the client went on with was over.
  if (subscriptions == 0) session.filters.clear();
  const std::uint64_t most = view_.limits().subscriptions;
  if (subscriptions >= most ||
      (session.filters.size() >= most && !session.filters.contains(filter))) {
    ++counters_.over_limit;
    return Decision::over_limit;
  }
  session.filters.emplace(filter);
  return Decision::allowed;
}

void Access::unsubscribe(std::string_view client_id, std::string_view filter) {
  const auto found = sessions_.find(client_id);
  if (found == sessions_.end()) return;
  const auto had = found->second.filters.find(filter);
  if (had != found->second.filters.end()) found->second.filters.erase(had);
}

Decision Access::receive(std::string_view client_id, std::string_view topic) {
  const auto found = sessions_.find(client_id);
  // Questions and answers of provisioning hold keys and tokens of others: they are handed to whom
  // they are for, and subscribing brings none.
  if (fleet::is_provisioning_topic(topic) || topic.starts_with(fleet::kDeliveries)) {
    return Decision::refused;
  }
  if (topic.starts_with(fleet::kQuestions) && !may_deliver(client_id)) return Decision::refused;
  return found != sessions_.end() && found->second.rights.may(rights::Action::receive, topic)
             ? Decision::allowed
             : Decision::refused;
}

bool Access::may_deliver(std::string_view client_id) const {
  const auto found = sessions_.find(client_id);
  return found != sessions_.end() && found->second.principal.kind == PrincipalKind::server;
}

}  // namespace andon::broker
