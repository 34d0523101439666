// SPDX-License-Identifier: Apache-2.0
// Walks the control plane and looks at how SQLite would answer each statement that was prepared on
// the way: by an index, whatever grows. A statement that is added is seen here once something in
// this test calls it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <set>

#include "base/error/error.hpp"

#include "control/alarms/alarms.hpp"
#include "control/housekeeping/housekeeping.hpp"
#include "control/iam/iam.hpp"
#include "control/identity/access_keys.hpp"
#include "control/identity/ending_certificates.hpp"
#include "control/index/deployment_progress.hpp"
#include "control/index/fleet_state.hpp"
#include "control/models/model_registry.hpp"
#include "control/parameters/parameters.hpp"
#include "control/parameters/secrets.hpp"
#include "control/sessions/sessions.hpp"
#include "control/testing/control_fixture.hpp"
#include "store/objects/lifecycle.hpp"

namespace andon::control {
namespace {

// What may be read from end to end: what a query itself has made (a group's subtree), and tables
// that stay small whatever happens.
const std::set<std::string> kMayBeScanned = {"subtree",
                                             "s",
                                             "below",
                                             "b",
                                             "up",         // thing groups above or below one
                                             "reachable",  // components that a device may ask for
                                             "r",          // the same, and open rollouts
                                             "granted",
                                             "g",  // component versions that devices were given
                                             "sqlite_schema",
                                             "outbox",  // its first rows, in the order of their ids
                                             "outbox_cursors",      // a row a consumer
                                             "service_role",        // one row
                                             "connection_changes",  // emptied as they are read
                                             "index_changes",       // the same
                                             "thing_types",  // at most 1,000; when one is made
                                             "provisioning_templates",  // at most 256
                                             "certificate_owners",      // at most 10,000
                                             "iot_jobs",                // at most 10,000
                                             "iot_job_templates",       // at most 100
                                             "object_bucket",  // buckets; listed without pages
                                             "log_groups",     // at most 10,000; once an hour
                                             "log_remains",    // deleted, and swept away
                                             "iam_policies",   // at most 5,000; when one is made
                                             "iam_begun",      // one row
                                             "parameters",     // at most 10,000; when one is made
                                             "secrets",        // at most 10,000; when one is made
                                             "tag",            // the tags of one object (json_each)
                                             "member",         // the things that were asked of, too
                                             "iot_policies",   // at most 10,000; when one is made
                                             "consumers",      // at most 1,000; at the start
                                             "thing_shadows",  // counted at the start
                                             "password_policy",        // one row
                                             "console_begun",          // one row
                                             "console_sessions",       // at most 10,000
                                             "console_links",          // at most 100
                                             "device_figures_latest",  // a row a device
                                             "alarms",                 // at most 10,000
                                             "CONSTANT",
                                             "(subquery-1)",
                                             "(subquery-2)",
                                             "(subquery-3)"};

// A NULL for each of $1, $2 ... up to the highest that `sql` has.
std::vector<store::SqlValue> nothing_for(const std::string& sql) {
  std::size_t highest = 0;
  for (std::size_t at = sql.find('$'); at != std::string::npos; at = sql.find('$', at + 1)) {
    highest = std::max(highest, static_cast<std::size_t>(std::atoi(sql.c_str() + at + 1)));
  }
  return std::vector<store::SqlValue>(highest);
}

// In the order of an index and no further than the page.
bool is_first_page(const std::string& sql, const std::string& step) {
  const bool is_ordered = step.find(" USING INDEX ") != std::string::npos ||
                          step.find(" USING COVERING INDEX ") != std::string::npos;
  return is_ordered && sql.find("LIMIT") != std::string::npos;
}

class QueryPlansTest : public testing::Test, public ControlFixture {
 protected:
  void use_everything() {
    add_component("com.ex.Base", "1.0.0");
    add_component("com.ex.Hello", "1.0.0", R"({"com.ex.Base": {"VersionRequirement": ">=1.0.0"}})");
    ControlPlane& plane = control();
    plane.thing_types.create("press", "", {});
    for (const auto* thing : {"dev1", "dev2"}) plane.things.create(thing, {{"line", "1"}}, "press");
    plane.things.create_group("G", "", "", {});
    plane.things.create_group("Child", "G", "", {});
    plane.things.add_to_group("dev1", "Child");
    plane.things.add_to_group("dev1", "G");
    use_lists();
    use_deployments();
    use_fleet();
    use_identity();
    use_models();
    use_objects();
    use_lists();
    Logs logs(database(), clock(),
              {.group_bytes = 100, .total_bytes = 150, .keep = std::chrono::days(1)});
    use_logs(logs);
    Results results(database(), clock(), {.keep = std::chrono::days(1), .total_bytes = 1000});
    use_results(results);
    use_telemetry();
    const trust::SealingKey sealing_key(trust::SealingKey::make());
    Secrets secrets(database(), sealing_key, clock(), Arns());
    use_secrets(secrets);
    Parameters parameters(database(), sealing_key, clock(), Arns());
    use_parameters(parameters);
    plane.things.remove_from_group("dev1", "G");
    plane.things.remove_group("Child");
    plane.things.update("dev1", {});
    plane.things.remove("dev1");
    plane.components.remove("com.ex.Hello", "1.0.0");
    AccessKeys keys(database(), clock());
    Iam iam(database(), keys, clock(), "000000000000");
    Passwords passwords(database(), clock());
    Sessions sessions(database(), iam, passwords, clock());
    use_passwords(iam, passwords, sessions);
    Housekeeping(
        {database(), plane.deployments, plane.access, plane.enrolment, plane.provisioner,
         plane.iot_jobs, keys, objects(), logs, results, secrets, sessions, plane.telemetry},
        clock(), Retention())
        .run();
    restart();
  }

