// SPDX-License-Identifier: Apache-2.0
#include "edge/images/container_engine.hpp"

#include <unistd.h>

#include <array>
#include <cstdlib>
#include <utility>

#include "base/error/error.hpp"
#include "base/os/file.hpp"
#include "base/text/ascii.hpp"
#include "base/text/split.hpp"
#include "edge/images/engine_failure.hpp"
#include "edge/process/user_process.hpp"

namespace andon::edge {
namespace {

using base::ErrorCode;
using std::chrono::milliseconds;

constexpr milliseconds kQuickly{60'000};       // a device may be busy, an engine just starting
constexpr milliseconds kToRemove{300'000};     // many layers on a slow card
constexpr milliseconds kToEnd{5'000};          // so that it clears up what it has half fetched
constexpr std::size_t kMostKept = 16U << 10U;  // of what it says

bool is_program(const std::string& path) {
  std::error_code ignored;
  return base::fs::is_regular_file(path, ignored) && access(path.c_str(), X_OK) == 0;
}

// A path, or what PATH has under the name; "" for neither.
std::string program_at(const std::string& name) {
  if (name.find('/') != std::string::npos) return is_program(name) ? name : "";
  const char* const path = std::getenv("PATH");
  const std::string places = path == nullptr ? "/usr/local/bin:/usr/bin:/bin" : path;
  for (const std::string_view place : base::split(places, ':')) {
    std::string program = std::string(place) + '/' + name;
    if (place.starts_with('/') && is_program(program)) return program;
  }
  return "";
}

DeploymentFailure no_engine(const std::string& why) {
  return {ErrorCode::failed_precondition,
          why,
          {"ARTIFACT_DOWNLOAD_ERROR", "DOCKER_ERROR", "DOCKER_SERVICE_UNAVAILABLE"},
          {"DEPENDENCY_ERROR"}};
}

std::string find_program(const std::string& wanted) {
  if (!wanted.empty()) {
    std::string found = program_at(wanted);
    if (!found.empty()) return found;
    throw no_engine("there is no '" + wanted +
                    "' on this device, which --container-engine names for container images");
  }
  for (const char* name : {"docker", "podman"}) {
    std::string found = program_at(name);
    if (!found.empty()) return found;
  }
  throw no_engine(
      "this device has no Docker and no Podman in its PATH, which container images need: install "
      "one of them, or say with --container-engine where it is");
}

void keep_end(std::string& text, std::string_view more) {
  text += more;
  if (text.size() > kMostKept) text.erase(0, text.size() - kMostKept);
}

}  // namespace

ContainerEngine::ContainerEngine(const std::string& program) : program_(find_program(program)) {
  const Answer answer = run({"--version"}, kQuickly, Cancellation());
  if (!answer.ok) {
    throw no_engine(program_ + " does not even tell its version: " + last_words(answer.said));
  }
  is_podman_ = base::to_lower(answer.result).find("podman") != std::string::npos;
}

ContainerEngine::Answer ContainerEngine::run(
    std::vector<std::string> words, milliseconds limit, const Cancellation& cancellation,
    const std::function<void(const std::string&)>& on_line) const {
  words.insert(words.begin(), program_);
  Answer answer;
  try {
    const base::ExitStatus status =
        run_user_process({.arguments = words,
                          .who = {},
                          .input = {},
                          .inherited = base::Inherited::environment,
                          .environment = {{"LC_ALL", "C.UTF-8"}},
                          .limit = limit,
                          .grace = kToEnd},
                         cancellation, [&](std::string_view bytes, bool is_error) {
                           keep_end(answer.said, bytes);
                           if (!is_error) keep_end(answer.result, bytes);
                           if (on_line) on_line(last_words(answer.said));
                         });
    answer.ok = status.ok();
  } catch (const base::Error& error) {
    if (error.code() != ErrorCode::deadline_exceeded) throw;
    // Again it would take as long.
    const bool is_pull = words[1] == "pull";
    throw DeploymentFailure(ErrorCode::resource_exhausted,
                            base::join(words, " ") + " had not ended after " +
                                std::to_string(limit.count() / 1000) + " s",
                            {"ARTIFACT_DOWNLOAD_ERROR", "DOCKER_ERROR",
                             is_pull ? "DOCKER_PULL_ERROR" : "DOCKER_SERVICE_UNAVAILABLE"},
                            {is_pull ? "NETWORK_ERROR" : "DEPENDENCY_ERROR"});
  }
  return answer;
}

std::string ContainerEngine::by_digest(const recipe::ImageReference& image) const {
  return is_podman_ ? recipe::full_image_name(image.name) + '@' + image.digest : image.by_digest();
}

std::string ContainerEngine::by_tag(const recipe::ImageReference& image) const {
  return is_podman_ ? recipe::full_image_name(image.name) + ':' + image.tag : image.by_tag();
}

std::optional<std::string> ContainerEngine::find(const std::string& name,
                                                 const Cancellation& cancellation) const {
  const Answer answer =
      run({"image", "inspect", "--format", "{{.Id}}", name}, kQuickly, cancellation);
  if (answer.ok) return std::string(base::trim(answer.result, " \t\r\n"));
  if (trouble_of(answer.said, name) == EngineTrouble::no_such_image) return std::nullopt;
  throw engine_failure(EngineTask::query, "ask " + program_ + " for " + name, name, answer.said);
}

std::string ContainerEngine::closed_to(const RunAs& who,
                                       const std::map<std::string, std::string>& environment,
                                       const std::string& name, Expect expect,
                                       const Cancellation& cancellation) const {
  std::string said;
  const base::ExitStatus status =
      run_user_process({.arguments = {program_, "image", "inspect", "--format", "{{.Id}}", name},
                        .who = who,
                        .input = {},
                        .environment = environment,
                        .limit = kQuickly},
                       cancellation, [&](std::string_view bytes, bool) { keep_end(said, bytes); });
  if (status.ok()) return "";
  const EngineTrouble trouble = trouble_of(said, name);
  if (expect == Expect::access && trouble != EngineTrouble::not_authorized) return "";
  const std::string words = last_words(said);
  return words.empty() ? base::to_string(status) : words;
}

void ContainerEngine::pull(const recipe::ImageReference& image, milliseconds limit,
                           const std::function<void(const std::string&)>& on_line,
                           const Cancellation& cancellation) const {
  const std::string name = by_digest(image);
  const Answer answer = run({"pull", name}, limit, cancellation, on_line);
  if (answer.ok) return;
  throw engine_failure(EngineTask::pull, "pull " + name + " with " + program_, name, answer.said);
}

void ContainerEngine::tag(const std::string& name, const std::string& tag,
                          const Cancellation& cancellation) const {
  const Answer answer = run({"tag", name, tag}, kQuickly, cancellation);
  if (answer.ok) return;
  throw engine_failure(EngineTask::query, "call " + name + " also " + tag + " with " + program_,
                       name, answer.said);
}

bool ContainerEngine::remove(const std::string& name, const Cancellation& cancellation) const {
  const Answer answer = run({"image", "rm", name}, kToRemove, cancellation);
  return answer.ok || trouble_of(answer.said, name) == EngineTrouble::no_such_image;
}

}  // namespace andon::edge
