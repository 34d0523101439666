// SPDX-License-Identifier: Apache-2.0
#include "events/webhooks/webhooks.hpp"

#include "base/error/error.hpp"
#include "base/text/ascii.hpp"
#include "base/text/id.hpp"
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

std::string context_of(const std::string& name) {
  return "webhook/" + name;
}

}  // namespace

Webhooks::Webhooks(EventQueue& queue, const trust::SealingKey& key, const base::Clock& clock)
    : queue_(queue), key_(key), clock_(clock) {
  queue_.database().migrate("webhooks", {{"webhooks", kTables}});
}

void Webhooks::put(const std::string& name, const std::string& secret) {
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
      throw Error(ErrorCode::not_found, "there is no webhook '" + name.substr(0, kMostName) + "'");
    }
  });
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
                               std::string_view body) {
  const auto sealed = queue_.database().read([&](Transaction& tx) -> std::optional<std::string> {
    const auto row = tx.query_one("SELECT sealed FROM webhooks WHERE name = $1", {name});
    if (!row) return std::nullopt;
    return row->blob(0);
  });
  // Where there is none as much is done, so that time says nothing.
  const std::string secret =
      sealed ? key_.open(*sealed, context_of(name)) : base::random_text(32, "0123456789abcdef");
  const base::Timestamp now = clock_.now();
  const auto push = verify_push(headers, body, secret, now);
  if (!push || !sealed) return Taken::refused;
  json::value parsed;
  try {
    parsed = base::parse_json(body, "the push", {.max_depth = 100});
  } catch (const Error&) {
    return Taken::malformed;
  }
  if (!parsed.is_object()) return Taken::malformed;
  const EventArns& arns = queue_.arns();
  const Envelope event = envelop(
      {.source = "andon.webhooks",
       .detail_type = push->event,
       .resources = {"arn:aws:andon:" + arns.region() + ":" + arns.account() + ":webhook/" + name},
       .detail = std::move(parsed.get_object()),
       .time = now},
      arns);
  return queue_.database().write([&](Transaction& tx) {
    std::vector<std::string> marks{"body:" + trust::sha256_hex(body)};
    if (!push->delivery.empty()) marks.push_back("id:" + push->delivery);
    for (const std::string& mark : marks) {
      if (tx.query_one("SELECT 1 FROM webhook_pushes WHERE webhook = $1 AND mark = $2",
                       {name, mark})) {
        return Taken::repeated;
      }
    }
    for (const std::string& mark : marks) {
      tx.execute("INSERT INTO webhook_pushes (webhook, mark) VALUES ($1, $2)", {name, mark});
    }
    const auto last = tx.query_one("SELECT id FROM webhook_pushes ORDER BY id DESC LIMIT 1");
    tx.execute("DELETE FROM webhook_pushes WHERE id <= $1", {last->integer(0) - 2 * kRemembered});
    tx.execute("UPDATE webhooks SET last_ms = $1, last_forge = $2 WHERE name = $3",
               {base::to_epoch_millis(now), push->forge, name});
    queue_.accept(tx, std::string(kDefaultBus), event);
    return Taken::taken;
  });
}

}  // namespace andon::events