  void use_telemetry() {
    DeviceTelemetry& telemetry = control().telemetry;
    fleet::TelemetryPoint point{.time = clock().now()};
    at(point.figures, fleet::Figure::disk_free) = 1;
    at(point.figures, fleet::Figure::disk_size) = 100;
    telemetry.take("dev1", base::to_text(fleet::to_telemetry_message(point)));
    telemetry.write();
    (void)telemetry.read({.thing = "dev1", .from = {}, .until = clock().now()});
    (void)telemetry.latest("dev1");
    Alarms alarms({.database = database(),
                   .results = database(),
                   .outbox = control().outbox,
                   .telemetry = telemetry,
                   .clock = clock(),
                   .disk = [] {
                     return std::optional(DiskRoom{1, 100});
                   }});
    for (int i = 0; i < 2; ++i) alarms.check();
    at(point.figures, fleet::Figure::disk_free) = 99;
    telemetry.take("dev1", base::to_text(fleet::to_telemetry_message(point)));
    telemetry.write();
    alarms.check();
    (void)alarms.list();
    (void)alarms.list("dev1");
  }

  void use_passwords(Iam& iam, Passwords& passwords, Sessions& sessions) {
    const Entity eva = iam.entities.create({.name = "eva"});
    const PasswordOwner owner{eva.id, eva.name};
    passwords.set_policy({.remembered = 2});
    passwords.create(owner, "first one", NextSignIn::as_usual);
    passwords.change(owner, "second one");
    const std::string principal = "user/" + eva.id;
    const auto begun = sessions.begin({.principal = principal});
    clock().advance(std::chrono::minutes(2));
    (void)sessions.use(begun.token);
    (void)sessions.list(principal);
    (void)sessions.take_link(sessions.make_link(principal));
    (void)sessions.first_link();
    sessions.end(begun.session.id);
    (void)sessions.end_all(principal);
    passwords.remove_policy();
    passwords.remove(owner);
    iam.entities.remove(EntityKind::user, "eva");
  }

