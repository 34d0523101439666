// SPDX-License-Identifier: Apache-2.0
// Answers who asks for frames. Workers offer theirs where one is wanted, which costs a look at an
// atomic number while nobody asks and a copy of the picture where somebody does; a thread of low
// priority draws and sends it. Of those who ask for one frame the newest is answered, and of those
// who ask for frames as they come. Any thread; what it is made with outlives it.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

#include "base/json/json.hpp"
#include "inspect/live/live_ask.hpp"
#include "inspect/look/pipeline.hpp"
#include "inspect/results/result.hpp"

namespace andon::inspect {

struct LiveParts {
  std::string thing;
  ComponentId component;
  // May wait some seconds; throws base::Error.
  std::function<void(const base::json::object& answer)> send;
  std::function<base::json::object()> counts;
};

class LiveFrames {
 public:
  explicit LiveFrames(LiveParts parts);
  LiveFrames(const LiveFrames&) = delete;
  LiveFrames& operator=(const LiveFrames&) = delete;
  ~LiveFrames();

  // Never waits. An event of SubscribeToTopic.
  void ask(const base::json::object& event);

  // A worker's: would a frame that is looked at now be sent?
  [[nodiscard]] bool wants() const;
  void offer(const vision::Image& image, const Job& job);
  // Main's, after each result: a file that was looked at last is shown where no frame comes.
  void note_last(const Job& job);

  static constexpr std::chrono::seconds kInterest{10};
  static constexpr std::chrono::seconds kPatience{2};
  static constexpr std::chrono::milliseconds kFreshFor{300};

 private:
  struct Shown {
    Inspection inspection;
    std::shared_ptr<const void> labels;  // where its labels are: the model, or a text of their own
  };
  struct Frame {
    vision::Image image;
    Shown shown;
  };
  struct Interest {
    LiveAsk ask;
    Instant until;
    Instant answer_by;
    Instant next{};  // when a frame is wanted
    bool was_answered = false;
  };

  void run();
  [[nodiscard]] Instant next_look() const;
  [[nodiscard]] Instant next_look(const Interest& interest) const;
  void want_next();
  void show_frame(std::unique_lock<std::mutex>& lock);
  void end_interest(std::optional<Interest>& interest, std::unique_lock<std::mutex>& lock);
  void answer(const LiveAsk& ask, const vision::Image& image, const Shown& shown);
  void answer(const LiveAsk& ask, base::ErrorCode code, const std::string& message);
  [[nodiscard]] base::json::object head(const std::string& id) const;
  void send(const base::json::object& answer) const;
  [[nodiscard]] bool show_last(const LiveAsk& ask);

  const LiveParts parts_;
  std::atomic<std::int64_t> wanted_at_{0};  // nanoseconds of the steady clock; 0: none is wanted
  std::mutex mutex_;                        // guards the next
  std::condition_variable changed_;
  std::array<std::optional<Interest>, 2> interests_;  // in one frame; in frames as they come
  std::optional<std::pair<std::string, base::Error>>
      problem_;  // an ask that cannot be read: its id
  bool has_frame_ = false;
  Frame frame_;  // whose buffers are used again
  std::optional<PictureId> last_;
  Shown last_shown_;  // holds no model, which may go before the next picture
  bool is_stopped_ = false;
  std::uint64_t number_ = 0;  // of the thread
  std::thread thread_;
};

}  // namespace andon::inspect
