// SPDX-License-Identifier: Apache-2.0
#include "server/start/metrics.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "base/metrics/metrics_page.hpp"

namespace andon::server {
namespace {

using workflow::MachineType;

constexpr MachineType kTypes[] = {MachineType::standard, MachineType::express};

void add_executions(base::MetricsPage& page, const workflow::Workflow& workflow) {
  const workflow::Figures& figures = workflow.figures();
  constexpr const char* kStarted = "andon_workflow_executions_started_total";
  page.start(kStarted, "counter", "Executions started.");
  for (const MachineType type : kTypes) {
    page.sample(kStarted, fmt::format("type=\"{}\"", to_string(type)),
                figures.counts(type).started);
  }
  constexpr const char* kEnded = "andon_workflow_executions_ended_total";
  page.start(kEnded, "counter", "Executions ended, by how; one that was redriven ends again.");
  for (const MachineType type : kTypes) {
    const workflow::Figures::Counts counts = figures.counts(type);
    const std::pair<const char*, std::uint64_t> by_status[] = {{"SUCCEEDED", counts.succeeded},
                                                               {"FAILED", counts.failed},
                                                               {"TIMED_OUT", counts.timed_out},
                                                               {"ABORTED", counts.aborted}};
    for (const auto& [status, count] : by_status) {
      page.sample(kEnded, fmt::format("type=\"{}\",status=\"{}\"", to_string(type), status), count);
    }
  }
}

void add_fleet(base::MetricsPage& page, const control::FleetFigures& fleet) {
  page.single("andon_things", "gauge", "Things in the registry.", fleet.things);
  constexpr const char* kDevices = "andon_core_devices";
  page.start(kDevices, "gauge", "Devices that have reported, by what they said last.");
  for (const auto& [status, count] : fleet.devices) {
    page.sample(kDevices, fmt::format("status=\"{}\"", status), count);
  }
  page.single("andon_core_devices_silent", "gauge",
              "Of them, those that have said nothing for 24 hours.", fleet.silent);
  constexpr const char* kJobs = "andon_deployment_devices";
  page.start(kJobs, "gauge", "Devices of the current deployments, by how far they are.");
  for (const auto& [status, count] : fleet.jobs) {
    page.sample(kJobs, fmt::format("status=\"{}\"", status), count);
  }
  page.single("andon_certificates_ending", "gauge",
              "Devices whose certificate ends within 30 days or has ended.",
              fleet.certificates_ending);
}

// How many, not whose: the page is read unsigned.
void add_alarms(base::MetricsPage& page, const std::vector<control::Alarm>& alarms) {
  using control::AlarmKind;
  constexpr const char* kAlarms = "andon_alarms";
  page.start(kAlarms, "gauge", "Alarms that are raised, by what of.");
  for (const AlarmKind kind : {AlarmKind::server_disk, AlarmKind::device_disk,
                               AlarmKind::reject_rate, AlarmKind::certificate}) {
    page.sample(kAlarms, fmt::format("alarm=\"{}\"", to_string(kind)),
                std::ranges::count(alarms, kind, &control::Alarm::kind));
  }
}

void add_data(base::MetricsPage& page, const base::fs::path& data) {
  std::error_code error;
  const base::fs::space_info space = base::fs::space(data, error);
  if (error) return;
  page.single("andon_data_free_bytes", "gauge", "Room on the disk of --data.", space.available);
  page.single("andon_data_size_bytes", "gauge", "Size of the disk of --data.", space.capacity);
}

void add_results(base::MetricsPage& page, const control::Results& results,
                 const control::ResultIntake::Counts& taken) {
  constexpr const char* kTaken = "andon_results_total";
  page.start(
      kTaken, "counter",
      "Results from devices; repeated ones were there already, dropped ones are sent again.");
  page.sample(kTaken, "outcome=\"stored\"", taken.stored);
  page.sample(kTaken, "outcome=\"repeated\"", taken.repeated);
  page.sample(kTaken, "outcome=\"dropped\"", taken.dropped);
  page.single("andon_results_unreadable_total", "counter",
              "Messages that were stored or repeated as they came, as they are no results.",
              taken.unreadable);
  const control::Results::Totals totals = results.totals();
  page.single("andon_results_kept", "gauge", "Results in the store.", totals.results);
  page.single("andon_results_kept_bytes", "gauge", "What they take of --results-mib.",
              totals.bytes);
  page.start("andon_results_commit_seconds", "histogram",
             "A commit of results, from its first statement until it was durable.");
  page.histogram("andon_results_commit_seconds", "", results.commits().seconds);
}

void add_audit(base::MetricsPage& page, const AuditTrail& audit) {
  const control::AuditLog::Counts counts = audit.log().counts();
  page.single("andon_audit_entries_total", "counter", "Entries of the audit log on the disk.",
              counts.recorded);
  constexpr const char* kLeftOut = "andon_audit_left_out_total";
  page.start(kLeftOut, "counter",
             "Calls without an entry of their own: refusals beyond the rate, and reads for which "
             "there was no room while the disk took nothing.");
  page.sample(kLeftOut, "reason=\"rate\"", counts.over_rate);
  page.sample(kLeftOut, "reason=\"room\"", counts.lost);
  page.single("andon_audit_waiting", "gauge", "Entries that are not on the disk yet.",
              counts.waiting);
  page.single("andon_audit_writable", "gauge", "0: changes are refused.",
              counts.is_writable ? 1 : 0);
  page.start("andon_audit_commit_seconds", "histogram",
             "A commit of entries, from its first statement until it was durable.");
  page.histogram("andon_audit_commit_seconds", "", counts.seconds);
  if (const auto syslog = audit.syslog()) {
    constexpr const char* kSyslog = "andon_audit_syslog_total";
    page.start(kSyslog, "counter", "Entries for --audit-syslog.");
    page.sample(kSyslog, "outcome=\"sent\"", syslog->sent);
    page.sample(kSyslog, "outcome=\"dropped\"", syslog->dropped);
  }
}

void add_otlp(base::MetricsPage& page, const wire::OtlpSender::Counts& counts) {
  constexpr const char* kRecords = "andon_otlp_records_total";
  page.start(kRecords, "counter", "Lines of the log and entries of the audit log for --otlp.");
  page.sample(kRecords, "outcome=\"sent\"", counts.sent);
  page.sample(kRecords, "outcome=\"dropped\"", counts.dropped);
  constexpr const char* kMetrics = "andon_otlp_metrics_total";
  page.start(kMetrics, "counter", "Times that --otlp was told the metrics.");
  page.sample(kMetrics, "outcome=\"sent\"", counts.metrics_sent);
  page.sample(kMetrics, "outcome=\"failed\"", counts.metrics_failed);
}

void add_broker(base::MetricsPage& page, const BrokerCounters::Values& broker) {
  constexpr const char* kRefused = "andon_broker_refused_total";
  page.start(kRefused, "counter",
             "What the broker refused since its start: no right to it, by policy or otherwise.");
  page.sample(kRefused, "what=\"connect\"", broker.refused_connections);
  page.sample(kRefused, "what=\"publish\"", broker.refused_publishes);
  page.sample(kRefused, "what=\"subscribe\"", broker.refused_subscriptions);
  page.single("andon_broker_over_limit_total", "counter",
              "What the broker refused as it was over a limit.", broker.over_limit);
  page.single("andon_broker_ended_sessions_total", "counter",
              "Clients that were cut off as they may not be connected any more.",
              broker.ended_sessions);
}

void add_topics(base::MetricsPage& page, const TopicCounts& topics) {
  constexpr const char* kMessages = "andon_topic_rule_messages_total";
  page.start(kMessages, "counter", "Messages for topic rules since the start.");
  page.sample(kMessages, "outcome=\"taken\"", topics.messages);
  page.sample(kMessages, "outcome=\"dropped\"", topics.dropped);
  page.single("andon_topic_rule_failures_total", "counter",
              "Times that a topic rule could make nothing of a message.", topics.failed);
  page.single("andon_shadows", "gauge", "Shadows of things, with those deleted a while ago.",
              topics.shadows);
}

}  // namespace

std::string metrics_text(workflow::Workflow& workflow, const workflow::JobRunner::Gauges& jobs,
                         const control::LogWriter::Counts& logs, const control::Results& results,
                         const control::ResultIntake::Counts& taken, const SealedCounts& sealed,
                         const AuditTrail& audit,
                         const std::optional<wire::OtlpSender::Counts>& otlp,
                         const BrokerCounters::Values& broker, const control::FleetFigures& fleet,
                         const std::vector<control::Alarm>& alarms, const TopicCounts& topics,
                         const base::fs::path& data) {
  base::MetricsPage page;
  add_executions(page, workflow);
  const auto waiting = workflow.executions().waiting();
  const auto gauges = workflow.driver().gauges();
  constexpr const char* kRunning = "andon_workflow_executions_running";
  page.start(kRunning, "gauge", "Executions that have not ended.");
  page.sample(kRunning, "type=\"STANDARD\"", waiting.running);
  page.sample(kRunning, "type=\"EXPRESS\"", gauges.express);
  page.single("andon_workflow_transitions_total", "counter", "States entered.",
              workflow.figures().transitions());
  page.single("andon_workflow_tasks_in_flight", "gauge",
              "Calls of tasks that have not been answered, but for those that wait for a token.",
              gauges.in_flight);
  page.single("andon_workflow_timers_waiting", "gauge", "Timers that are not due or not done.",
              waiting.timers);
  page.single("andon_workflow_timers_fired_total", "counter", "Timers that became due.",
              workflow.driver().timers().fired());
  page.single("andon_jobs_running", "gauge", "Jobs under way.", jobs.running);
  page.single("andon_jobs_waiting", "gauge", "Jobs that wait for room.", jobs.waiting);
  const store::GroupCommit::Counts commits = workflow.commits().counts();
  page.single("andon_workflow_steps_committed_total", "counter",
              "Steps of executions made durable; many share a commit.", commits.pieces);
  page.start("andon_workflow_commit_seconds", "histogram",
             "A commit, from its first statement until it was durable.");
  page.histogram("andon_workflow_commit_seconds", "", commits.seconds);
  constexpr const char* kLines = "andon_log_lines_total";
  page.start(kLines, "counter", "Lines of the server's own parts for log groups.");
  page.sample(kLines, "outcome=\"written\"", logs.written);
  page.sample(kLines, "outcome=\"dropped\"", logs.dropped);
  add_results(page, results, taken);
  page.single("andon_parameters", "gauge", "Parameters of SSM.", sealed.parameters);
  page.single("andon_secrets", "gauge",
              "Secrets of Secrets Manager, with those that are to be deleted.", sealed.secrets);
  add_audit(page, audit);
  if (otlp) add_otlp(page, *otlp);
  add_broker(page, broker);
  add_fleet(page, fleet);
  add_alarms(page, alarms);
  add_topics(page, topics);
  add_data(page, data);
  return page.take();
}

}  // namespace andon::server