  static void use_parameters(Parameters& parameters) {
    const PageRequest page{10, "a"};
    parameters.put(
        {.name = "/a/b", .value = "v", .type = ParameterType::string, .tags = {{"k", "v"}}});
    for (int i = 0; i < Parameters::kMostVersions; ++i) {
      parameters.put({.name = "/a/b",
                      .value = "v",
                      .type = {},
                      .description = {},
                      .allowed_pattern = {},
                      .existing = NewParameter::Existing::overwrite});
    }
    (void)parameters.label("/a/b", {}, {"good"});
    (void)parameters.get("/a/b:good", Reveal::opened);
    for (const auto depth : {Parameters::Depth::one_level, Parameters::Depth::recursive}) {
      (void)parameters.below("/a", depth,
                             {{.key = ParameterFilter::Key::label, .values = {"good"}}}, page,
                             Reveal::sealed);
    }
    (void)parameters.describe({{.key = ParameterFilter::Key::tag, .values = {}, .tag = "k"}}, page);
    (void)parameters.history("/a/b", page, Reveal::opened);
    (void)parameters.unlabel("/a/b", Parameters::kMostVersions + 1, {"good"});
    parameters.tag("/a/b", {{"l", "w"}});
    parameters.untag("/a/b", {"l"});
    (void)parameters.tags("/a/b");
    (void)parameters.count();
    (void)parameters.remove("/a/b");
  }

  void use_secrets(Secrets& secrets) {
    const std::string name = "db";
    const std::string arn =
        secrets.create({.name = name, .value = SecretValue{"v"}, .token = "t", .tags = {}}).arn;
    for (int i = 0; i <= Secrets::kMostVersions; ++i) {
      secrets.put(arn, {"v"}, "t" + std::to_string(i), {});
    }
    (void)secrets.get(name, {}, {});
    (void)secrets.describe(name);
    (void)secrets.list({.filters = {{.values = {"d"}}}}, {});
    (void)secrets.list({.filters = {}, .oldest_first = true}, {});
    (void)secrets.versions(name, Secrets::Which::all, {});
    secrets.move_stage(name, "own", {}, "t100");
    secrets.move_stage(name, "own", "t100", {});
    secrets.update(name, {.description = "d", .value = {}, .token = {}});
    secrets.tag(name, {{"k", "v"}});
    secrets.untag(name, {"k"});
    (void)secrets.remove(name, std::chrono::days(7));
    secrets.restore(name);
    (void)secrets.remove(name, std::chrono::days(7));
    (void)secrets.count();
    clock().advance(std::chrono::days(8));
    (void)secrets.purge(500);
    (void)secrets.remove_now(name);
  }

  static void use_results(Results& results) {
    for (int i = 0; i < 9; ++i) {
      results.put({{.thing = "dev1",
                    .time = base::from_epoch_millis(i),
                    .image = "a",
                    .label = "scratch",
                    .score = 0.5,
                    .verdict = "NG"}});
    }
    for (const ResultOrder order : {ResultOrder::newest_first, ResultOrder::as_they_came}) {
      for (const ResultFilter& filter :
           {ResultFilter{}, ResultFilter{.thing = "dev1"}, ResultFilter{.label = "scratch"},
            ResultFilter{.verdict = "NG"}, ResultFilter{.least_score = 0.1},
            ResultFilter{.thing = "dev1", .label = "scratch", .verdict = "NG"},
            ResultFilter{.among = std::vector<std::string>{"dev1", "dev2"}},
            ResultFilter{.least_score = 0.1, .among = std::vector<std::string>{"dev1"}}}) {
        const ResultPage page = results.list({.filter = filter, .order = order, .limit = 1});
        (void)results.list({.filter = filter, .order = order, .place = page.next, .limit = 1});
        (void)results.counts(filter, {}, {.limit = 1, .after = R"(["0","dev1","a"])"});
      }
    }
    const std::int64_t id = results.list({.limit = 1}).results.front().id;
    (void)results.add_review(id, {.by = "operator"});
    (void)results.reviews(id);
    (void)results.totals();
  }

