// SPDX-License-Identifier: Apache-2.0
// Webhooks by name: their secrets, sealed, and what was taken through them. A push becomes an event
// on the default bus in the transaction that remembers it, so none is taken twice: neither the same
// delivery nor the same body, whatever else a copy of it says. The last ten thousand are
// remembered. Any thread; each call is one transaction.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "events/delivery/queue.hpp"
#include "events/webhooks/push_outcomes.hpp"
#include "events/webhooks/signature.hpp"
#include "trust/keys/seal.hpp"

namespace andon::events {

struct Webhook {
  std::string name;
  base::Timestamp created;
  std::optional<base::Timestamp> last;  // when one was taken
  std::string last_forge;               // empty: none
};

class Webhooks {
 public:
  static constexpr std::int64_t kMost = 1000;
  static constexpr std::int64_t kRemembered = 10'000;
  static constexpr std::size_t kMostBody = 1'000'000;
  static constexpr std::size_t kLeastSecret = 16;

  // `not_taken` is called where a push to a webhook that is there was counted and not taken.
  Webhooks(EventQueue& queue, const trust::SealingKey& key, const base::Clock& clock,
           std::function<void()> not_taken = {});

  enum class Existing : std::uint8_t { gets_this_secret, is_refused };
  // Throws invalid_argument for a short secret, already_exists where the name is there and refused.
  void put(const std::string& name, const std::string& secret,
           Existing existing = Existing::gets_this_secret);
  void remove(const std::string& name);  // not_found
  [[nodiscard]] std::vector<Webhook> list(const std::string& after, std::size_t limit) const;

  enum class Taken : std::uint8_t { taken, refused, repeated, malformed };
  // refused: no such webhook, or no good proof; who asks cannot tell which. `from`: his address.
  // Throws resource_exhausted where the queue has no room.
  Taken take(const std::string& name, const wire::Headers& headers, std::string_view body,
             const std::string& from);

  // Newest first. Throws not_found.
  [[nodiscard]] std::vector<PushOutcome> outcomes(const std::string& name, std::size_t limit);
  // What was refused is counted durably; to be called by and by.
  void keep_outcomes() { outcomes_.keep(); }

 private:
  // In the transaction that remembers it; false where it was taken before.
  bool accept(const std::string& name, const Push& push, std::string_view body,
              const Envelope& event, const PushOutcome& outcome);

  EventQueue& queue_;
  const trust::SealingKey& key_;
  const base::Clock& clock_;
  const std::function<void()> not_taken_;
  PushOutcomes outcomes_;
};

}  // namespace andon::events
