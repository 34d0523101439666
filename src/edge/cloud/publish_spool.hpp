// SPDX-License-Identifier: Apache-2.0
// QoS 1 messages of components on their way to the broker: kept in config.db from before the
// component is answered until somebody has received them, so that a crash, a broken network or an
// absent reader loses nothing. A broker that dies takes with it what it has acknowledged and its
// readers have not yet taken: what was delivered shortly before the connection broke is sent again.
//
// Results are kept longer: until each of the consumers that the server has named says that it has
// stored them (fleet/messages/result_message.hpp). They go out once, in order, whoever is away; the
// oldest that is waited for is sent again from time to time, and once its consumer answers, the
// others behind it. With a server that names none, results are as other messages.
//
// A message that the broker refuses is tried again, since it may be for a limit; what it refuses
// for good it says by name (refused_topics.hpp), and that goes.
//
// Within a topic messages go out in order, one at a time. When the spool is full, the oldest
// messages of the component that takes up most of it are dropped and counted: who talks much pushes
// out nobody's results but his own. So are those that are too old. Main thread only; the disk is
// the state writer's matter.
//
// Memory holds the first messages of each topic (its window); what is behind them is read from the
// disk when its turn comes.
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/log/log_throttle.hpp"
#include "base/time/time.hpp"
#include "edge/cloud/awaited_results.hpp"
#include "edge/cloud/mqtt_link.hpp"
#include "edge/loop/event_loop.hpp"
#include "edge/state/state_writer.hpp"
#include "store/sql/database.hpp"

