// SPDX-License-Identifier: Apache-2.0
#include "events/webhooks/webhooks.hpp"

#include <initializer_list>
#include <utility>

#include "base/error/error.hpp"
#include "base/text/ascii.hpp"
#include "base/text/id.hpp"
#include "base/text/utf8.hpp"
#include "trust/digests/digest.hpp"

namespace andon::events {
namespace {

using base::Error;
using base::ErrorCode;
using store::Row;
using store::Transaction;

constexpr std::string_view kTables = R"sql(
CREATE TABLE webhooks (
  name TEXT NOT NULL PRIMARY KEY,
  sealed BLOB NOT NULL,
  created_ms BIGINT NOT NULL,
  last_ms BIGINT,
  last_forge TEXT NOT NULL
);
CREATE TABLE webhook_pushes (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  webhook TEXT NOT NULL,
  mark TEXT NOT NULL             -- of the body, or of the forge's id of the delivery
);
CREATE UNIQUE INDEX webhook_pushes_mark ON webhook_pushes (webhook, mark);
)sql";

constexpr std::size_t kMostName = 64;
constexpr std::size_t kMostShown = 200;  // of what a push says of itself

[[noreturn]] void refuse_unknown(const std::string& name) {
  throw Error(ErrorCode::not_found, "there is no webhook '" + name.substr(0, kMostName) + "'");
}

std::string shown(std::string_view text) {
  return std::string(base::utf8_prefix(base::to_valid_utf8(text), kMostShown));
}

// The first of the places that has a text: "repository.full_name" of GitHub and Gitea.
std::string said(const json::object& detail,
                 std::initializer_list<std::pair<std::string_view, std::string_view>> places) {
  for (const auto& [outer, inner] : places) {
    const json::value* value = detail.if_contains(outer);
    if (value != nullptr && !inner.empty()) {
      value = value->is_object() ? value->get_object().if_contains(inner) : nullptr;
    }
    if (value != nullptr && value->is_string()) return shown(value->get_string());
  }
  return {};
}

PushOutcome taken_of(const Push& push, const json::object& detail) {
  return {.kind = PushOutcome::Kind::taken,
          .at = {},
          .reason = {},
          .forge = push.forge,
          .from = {},
          .event = push.event,
          .delivery = shown(push.delivery),
          .repository = said(detail, {{"repository", "full_name"},
                                      {"project", "path_with_namespace"},
                                      {"repository", "name"}}),
          .ref = said(detail, {{"ref", ""}}),
          .commit = said(detail, {{"after", ""}, {"checkout_sha", ""}})};
}

std::string context_of(const std::string& name) {
  return "webhook/" + name;
}

}  // namespace

Webhooks::Webhooks(EventQueue& queue, const trust::SealingKey& key, const base::Clock& clock,
                   std::function<void()> not_taken)
    : queue_(queue),
      key_(key),
      clock_(clock),
      not_taken_(std::move(not_taken)),
      outcomes_(queue.database()) {
  queue_.database().migrate("webhooks", {{"webhooks", kTables}});
}

void Webhooks::put(const std::string& name, const std::string& secret, Existing existing) {
  if (name.size() > kMostName || !base::is_name_of(name, "._-")) {
    throw Error(ErrorCode::invalid_argument,
                "a webhook's name must be of 1 to 64 letters, digits, '.', '-' and '_'");
  }
  if (secret.size() < kLeastSecret) {
    throw Error(ErrorCode::invalid_argument,
                "a webhook's secret must have at least 16 characters, by chance: openssl rand "
                "-hex 32");
  }
  queue_.database().write([&](Transaction& tx) {
    if (existing == Existing::is_refused &&
        tx.query_one("SELECT 1 FROM webhooks WHERE name = $1", {name})) {
      throw Error(ErrorCode::already_exists, "there is a webhook " + name +
                                                 " already: give another name, or remove that one "
                                                 "first");
    }
    const auto count =
        tx.query_one("SELECT count(*) FROM webhooks WHERE name <> $1", {name})->integer(0);
    if (count >= kMost) {
      throw Error(ErrorCode::resource_exhausted, "there are 1000 webhooks, remove one");
    }
    tx.execute(
        "INSERT INTO webhooks (name, sealed, created_ms, last_forge) VALUES ($1, $2, $3, '') ON "
        "CONFLICT (name) DO UPDATE SET sealed = excluded.sealed",
        {name, store::Blob{key_.seal(secret, context_of(name))},
         base::to_epoch_millis(clock_.now())});
  });
}

void Webhooks::remove(const std::string& name) {
  queue_.database().write([&](Transaction& tx) {
    if (tx.execute("DELETE FROM webhooks WHERE name = $1", {name}) == 0) {
      refuse_unknown(name);
    }
    outcomes_.forget(tx, name);
  });
}

