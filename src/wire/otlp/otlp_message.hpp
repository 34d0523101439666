// SPDX-License-Identifier: Apache-2.0
// Room: otlp. Logs and metrics for a collector of OpenTelemetry (OTLP 1.x over HTTP, in JSON:
// opentelemetry.io/docs/specs/otlp). This file writes the two requests and reads their answer.
// Pure; any thread.
#pragma once

#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/time/time.hpp"
#include "wire/http/http_client.hpp"

namespace andon::wire {

using OtlpAttributes = std::vector<std::pair<std::string, std::string>>;

enum class OtlpSeverity : std::uint8_t { debug = 5, info = 9, warning = 13, error = 17 };

struct OtlpLogRecord {
  base::Timestamp time;
  OtlpSeverity severity = OtlpSeverity::info;
  std::string scope;  // which part speaks: "andon.log", "andon.audit"
  std::string body;
  OtlpAttributes attributes = {};
};

// ExportLogsServiceRequest. Bytes that are no UTF-8 are replaced. `resource` is who speaks:
// {{"service.name", "andon-server"}, ...}.
[[nodiscard]] std::string to_otlp_logs(const OtlpAttributes& resource,
                                       std::span<const OtlpLogRecord> records);

// ExportMetricsServiceRequest: the samples of a page of base::MetricsPage under their names,
// counters as sums since `start`, gauges, histograms. Lines that are of no metric are left out.
[[nodiscard]] std::string to_otlp_metrics(const OtlpAttributes& resource, std::string_view page,
                                          base::Timestamp start, base::Timestamp now);

struct OtlpAnswer {
  enum class Outcome : std::uint8_t { taken, again, refused };
  Outcome outcome = Outcome::taken;
  std::uint64_t rejected = 0;    // of those that were sent, where it is taken
  std::string reason = {};       // why not, or not all, for people; at most 300 bytes
  std::chrono::seconds wait{0};  // before it is sent again, where the answer says so
};
// 429, 502, 503 and 504 may be sent again; what else is no success may not.
[[nodiscard]] OtlpAnswer read_otlp_answer(const IncomingResponse& response);

}  // namespace andon::wire
