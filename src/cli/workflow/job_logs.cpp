// SPDX-License-Identifier: Apache-2.0
#include "cli/workflow/job_logs.hpp"

#include <fmt/format.h>

#include "base/error/error.hpp"
#include "base/json/json_members.hpp"
#include "base/text/escape.hpp"

namespace andon::cli {
namespace {

namespace json = base::json;

// Bars of progress write a line anew by a carriage return: the last one is shown.
std::string shown(std::string line) {
  while (line.ends_with('\r')) line.pop_back();
  const std::size_t last = line.rfind('\r');
  return base::escape_controls(last == std::string::npos ? line : line.substr(last + 1));
}

}  // namespace

void JobLogs::note(const json::object& event) {
  if (const auto* entered = base::object_at(event, "stateEnteredEventDetails")) {
    state_ = base::text_at(*entered, "name");
    return;
  }
  const auto* submitted = base::object_at(event, "taskSubmittedEventDetails");
  if (submitted == nullptr || base::text_at(*submitted, "resourceType") != "job") return;
  const json::value output =
      base::parse_json(base::text_at(*submitted, "output"), "the job's answer");
  const auto* told = output.if_object();
  if (told == nullptr) return;
  jobs_.push_back({.id = base::text_at(*told, "JobId"), .state = state_, .rest = {}});
}

void JobLogs::take() {
  for (Job& job : jobs_) {
    if (!job.has_ended) take(job);
  }
}

void JobLogs::take(Job& job) {
  constexpr int kParts = 100;  // then others have their turn
  for (int part = 0; part < kParts; ++part) {
    json::object told;
    try {
      told = ask_(job.id, job.next);
    } catch (const base::Error& error) {
      if (error.code() != base::ErrorCode::not_found) throw;
      // Not ordered yet, or forgotten.
      return;
    }
    const auto from = told.at("from").to_number<std::uint64_t>();
    if (from > job.next) {
      line_(job.state, fmt::format("({} bytes are not kept any more)", from - job.next));
      job.rest.clear();
    }
    const auto next = told.at("next").to_number<std::uint64_t>();
    const bool has_more = next > from;
    job.next = next;
    job.rest += base::text_at(told, "text");
    std::size_t end = 0;
    while ((end = job.rest.find('\n')) != std::string::npos) {
      line_(job.state, shown(job.rest.substr(0, end)));
      job.rest.erase(0, end + 1);
    }
    job.has_ended = told.at("ended").as_bool();
    if (job.has_ended && !job.rest.empty()) {
      line_(job.state, shown(std::exchange(job.rest, {})));
    }
    if (job.has_ended || !has_more) return;
  }
}

}  // namespace andon::cli
