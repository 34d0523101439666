// SPDX-License-Identifier: Apache-2.0
#include "edge/control/doctor.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <system_error>

#include "base/error/error.hpp"
#include "base/json/json_reader.hpp"
#include "base/text/escape.hpp"
#include "base/time/time.hpp"
#include "edge/control/agent_status.hpp"

namespace andon::edge {
namespace {

constexpr std::uint64_t kLittleSpace = 256ULL << 20U;
constexpr std::uint64_t kTooLittleSpace = 32ULL << 20U;
constexpr std::int64_t kClockDoubt_ms = 60'000;

std::string_view to_string(Verdict verdict) {
  switch (verdict) {
    case Verdict::good:
      return "ok";
    case Verdict::doubtful:
      return "doubtful";
    case Verdict::bad:
      break;
  }
  return "bad";
}

Finding disk_space(const Layout& layout) {
  std::error_code unknown;
  const fs::space_info space = fs::space(layout.root(), unknown);
  if (unknown) return {"disk space", Verdict::bad, unknown.message()};
  const std::string text =
      fmt::format("{} MiB free below {}", space.available >> 20U, layout.root().string());
  if (space.available < kTooLittleSpace) {
    return {"disk space", Verdict::bad, text + ": deployments and messages will fail; make room"};
  }
  return {"disk space", space.available < kLittleSpace ? Verdict::doubtful : Verdict::good, text};
}

Finding agent(const base::JsonReader& status, bool runs) {
  if (!runs) {
    return {"agent", Verdict::bad, "it does not run: systemctl status andon-edge says why"};
  }
  return {"agent", Verdict::good, fmt::format("runs, process {}", status.integer("pid"))};
}

Finding connection(const base::JsonReader& status) {
  const std::string server = status.string("server");
  if (status.optional_bool("connected").value_or(false)) {
    return {"connection", Verdict::good, "connected to the broker of " + server};
  }
  return {"connection", Verdict::bad,
          "not connected to the broker of " + server +
              ": is the network there, are its ports open, is the certificate valid?"};
}

Finding certificate(const base::JsonReader& status) {
  if (!status.has("certificate")) {
    return {"certificate", Verdict::bad, "it cannot be read"};
  }
  const base::JsonReader held = status.child("certificate");
  const std::string until = held.optional_string("notAfter").value_or("");
  const auto end = base::parse_iso8601(until);
  if (end && *end < base::SystemClock().now()) {
    return {"certificate", Verdict::bad,
            "it ended " + until + ", by this device's clock: enrol the device again"};
  }
  if (const auto problem = held.optional_string("problem")) {
    return {"certificate", Verdict::doubtful,
            "good until " + until + ", but not renewed: " + *problem};
  }
  return {"certificate", Verdict::good, "good until " + until};
}

Finding clock(const base::JsonReader& status) {
  if (!status.has("clock") || !status.child("clock").has("aheadMs")) {
    return {"clock", Verdict::doubtful, "the server has not said its time yet"};
  }
  const std::int64_t ahead = status.child("clock").integer("aheadMs");
  const std::string text = fmt::format("{} s {} the server's", std::abs(ahead) / 1000,
                                       ahead >= 0 ? "ahead of" : "behind");
  return {"clock", std::abs(ahead) > kClockDoubt_ms ? Verdict::doubtful : Verdict::good, text};
}

void add_components(const base::JsonReader& status, std::vector<Finding>& findings) {
  const json::array* const components = status.optional_array("components");
  if (components == nullptr || components->empty()) {
    findings.push_back({"components", Verdict::doubtful, "nothing is deployed here"});
    return;
  }
  std::size_t well = 0;
  for (const json::value& entry : *components) {
    const base::JsonReader component(entry, "components[]");
    const std::string state = component.string("state");
    if (state == "RUNNING" || state == "FINISHED") {
      ++well;
      continue;
    }
    const std::string name = component.string("name");
    const bool is_bad = state == "BROKEN" || state == "ERRORED";
    std::string text = name + " is " + state;
    if (const auto reason = component.optional_string("reason")) text += ": " + *reason;
    if (is_bad) text += "; andon-edge logs " + name + " shows what it wrote";
    findings.push_back({"components", is_bad ? Verdict::bad : Verdict::doubtful, text});
  }
  if (well > 0) findings.push_back({"components", Verdict::good, fmt::format("{} run well", well)});
}

void add_deployment(const base::JsonReader& status, std::vector<Finding>& findings) {
  const std::string progress = status.optional_string("deploymentProgress").value_or("");
  if (!progress.empty()) findings.push_back({"deployment", Verdict::good, progress});
  if (!status.has("lastDeployment")) return;
  const base::JsonReader last = status.child("lastDeployment");
  if (!last.has("failure")) return;
  findings.push_back({"deployment", Verdict::doubtful,
                      "the last one failed: " + last.child("failure").string("cause")});
}

void add_losses(const base::JsonReader& status, std::vector<Finding>& findings) {
  if (const auto dropped = status.optional_integer("spoolDropped"); dropped.value_or(0) > 0) {
    findings.push_back({"messages", Verdict::doubtful,
                        fmt::format("{} were dropped, as the spool was full", *dropped)});
  }
  const json::array* const refused = status.optional_array("refusedTopics");
  if (refused != nullptr && !refused->empty()) {
    findings.push_back({"messages", Verdict::doubtful,
                        fmt::format("the broker refuses {} topics of this device: its IoT policies "
                                    "do not allow them (andon-edge status --json)",
                                    refused->size())});
  }
}

}  // namespace

std::vector<Finding> examine(const Layout& layout) {
  std::vector<Finding> findings;
  json::object status;
  try {
    status = read_status(layout);
  } catch (const base::Error& error) {
    findings.push_back({"device", Verdict::bad, error.message()});
    return findings;
  }
  const base::JsonReader reader(status, "status");
  const bool runs = reader.string("agent") == "running";
  findings.push_back(
      {"device", Verdict::good, reader.string("thing") + " of " + reader.string("server")});
  findings.push_back(agent(reader, runs));
  findings.push_back(disk_space(layout));
  findings.push_back(certificate(reader));
  if (runs) {
    findings.push_back(connection(reader));
    findings.push_back(clock(reader));
    add_components(reader, findings);
    add_losses(reader, findings);
  }
  add_deployment(reader, findings);
  return findings;
}

Verdict worst_of(const std::vector<Finding>& findings) {
  Verdict worst = Verdict::good;
  for (const Finding& one : findings) worst = std::max(worst, one.verdict);
  return worst;
}

json::object to_json(const std::vector<Finding>& findings) {
  json::array checks;
  for (const Finding& one : findings) {
    checks.push_back(json::object{
        {"check", one.check}, {"verdict", to_string(one.verdict)}, {"text", one.text}});
  }
  return {{"verdict", to_string(worst_of(findings))}, {"checks", std::move(checks)}};
}

std::string to_readable(const std::vector<Finding>& findings) {
  std::string text;
  for (const Finding& one : findings) {
    text += fmt::format("{:<9} {:<12} {}\n", to_string(one.verdict), one.check,
                        base::escape_line(one.text));
  }
  return text;
}

}  // namespace andon::edge
