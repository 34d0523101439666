// SPDX-License-Identifier: Apache-2.0
#include "server/broker/broker_feed.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <iterator>
#include <string>
#include <string_view>

#include "base/error/error.hpp"
#include "base/json/json.hpp"
#include "base/log/log.hpp"
#include "base/os/file.hpp"
#include "trust/keys/certificate.hpp"

namespace andon::server {
namespace {

constexpr std::chrono::milliseconds kBetweenLooks{200};
constexpr std::size_t kChangesAtOnce = 1000;

// The broker's view has a change on each line.
std::string on_one_line(const std::string& document) {
  return base::to_text(base::parse_json(document, "policy"));
}

broker::Principal to_principal(const control::ConnectionRights::Certificate& certificate) {
  const bool is_thing = !certificate.thing.empty();
  if (!certificate.claim.empty()) {
    return {.kind = broker::PrincipalKind::claim, .name = certificate.claim};
  }
  return {.kind = is_thing ? broker::PrincipalKind::thing : broker::PrincipalKind::client,
          .name = is_thing ? certificate.thing : certificate.name,
          .policies = certificate.policies,
          .facts = certificate.facts};
}

std::vector<broker::Change> to_changes(const control::ConnectionRights::State& state) {
  std::vector<broker::Change> changes;
  // Policies before who has them.
  for (const auto& policy : state.policies) {
    if (policy.document.empty()) {
      changes.emplace_back(broker::RemovePolicy{policy.name});
    } else {
      changes.emplace_back(broker::SetPolicy{policy.name, on_one_line(policy.document)});
    }
  }
  // Things first: a certificate's client id must be known as a thing's before it is used.
  for (const auto& thing : state.things) {
    if (thing.exists) {
      changes.emplace_back(broker::AddThing{thing.name});
    } else {
      changes.emplace_back(broker::RemoveThing{thing.name});
    }
  }
  for (const auto& certificate : state.certificates) {
    if (certificate.may) {
      changes.emplace_back(broker::AllowCertificate{certificate.id, to_principal(certificate)});
    } else {
      changes.emplace_back(broker::RefuseCertificate{certificate.id});
    }
  }
  return changes;
}

broker::Change allow(const KeyPairFiles& files, broker::PrincipalKind kind, std::string_view name) {
  const auto certificate = trust::describe_certificate(base::read_file(files.certificate));
  return broker::AllowCertificate{certificate.fingerprint, {kind, std::string(name)}};
}

}  // namespace

std::vector<broker::Change> broker_view(control::ConnectionRights& rights,
                                        const Authority& authority, const fleet::Arns& arns,
                                        const broker::Limits& limits) {
  std::vector<broker::Change> view;
  view.emplace_back(broker::SetRealm{arns.target("")});
  std::ranges::move(to_changes(rights.read_all()), std::back_inserter(view));
  view.emplace_back(limits);
  view.push_back(
      allow(authority.server_client(), broker::PrincipalKind::server, kServerClientName));
  view.push_back(
      allow(authority.operator_client(), broker::PrincipalKind::consumer, kOperatorName));
  return view;
}

BrokerFeed::BrokerFeed(control::ConnectionRights& rights, const Authority& authority,
                       Broker& broker, const fleet::Arns& arns, const broker::Limits& limits)
    : rights_(rights), authority_(authority), broker_(broker), arns_(arns), limits_(limits) {
  thread_ = std::thread([this] { run(); });
}

BrokerFeed::~BrokerFeed() {
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

void BrokerFeed::run() {
  for (std::unique_lock lock(mutex_); !is_stopping_;) {
    lock.unlock();
    tell_now();
    lock.lock();
    wake_.wait_for(lock, kBetweenLooks, [this] { return is_stopping_; });
  }
}

void BrokerFeed::tell_now() {
  const std::lock_guard lock(telling_);
  try {
    if (must_tell_all_ || broker_.needs_new_view()) {
      broker_.replace_view(broker_view(rights_, authority_, arns_, limits_));
    }
    must_tell_all_ = false;
    for (;;) {
      const auto changes = to_changes(rights_.take_changes(kChangesAtOnce));
      if (changes.empty()) return;
      broker_.apply(changes);
    }
  } catch (const base::Error& error) {
    // What could not be told has been taken from the database already, so all is told anew.
    must_tell_all_ = true;
    base::log_warning("the broker was not told of a change; it will be tried again",
                      {{"reason", error.message()}});
  }
}

}  // namespace andon::server