namespace andon::edge {

struct SpoolLimits {
  std::uint64_t max_bytes = 64U << 20U;
  // Older messages are dropped, too, at the start and each hour; zero: at any age they wait.
  std::chrono::seconds max_age{0};
  std::chrono::milliseconds first_retry{500};
  std::chrono::milliseconds longest_retry{5000};
  // Delivered messages are kept for so long, beside max_bytes, for a connection that breaks.
  std::chrono::milliseconds resend_window{10'000};
  // Of all windows together.
  std::size_t window_bytes = 512U << 10U;
  // After so long without a consumer's word the oldest results are sent again, and then more and
  // more seldom.
  std::chrono::milliseconds stored_within{10'000};
  std::chrono::milliseconds longest_silence{60'000};
};

class PublishSpool {
 public:
  // Reads what is waiting from `database`, which is the one of `writer`.
  PublishSpool(EventLoop& loop, MqttLink& link, store::Database& database, StateWriter& writer,
               const base::Clock& clock, SpoolLimits limits = {});
  PublishSpool(const PublishSpool&) = delete;
  PublishSpool& operator=(const PublishSpool&) = delete;
  ~PublishSpool();

  // `done` comes when the message is on the disk, or with the error that kept it from there; it
  // may be empty. Throws resource_exhausted for one that is larger than the whole spool. Of whose
  // share it takes says `component`.
  using Done = std::function<void(std::exception_ptr)>;
  void add(wire::MqttMessage message, const wire::MqttPublishProperties& properties, Done done,
           const std::string& component = {});

  // Results of this thing are kept until they are stored. Once, before anything is added.
  void keep_until_stored(const std::string& thing, store::Database& database);
  // As the server says; kept over restarts. None: it is enough that a subscriber has them.
  void set_result_consumers(const std::vector<std::string>& consumers);
  [[nodiscard]] const ResultConsumers& result_consumers() const { return consumers_; }

  // From now on; of an age that is shorter than before the next look is at once.
  void set_limits(std::uint64_t max_bytes, std::chrono::seconds max_age);
  [[nodiscard]] const SpoolLimits& limits() const { return limits_; }

  // The broker does not let this device publish there: what waits for it goes, and is counted.
  void refuse(const std::string& topic);

  [[nodiscard]] std::int64_t refused() const { return refused_; }  // since the device was set up
  [[nodiscard]] std::uint64_t bytes() const { return bytes_; }     // waiting, or waited for
  [[nodiscard]] std::int64_t dropped() const { return dropped_; }  // since the device was set up

 private:
  struct Message {
    std::int64_t id = 0;  // rises with the order of add()
    std::string payload;
    wire::MqttPublishProperties properties;
    std::uint64_t bytes = 0;  // what it counts in the spool; 0 once it was dropped
  };
  struct Topic {
    std::deque<Message> window;
    bool more_on_disk = false;  // behind the window
    bool reading = false;
    bool in_flight = false;  // the first of the window
    EventLoop::TimerId retry = 0;
    std::chrono::milliseconds wait{0};
  };
  struct Dropped {
    std::set<std::int64_t> ids;
    std::uint64_t bytes = 0;
  };
  // Bytes that wait, by component. On the writer's thread alone; what was delivered since they were
  // counted is still in it, which is mended by counting them again now and then.
  struct Shares {
    std::map<std::string, std::int64_t> bytes;
    std::int64_t until_recount = 0;
  };
  enum class Mark { delivered, sent };  // sent: its consumers have not stored it yet
  struct Marked {
    std::int64_t id = 0;
    std::int64_t at_ms = 0;
    Mark mark = Mark::delivered;
  };
  struct Stored {
    std::string consumer;
    std::vector<std::string> digests;
  };

  static constexpr std::string_view kSpoolRefused = "spool_refused";
  static constexpr std::string_view kSpoolDropped = "spool_dropped";
  static std::size_t cost_of(const Message& message);
  void load(store::Database& database);
  void added(const std::string& topic, Message message);
  static Dropped make_room(store::Transaction& transaction, Shares& shares, std::uint64_t needed);
  static void count_dropped(store::Transaction& transaction, const Dropped& dropped);
  void forget(const Dropped& dropped, std::string_view why = "the spool is full");
  void send_all();
  void send_next(const std::string& topic);
  void read_more(const std::string& topic);
  void publish_first(const std::string& name, Topic& topic);
  void on_outcome(const std::string& topic, std::int64_t id, wire::PublishOutcome outcome);
  void take_out(Topic& topic, std::int64_t id);
  void clear_window(Topic& topic);
  void try_again(const std::string& name, Topic& topic);
  void mark_soon(std::int64_t id, Mark mark);
  void write_marks_soon();
  void write_marks();
  void take_back_recently_delivered();

  // What concerns age, in publish_spool_age.cpp.
  [[nodiscard]] static Dropped drop_old(store::Transaction& transaction, base::Timestamp now,
                                        std::chrono::seconds max_age);
  void look_for_old();
  void look_for_old_later();

  // What concerns results, in publish_spool_results.cpp.
  [[nodiscard]] bool awaits_storing(const std::string& topic) const;
  void on_stored(const wire::MqttMessage& message);
  void write_stored();
  void remove_rows(const RemovedRows& removed);
  void look_for_stale_in(std::chrono::milliseconds time);
  void send_stale();
  void forget_silence();

  EventLoop& loop_;
  MqttLink& link_;
  StateWriter& writer_;
  const base::Clock& clock_;
  SpoolLimits limits_;
  std::int64_t last_id_ = 0;
  std::uint64_t bytes_ = 0;
  std::uint64_t asked_for_ = 0;  // bytes that are being dropped
  std::shared_ptr<Shares> shares_ = std::make_shared<Shares>();
  std::int64_t dropped_ = 0;
  std::int64_t refused_ = 0;
  base::LogThrottle dropped_told_{std::chrono::minutes{1}};
  std::size_t window_bytes_ = 0;
  std::map<std::string, Topic> topics_;  // that have messages waiting
  std::vector<Marked> marked_;           // not yet on the disk
  std::vector<Stored> stored_;           // the same
  std::size_t stored_count_ = 0;         // digests in it
  EventLoop::TimerId mark_timer_ = 0;
  EventLoop::TimerId age_timer_ = 0;
  base::Timestamp looked_at_{};  // for old messages, by both clocks
  LoopClock::Instant looked_at_on_loop_{};
  int taking_back_ = 0;  // how many such changes are on their way: nothing goes out meanwhile
  EventLoop::TimerId take_back_timer_ = 0;
  std::string results_topic_;  // empty: nothing is kept until it is stored
  std::uint64_t subscription_ = 0;
  ResultConsumers consumers_;
  EventLoop::TimerId stale_timer_ = 0;
  std::chrono::milliseconds silence_{0};  // how long it waits before it sends some again
  std::set<std::int64_t> sent_again_;     // and not answered yet
  std::int64_t send_again_next_ = 1;      // how many
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
};

}  // namespace andon::edge
