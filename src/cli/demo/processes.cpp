// SPDX-License-Identifier: Apache-2.0
#include "cli/demo/processes.hpp"

#include <fcntl.h>
#include <fmt/format.h>

#include <utility>

#include "base/error/error.hpp"

namespace andon::cli {
namespace {

using base::Error;
using base::ErrorCode;

constexpr std::chrono::seconds kStopGrace{10};
constexpr std::chrono::seconds kQuickDeath{2};
constexpr int kMaxQuickDeaths = 5;

std::string end_of(const base::fs::path& log) {
  const std::string text = base::read_file_if_exists(log).value_or("");
  constexpr std::size_t kShown = 1500;
  return text.size() <= kShown ? text : "..." + text.substr(text.size() - kShown);
}

base::Process launch_into(const std::vector<std::string>& arguments, int stdout_fd,
                          const base::fs::path& log) {
  const base::UniqueFd log_fd = base::open_file(log, O_WRONLY | O_CREAT | O_APPEND, 0644);
  return base::Process({.arguments = arguments,
                        .stdout_fd = stdout_fd < 0 ? log_fd.get() : stdout_fd,
                        .stderr_fd = log_fd.get()});
}

}  // namespace

SupervisedProcesses::~SupervisedProcesses() {
  for (auto child = children_.rbegin(); child != children_.rend(); ++child) {
    child->process.stop(kStopGrace);
  }
}

base::Process SupervisedProcesses::launch(const ChildProgram& program) {
  return launch_into(program.arguments, -1, program.log);
}

void SupervisedProcesses::start(ChildProgram program) {
  base::Process process = launch(program);
  children_.push_back(
      {std::move(program), std::move(process), std::chrono::steady_clock::now(), 0});
}

void SupervisedProcesses::check() {
  for (Child& child : children_) {
    const auto status = child.process.poll();
    if (!status) continue;
    const auto now = std::chrono::steady_clock::now();
    child.quick_deaths = now - child.started < kQuickDeath ? child.quick_deaths + 1 : 0;
    if (child.quick_deaths >= kMaxQuickDeaths) {
      throw Error(ErrorCode::unavailable,
                  fmt::format("{} does not stay up ({}); the end of {}:\n{}", child.program.name,
                              base::to_string(*status), child.program.log.string(),
                              end_of(child.program.log)));
    }
    terminal_.warning(fmt::format("{} ended with {}; starting it again", child.program.name,
                                  base::to_string(*status)));
    child.process = launch(child.program);
    child.started = now;
  }
}

std::string run_to_end(const std::vector<std::string>& arguments, const base::fs::path& log,
                       std::chrono::milliseconds timeout) {
  base::fs::path output = log;
  output += ".out";
  base::ExitStatus status;
  {
    const base::UniqueFd out = base::open_file(output, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    base::Process process = launch_into(arguments, out.get(), log);
    const auto ended = process.wait(timeout);
    if (!ended) {
      throw Error(ErrorCode::deadline_exceeded,
                  fmt::format("{} has not ended after {} s; see {}", arguments.front(),
                              timeout.count() / 1000, log.string()));
    }
    status = *ended;
  }
  if (!status.ok()) {
    // A program that could not reach the server says so by its exit code: that may pass.
    const bool may_pass = status.code == base::exit_code(ErrorCode::unavailable) ||
                          status.code == base::exit_code(ErrorCode::deadline_exceeded);
    throw Error(may_pass ? ErrorCode::unavailable : ErrorCode::failed_precondition,
                fmt::format("{} ended with {}: {}", arguments.front(), base::to_string(status),
                            end_of(log)));
  }
  return base::read_file(output);
}

}  // namespace andon::cli
