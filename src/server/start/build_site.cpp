// SPDX-License-Identifier: Apache-2.0
#include "server/start/build_site.hpp"

#include <algorithm>
#include <utility>

#include "base/error/error.hpp"
#include "base/log/log.hpp"
#include "fleet/names/arn.hpp"
#include "server/broker/listening_port.hpp"

namespace andon::server {
namespace {

namespace json = base::json;

events::Event state_change(const builds::Build& build, const fleet::Arns& arns,
                           base::Timestamp now) {
  json::object more{{"build-complete", build.is_over()},
                    {"initiator", api::record_text(build.record, "initiator")},
                    {"build-start-time", base::to_iso8601(build.started)}};
  for (const auto* member : {"source", "environment", "phases"}) {
    if (const auto* value = build.record.if_contains(member)) more[member] = *value;
  }
  return {.source = "aws.codebuild",
          .detail_type = "CodeBuild Build State Change",
          .resources = {builds::build_arn(arns, build)},
          .detail = json::object{{"build-status", build.status},
                                 {"project-name", build.project},
                                 {"build-id", builds::build_arn(arns, build)},
                                 {"current-phase", api::record_text(build.record, "currentPhase")},
                                 {"additional-information", std::move(more)},
                                 {"version", "1"}},
          .time = now};
}

// Where builds reach the operator API, if they may: it must be one of the ports of jobs.
std::function<std::map<std::string, std::string>(const control::RoleUse&, std::chrono::seconds)>
sdk_variables(const BuildSite::Parts& parts) {
  const auto& ports = parts.policy.ports;
  if (std::ranges::find(ports, parts.ports.api) == ports.end()) return {};
  const bool is_tls = !is_loopback(parts.options.api_address);
  // A name would have to be one of the certificate's.
  const std::string host = is_tls ? parts.options.hosts.front() : "127.0.0.1";
  const std::string url =
      (is_tls ? "https://" : "http://") + host + ":" + std::to_string(parts.ports.api);
  return [&iam = parts.iam, url](const control::RoleUse& use, std::chrono::seconds lifetime) {
    const control::AccessKey key = iam.roles.credentials(use, lifetime);
    return std::map<std::string, std::string>{{"AWS_ENDPOINT_URL", url},
                                              {"AWS_ACCESS_KEY_ID", key.id},
                                              {"AWS_SECRET_ACCESS_KEY", key.secret},
                                              {"AWS_SESSION_TOKEN", key.session_token}};
  };
}

}  // namespace

BuildSite::BuildSite(const Parts& parts)
    : authorizer_(parts.authorizer),
      arns_(parts.arns),
      builds_(parts.database, parts.clock,
              [&events = parts.events, &arns = parts.arns, &clock = parts.clock](
                  store::Transaction& tx, const builds::Build& build) {
                try {
                  events.accept(tx, state_change(build, arns, clock.now()));
                } catch (const base::Error& error) {
                  // A build is not held up by a queue that is full.
                  if (error.code() != base::ErrorCode::resource_exhausted) throw;
                  base::log_warning("a build's event is lost",
                                    {{"build", build.id}, {"reason", error.message()}});
                }
              }),
      runner_({.builds = builds_,
               .jobs = parts.jobs,
               .objects = parts.objects,
               .calls = parts.calls,
               .arns = parts.arns,
               .clock = parts.clock,
               .policy = parts.policy,
               .git = api::GitPlaces(parts.options.git_allow),
               .git_options = {.home = parts.data / "git", .ca_file = parts.options.http_ca},
               .jobs_directory = parts.data / "jobs",
               .sdk_variables = sdk_variables(parts)}) {}

std::vector<api::Operation> BuildSite::operations() {
  return api::build_operations(
      {.builds = builds_, .runner = runner_, .arns = arns_, .authorizer = &authorizer_});
}

}  // namespace andon::server
