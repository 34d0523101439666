// SPDX-License-Identifier: Apache-2.0
#include "inspect/live/live_frames.hpp"

#include <pthread.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "base/error/error.hpp"
#include "base/log/log.hpp"
#include "base/text/encoding.hpp"
#include "base/text/utf8.hpp"
#include "inspect/live/live_picture.hpp"
#include "vision/image/decode.hpp"

namespace andon::inspect {

namespace json = base::json;
using base::Error;
using base::ErrorCode;

namespace {

Instant now() {
  return std::chrono::steady_clock::now();
}

std::int64_t nanoseconds_of(Instant at) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(at.time_since_epoch()).count();
}

// Without what is large.
Inspection what_is_drawn(const Inspection& inspection) {
  Inspection drawn;
  drawn.timestamp = inspection.timestamp;
  drawn.image_name = inspection.image_name;
  drawn.size = inspection.size;
  drawn.detections = inspection.detections;
  drawn.rotated = inspection.rotated;
  drawn.keypoints = inspection.keypoints;
  drawn.classes = inspection.classes;
  if (inspection.anomaly) drawn.anomaly = {inspection.anomaly->score, std::nullopt};
  drawn.verdict = inspection.verdict;
  return drawn;
}

// Gives the labels a text of their own, in which they are from now on.
std::shared_ptr<const void> own_labels(Inspection& inspection) {
  const auto text = std::make_shared<std::string>();
  const auto each = [&inspection](const auto& work) {
    for (LabelledDetection& one : inspection.detections) work(one.label);
    for (LabelledScore& one : inspection.classes) work(one.label);
  };
  each([&text](std::string_view label) { text->append(label); });
  std::string_view rest = *text;
  each([&rest](std::string_view& label) {
    const std::size_t size = label.size();
    label = rest.substr(0, size);
    rest.remove_prefix(size);
  });
  return text;
}

}  // namespace

LiveFrames::LiveFrames(LiveParts parts) : parts_(std::move(parts)) {
  thread_ = std::thread([this] { run(); });
}