std::vector<PushOutcome> Webhooks::outcomes(const std::string& name, std::size_t limit) {
  const bool is_there = queue_.database().read([&](Transaction& tx) {
    return tx.query_one("SELECT 1 FROM webhooks WHERE name = $1", {name}).has_value();
  });
  if (!is_there) refuse_unknown(name);
  return outcomes_.list(name, limit);
}

std::vector<Webhook> Webhooks::list(const std::string& after, std::size_t limit) const {
  return queue_.database().read([&](Transaction& tx) {
    std::vector<Webhook> all;
    for (const Row& row : tx.query("SELECT name, created_ms, last_ms, last_forge FROM webhooks "
                                   "WHERE name > $1 ORDER BY name LIMIT $2",
                                   {after, static_cast<std::int64_t>(limit)})) {
      Webhook one{row.text(0), base::from_epoch_millis(row.integer(1)), {}, row.text(3)};
      if (const auto last = row.optional_integer(2)) one.last = base::from_epoch_millis(*last);
      all.push_back(std::move(one));
    }
    return all;
  });
}

Webhooks::Taken Webhooks::take(const std::string& name, const wire::Headers& headers,
                               std::string_view body, const std::string& from) {
  const auto sealed = queue_.database().read([&](Transaction& tx) -> std::optional<std::string> {
    const auto row = tx.query_one("SELECT sealed FROM webhooks WHERE name = $1", {name});
    if (!row) return std::nullopt;
    return row->blob(0);
  });
  // Where there is none as much is done, so that time says nothing.
  const std::string secret =
      sealed ? key_.open(*sealed, context_of(name)) : base::random_text(32, "0123456789abcdef");
  const base::Timestamp now = clock_.now();
  const auto judged = verify_push(headers, body, secret, now);
  if (!sealed) return Taken::refused;
  const auto note = [&](PushOutcome::Kind kind, std::string_view forge, std::string_view reason) {
    outcomes_.note(name, {.kind = kind,
                          .at = now,
                          .reason = std::string(reason),
                          .forge = std::string(forge),
                          .from = from});
    if (not_taken_) not_taken_();
  };
  if (const auto* doubt = std::get_if<Doubt>(&judged)) {
    note(PushOutcome::Kind::refused, doubt->forge, doubt->reason);
    return Taken::refused;
  }
  const Push& push = std::get<Push>(judged);
  const auto malformed = [&] {
    note(PushOutcome::Kind::malformed, push.forge, "its body is no JSON object");
    return Taken::malformed;
  };
  json::value parsed;
  try {
    parsed = base::parse_json(body, "the push", {.max_depth = 100});
  } catch (const Error&) {
    return malformed();
  }
  if (!parsed.is_object()) return malformed();
  PushOutcome outcome = taken_of(push, parsed.get_object());
  outcome.at = now;
  outcome.from = from;
  const EventArns& arns = queue_.arns();
  const Envelope event = envelop(
      {.source = "andon.webhooks",
       .detail_type = push.event,
       .resources = {"arn:aws:andon:" + arns.region() + ":" + arns.account() + ":webhook/" + name},
       .detail = std::move(parsed.get_object()),
       .time = now},
      arns);
  outcome.event_id = event.id;
  try {
    if (accept(name, push, body, event, outcome)) return Taken::taken;
  } catch (const Error& error) {
    if (error.code() == ErrorCode::resource_exhausted) {
      note(PushOutcome::Kind::no_room, push.forge, error.message());
    }
    throw;
  }
  note(PushOutcome::Kind::repeated, push.forge, "it was taken before");
  return Taken::repeated;
}

bool Webhooks::accept(const std::string& name, const Push& push, std::string_view body,
                      const Envelope& event, const PushOutcome& outcome) {
  return queue_.database().write([&](Transaction& tx) {
    std::vector<std::string> marks{"body:" + trust::sha256_hex(body)};
    if (!push.delivery.empty()) marks.push_back("id:" + push.delivery);
    for (const std::string& mark : marks) {
      if (tx.query_one("SELECT 1 FROM webhook_pushes WHERE webhook = $1 AND mark = $2",
                       {name, mark})) {
        return false;
      }
    }
    for (const std::string& mark : marks) {
      tx.execute("INSERT INTO webhook_pushes (webhook, mark) VALUES ($1, $2)", {name, mark});
    }
    const auto last = tx.query_one("SELECT id FROM webhook_pushes ORDER BY id DESC LIMIT 1");
    tx.execute("DELETE FROM webhook_pushes WHERE id <= $1", {last->integer(0) - 2 * kRemembered});
    tx.execute("UPDATE webhooks SET last_ms = $1, last_forge = $2 WHERE name = $3",
               {base::to_epoch_millis(outcome.at), push.forge, name});
    PushOutcomes::add_taken(tx, name, outcome);
    queue_.accept(tx, std::string(kDefaultBus), event);
    return true;
  });
}

}  // namespace andon::events
