// SPDX-License-Identifier: Apache-2.0
#include "control/alarms/alarms.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

#include "base/error/error.hpp"
#include "control/identity/ending_certificates.hpp"
#include "control/shared/own_events.hpp"
#include "control/shared/sql_text.hpp"

namespace andon::control {
namespace {

namespace json = base::json;
using fleet::Figure;

constexpr std::array<std::string_view, 4> kKinds{"SERVER_DISK", "DEVICE_DISK", "REJECT_RATE",
                                                 "CERTIFICATE"};
constexpr double kPercent = 100;
constexpr double kMib = 1024.0 * 1024.0;
// How far on the good side a figure must be for what was raised to end, of its limit; of one near
// the whole, half of what is left.
constexpr double kClearlyMore = 1.2;
constexpr double kClearlyLess = 0.8;

constexpr std::string_view kSchema = R"sql(
CREATE TABLE alarms (
  kind TEXT NOT NULL,            -- SERVER_DISK, DEVICE_DISK, REJECT_RATE, CERTIFICATE
  thing TEXT NOT NULL,           -- '': the server
  since_ms BIGINT NOT NULL,
  reason TEXT NOT NULL,
  figures TEXT NOT NULL,         -- JSON
  PRIMARY KEY (kind, thing)
);
CREATE INDEX alarms_thing ON alarms (thing, since_ms);
)sql";

AlarmKind kind_of(const std::string& word) {
  for (std::size_t i = 0; i < kKinds.size(); ++i) {
    if (kKinds.at(i) == word) return static_cast<AlarmKind>(i);
  }
  throw base::Error(base::ErrorCode::data_corrupted, "alarms: \"" + word + "\" is no kind of one");
}

double rounded(double value) {
  constexpr double kTenths = 10;
  return std::round(value * kTenths) / kTenths;
}

std::string size_text(double mib) {
  constexpr double kInGib = 1024;
  return mib < kInGib ? fmt::format("{:.0f} MiB", mib) : fmt::format("{:.1f} GiB", mib / kInGib);
}

Alarm read_alarm(const store::Row& row) {
  return {.kind = kind_of(row.text(0)),
          .thing = row.text(1),
          .since = stored_time(row.integer(2)),
          .reason = row.text(3),
          .figures = stored_object(row.text(4))};
}

void tell(store::Transaction& tx, const Alarm& alarm, std::string_view state, base::Timestamp now) {
  json::object payload = alarm.figures;
  payload["alarm"] = to_string(alarm.kind);
  payload["state"] = state;
  payload["reason"] = alarm.reason;
  payload["since"] = base::to_iso8601(alarm.since);
  Outbox::append(tx, kAlarmEvent, alarm.thing, now, base::to_text(payload));
}

}  // namespace

std::string_view to_string(AlarmKind kind) {
  return kKinds.at(static_cast<std::size_t>(kind));
}

Alarms::Alarms(Parts parts) : parts_(std::move(parts)), rates_(parts_.results) {
  parts_.database.migrate("alarms", {{"0001-alarms", kSchema}});
}

Alarms::Finding Alarms::disk_finding(double free_mib, double size_mib) const {
  const double percent = kPercent * free_mib / size_mib;
  const double limit = parts_.limits.disk_free_percent;
  Finding finding;
  const double clear = std::min(limit * kClearlyMore, (limit + kPercent) / 2);
  finding.standing = percent < limit   ? Standing::bad
                     : percent < clear ? Standing::between
                                       : Standing::good;
  finding.reason =
      fmt::format("{} of {} are free ({:.1f}%)", size_text(free_mib), size_text(size_mib), percent);
  finding.figures = {{"freePercent", rounded(percent)},
                     {"freeMiB", std::llround(free_mib)},
                     {"sizeMiB", std::llround(size_mib)}};
  return finding;
}

void Alarms::look_at_disks(Findings& findings) const {
  if (parts_.limits.disk_free_percent <= 0) return;
  if (const auto room = parts_.disk(); room && room->size_bytes > 0) {
    findings[{AlarmKind::server_disk, ""}] = disk_finding(
        static_cast<double>(room->free_bytes) / kMib, static_cast<double>(room->size_bytes) / kMib);
  }
  for (const LatestFigures& latest : parts_.telemetry.latest_of_all(kMost)) {
    const auto& free = at(latest.figures, Figure::disk_free);
    const auto& size = at(latest.figures, Figure::disk_size);
    if (!free || !size || *size <= 0) continue;
    findings[{AlarmKind::device_disk, latest.thing}] = disk_finding(*free, *size);
  }
}

