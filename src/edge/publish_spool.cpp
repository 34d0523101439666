// SPDX-License-Identifier: Apache-2.0
#include "edge/publish_spool.hpp"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "base/error.hpp"
#include "base/json.hpp"
#include "base/log.hpp"
#include "edge/state_database.hpp"

namespace andon::edge {
namespace {

namespace json = base::json;
using std::chrono::milliseconds;
using wire::PublishOutcome;

constexpr std::string_view kDropped = "spool_dropped";
// What a row costs beside its payload.
constexpr std::uint64_t kRowBytes = 100;

std::string write_properties(const wire::MqttPublishProperties& properties) {
  json::object all;
  if (properties.retain) all["retain"] = true;
  if (properties.message_expiry_seconds) all["expiry"] = *properties.message_expiry_seconds;
  if (!properties.content_type.empty()) all["contentType"] = properties.content_type;
  if (!properties.response_topic.empty()) all["responseTopic"] = properties.response_topic;
  if (!properties.correlation_data.empty()) all["correlation"] = properties.correlation_data;
  return base::to_text(all);
}

wire::MqttPublishProperties read_properties(std::string_view text) {
  const json::value value = base::parse_json(text, "spooled message");
  const base::JsonReader reader(value, "spooled message");
  wire::MqttPublishProperties properties;
  properties.retain = reader.optional_bool("retain").value_or(false);
  if (const auto expiry = reader.optional_integer("expiry")) {
    properties.message_expiry_seconds = static_cast<std::uint32_t>(*expiry);
  }
  properties.content_type = reader.optional_string("contentType").value_or("");
  properties.response_topic = reader.optional_string("responseTopic").value_or("");
  properties.correlation_data = reader.optional_string("correlation").value_or("");
  return properties;
}

}  // namespace

PublishSpool::PublishSpool(EventLoop& loop, MqttLink& link, store::Database& database,
                           const base::Clock& clock, SpoolLimits limits)
    : loop_(loop), link_(link), database_(database), clock_(clock), limits_(limits) {
  database_.write([this](store::Transaction& transaction) {
    transaction.execute("DELETE FROM spool WHERE delivered_ms IS NOT NULL", {});
    count_waiting(transaction);
  });
  link_.on_connection([this, alive = alive_](bool connected) {
    if (!*alive) return;
    if (!connected) return take_back_recently_delivered();
    std::vector<std::string> names;
    for (const auto& [name, topic] : topics_) names.push_back(name);
    for (const std::string& name : names) send_next(name);
  });
}

PublishSpool::~PublishSpool() {
  *alive_ = false;
  for (const auto& [name, topic] : topics_) loop_.cancel(topic.retry);
}

void PublishSpool::add(const wire::MqttMessage& message,
                       const wire::MqttPublishProperties& properties) {
  const std::uint64_t size = message.topic.size() + message.payload.size() + kRowBytes;
  if (size > limits_.max_bytes) {
    throw base::Error(base::ErrorCode::resource_exhausted,
                      "a message of " + std::to_string(size) + " bytes does not fit the spool of " +
                          std::to_string(limits_.max_bytes) + " bytes");
  }
  const std::uint64_t before = bytes_;
  try {
    database_.write([&](store::Transaction& transaction) {
      if (bytes_ + size > limits_.max_bytes) make_room(transaction, size);
      transaction.execute(
          "INSERT INTO spool (topic, payload, properties, bytes, created_ms) "
          "VALUES ($1, $2, $3, $4, $5)",
          {message.topic, store::Blob{message.payload}, write_properties(properties),
           static_cast<std::int64_t>(size), base::to_epoch_millis(clock_.now())});
    });
  } catch (...) {
    bytes_ = before;
    throw;
  }
  bytes_ += size;
  topics_[message.topic];
  send_next(message.topic);
}

void PublishSpool::make_room(store::Transaction& transaction, std::uint64_t needed) {
  std::int64_t count = 0;
  std::int64_t last_id = 0;
  for (const store::Row& row : transaction.query(
           "SELECT id, bytes FROM spool WHERE delivered_ms IS NULL ORDER BY id LIMIT 10000")) {
    if (bytes_ + needed <= limits_.max_bytes) break;
    last_id = row.integer(0);
    bytes_ -= std::min(bytes_, static_cast<std::uint64_t>(row.integer(1)));
    ++count;
  }
  transaction.execute("DELETE FROM spool WHERE id <= $1", {last_id});
  transaction.execute(
      "INSERT INTO counters (name, number) VALUES ($1, $2) "
      "ON CONFLICT (name) DO UPDATE SET number = number + $2",
      {std::string(kDropped), count});
  base::log_warning("the spool is full: the oldest messages were dropped", {{"count", count}});
}

void PublishSpool::send_next(const std::string& name) {
  const auto found = topics_.find(name);
  if (found == topics_.end()) return;
  Topic& topic = found->second;
  if (topic.in_flight || topic.retry != 0 || !link_.is_connected()) return;
  std::optional<store::Row> row;
  database_.read([&](store::Transaction& transaction) {
    row = transaction.query_one(
        "SELECT id, payload, properties, bytes FROM spool "
        "WHERE topic = $1 AND delivered_ms IS NULL ORDER BY id LIMIT 1",
        {name});
  });
  if (!row) {
    topics_.erase(found);
    return;
  }
  topic.in_flight = true;
  const std::int64_t id = row->integer(0);
  const auto size = static_cast<std::uint64_t>(row->integer(3));
  link_.publish(
      {name, row->blob(1)}, wire::Qos::at_least_once,
      [this, name, id, size, alive = alive_](PublishOutcome outcome) {
        if (*alive) on_outcome(name, id, size, outcome);
      },
      read_properties(row->text(2)));
}

void PublishSpool::on_outcome(const std::string& name, std::int64_t id, std::uint64_t size,
                              PublishOutcome outcome) {
  Topic& topic = topics_[name];
  topic.in_flight = false;
  if (outcome == PublishOutcome::delivered) {
    mark_delivered(id, size);
    topic.wait = milliseconds{0};
    return send_next(name);
  }
  if (outcome == PublishOutcome::not_connected) return;  // on_connection goes on
  if (outcome == PublishOutcome::refused && topic.wait == milliseconds{0}) {
    base::log_warning("the broker does not let this device publish to a topic", {{"topic", name}});
  }
  topic.wait = topic.wait == milliseconds{0} ? limits_.first_retry
                                             : std::min(topic.wait * 2, limits_.longest_retry);
  topic.retry = loop_.after(topic.wait, [this, name] {
    topics_[name].retry = 0;
    send_next(name);
  });
}

void PublishSpool::mark_delivered(std::int64_t id, std::uint64_t size) {
  const std::int64_t now = base::to_epoch_millis(clock_.now());
  database_.write([&](store::Transaction& transaction) {
    // It may have been dropped for room meanwhile.
    if (transaction.execute("UPDATE spool SET delivered_ms = $1 WHERE id = $2", {now, id}) > 0) {
      bytes_ -= std::min(bytes_, size);
    }
    transaction.execute("DELETE FROM spool WHERE delivered_ms < $1",
                        {now - limits_.resend_window.count()});
  });
}

void PublishSpool::take_back_recently_delivered() {
  const std::int64_t since = base::to_epoch_millis(clock_.now()) - limits_.resend_window.count();
  database_.write([&](store::Transaction& transaction) {
    transaction.execute("DELETE FROM spool WHERE delivered_ms < $1", {since});
    const auto count = transaction.execute(
        "UPDATE spool SET delivered_ms = NULL WHERE delivered_ms IS NOT NULL", {});
    if (count > 0) count_waiting(transaction);
  });
}

void PublishSpool::count_waiting(store::Transaction& transaction) {
  bytes_ = 0;
  for (const store::Row& row : transaction.query(
           "SELECT topic, sum(bytes) FROM spool WHERE delivered_ms IS NULL GROUP BY topic")) {
    topics_[row.text(0)];
    bytes_ += static_cast<std::uint64_t>(row.integer(1));
  }
}

std::int64_t PublishSpool::dropped() const {
  return read_number(database_, kDropped);
}

}  // namespace andon::edge
