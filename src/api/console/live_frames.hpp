// SPDX-License-Identifier: Apache-2.0
// The newest pictures of devices for those who look at them now: however many look at the same one,
// the device is asked once (a `frame` command that follows), and only while somebody looks. A
// viewer is told of the newest frame alone; who is slow leaves out those between. Viewers are
// called on this object's thread or on that of watch(), and must not block. Any thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/json/fwd.hpp"
#include "control/commands/commands.hpp"
#include "control/shared/background_worker.hpp"

namespace andon::api {

// As the page gets it, written once for all viewers: {"frame": {...}, "jpeg": "<base64>"}, or
// {"frameTrouble": {"thing", "component", "code", "message"}}.
using FrameText = std::shared_ptr<const std::string>;

// The few words of control::Commands that are needed here, so that tests can do without devices.
class FrameCommands {
 public:
  FrameCommands() = default;
  FrameCommands(const FrameCommands&) = delete;
  FrameCommands& operator=(const FrameCommands&) = delete;
  virtual ~FrameCommands() = default;
  // The command's id. Throws base::Error.
  virtual std::string start(const std::string& thing, fleet::CommandRequest request,
                            const control::CommandAsker& asker) = 0;
  virtual void read(const std::string& id, std::uint64_t after, std::chrono::milliseconds wait,
                    control::RunningCommands::Read done) = 0;
  virtual void cancel(const std::string& id, const std::string& by) = 0;
};
// Of the server; `commands` must outlive it.
[[nodiscard]] std::unique_ptr<FrameCommands> frame_commands_of(control::Commands& commands);

class LiveFrames {
 public:
  // A frame with its words; a viewer of one that is larger is told so.
  static constexpr std::size_t kMostBytes = 2U << 20U;
  static constexpr std::chrono::milliseconds kAfterTrouble{5000};
  // Of a device whose agent gives one frame a command.
  static constexpr std::chrono::milliseconds kBetweenSingle{1000};

  struct What {
    std::string thing;
    std::string component;  // empty: whichever has one
    auto operator<=>(const What&) const = default;
  };
  using Told = std::function<void(FrameText)>;

  explicit LiveFrames(std::unique_ptr<FrameCommands> commands);
  LiveFrames(const LiveFrames&) = delete;
  LiveFrames& operator=(const LiveFrames&) = delete;
  ~LiveFrames() { stop(); }

  // `told` at once with what is newest, where somebody looks already, and then with each one. The
  // viewer's number. Commands that it makes necessary are in the name of `asker`.
  std::uint64_t watch(const What& what, control::CommandAsker asker, Told told);
  // A call to its `told` that was begun, or is about to begin, may still come after this has
  // returned.
  void unwatch(std::uint64_t viewer);
  // Nobody is told any more, no device is asked.
  void stop();

  struct Counts {
    std::size_t viewers = 0;
    std::size_t devices = 0;   // that are being asked
    std::uint64_t frames = 0;  // that have come
    std::uint64_t shown = 0;   // to viewers, all together
  };
  [[nodiscard]] Counts counts() const;

 private:
  using Time = std::chrono::steady_clock::time_point;
  struct Viewer {
    control::CommandAsker asker;
    std::shared_ptr<Told> told;
  };
  // Pages of answers, from whichever thread they come; outlives the take that waits for them.
  struct Inbox {
    std::mutex mutex;
    std::vector<control::CommandPage> pages;
  };
  struct Take {
    std::map<std::uint64_t, Viewer> viewers;  // guarded by mutex_
    FrameText newest;                         // guarded by mutex_
    // Of the worker's thread alone:
    std::string command;  // empty: none is under way
    std::shared_ptr<Inbox> inbox;
    std::string image;  // what has come of the next one
    Time next_start{};
    bool can_follow = true;  // as far as is known of its agent
    bool has_shown = false;  // a frame has come of this command
  };
  // By which answers of devices, whenever they come, wake who reads them.
  struct Bell {
    std::mutex mutex;
    control::BackgroundWorker* worker = nullptr;  // guarded by mutex; null: it has stopped
    void ring() {
      const std::lock_guard lock(mutex);
      if (worker != nullptr) worker->wake();
    }
  };

  bool step();
  void step_take(const What& what, Take& take);
  void begin(const What& what, Take& take);
  void read_on(Take& take, std::uint64_t after);
  void take_page(const What& what, Take& take, const control::CommandPage& page);
  void take_answer(const What& what, Take& take, const fleet::CommandAnswer& answer);
  void end(const What& what, Take& take, const control::CommandOutcome& outcome);
  void finish_frame(const What& what, Take& take, const base::json::object& told);
  void trouble(const What& what, Take& take, std::string_view code, const std::string& message);
  void tell(Take& take, FrameText text, bool is_frame);
  void give_up(Take& take, const std::string& why);

  const std::unique_ptr<FrameCommands> commands_;
  mutable std::mutex mutex_;  // guards what follows, and the marked members of takes
  std::map<What, std::shared_ptr<Take>> takes_;
  std::map<std::uint64_t, What> viewers_;
  std::uint64_t last_viewer_ = 0;
  std::uint64_t frames_ = 0;
  std::uint64_t shown_ = 0;
  bool is_stopping_ = false;
  const std::shared_ptr<Bell> bell_ = std::make_shared<Bell>();
  std::unique_ptr<control::BackgroundWorker> worker_;  // null: it has stopped
};

}  // namespace andon::api
