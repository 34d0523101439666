// SPDX-License-Identifier: Apache-2.0
#include "edge/cloud/publish_spool.hpp"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "base/error/error.hpp"
#include "base/json/json_reader.hpp"
#include "base/log/log.hpp"
#include "base/text/encoding.hpp"
#include "edge/state/state_database.hpp"
#include "trust/digests/digest.hpp"

namespace andon::edge {
namespace {

namespace json = base::json;
using std::chrono::milliseconds;
using wire::PublishOutcome;

// What a row costs beside its payload.
constexpr std::uint64_t kRowBytes = 100;
// What is read of a topic at a time.
constexpr std::int64_t kReadAhead = 64;
constexpr std::uint64_t kReadAheadBytes = 128U << 10U;
// Delivered messages are marked together.
constexpr std::size_t kMarkTogether = 256;
constexpr milliseconds kMarkDelay{250};
// Shares are counted again when so great a part of the spool was dropped since.
constexpr std::int64_t kRecountAfterPart = 16;

// When a message was delivered is of use until the agent ends: by the clock that nobody sets. When
// a result was sent is of use after that, too, and is by the clock of the day.
std::int64_t steady_ms(const EventLoop& loop) {
  return std::chrono::duration_cast<milliseconds>(loop.now().time_since_epoch()).count();
}

std::string write_properties(const wire::MqttPublishProperties& properties) {
  json::object all;
  if (properties.retain) all["retain"] = true;
  if (properties.message_expiry_seconds) all["expiry"] = *properties.message_expiry_seconds;
  if (!properties.content_type.empty()) all["contentType"] = properties.content_type;
  if (!properties.response_topic.empty()) all["responseTopic"] = properties.response_topic;
  if (!properties.correlation_data.empty()) {
    all["correlation"] = base::to_base64(properties.correlation_data);
  }
  if (properties.is_utf8_text) all["format"] = *properties.is_utf8_text ? 1 : 0;
  json::array user;
  for (const auto& [name, property] : properties.user_properties)
    user.push_back(json::object{{"key", name}, {"value", property}});
  if (!user.empty()) all["user"] = std::move(user);
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
  const std::string correlation = reader.optional_string("correlation").value_or("");
  // Before it was in base64 it was as it came, where it was text.
  properties.correlation_data = base::from_base64(correlation).value_or(correlation);
  if (const auto format = reader.optional_integer("format", 0, 1)) {
    properties.is_utf8_text = *format == 1;
  }
  if (const json::array* const user = reader.optional_array("user")) {
    for (const json::value& pair : *user) {
      const base::JsonReader one(pair, "spooled message");
      properties.user_properties.emplace_back(one.string("key"), one.string("value"));
    }
  }
  return properties;
}

}  // namespace

std::size_t PublishSpool::cost_of(const Message& message) {
  return message.payload.size() + sizeof message;
}

PublishSpool::PublishSpool(EventLoop& loop, MqttLink& link, store::Database& database,
                           StateWriter& writer, const base::Clock& clock, SpoolLimits limits)
    : loop_(loop), link_(link), writer_(writer), clock_(clock), limits_(limits) {
  load(database);
  look_for_old_later();
  link_.on_connection([this, alive = alive_](bool connected) {
    if (!*alive) return;
    forget_silence();
    if (!connected) return take_back_recently_delivered();
    send_all();
    look_for_stale_in(limits_.first_retry);
  });
}

PublishSpool::~PublishSpool() {
  *alive_ = false;
  loop_.cancel(mark_timer_);
  loop_.cancel(age_timer_);
  loop_.cancel(take_back_timer_);
  loop_.cancel(stale_timer_);
  if (subscription_ != 0) link_.unsubscribe(subscription_);
  for (const auto& [name, topic] : topics_) loop_.cancel(topic.retry);
  write_marks();
}

void PublishSpool::load(store::Database& database) {
  database.write([this](store::Transaction& transaction) {
    transaction.execute("DELETE FROM spool WHERE delivered_ms IS NOT NULL");
    static_cast<void>(drop_old(transaction, clock_.now(), limits_.max_age));
    for (const store::Row& row :
         transaction.query("SELECT topic, sum(bytes) FROM spool GROUP BY topic")) {
      topics_[row.text(0)].more_on_disk = true;
      bytes_ += static_cast<std::uint64_t>(row.integer(1));
    }
    // AUTOINCREMENT keeps the highest number that there ever was.
    const auto last = transaction.query_one("SELECT seq FROM sqlite_sequence WHERE name = 'spool'");
    if (last) last_id_ = last->integer(0);
  });
  dropped_ = read_number(database, kSpoolDropped);
  refused_ = read_number(database, kSpoolRefused);
}

void PublishSpool::add(wire::MqttMessage message, const wire::MqttPublishProperties& properties,
                       Done done, const std::string& component) {
  const std::uint64_t size = message.topic.size() + message.payload.size() + kRowBytes;
  if (size > limits_.max_bytes) {
    throw base::Error(base::ErrorCode::resource_exhausted,
                      "a message of " + std::to_string(size) + " bytes does not fit the spool of " +
                          std::to_string(limits_.max_bytes) + " bytes");
  }
  bytes_ += size;
  // What is on its way out already need not be asked for again.
  std::uint64_t needed = 0;
  if (bytes_ > limits_.max_bytes + asked_for_) {
    needed = bytes_ - asked_for_ - limits_.max_bytes;
  }
  asked_for_ += needed;
  struct Shared {
    std::string topic;
    bool is_result = false;
    Message message;
    Dropped dropped;
  };
  const auto shared = std::make_shared<Shared>();
  shared->is_result = message.topic == results_topic_;
  shared->topic = std::move(message.topic);
  shared->message = {++last_id_, std::move(message.payload), properties, size};
  const std::int64_t now = base::to_epoch_millis(clock_.now());
  writer_.run(
      [shared, shares = shares_, component, needed, now](store::Transaction& transaction) {
        if (needed > 0) shared->dropped = make_room(transaction, *shares, needed);
        const Message& one = shared->message;
        transaction.execute(
            "INSERT INTO spool (id, topic, payload, properties, bytes, created_ms, digest, "
            "component) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
            {one.id, shared->topic, store::Blob{one.payload}, write_properties(one.properties),
             static_cast<std::int64_t>(one.bytes), now,
             shared->is_result ? store::SqlValue(trust::sha256_hex(one.payload))
                               : store::SqlValue(),
             component});
        shares->bytes[component] += static_cast<std::int64_t>(one.bytes);
      },
      [this, alive = alive_, shared, needed, done = std::move(done)](std::exception_ptr error) {
        if (!*alive) return;
        asked_for_ -= needed;
        if (error) {
          bytes_ -= shared->message.bytes;
        } else {
          forget(shared->dropped);
          added(shared->topic, std::move(shared->message));
        }
        if (done) done(std::move(error));
      });
}

// Behind what is waiting; into the window only where nothing is between that and the message.
void PublishSpool::added(const std::string& name, Message message) {
  Topic& topic = topics_[name];
  const bool fits = window_bytes_ + cost_of(message) <= limits_.window_bytes;
  if (topic.more_on_disk || topic.reading || taking_back_ > 0 || !fits || !link_.is_connected()) {
    topic.more_on_disk = true;
  } else {
    window_bytes_ += cost_of(message);
    topic.window.push_back(std::move(message));
  }
  send_next(name);
}

PublishSpool::Dropped PublishSpool::make_room(store::Transaction& transaction, Shares& shares,
                                              std::uint64_t needed) {
  if (shares.until_recount <= 0 || shares.bytes.empty()) {
    shares.bytes.clear();
    std::int64_t all = 0;
    for (const store::Row& row :
         transaction.query("SELECT component, sum(bytes) FROM spool WHERE delivered_ms IS NULL "
                           "GROUP BY component")) {
      all += shares.bytes[row.text(0)] = row.integer(1);
    }
    shares.until_recount = all / kRecountAfterPart;
  }
  Dropped dropped;
  while (dropped.bytes < needed && !shares.bytes.empty()) {
    const auto by_bytes = [](const auto& one, const auto& other) {
      return one.second < other.second;
    };
    const auto largest = std::ranges::max_element(shares.bytes, by_bytes);
    std::int64_t second = 0;
    for (const auto& [component, bytes] : shares.bytes) {
      if (component != largest->first) second = std::max(second, bytes);
    }
    const auto oldest = transaction.query(
        "SELECT id, bytes FROM spool WHERE component = $1 AND delivered_ms IS NULL ORDER BY id "
        "LIMIT $2",
        // Each counts as many bytes at least.
        {largest->first, static_cast<std::int64_t>((needed - dropped.bytes) / kRowBytes + 1)});
    bool has_more = false;
    for (const store::Row& row : oldest) {
      if (dropped.bytes >= needed || (has_more && largest->second < second)) break;
      transaction.execute("DELETE FROM spool WHERE id = $1", {row.integer(0)});
      dropped.ids.insert(row.integer(0));
      dropped.bytes += static_cast<std::uint64_t>(row.integer(1));
      largest->second -= row.integer(1);
      shares.until_recount -= row.integer(1);
      has_more = true;
    }
    if (!has_more) shares.bytes.erase(largest);
  }
  count_dropped(transaction, dropped);
  return dropped;
}

void PublishSpool::count_dropped(store::Transaction& transaction, const Dropped& dropped) {
  transaction.execute(
      "INSERT INTO counters (name, number) VALUES ($1, $2) "
      "ON CONFLICT (name) DO UPDATE SET number = number + $2",
      {std::string(kSpoolDropped), std::ssize(dropped.ids)});
}

void PublishSpool::forget(const Dropped& dropped, std::string_view why) {
  if (dropped.ids.empty()) return;
  dropped_ += std::ssize(dropped.ids);
  if (const auto count = dropped_told_.happened(std::ssize(dropped.ids), loop_.now())) {
    base::log_warning("the oldest messages of the spool were dropped",
                      {{"why", why}, {"count", *count}, {"inAll", dropped_}});
  }
  bytes_ -= std::min(bytes_, dropped.bytes);
  for (auto& [name, topic] : topics_) {
    auto first = topic.window.begin();
    if (topic.in_flight && first != topic.window.end()) {  // it is on its way all the same
      if (dropped.ids.contains(first->id)) first->bytes = 0;
      ++first;
    }
    const auto gone = std::stable_partition(first, topic.window.end(), [&](const Message& one) {
      return !dropped.ids.contains(one.id);
    });
    for (auto one = gone; one != topic.window.end(); ++one) window_bytes_ -= cost_of(*one);
    topic.window.erase(gone, topic.window.end());
  }
}

void PublishSpool::send_all() {
  std::vector<std::string> names;
  for (const auto& [name, topic] : topics_) names.push_back(name);
  for (const std::string& name : names) send_next(name);
}

void PublishSpool::send_next(const std::string& name) {
  const auto found = topics_.find(name);
  if (found == topics_.end()) return;
  Topic& topic = found->second;
  if (topic.in_flight || topic.reading || topic.retry != 0 || taking_back_ > 0 ||
      !link_.is_connected()) {
    return;
  }
  if (!topic.window.empty()) return publish_first(name, topic);
  if (topic.more_on_disk) return read_more(name);
  topics_.erase(found);
}

void PublishSpool::read_more(const std::string& name) {
  write_marks();  // before the read, so that it does not find them
  topics_[name].reading = true;
  const std::int64_t limit = window_bytes_ < limits_.window_bytes ? kReadAhead : 1;
  struct Found {
    std::deque<Message> messages;
    bool more = false;
  };
  const auto found = std::make_shared<Found>();
  writer_.run(
      [name, limit, found, is_result = name == results_topic_](store::Transaction& transaction) {
        std::uint64_t bytes = 0;
        for (const store::Row& row : transaction.query(
                 "SELECT id, bytes FROM spool WHERE topic = $1 AND delivered_ms IS NULL AND "
                 "sent_ms IS NULL ORDER BY id LIMIT $2",
                 {name, limit + 1})) {
          bytes += static_cast<std::uint64_t>(row.integer(1));
          const bool is_enough = !found->messages.empty() && bytes > kReadAheadBytes;
          if (std::ssize(found->messages) == limit || is_enough) {
            found->more = true;
            break;
          }
          const auto content = transaction.query_one(
              "SELECT payload, properties, digest FROM spool WHERE id = $1", {row.integer(0)});
          if (!content) continue;
          if (is_result && content->is_null(2)) {  // of an agent that kept none
            transaction.execute("UPDATE spool SET digest = $1 WHERE id = $2",
                                {trust::sha256_hex(content->blob(0)), row.integer(0)});
          }
          found->messages.push_back({row.integer(0), content->blob(0),
                                     read_properties(content->text(1)),
                                     static_cast<std::uint64_t>(row.integer(1))});
        }
      },
      [this, alive = alive_, name, found](std::exception_ptr error) {
        if (!*alive) return;
        Topic& topic = topics_[name];
        topic.reading = false;
        if (error) {
          try_again(name, topic);
          std::rethrow_exception(error);
        }
        if (taking_back_ > 0) return;  // older ones come back: all is read again after them
        topic.more_on_disk = found->more;
        for (Message& message : found->messages) {
          window_bytes_ += cost_of(message);
          topic.window.push_back(std::move(message));
        }
        send_next(name);
      });
}

void PublishSpool::publish_first(const std::string& name, Topic& topic) {
  const Message& first = topic.window.front();
  topic.in_flight = true;
  link_.publish(
      {name, first.payload}, wire::Qos::at_least_once,
      [this, name, id = first.id, alive = alive_](PublishOutcome outcome) {
        if (*alive) on_outcome(name, id, outcome);
      },
      first.properties);
}

void PublishSpool::on_outcome(const std::string& name, std::int64_t id, PublishOutcome outcome) {
  Topic& topic = topics_[name];
  topic.in_flight = false;
  if (outcome == PublishOutcome::delivered) {
    const bool in_window = !topic.window.empty() && topic.window.front().id == id;
    // Else it was read again from the disk, where it still waits: at least once.
    if (in_window && awaits_storing(name)) {
      take_out(topic, id);
      mark_soon(id, Mark::sent);
      look_for_stale_in(silence_);
    } else if (in_window) {
      bytes_ -= std::min(bytes_, topic.window.front().bytes);
      take_out(topic, id);
      mark_soon(id, Mark::delivered);
    }
    topic.wait = milliseconds{0};
    return send_next(name);
  }
  const bool was_dropped = !topic.window.empty() && topic.window.front().bytes == 0;
  if (was_dropped) take_out(topic, topic.window.front().id);
  if (!link_.is_connected()) return;  // on_connection goes on
  if (outcome == PublishOutcome::refused && topic.wait == milliseconds{0}) {
    base::log_warning("the broker refused a message; it is tried again", {{"topic", name}});
  }
  try_again(name, topic);
}

void PublishSpool::try_again(const std::string& name, Topic& topic) {
  topic.wait = topic.wait == milliseconds{0} ? limits_.first_retry
                                             : std::min(topic.wait * 2, limits_.longest_retry);
  topic.retry = loop_.after(topic.wait, [this, name] {
    topics_[name].retry = 0;
    send_next(name);
  });
}

void PublishSpool::take_out(Topic& topic, std::int64_t id) {
  if (topic.window.empty() || topic.window.front().id != id) return;
  window_bytes_ -= cost_of(topic.window.front());
  topic.window.pop_front();
}

// But for what is on its way.
void PublishSpool::clear_window(Topic& topic) {
  const std::size_t kept = topic.in_flight && !topic.window.empty() ? 1 : 0;
  while (topic.window.size() > kept) {
    window_bytes_ -= cost_of(topic.window.back());
    topic.window.pop_back();
  }
  topic.more_on_disk = true;
}

// A crash before that sends the message once more. Waiting a little spares the disk a sync for
// each.
void PublishSpool::mark_soon(std::int64_t id, Mark mark) {
  marked_.push_back(
      {id, mark == Mark::sent ? base::to_epoch_millis(clock_.now()) : steady_ms(loop_), mark});
  write_marks_soon();
}

void PublishSpool::write_marks_soon() {
  if (marked_.size() + stored_count_ >= kMarkTogether) return write_marks();
  if (mark_timer_ != 0) return;
  mark_timer_ = loop_.after(kMarkDelay, [this] {
    mark_timer_ = 0;
    write_marks();
  });
}

void PublishSpool::write_marks() {
  // First, as what goes needs no mark.
  if (!stored_.empty()) write_stored();
  if (!marked_.empty()) {
    const std::int64_t oldest = steady_ms(loop_) - limits_.resend_window.count();
    writer_.run([all = std::exchange(marked_, {}), oldest](store::Transaction& transaction) {
      // Some may have been dropped for room meanwhile.
      for (const Marked& one : all) {
        const bool is_sent = one.mark == Mark::sent;
        transaction.execute(is_sent ? "UPDATE spool SET sent_ms = $1 WHERE id = $2"
                                    : "UPDATE spool SET delivered_ms = $1 WHERE id = $2",
                            {one.at_ms, one.id});
      }
      transaction.execute("DELETE FROM spool WHERE delivered_ms < $1", {oldest});
    });
  }
}

void PublishSpool::take_back_recently_delivered() {
  write_marks();
  ++taking_back_;
  struct TakenBack {
    std::uint64_t bytes = 0;
    std::vector<std::string> topics;
  };
  const auto taken = std::make_shared<TakenBack>();
  const std::int64_t since = steady_ms(loop_) - limits_.resend_window.count();
  const std::int64_t sent_since =
      base::to_epoch_millis(clock_.now()) - limits_.resend_window.count();
  writer_.run(
      [taken, since, sent_since](store::Transaction& transaction) {
        transaction.execute("DELETE FROM spool WHERE delivered_ms < $1", {since});
        for (const store::Row& row :
             transaction.query("SELECT topic, sum(bytes) FROM spool "
                               "WHERE delivered_ms IS NOT NULL GROUP BY topic")) {
          taken->topics.push_back(row.text(0));
          taken->bytes += static_cast<std::uint64_t>(row.integer(1));
        }
        if (!taken->topics.empty()) {
          transaction.execute(
              "UPDATE spool SET delivered_ms = NULL WHERE delivered_ms IS NOT NULL");
        }
        // Of the results that are waited for, the older ones wait for their consumers' word.
        for (const store::Row& row : transaction.query(
                 "SELECT DISTINCT topic FROM spool WHERE sent_ms IS NOT NULL AND sent_ms >= $1",
                 {sent_since})) {
          taken->topics.push_back(row.text(0));
        }
        transaction.execute("UPDATE spool SET sent_ms = NULL WHERE sent_ms >= $1", {sent_since});
      },
      [this, alive = alive_, taken](std::exception_ptr error) {
        if (!*alive) return;
        if (error) {
          // Nothing goes out before that: the order would be lost.
          if (take_back_timer_ != 0) {
            --taking_back_;
          } else {
            take_back_timer_ = loop_.after(limits_.longest_retry, [this] {
              take_back_timer_ = 0;
              --taking_back_;
              take_back_recently_delivered();
            });
          }
          std::rethrow_exception(error);
        }
        --taking_back_;
        bytes_ += taken->bytes;
        for (const std::string& name : taken->topics) clear_window(topics_[name]);
        send_all();
      });
}

}  // namespace andon::edge
