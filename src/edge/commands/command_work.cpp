// SPDX-License-Identifier: Apache-2.0
#include "edge/commands/command_work.hpp"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include "base/error/error.hpp"
#include "base/json/json_reader.hpp"
#include "base/text/encoding.hpp"
#include "base/text/id.hpp"
#include "edge/commands/remote_user.hpp"
#include "edge/control/component_control.hpp"
#include "edge/control/control_client.hpp"
#include "edge/control/doctor.hpp"
#include "edge/control/log_follower.hpp"
#include "edge/control/support_bundle.hpp"
#include "edge/fit/fit.hpp"
#include "edge/process/user_process.hpp"
#include "fleet/names/live_topics.hpp"
#include "trust/digests/digest.hpp"

namespace andon::edge {
namespace {

using base::Error;
using base::ErrorCode;
using std::chrono::milliseconds;

constexpr milliseconds kGlance{200};
constexpr milliseconds kFrameWait{10'000};
constexpr milliseconds kUntold{2'000};    // a shorter wait is not worth a word
constexpr milliseconds kFrameEvery{400};  // for who follows
constexpr int kMostSide = 1280;
constexpr int kMostFrameBytes = 92'160;
constexpr std::size_t kMostAboutFrame = 4096;
constexpr std::size_t kMostCopiedFrom = 16U << 20U;
constexpr std::size_t kMostComplaint = 1000;

// It gets its name when it is whole.
constexpr const char* kTakeFile = R"(
cat > "$1.andon-part" && mv -f -- "$1.andon-part" "$1" || { rm -f -- "$1.andon-part"; exit 1; }
)";

struct Task {
  const fleet::CommandRequest& request;
  const Layout& layout;
  const RemoteHands& hands;
  LinkBudget& budget;
  const Cancellation& cancellation;
  CommandOutput& output;
};

// As the link's budget wants it; while that keeps them back, who asked hears why. `of_bytes`: 0
// where that is not known.
void send_bytes(const Task& task, std::string_view bytes, std::uint64_t sent,
                std::uint64_t of_bytes) {
  std::string told;
  while (!bytes.empty()) {
    const std::string_view piece = bytes.substr(0, fleet::kMostAnswerBytes);
    const LinkBudget::Leave leave = task.budget.ask(LinkUse::uploads, piece.size());
    if (!leave.is_given) {
      if (leave.ask_again > kUntold && leave.why != told) {
        told = leave.why;
        task.output.progress(sent, of_bytes, told);
      }
      task.cancellation.wait(std::min(leave.ask_again, kUntold));
      continue;
    }
    task.output.data(piece);
    sent += piece.size();
    bytes.remove_prefix(piece.size());
  }
}

json::object send_file(const Task& task, std::string_view bytes) {
  task.output.progress(0, bytes.size(), "");
  send_bytes(task, bytes, 0, bytes.size());
  return {{"bytes", bytes.size()}, {"sha256", trust::sha256_hex(bytes)}};
}

json::object tell(const Task& task, ComponentWord word) {
  tell_component(task.layout, word, task.request.component);
  return {{"component", task.request.component}};
}

json::object logs(const Task& task) {
  const std::string component = one_component(task.layout, task.request.component);
  LogFollower log(task.layout, component);
  task.output.text(log.last_lines(static_cast<std::size_t>(task.request.lines)));
  while (task.request.follow) {
    task.cancellation.throw_if_cancelled();
    task.output.text(log.more(kGlance));
  }
  task.output.flush();
  return {{"component", component}};
}

json::object components(const Task& task) {
  for (const json::value& component : components_of(task.layout)) {
    task.output.row(component.as_object());
  }
  return {};
}

json::object say(const Task& task, const std::vector<Finding>& findings) {
  const json::object found = to_json(findings);
  for (const json::value& check : found.at("checks").as_array()) {
    task.output.row(check.as_object());
  }
  return {{"verdict", found.at("verdict")}};
}

json::object doctor(const Task& task) {
  return say(task, examine(task.layout));
}

json::object fit(const Task& task) {
  FitQuestion question;
  question.recipe = task.request.recipe;
  return say(task, examine_fit(task.layout, question));
}

json::object support_bundle(const Task& task) {
  task.output.progress(0, 0, "packing");
  json::object told = send_file(task, make_support_bundle(task.layout));
  told["name"] = "andon-support.tar";
  return told;
}

// What a component says on the topic of frames, where it answers the question of that id.
std::optional<json::object> frame_of(const json::object& event, const std::string& id) {
  try {
    const base::JsonReader reader(event, "frame");
    json::object message;
    if (reader.has("jsonMessage")) {
      message = reader.child("jsonMessage").child("message").object();
    } else {
      const auto bytes = base::from_base64(reader.child("binaryMessage").string("message"));
      const json::value parsed = base::parse_json(bytes.value_or(""), "frame");
      message = base::JsonReader(parsed, "frame").object();
    }
    if (base::JsonReader(message, "frame").optional_string("id") == id) return message;
  } catch (const Error&) {  // no answer, whoever it is from
  }
  return std::nullopt;
}

// The first answer of a component, or nothing once the time is over.
std::optional<json::object> ask_for_frame(const Task& task) {
  wire::IpcClient agent(control_options(task.layout));
  std::mutex mutex;
  std::condition_variable come;
  std::optional<json::object> answer;
  const std::string id = base::random_uuid();
  agent.subscribe("SubscribeToTopic", {{"topic", fleet::kLiveFramesTopic}},
                  [&](const json::object& event) {
                    // Others' answers come by as well.
                    auto frame = frame_of(event, id);
                    const std::lock_guard lock(mutex);
                    if (!answer) answer = std::move(frame);
                    come.notify_one();
                  });
  json::object question{{"id", id}, {"maxSide", kMostSide}, {"maxBytes", kMostFrameBytes}};
  if (!task.request.component.empty()) question["component"] = task.request.component;
  agent.call(
      "PublishToTopic",
      {{"topic", fleet::kLiveAskTopic},
       {"publishMessage", json::object{{"jsonMessage", json::object{{"message", question}}}}}});
  std::unique_lock lock(mutex);
  const auto until = std::chrono::steady_clock::now() +
                     std::min(kFrameWait, task.request.deadline - task.request.deadline / 4);
  while (!answer && std::chrono::steady_clock::now() < until) {
    task.cancellation.throw_if_cancelled();
    come.wait_for(lock, kGlance);
  }
  return answer;
}

struct Frame {
  std::string image;  // a JPEG
  json::object about;
};

Frame take_frame(const Task& task) {
  const auto answer = ask_for_frame(task);
  if (!answer) {
    std::string who = "component " + task.request.component;
    if (task.request.component.empty()) {
      std::string names;
      for (const json::value& entry : components_of(task.layout)) {
        const std::string name = base::JsonReader(entry, "components[]").string("name");
        names += (names.empty() ? "" : ", ") + name;
      }
      who = names.empty() ? "no component runs on this device, so none"
                          : "no component of this device (" + names + ")";
    }
    throw Error(ErrorCode::unavailable, who + (task.request.component.empty() ? "" : " has not") +
                                            " answered on the local topic " + fleet::kLiveAskTopic +
                                            ", where pictures are asked for");
  }
  const base::JsonReader reader(*answer, "frame");
  const std::string component = reader.optional_string("component").value_or("");
  if (reader.has("error")) {
    throw Error(ErrorCode::failed_precondition,
                component + ": " + reader.child("error").string("message"));
  }
  const auto image = base::from_base64(reader.optional_string("jpeg").value_or(""));
  if (!image || image->empty()) {
    throw Error(ErrorCode::unavailable, component + " has answered without a picture");
  }
  Frame taken{.image = *image, .about = {{"component", component}, {"contentType", "image/jpeg"}}};
  // What else the component says: the verdict, what it has counted.
  json::object about = *answer;
  for (const char* member : {"id", "component", "jpeg"}) about.erase(member);
  if (base::to_text(about).size() <= kMostAboutFrame) taken.about["frame"] = std::move(about);
  return taken;
}

json::object send_frame(const Task& task, const Frame& frame) {
  json::object told = send_file(task, frame.image);
  for (const auto& [key, value] : frame.about) told[key] = value;
  return told;
}

// Each frame that is another one than the one before, until nobody wants any more: what the server
// has no room for waits here, and the one after it is as new as can be.
json::object frames(const Task& task) {
  if (!task.request.follow) return send_frame(task, take_frame(task));
  std::string before;
  while (true) {
    const auto begun = std::chrono::steady_clock::now();
    const Frame taken = take_frame(task);
    std::string digest = trust::sha256_hex(taken.image);
    if (digest != before) task.output.row(send_frame(task, taken));
    before = std::move(digest);
    do {
      task.cancellation.throw_if_cancelled();
      std::this_thread::sleep_for(kGlance);
    } while (std::chrono::steady_clock::now() < begun + kFrameEvery);
  }
}

[[noreturn]] void refuse(const char* what, const char* option) {
  throw Error(ErrorCode::permission_denied,
              std::string("this device lets nobody ") + what +
                  " from afar; its own configuration says so: andon-edge run " + option +
                  " would allow it");
}

json::object status_of(const base::ExitStatus& status) {
  if (status.signal != 0) return {{"signal", status.signal}};
  return {{"exitCode", status.code}};
}

json::object shell(const Task& task) {
  if (!task.hands.shell) refuse("run command lines", "--remote-shell");
  const base::ExitStatus status = run_user_process(
      {.arguments = {"/bin/sh", "-c", task.request.command_line},
       .who = unprivileged_user(task.hands.user),
       .input = {}},
      task.cancellation,
      [&](std::string_view bytes, bool is_error) { task.output.text(bytes, is_error); });
  task.output.flush();
  return status_of(status);
}

[[noreturn]] void complain(const Task& task, const base::ExitStatus& status,
                           const std::string& said) {
  throw Error(ErrorCode::failed_precondition, "'" + task.request.path + "' cannot be copied: " +
                                                  (said.empty() ? base::to_string(status) : said));
}

void keep(std::string& said, std::string_view bytes) {
  said += bytes.substr(0, kMostComplaint - std::min(kMostComplaint, said.size()));
}

json::object copy_from(const Task& task) {
  if (!task.hands.copy) refuse("copy files", "--remote-copy");
  trust::Sha256Stream digest;
  std::uint64_t bytes = 0;
  std::string said;
  const base::ExitStatus status = run_user_process(
      {.arguments = {"/bin/cat", "--", task.request.path},
       .who = unprivileged_user(task.hands.user),
       .input = {}},
      task.cancellation, [&](std::string_view part, bool is_error) {
        if (is_error) return keep(said, part);
        bytes += part.size();
        if (bytes > kMostCopiedFrom) {
          throw Error(ErrorCode::resource_exhausted, "'" + task.request.path + "' has more than " +
                                                         std::to_string(kMostCopiedFrom >> 20U) +
                                                         " MiB, which is the most that is copied");
        }
        digest.update(part);
        send_bytes(task, part, bytes - part.size(), 0);
      });
  if (!status.ok()) complain(task, status, said);
  return {{"bytes", bytes}, {"sha256", base::to_hex(digest.finish())}};
}

json::object copy_to(const Task& task) {
  if (!task.hands.copy) refuse("copy files", "--remote-copy");
  std::string said;
  const base::ExitStatus status =
      run_user_process({.arguments = {"/bin/sh", "-c", kTakeFile, "copy", task.request.path},
                        .who = unprivileged_user(task.hands.user),
                        .input = task.request.content},
                       task.cancellation, [&](std::string_view part, bool) { keep(said, part); });
  if (!status.ok()) complain(task, status, said);
  return {{"bytes", task.request.content.size()},
          {"sha256", trust::sha256_hex(task.request.content)}};
}

}  // namespace

json::object carry_out(const fleet::CommandRequest& request, const CommandPlace& place,
                       const Cancellation& cancellation, CommandOutput& output) {
  const Task task{request, place.layout, place.hands, place.budget, cancellation, output};
  using enum fleet::CommandKind;
  switch (request.kind) {
    case restart:
      return tell(task, ComponentWord::restart);
    case stop:
      return tell(task, ComponentWord::stop);
    case logs:
      return edge::logs(task);
    case components:
      return edge::components(task);
    case doctor:
      return edge::doctor(task);
    case support_bundle:
      return edge::support_bundle(task);
    case frame:
      return frames(task);
    case fit:
      return edge::fit(task);
    case shell:
      return edge::shell(task);
    case copy_from:
      return edge::copy_from(task);
    case copy_to:
      return edge::copy_to(task);
  }
  throw Error(ErrorCode::unsupported, "this agent does not know such a command");
}

}  // namespace andon::edge