  void use_logs(Logs& logs) {
    const PageRequest page{10, "a"};
    for (const char* group : {"a", "b"}) {
      logs.create_group({.name = group, .tags = {{"k", "v"}}});
      for (const char* stream : {"s", "t"}) {
        logs.create_stream(group, stream);
        for (int i = 0; i < 3; ++i)
          logs.put(group, stream, {{clock().now(), std::string(40, 'x')}});
      }
    }
    for (const auto& filter : {LogGroupFilter{}, LogGroupFilter{.prefix = "a"},
                               LogGroupFilter{.part = "a", .log_class = "STANDARD"}}) {
      (void)logs.groups(filter, page);
    }
    for (const bool down : {false, true}) {
      (void)logs.streams("a", {.prefix = "s", .descending = down}, {10, ""});
      (void)logs.streams("a", {.descending = down}, page);
      (void)logs.streams("a", {.by_last_event = true, .descending = down}, {10, ""});
      (void)logs.streams("a", {.by_last_event = true, .descending = down}, {10, "5:s"});
      (void)logs.read("a", "s", {.backward = down});
      (void)logs.read("a", "s", {.place = LogPlace{5, 5}, .backward = down});
    }
    (void)logs.search("a", {});
    (void)logs.search("a", {.streams = {"s", "t"}, .place = LogPlace{5, 5}});
    (void)logs.search("a", {.stream_prefix = "s"});
    logs.set_retention("a", 1);
    logs.tag("a", {{"l", "w"}});
    logs.untag("a", {"l"});
    (void)logs.tags("a");
    logs.remove_stream("a", "t");
    logs.remove_group("b");
    logs.sweep(1);
    clock().advance(std::chrono::days(4));
    logs.sweep(500);
    logs.sweep(500);
  }

  void use_lists() {
    ControlPlane& plane = control();
    const PageRequest page{10, "a"};
    (void)plane.things.list({}, page);
    (void)plane.things.list({.type_name = "press"}, page);
    (void)plane.things.list({"line", "1", "press"}, page);
    for (const auto depth : {Things::Depth::children, Things::Depth::descendants}) {
      (void)plane.things.list_groups("C", "", depth, page);
      (void)plane.things.list_groups("C", "G", depth, page);
      (void)plane.things.list_members("G", depth, page);
    }
    (void)plane.things.list_groups_of("dev1", page);
    for (const auto& filter :
         {CoreDeviceFilter{}, CoreDeviceFilter{"", "HEALTHY", ""}, CoreDeviceFilter{"", "", "x"},
          CoreDeviceFilter{"G", "", ""}, CoreDeviceFilter{"G", "HEALTHY", "x"}}) {
      (void)plane.core_devices.list(filter, page);
    }
    (void)plane.core_devices.find("dev1");
    (void)plane.core_devices.installed("dev1", Topology::root, page);
    (void)plane.components.list(page);
    (void)plane.components.list_versions("com.ex.Hello", {});
    for (const auto history :
         {DeploymentFilter::History::all, DeploymentFilter::History::latest_only}) {
      for (const std::string& target : {std::string(), Arns().thing("dev1")}) {
        for (const std::string& parent : {std::string(), Arns().thing_group("G")}) {
          (void)plane.deployments.list({target, parent, history}, {});
        }
      }
    }
    (void)plane.jobs.effective_deployments("dev1", {});
    const FleetState fleet(database(), clock(), Arns());
    (void)fleet.list({}, {});
    (void)fleet.list({.group = "G"}, {});
    (void)progress_of(database(), "d", {.status = JobStatus::failed, .thing = "t"}, {});
    (void)progress_tally(database(), "d");
    (void)plane.tags.of(Arns().core_device("dev1"));
  }

  void use_rollouts() {
    ControlPlane& plane = control();
    plane.things.create_group("Sub", "", "", {});
    plane.things.add_to_group("dev1", "Sub");
    const Deployment part = plane.deployments.create(
        {{"targetArn", Arns().thing_group("Sub")},
         {"parentTargetArn", Arns().thing_group("G")},
         {"components", {{"com.ex.Hello", {{"componentVersion", "1.0.0"}}}}},
         {"iotJobConfiguration",
          {{"jobExecutionsRolloutConfig", {{"maximumPerMinute", 1}}},
           {"abortConfig",
            {{"criteriaList", json::array{json::object{{"failureType", "ALL"},
                                                       {"action", "CANCEL"},
                                                       {"thresholdPercentage", 1},
                                                       {"minNumberOfExecutedThings", 1}}}}}}}}});
    report("dev1", part.id, JobStatus::failed);
    (void)plane.components.condition("com.ex.Hello", "1.0.0");
  }

  void use_client_devices() {
    ClientDevices& clients = control().client_devices;
    (void)clients.associate("dev1", {"dev2"});
    (void)clients.list("dev1", {10, ""});
    (void)clients.cores_of("dev2");
    (void)clients.set_endpoints("dev1", {{"a", "h", 1, ""}});
    (void)clients.endpoints("dev1");
    (void)clients.disassociate("dev1", {"dev2"});
    (void)clients.set_service_role("arn:aws:iam::000000000000:role/r");
    (void)clients.service_role();
    (void)clients.remove_service_role();
  }

