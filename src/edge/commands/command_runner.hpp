// SPDX-License-Identifier: Apache-2.0
// Commands of the server on this device: takes each once, has it carried out on a thread of its
// own, and sends what it answers as far as the server has room, at a bounded rate, again until the
// server says that it has it. Ends a command at its deadline, when the server wants no more of it,
// and when the server has not said a word for a while. Nothing is kept over the end of the agent: a
// server that asks after a command of before is told that it is not known. Owned by the agent; main
// thread only.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "base/time/quota.hpp"
#include "edge/cloud/mqtt_link.hpp"
#include "edge/commands/command_output.hpp"
#include "edge/loop/event_loop.hpp"
#include "edge/loop/worker.hpp"
#include "fleet/command/command_request.hpp"
#include "fleet/names/topic.hpp"

namespace andon::edge {

class CommandRunner {
 public:
  // On a thread that may block: what there is to say at the end, as carry_out() has it.
  using Work = std::function<json::object(const fleet::CommandRequest&, const Cancellation&,
                                          CommandOutput&)>;
  CommandRunner(EventLoop& loop, MqttLink& link, const std::string& thing, Work work);
  CommandRunner(const CommandRunner&) = delete;
  CommandRunner& operator=(const CommandRunner&) = delete;
  // Ends what is under way, and waits for that.
  ~CommandRunner();

  static constexpr std::size_t kAtOnce = 4;
  static constexpr std::chrono::seconds kSign{5};       // between signs of life
  static constexpr std::chrono::seconds kSendAgain{5};  // what the server has not got
  static constexpr std::chrono::seconds kServersSilence{30};
  static constexpr std::uint64_t kBytesPerSecond = 1U << 20U;

 private:
  using Instant = LoopClock::Instant;
  // What its thread uses outlives the entry.
  struct Shared {
    explicit Shared(std::function<void()> on_more) : output(cancellation, std::move(on_more)) {}
    Cancellation cancellation;
    CommandOutput output;
    json::object result;
  };
  struct Command {
    fleet::CommandRequest request;
    std::shared_ptr<Shared> shared;
    std::size_t worker = 0;
    bool is_done = false;       // its thread has ended
    bool is_over = false;       // its end has its number
    bool is_abandoned = false;  // nobody wants any more of it
    fleet::CommandEnd end;
    std::optional<fleet::CommandContent> held;  // for which there is no rate left
    std::deque<fleet::CommandAnswer> sent;      // that the server does not have yet
    EventLoop::TimerId retry = 0;
    std::uint64_t next = 1;
    std::uint64_t until = fleet::kCommandWindow;
    Instant deadline;
    Instant word;   // when the server last said something of it
    Instant said;   // when this device did
    Instant moved;  // when something was sent, or had arrived
  };

  void asked(const std::string& payload);
  void granted(const std::string& payload);
  void cancelled(const std::string& payload);
  void begin(const fleet::CommandRequest& request, std::size_t worker);
  void done(const std::string& id, const std::exception_ptr& error);
  void pump(const std::string& id);
  void send_again(Command& command);
  void publish(const std::string& id, const std::string& payload);
  void refuse(const std::string& id, base::ErrorCode code, const std::string& why);
  void abandon(Command& command);
  void look_soon();
  void look();
  void forget_if_over(const std::string& id);

  EventLoop& loop_;
  MqttLink& link_;
  const fleet::DeviceTopics topics_;
  const Work work_;
  std::map<std::string, Command> commands_;
  std::deque<std::string> known_;  // ids of those that were taken lately
  base::Quota rate_;
  std::uint64_t subscription_ = 0;
  EventLoop::TimerId timer_ = 0;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  std::array<std::unique_ptr<Worker>, kAtOnce> workers_;
  std::array<bool, kAtOnce> is_busy_{};
};

}  // namespace andon::edge