void Alarms::look_at_rejects(Findings& findings, base::Timestamp now) {
  if (parts_.limits.reject_percent <= 0) return;
  const double limit = parts_.limits.reject_percent;
  for (const auto& [thing, rate] : rates_.count(now)) {
    const double percent = rate.percent();
    Finding finding;
    // Of few parts nothing new is said; what was raised ends when the hour has none any more.
    finding.standing = rate.judged < parts_.limits.least_judged ? Standing::between
                       : percent > limit                        ? Standing::bad
                       : percent > limit * kClearlyLess         ? Standing::between
                                                                : Standing::good;
    finding.reason = fmt::format("{} of {} parts were rejected within the last hour ({:.1f}%)",
                                 rate.rejected, rate.judged, percent);
    finding.figures = {
        {"rejectPercent", rounded(percent)}, {"rejected", rate.rejected}, {"judged", rate.judged}};
    findings[{AlarmKind::reject_rate, thing}] = std::move(finding);
  }
}

void Alarms::look_at_certificates(Findings& findings, base::Timestamp now) const {
  if (parts_.limits.certificate.count() <= 0) return;
  parts_.database.read([&](store::Transaction& tx) {
    for (const EndingCertificate& one :
         ending_certificates(tx, now + parts_.limits.certificate, kMost)) {
      const base::Timestamp end = one.not_after;
      Finding finding;
      finding.standing = Standing::bad;
      finding.reason = (end < now ? "its certificate has ended on " : "its certificate ends on ") +
                       base::to_iso8601(end) + " and was not renewed";
      finding.figures = {{"notAfter", base::to_iso8601(end)}};
      findings[{AlarmKind::certificate, one.thing}] = std::move(finding);
    }
  });
}

void Alarms::check() {
  const base::Timestamp now = parts_.clock.now();
  Findings findings;
  look_at_disks(findings);
  look_at_rejects(findings, now);
  look_at_certificates(findings, now);
  bool has_told = false;
  parts_.database.write([&](store::Transaction& tx) {
    std::size_t raised = 0;
    for (const store::Row& row :
         tx.query("SELECT kind, thing, since_ms, reason, figures FROM alarms LIMIT $1",
                  {static_cast<std::int64_t>(kMost)})) {
      Alarm alarm = read_alarm(row);
      const auto found = findings.find({alarm.kind, alarm.thing});
      // A device that says nothing of its disk any more is not known to be well.
      const bool is_unknown = found == findings.end() && alarm.kind == AlarmKind::device_disk &&
                              parts_.limits.disk_free_percent > 0 &&
                              tx.query_one("SELECT 1 FROM things WHERE name = $1", {alarm.thing});
      const bool stays =
          is_unknown || (found != findings.end() && found->second.standing != Standing::good);
      if (stays) {
        ++raised;
        if (found == findings.end()) continue;
        tx.execute(
            "UPDATE alarms SET reason = $3, figures = $4 WHERE kind = $1 AND thing = $2",
            {row.text(0), alarm.thing, found->second.reason, base::to_text(found->second.figures)});
        findings.erase(found);
        continue;
      }
      tx.execute("DELETE FROM alarms WHERE kind = $1 AND thing = $2", {row.text(0), alarm.thing});
      if (found != findings.end()) {
        alarm.reason = found->second.reason;
        alarm.figures = found->second.figures;
        findings.erase(found);
      }
      tell(tx, alarm, "OK", now);
      has_told = true;
    }
    for (const auto& [key, finding] : findings) {
      if (finding.standing != Standing::bad || raised >= kMost) continue;
      ++raised;
      const Alarm alarm{.kind = key.first,
                        .thing = key.second,
                        .since = now,
                        .reason = finding.reason,
                        .figures = finding.figures};
      tx.execute(
          "INSERT INTO alarms (kind, thing, since_ms, reason, figures) VALUES ($1, $2, $3, $4, $5)",
          {std::string(to_string(alarm.kind)), alarm.thing, to_stored(now), alarm.reason,
           base::to_text(alarm.figures)});
      tell(tx, alarm, "ALARM", now);
      has_told = true;
    }
  });
  if (has_told) parts_.outbox.wake();
}

std::vector<Alarm> Alarms::list(const std::string& thing) const {
  std::vector<Alarm> alarms;
  parts_.database.read([&](store::Transaction& tx) {
    const auto rows =
        thing.empty()
            ? tx.query(
                  "SELECT kind, thing, since_ms, reason, figures FROM alarms ORDER BY "
                  "since_ms, kind, thing LIMIT $1",
                  {static_cast<std::int64_t>(kMost)})
            : tx.query(
                  "SELECT kind, thing, since_ms, reason, figures FROM alarms WHERE thing = $1 "
                  "ORDER BY since_ms, kind",
                  {thing});
    for (const store::Row& row : rows) alarms.push_back(read_alarm(row));
  });
  return alarms;
}

}  // namespace andon::control