  void use_deployments() {
    ControlPlane& plane = control();
    (void)plane.core_devices.take_health(
        "dev1", R"({"ggcVersion": "2.6.0", "platform": "linux", "architecture": "amd64",
                    "runtime": "aws_nucleus_lite", "thing": "dev1", "sequenceNumber": 1,
                    "timestamp": 1795343912000, "messageType": "COMPLETE",
                    "trigger": "NUCLEUS_LAUNCH", "overallDeviceStatus": "HEALTHY",
                    "components": [{"componentName": "com.ex.Hello", "version": "1.0.0",
                                    "status": "RUNNING", "isRoot": true}]})");
    const std::string long_text(4500, 'x');
    (void)plane.deployments.create(
        {{"targetArn", Arns().thing_group("G")},
         {"clientToken", "once"},
         {"tags", {{"line", "1"}}},
         {"components", {{"com.ex.Hello", {{"componentVersion", "1.0.0"}}}}}});
    try {  // is asked of the group's devices, and refused
      (void)plane.deployments.create(
          {{"targetArn", Arns().thing_group("G")},
           {"components",
            {{"com.ex.Hello",
              {{"componentVersion", "1.0.0"},
               {"configurationUpdate", {{"merge", R"({"a": ")" + long_text + "\"}"}}}}}}}});
    } catch (const base::Error&) {
      SUCCEED();
    }
    const Deployment first = deploy("thing/dev1", "com.ex.Hello", "1.0.0");
    const Deployment second = deploy("thing/dev1", "com.ex.Hello", "1.0.0");
    report("dev1", second.id, JobStatus::in_progress);
    (void)plane.jobs.document(second.id);
    (void)plane.jobs.of_deployment(second.id, 10);
    (void)plane.jobs.next("dev1");
    clock().advance(std::chrono::hours(1));
    plane.jobs.expire();
    plane.jobs.repeat_pending();
    report("dev1", second.id, JobStatus::succeeded);
    (void)plane.shadow.get("dev1", {});
    (void)plane.shadow.update("dev1", {{"state", {{"reported", {{"a", 1}}}}}});
    (void)plane.shadows.update("dev1", "line", R"({"state": {"desired": {"a": 1}}})");
    (void)plane.shadows.get("dev1", "line");
    (void)plane.shadows.names("dev1", {});
    (void)plane.shadows.remove("dev1", "line");
    use_rollouts();
    use_client_devices();
    const Deployment third = deploy("thing/dev2", "com.ex.Hello", "1.0.0");
    plane.deployments.cancel(third.id);
    plane.deployments.remove(first.id);
    plane.access.grant("dev1", "com.ex.Hello", "1.0.0");
    (void)plane.access.may_resolve("dev1", "com.ex.Base");
    (void)plane.access.may_fetch_blob("dev1", "00");
    (void)plane.components.resolve({"com.ex.Hello", {}, {}}, {});
    (void)plane.components.artifacts("com.ex.Hello", "1.0.0");
    plane.tags.set(Arns().core_device("dev1"), {{"a", "b"}});
    plane.tags.remove(Arns().core_device("dev1"), {"a"});
    (void)plane.core_devices.remove("dev2");
  }

  void use_fleet() {
    ControlPlane& plane = control();
    plane.thing_types.update("press", "x", {});
    (void)plane.thing_types.list("", {});
    plane.thing_types.set_use("press", ThingTypes::Use::deprecated);
    EXPECT_THROW(plane.thing_types.remove("press"), base::Error);
    plane.core_devices.note_presence(
        R"({"clientId":"dev1","principalName":"dev1","eventType":"connected"})");
    plane.core_devices.forget_presence();
    (void)plane.index.search("attributes.line:1", {});
    (void)plane.index.search_groups("*", {});
    (void)plane.dynamic_groups.create("Dynamic", "attributes.line:1", "", {});
    while (plane.dynamic_groups.step()) {
    }
    plane.things.update("dev2", {.attributes = {{{"line", "2"}}}});
    while (plane.dynamic_groups.step()) {
    }
    plane.things.remove_group("Dynamic");
    use_provisioning();
    use_jobs();
  }

