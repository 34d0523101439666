// SPDX-License-Identifier: Apache-2.0
#include "api/console/live_frames.hpp"

#include <utility>

#include "base/error/error.hpp"
#include "base/json/json.hpp"
#include "base/log/log.hpp"
#include "base/text/encoding.hpp"

namespace andon::api {
namespace {

namespace json = base::json;
using control::CommandPage;
using control::CommandStatus;

constexpr std::chrono::milliseconds kGlance{500};
constexpr std::chrono::milliseconds kReadWait{15'000};
constexpr std::chrono::milliseconds kFollowFor{3'600'000};
constexpr std::chrono::milliseconds kSingleFor{30'000};

class ServersCommands final : public FrameCommands {
 public:
  explicit ServersCommands(control::Commands& commands) : commands_(commands) {}
  std::string start(const std::string& thing, fleet::CommandRequest request,
                    const control::CommandAsker& asker) override {
    return commands_.start(thing, std::move(request), asker).id;
  }
  void read(const std::string& id, std::uint64_t after, std::chrono::milliseconds wait,
            control::RunningCommands::Read done) override {
    commands_.read(id, after, wait, std::move(done));
  }
  void cancel(const std::string& id, const std::string& by) override { commands_.cancel(id, by); }

 private:
  control::Commands& commands_;
};

}  // namespace

std::unique_ptr<FrameCommands> frame_commands_of(control::Commands& commands) {
  return std::make_unique<ServersCommands>(commands);
}

LiveFrames::LiveFrames(std::unique_ptr<FrameCommands> commands)
    : commands_(std::move(commands)),
      worker_(std::make_unique<control::BackgroundWorker>(
          "live frames", [this] { return step(); }, kGlance)) {
  const std::lock_guard lock(bell_->mutex);
  bell_->worker = worker_.get();
}

std::uint64_t LiveFrames::watch(const What& what, control::CommandAsker asker, Told told) {
  FrameText newest;
  const auto shared = std::make_shared<Told>(std::move(told));
  std::uint64_t number = 0;
  {
    const std::lock_guard lock(mutex_);
    std::shared_ptr<Take>& take = takes_[what];
    if (!take) take = std::make_shared<Take>();
    number = ++last_viewer_;
    take->viewers[number] = {std::move(asker), shared};
    viewers_[number] = what;
    newest = take->newest;
  }
  if (newest) (*shared)(newest);
  bell_->ring();
  return number;
}

void LiveFrames::unwatch(std::uint64_t viewer) {
  {
    const std::lock_guard lock(mutex_);
    const auto found = viewers_.find(viewer);
    if (found == viewers_.end()) return;
    const auto take = takes_.find(found->second);
    if (take != takes_.end()) take->second->viewers.erase(viewer);
    viewers_.erase(found);
  }
  bell_->ring();
}

void LiveFrames::stop() {
  {
    const std::lock_guard lock(bell_->mutex);
    bell_->worker = nullptr;
  }
  std::unique_ptr<control::BackgroundWorker> worker;  // ends outside of the lock
  {
    const std::lock_guard lock(mutex_);
    is_stopping_ = true;
    worker = std::move(worker_);
  }
  worker.reset();
  std::map<What, std::shared_ptr<Take>> left;
  {
    const std::lock_guard lock(mutex_);
    left.swap(takes_);
    viewers_.clear();
  }
  for (const auto& [what, take] : left) give_up(*take, "the server stops");
}

LiveFrames::Counts LiveFrames::counts() const {
  const std::lock_guard lock(mutex_);
  return {viewers_.size(), takes_.size(), frames_, shown_};
}

bool LiveFrames::step() {
  std::vector<std::pair<What, std::shared_ptr<Take>>> takes;
  std::vector<std::shared_ptr<Take>> useless;
  {
    const std::lock_guard lock(mutex_);
    if (is_stopping_) return false;
    for (auto at = takes_.begin(); at != takes_.end();) {
      if (at->second->viewers.empty()) {
        useless.push_back(std::move(at->second));
        at = takes_.erase(at);
      } else {
        takes.emplace_back(*at);
        ++at;
      }
    }
  }
  for (const auto& take : useless) give_up(*take, "nobody looks any more");
  for (const auto& [what, take] : takes) step_take(what, *take);
  return false;
}

void LiveFrames::give_up(Take& take, const std::string& why) {
  if (take.command.empty()) return;
  try {
    commands_->cancel(std::exchange(take.command, {}), why);
  } catch (const base::Error&) {  // it is over by itself
  }
}

void LiveFrames::step_take(const What& what, Take& take) {
  if (take.command.empty()) {
    if (std::chrono::steady_clock::now() >= take.next_start) begin(what, take);
    return;
  }
  std::vector<CommandPage> pages;
  {
    const std::lock_guard lock(take.inbox->mutex);
    pages.swap(take.inbox->pages);
  }
  for (const CommandPage& page : pages) take_page(what, take, page);
}

void LiveFrames::begin(const What& what, Take& take) {
  control::CommandAsker asker;
  {
    const std::lock_guard lock(mutex_);
    if (take.viewers.empty()) return;
    asker = take.viewers.begin()->second.asker;
  }
  fleet::CommandRequest request;
  request.kind = fleet::CommandKind::frame;
  request.component = what.component;
  request.follow = take.can_follow;
  request.deadline = take.can_follow ? kFollowFor : kSingleFor;
  take.image.clear();
  take.has_shown = false;
  try {
    take.command = commands_->start(what.thing, std::move(request), asker);
    take.inbox = std::make_shared<Inbox>();
    read_on(take, 0);
  } catch (const base::Error& error) {
    take.next_start = std::chrono::steady_clock::now() + kAfterTrouble;
    trouble(what, take, base::to_string(error.code()), error.message());
  }
}

void LiveFrames::read_on(Take& take, std::uint64_t after) {
  commands_->read(take.command, after, kReadWait,
                  [inbox = take.inbox, bell = bell_](const CommandPage& page) {
                    {
                      const std::lock_guard lock(inbox->mutex);
                      inbox->pages.push_back(page);
                    }
                    bell->ring();
                  });
}

void LiveFrames::take_page(const What& what, Take& take, const CommandPage& page) {
  for (const fleet::CommandAnswer& answer : page.answers) take_answer(what, take, answer);
  if (page.has_come_to_end) return end(what, take, page.outcome);
  try {
    read_on(take, page.after);
  } catch (const base::Error& error) {
    take.command.clear();
    take.next_start = std::chrono::steady_clock::now() + kAfterTrouble;
    trouble(what, take, base::to_string(error.code()), error.message());
  }
}

void LiveFrames::take_answer(const What& what, Take& take, const fleet::CommandAnswer& answer) {
  if (std::holds_alternative<fleet::CommandProgress>(answer.content)) {
    take.image.clear();  // a new one begins
  } else if (const auto* data = std::get_if<fleet::CommandData>(&answer.content)) {
    if (take.image.size() + data->bytes.size() <= kMostBytes) take.image += data->bytes;
  } else if (const auto* row = std::get_if<fleet::CommandRow>(&answer.content)) {
    finish_frame(what, take, row->row);
  }
}

void LiveFrames::end(const What& what, Take& take, const control::CommandOutcome& outcome) {
  take.command.clear();
  const auto now = std::chrono::steady_clock::now();
  take.next_start = now + kAfterTrouble;
  if (outcome.status == CommandStatus::succeeded) {  // one that does not follow
    take.next_start = now + kBetweenSingle;
    return finish_frame(what, take, outcome.result);
  }
  const bool is_refused = outcome.error_code == base::to_string(base::ErrorCode::invalid_argument);
  if (take.can_follow && is_refused) {  // an agent that is older than this
    take.can_follow = false;
    take.next_start = now;
    return bell_->ring();
  }
  // The limit of one command, in bytes or time: the next one goes on.
  const bool has_said_all =
      take.has_shown && take.can_follow &&
      (outcome.error_code == base::to_string(base::ErrorCode::resource_exhausted) ||
       outcome.status == CommandStatus::timed_out);
  if (has_said_all) {
    take.next_start = now;
    return bell_->ring();
  }
  trouble(what, take, outcome.error_code, outcome.error);
}

void LiveFrames::finish_frame(const What& what, Take& take, const json::object& told) {
  const std::string image = std::exchange(take.image, {});
  const json::value* const bytes = told.if_contains("bytes");
  const bool is_whole = bytes != nullptr && bytes->is_number() &&
                        bytes->to_number<double>() == static_cast<double>(image.size());
  if (image.empty() || !is_whole) {
    return trouble(what, take, base::to_string(base::ErrorCode::data_corrupted),
                   "a frame of " + what.thing + " has not come whole");
  }
  json::object frame{{"thing", what.thing}, {"asked", what.component}, {"bytes", image.size()}};
  for (const char* member : {"component", "frame"}) {
    if (const auto* value = told.if_contains(member)) frame[member] = *value;
  }
  auto text = std::make_shared<const std::string>(
      base::to_text(json::object{{"frame", std::move(frame)}, {"jpeg", base::to_base64(image)}}));
  take.has_shown = true;
  tell(take, std::move(text), true);
}

void LiveFrames::trouble(const What& what, Take& take, std::string_view code,
                         const std::string& message) {
  tell(take,
       std::make_shared<const std::string>(
           base::to_text(json::object{{"frameTrouble", json::object{{"thing", what.thing},
                                                                    {"component", what.component},
                                                                    {"code", code},
                                                                    {"message", message}}}})),
       false);
}

void LiveFrames::tell(Take& take, FrameText text, bool is_frame) {
  std::vector<std::shared_ptr<Told>> viewers;
  {
    const std::lock_guard lock(mutex_);
    take.newest = is_frame ? text : nullptr;
    if (is_frame) ++frames_;
    for (const auto& [number, viewer] : take.viewers) viewers.push_back(viewer.told);
    if (is_frame) shown_ += viewers.size();
  }
  for (const auto& told : viewers) (*told)(text);
}

}  // namespace andon::api