LiveFrames::~LiveFrames() {
  {
    const std::lock_guard lock(mutex_);
    is_stopped_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void LiveFrames::ask(const json::object& event) {
  std::optional<LiveAsk> ask;
  std::optional<std::pair<std::string, Error>> problem;
  try {
    const json::object message = live_message_of(event);
    const json::value* const component = message.if_contains("component");
    if (component != nullptr && component->is_string() && !component->get_string().empty() &&
        component->get_string() != parts_.component.name) {
      return;
    }
    ask = read_live_ask(message);
  } catch (const Error& error) {
    problem = {"", error};
  }
  {
    const std::lock_guard lock(mutex_);
    const Instant at = now();
    problem_ = std::move(problem);
    if (ask) {
      std::optional<Interest>& interest = interests_[ask->per_second == 0 ? 0 : 1];
      // Who goes on looking gets the next frame in its time, not at once.
      const Instant next = interest && ask->per_second > 0 ? interest->next : at;
      interest = Interest{*std::move(ask), at + kInterest, at + kPatience, next};
    }
    want_next();
  }
  changed_.notify_all();
}

bool LiveFrames::wants() const {
  const std::int64_t at = wanted_at_.load(std::memory_order_relaxed);
  return at != 0 && nanoseconds_of(now()) >= at;
}

// Under the lock.
void LiveFrames::want_next() {
  std::optional<Instant> next;
  for (const std::optional<Interest>& interest : interests_) {
    if (interest && (!next || interest->next < *next)) next = interest->next;
  }
  wanted_at_ = next ? std::max<std::int64_t>(nanoseconds_of(*next), 1) : 0;
}

void LiveFrames::offer(const vision::Image& image, const Job& job) {
  const std::lock_guard lock(mutex_);
  if (wanted_at_ == 0 || has_frame_) return;
  wanted_at_ = 0;
  frame_.image.size = image.size;
  frame_.image.rgb = image.rgb;
  frame_.shown = {what_is_drawn(job.inspection), job.model};
  has_frame_ = true;
  changed_.notify_all();
}

void LiveFrames::note_last(const Job& job) {
  const std::lock_guard lock(mutex_);
  if (!job.frame.id || job.frame.has_pixels() || job.inspection.error) {
    last_.reset();
    return;
  }
  last_ = job.frame.id;
  last_shown_.inspection = what_is_drawn(job.inspection);
  last_shown_.labels = own_labels(last_shown_.inspection);
}

// Under the lock. When somebody is to be told that no frame has come, or looks no more.
Instant LiveFrames::next_look(const Interest& interest) const {
  if (interest.was_answered) return interest.until;
  return last_ ? interest.answer_by - kPatience + kFreshFor : interest.answer_by;
}

Instant LiveFrames::next_look() const {
  constexpr std::chrono::hours kIdle{1};
  Instant at = now() + kIdle;
  for (const std::optional<Interest>& interest : interests_) {
    if (interest) at = std::min(at, next_look(*interest));
  }
  return at;
}

// Under the lock, which it gives up meanwhile.
void LiveFrames::show_frame(std::unique_lock<std::mutex>& lock) {
  const Frame frame = std::exchange(frame_, {});
  has_frame_ = false;
  const Instant at = now();
  std::vector<LiveAsk> asks;
  for (std::optional<Interest>& interest : interests_) {
    if (!interest || interest->next > at) continue;
    asks.push_back(interest->ask);
    interest->was_answered = true;
    if (interest->ask.per_second == 0) {
      interest.reset();
    } else {
      interest->next =
          at + std::chrono::nanoseconds{std::chrono::seconds{1}} / interest->ask.per_second;
    }
  }
  want_next();
  lock.unlock();
  for (const LiveAsk& ask : asks) {
    try {
      answer(ask, frame.image, frame.shown);
    } catch (const Error& error) {
      answer(ask, error.code(), error.message());
    }
  }
  lock.lock();
}

// The same: no frame came, or it is over.
void LiveFrames::end_interest(std::optional<Interest>& interest,
                              std::unique_lock<std::mutex>& lock) {
  const LiveAsk ask = interest->ask;
  const bool was_answered = std::exchange(interest->was_answered, true);
  if (was_answered || ask.per_second == 0) interest.reset();
  want_next();
  if (was_answered) return;
  lock.unlock();
  if (!show_last(ask)) {
    answer(ask, ErrorCode::not_found,
           "no frame came; is the source giving pictures, and are parts triggered?");
  }
  lock.lock();
}

void LiveFrames::run() {
  pthread_setname_np(pthread_self(), "live frames");
  // Where it is refused, it works as it is.
  constexpr int kLowest = 19;
  [[maybe_unused]] const int refused =
      setpriority(PRIO_PROCESS, static_cast<id_t>(gettid()), kLowest);
  std::unique_lock lock(mutex_);
  while (!is_stopped_) {
    if (problem_) {
      const auto problem = *std::exchange(problem_, std::nullopt);
      LiveAsk ask;
      ask.id = problem.first;
      lock.unlock();
      answer(ask, problem.second.code(), problem.second.message());
      lock.lock();
      continue;
    }
    if (has_frame_) {
      show_frame(lock);
      continue;
    }
    const auto due = std::ranges::find_if(interests_, [this](const auto& interest) {
      return interest && now() >= next_look(*interest);
    });
    if (due != interests_.end()) {
      end_interest(*due, lock);
      continue;
    }
    changed_.wait_until(lock, next_look());
  }
}

json::object LiveFrames::head(const std::string& id) const {
  return {{"id", id},
          {"component", parts_.component.name},
          {"version", parts_.component.version},
          {"thing", parts_.thing}};
}

void LiveFrames::send(const json::object& answer) const {
  try {
    parts_.send(answer);
  } catch (const Error& error) {
    base::log_warning("a live frame could not be sent", {{"why", error.message()}});
  }
}

void LiveFrames::answer(const LiveAsk& ask, ErrorCode code, const std::string& message) {
  json::object answer = head(ask.id);
  answer.emplace("error", json::object{{"code", base::to_string(code)}, {"message", message}});
  send(answer);
}

void LiveFrames::answer(const LiveAsk& ask, const vision::Image& image, const Shown& shown) {
  const Inspection& inspection = shown.inspection;
  const LivePicture picture = draw_live(image, inspection, ask.max_side, ask.max_bytes);
  json::object answer = head(ask.id);
  answer.emplace("number", ++number_);
  answer.emplace("image", base::to_valid_utf8(inspection.image_name));
  answer.emplace("timestamp", base::to_iso8601(inspection.timestamp));
  answer.emplace("width", image.size.width);
  answer.emplace("height", image.size.height);
  if (inspection.verdict) {
    answer.emplace("verdict", to_string(inspection.verdict->judgement));
    if (!inspection.verdict->rule.empty()) {
      answer.emplace("verdict_rule", base::to_valid_utf8(inspection.verdict->rule));
    }
  }
  answer.emplace("detections", inspection.detections.size());
  answer.emplace("jpeg_width", picture.size.width);
  answer.emplace("jpeg_height", picture.size.height);
  answer.emplace("jpeg", base::to_base64(picture.jpeg));
  answer.emplace("counts", parts_.counts());
  send(answer);
}

bool LiveFrames::show_last(const LiveAsk& ask) {
  std::optional<PictureId> picture;
  Shown shown;
  {
    const std::lock_guard lock(mutex_);
    picture = last_;
    shown = last_shown_;
  }
  if (!picture) return false;
  try {
    auto frame = open_picture(picture->path);
    if (!frame || frame->id != picture) return false;
    read_picture(*frame);
    if (frame->problem) return false;
    vision::ImageDecoder decoder;
    const vision::Image& image = decoder.decode(frame->bytes, frame->name);
    answer(ask, image, shown);
    return true;
  } catch (const Error&) {
    return false;  // it has changed meanwhile
  }
}

}  // namespace andon::inspect