  void use_provisioning() {
    ControlPlane& plane = control();
    auto& templates = plane.provisioning_templates;
    const std::string body = R"({"Parameters": {"AWS::IoT::Certificate::Id": {"Type": "String"}},
        "Resources": {"t": {"Type": "AWS::IoT::Thing", "Properties": {"ThingName": "made"}}, "c": {"Type": "AWS::IoT::Certificate", "Properties": {}}}})";
    templates.create({.name = "T",
                      .arn = {},
                      .description = {},
                      .is_enabled = true,
                      .role_arn = "r",
                      .hook = {},
                      .body = body,
                      .created = {},
                      .updated = {}});
    (void)templates.add_version("T", body, VersionStanding::is_other);
    (void)templates.versions("T");
    (void)templates.list({});
    templates.remove_version("T", 2);
    templates.update("T", {.description = "x"});
    (void)plane.provisioner.template_of_claim(plane.provisioner.make_claim("T").certificate_id);
    for (int i = 0; i < 2; ++i) {
      const auto offered = plane.provisioner.offer_keys();
      if (i == 0) {
        (void)plane.provisioner.provision({"T", offered.ownership_token, {}, "c", "x"}, {});
      }
    }
    clock().advance(std::chrono::hours(2));
    (void)plane.provisioner.remove_expired(10);
    templates.remove("T");
  }

  void use_jobs() {
    ControlPlane& plane = control();
    const NewIotJob wanted{
        .id = "job",
        .targets = {Arns().thing_group("G"), Arns().thing("dev2")},
        .selection = TargetSelection::continuous,
        .plan = {.document = "{}", .document_source = {}, .description = {}, .configuration = {}},
        .template_arn = {}};
    plane.iot_jobs.create(wanted);
    const auto settle = [&] {
      while (plane.iot_jobs.step()) {
      }
    };
    settle();
    (void)plane.jobs.start_next("dev2", {});
    (void)plane.jobs.pending("dev2");
    plane.iot_jobs.expire();
    plane.iot_jobs.update(
        "job", "x",
        {{"jobExecutionsRetryConfig",
          {{"criteriaList", json::array{{{"failureType", "ALL"}, {"numberOfRetries", 1}}}}}}});
    (void)report("dev2", "job", JobStatus::failed);
    settle();
    plane.iot_jobs.add_targets("job", {Arns().thing("dev1")}, "");
    settle();
    (void)plane.iot_jobs.list({}, {});
    (void)plane.iot_jobs.executions_of("job", JobStatus::queued, {});
    (void)plane.iot_jobs.executions_on("dev2", {}, {});
    plane.iot_jobs.cancel_execution("job", "dev2", {});
    plane.iot_jobs.remove_execution("job", "dev2", 2, Force::no);
    plane.iot_jobs.cancel("job", {});
    settle();
    (void)plane.iot_jobs.remove_history(clock().now() + std::chrono::hours(1), 10);
    plane.iot_jobs.create_template("template", wanted.plan);
    (void)plane.iot_jobs.list_templates({});
    plane.iot_jobs.remove_template("template");
  }

  void use_identity() {
    (void)control().enrolment.issue_token("dev1", std::chrono::hours(1));
    ControlPlane& plane = control();
    const std::string pem = enrol("dev1");
    const std::string id = trust::describe_certificate(pem).fingerprint;
    (void)plane.renewal.renew(pem, trust::make_csr(trust::make_private_key(), "x"),
                              Renewal::Proof::by_connection);
    for (const auto order :
         {Certificates::Order::newest_first, Certificates::Order::oldest_first}) {
      (void)plane.certificates.list(order, {});
    }
    (void)plane.certificates.list_of("dev1", {});
    database().read([&](store::Transaction& tx) {
      (void)ending_certificates(tx, clock().now(), 10);
      (void)count_ending_certificates(tx, clock().now());
    });
    (void)plane.rights.may(id);
    (void)plane.rights.may("none");
    (void)plane.rights.may_thing("dev1");
    (void)plane.rights.take_changes(10);
    use_iot_policies(id);
    plane.certificates.attach(id, "dev1");
    plane.certificates.set_status(id, CertificateStatus::inactive);
    plane.certificates.detach(id, "dev1");
    plane.certificates.remove(id);
    AccessKeys keys(database(), clock());
    const AccessKey key = keys.create("operator");
    (void)keys.find(key.id);
    (void)keys.list();
    keys.disable(key.id);
    use_users(keys);
  }

  void use_iot_policies(const std::string& certificate) {
    ControlPlane& plane = control();
    IotPolicies& policies = plane.iot_policies;
    const std::string document =
        R"({"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}})";
    const PageRequest page{10, "a"};
    (void)policies.create("P", document);
    (void)policies.add_version("P", document, VersionStanding::is_other);
    (void)policies.version("P", 2);
    (void)policies.versions("P");
    policies.set_default_version("P", 2);
    policies.remove_version("P", 1);
    (void)policies.list(IotPolicies::Order::ascending, page);
    (void)policies.list(IotPolicies::Order::descending, page);
    const PolicyTarget own{PolicyTarget::Kind::certificate, certificate};
    const PolicyTarget group{PolicyTarget::Kind::thing_group, "Child"};
    policies.attach("P", own);
    policies.attach("P", group);
    (void)policies.attached(own, IotPolicies::Reach::itself, page);
    (void)policies.attached(group, IotPolicies::Reach::with_parents, page);
    (void)policies.targets("P", "", page);
    (void)policies.effective(own.key(), "dev1");
    (void)plane.consumers.add("plc", ConsumerKind::certificate, {"P"});
    (void)plane.consumers.add("scada", ConsumerKind::user, {"P"});
    (void)plane.consumers.list(page);
    (void)plane.consumers.find("plc");
    (void)plane.consumers.has_users();
    (void)plane.rights.take_changes(100);
    plane.consumers.remove("plc");
    plane.consumers.remove("scada");
    policies.detach("P", own);
    policies.detach("P", group);
    policies.remove("P");
    (void)plane.rights.take_changes(100);
  }

  void use_users(AccessKeys& keys) {
    Iam iam(database(), keys, clock(), "000000000000");
    const std::string document =
        R"({"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}})";
    const PageRequest page{10, "a"};
    const std::string user = "user/" + iam.entities.create({.name = "eva"}, {{"k", "v"}}).id;
    iam.entities.create({.kind = EntityKind::group, .name = "line"});
    iam.entities.add_member("line", "eva");
    const std::string arn =
        iam.policies.create({.name = "p", .description = {}, .document = document}).arn;
    iam.policies.attach(EntityKind::user, "eva", arn);
    iam.policies.put_inline(EntityKind::user, "eva", "own", document);
    iam.policies.add_version(arn, document, VersionStanding::is_default);
    (void)iam.policies.version(arn, 1);
    (void)iam.policies.versions(arn);
    (void)iam.policies.list({}, page);
    (void)iam.policies.attached(EntityKind::user, "eva");
    (void)iam.policies.entities_of(arn, page);
    (void)iam.policies.inline_document(EntityKind::user, "eva", "own");
    (void)iam.policies.inline_names(EntityKind::user, "eva");
    (void)iam.entities.list(EntityKind::user, "/", page);
    (void)iam.entities.members("line", page);
    (void)iam.entities.groups_of("eva", page);
    (void)iam.entities.tags(EntityKind::user, "eva");
    (void)iam.principals.decide(user, {}, "s3:GetObject", "*", {});
    const AccessKey key = keys.create_limited(user, 2);
    (void)keys.list_of(user);
    keys.set_disabled(user, key.id, true);
    keys.remove(user, key.id);
    iam.policies.set_default_version(arn, 1);
    iam.policies.remove_version(arn, 2);
    iam.policies.detach(EntityKind::user, "eva", arn);
    iam.policies.remove(arn);
    iam.policies.remove_inline(EntityKind::user, "eva", "own");
    iam.entities.remove_member("line", "eva");
    iam.entities.update(EntityKind::user, "eva", {.name = "max"});
    iam.entities.untag(EntityKind::user, "max", {"k"});
    iam.entities.remove(EntityKind::user, "max");
  }

  void use_models() {
    ModelRegistry registry(database(), objects(), clock());
    registry.create_group("parts", "");
    const ModelPackage package = registry.create_package({.name = "parts"});
    RegistryFilter filter;
    for (const auto sort : {RegistrySort::by_name, RegistrySort::by_creation_time}) {
      filter.sort = sort;
      (void)registry.list_groups(filter, {});
      (void)registry.list_packages(filter, {});
      RegistryFilter of_group = filter;
      of_group.group = "parts";
      (void)registry.list_packages(of_group, {});
    }
    (void)registry.model_data(package.id);
    registry.update_package(package.id, {.approval = ApprovalStatus::approved});
    (void)registry.decisions(package.id);
    registry.delete_package(package.id);
    registry.delete_group("parts");
  }

  void use_objects() {
    put_object("bucket", "key", "content");
    (void)objects().list({.bucket = "bucket", .prefix = "k", .delimiter = "/"});
    (void)objects().head("bucket", "key");
    (void)objects().copy("bucket", "key", "bucket", "other");
    store::PutOptions of_a_device;
    of_a_device.quota = store::Quota{.owner = "dev1", .max_bytes = 1, .max_objects = 9};
    const std::string upload = objects().create_upload("bucket", "key", of_a_device);
    (void)objects().list_uploads(
        {.bucket = "bucket", .prefix = "k", .after_key = "k", .after_id = "i"});
    (void)objects().list_parts(upload);
    objects().abort_upload(upload);
    objects().remove("bucket", "key");
    use_versions();
  }

  void use_versions() {
    store::ObjectStore& store = objects();
    store.set_versioning("bucket", store::Versioning::enabled);
    for (const char* content : {"a", "b", "c"}) put_object("bucket", "key", content);
    (void)store.set_tags("bucket", "key", "", {{"k", "v"}});
    const store::Removal marker = store.remove("bucket", "key");
    (void)store.list_versions({.bucket = "bucket",
                               .prefix = "k",
                               .delimiter = "/",
                               .key_marker = "key",
                               .version_marker = marker.version_id});
    (void)store.list_versions({.bucket = "bucket", .key_marker = "key", .version_marker = "null"});
    store.remove_version("bucket", "key", marker.version_id);
    store.set_versioning("bucket", store::Versioning::suspended);
    put_object("bucket", "key", "d");
    store.set_bucket_setting("bucket", store::BucketSetting::lifecycle,
                             store::lifecycle_to_text({{.id = "1",
                                                        .prefix = "k",
                                                        .tags = {{"k", "v"}},
                                                        .size_greater_than = 1,
                                                        .size_less_than = 2,
                                                        .expiration_days = 1,
                                                        .noncurrent_days = 1,
                                                        .newer_noncurrent = 2},
                                                       {.id = "2",
                                                        .expiration_date = base::Timestamp{},
                                                        .removes_lone_markers = true,
                                                        .noncurrent_days = 1,
                                                        .abort_uploads_days = 1}}));
    (void)store.bucket_setting("bucket", store::BucketSetting::lifecycle);
    (void)store.create_upload("bucket", "never completed", {});
    clock().advance(std::chrono::days(3));
    (void)store.expire(100);
    store.set_bucket_setting("bucket", store::BucketSetting::lifecycle, std::nullopt);
  }
};

TEST_F(QueryPlansTest, NothingThatGrowsIsReadFromEndToEnd) {
  use_everything();
  std::size_t explained = 0;
  for (const std::string& sql : statements()) {
    const bool has_plan = sql.starts_with("SELECT") || sql.starts_with("WITH") ||
                          sql.starts_with("UPDATE") || sql.starts_with("DELETE");
    if (!has_plan) continue;
    ++explained;
    database().read([&](store::Transaction& tx) {
      for (const store::Row& row : tx.query("EXPLAIN QUERY PLAN " + sql, nothing_for(sql))) {
        const std::string& step = row.text(3);
        if (!step.starts_with("SCAN ") || is_first_page(sql, step)) continue;
        const std::string what = step.substr(5, step.find(' ', 5) - 5);
        EXPECT_TRUE(kMayBeScanned.contains(what)) << sql << "\n  " << step;
      }
    });
  }
  EXPECT_GT(explained, 100U);
}

}  // namespace
}  // namespace andon::control
