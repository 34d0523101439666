// SPDX-License-Identifier: Apache-2.0
// A control plane on a temporary database and object store, with a clock that the test turns and a
// notifier that remembers. For tests of control/ and api/.
#pragma once

#include <chrono>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json/json.hpp"
#include "base/os/file.hpp"
#include "base/testing/fake_clock.hpp"
#include "base/time/time.hpp"
#include "control/control_plane.hpp"
#include "store/objects/object_store.hpp"
#include "store/sql/database.hpp"
#include "trust/keys/certificate.hpp"

namespace andon::control {

// Remembers what devices would have been told.
class RecordingNotifier final : public Notifier {
 public:
  struct Message {
    std::string topic;
    json::value payload;
  };

  void publish(const std::string& topic, const std::string& payload) override {
    const std::lock_guard lock(mutex_);
    messages_.push_back({topic, base::parse_json(payload, "notification")});
  }

  [[nodiscard]] std::vector<Message> take() {
    const std::lock_guard lock(mutex_);
    return std::exchange(messages_, {});
  }
  // The last payload published to `topic`, or null.
  [[nodiscard]] json::value last(const std::string& topic) const {
    const std::lock_guard lock(mutex_);
    for (auto message = messages_.rbegin(); message != messages_.rend(); ++message) {
      if (message->topic == topic) return message->payload;
    }
    return nullptr;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<Message> messages_;
};

class ControlFixture {
 public:
  ControlFixture()
      : clock_(base::from_epoch_millis(1'795'343'912'000)),
        database_(store::open_sqlite(directory_.path() / "andon.db",
                                     {.on_prepare =
                                          [this](std::string_view sql) {
                                            const std::lock_guard lock(statements_mutex_);
                                            statements_.emplace(sql);
                                          }})),
        objects_(*database_, directory_.path() / "objects", clock_),
        authority_(
            trust::make_certificate_authority("test CA", clock_.now(), std::chrono::days(3650))),
        control_(std::make_unique<ControlPlane>(*database_, objects_, clock_, notifier_, authority_,
                                                Arns())) {
    serve_at_once();
  }

  ControlPlane& control() { return *control_; }
  store::ObjectStore& objects() { return objects_; }
  store::Database& database() { return *database_; }
  base::FakeClock& clock() { return clock_; }
  RecordingNotifier& notifier() { return notifier_; }
  const trust::CertificateAuthority& authority() { return authority_; }

  // Every SQL statement that was prepared.
  [[nodiscard]] std::set<std::string> statements() const {
    const std::lock_guard lock(statements_mutex_);
    return statements_;
  }

  // As after a crash: everything but database and objects is gone.
  void restart() {
    control_.reset();
    control_ =
        std::make_unique<ControlPlane>(*database_, objects_, clock_, notifier_, authority_, Arns());
    serve_at_once();
  }

  // As in the server, where a thread does it: devices are served whenever there is word for them.
  void serve_at_once() {
    control_->outbox.set_listener([this] {
      if (is_serving_) return;
      is_serving_ = true;
      while (control_->serve_devices()) {
      }
      is_serving_ = false;
    });
  }
  // What comes now stays undone, until serve_at_once() or restart() and a wake.
  void serve_nobody() { control_->outbox.set_listener(nullptr); }

  void put_object(const std::string& bucket, const std::string& key, const std::string& content) {
    if (!objects_.has_bucket(bucket)) objects_.create_bucket(bucket);
    std::size_t offset = 0;
    objects_.put(bucket, key,
                 [&](char* buffer, std::size_t size) {
                   const std::size_t count = content.copy(buffer, size, offset);
                   offset += count;
                   return count;
                 },
                 {});
  }

  // A component without artifacts; `dependencies` as in a recipe.
  ComponentSummary add_component(const std::string& name, const std::string& version,
                                 const std::string& dependencies = "{}") {
    return control_->components.create(recipe(name, version, "[]", dependencies), std::nullopt);
  }

  static std::string recipe(const std::string& name, const std::string& version,
                            const std::string& artifacts = "[]",
                            const std::string& dependencies = "{}") {
    return R"({"RecipeFormatVersion": "2020-01-25", "ComponentName": ")" + name +
           R"(", "ComponentVersion": ")" + version +
           R"(", "ComponentDescription": "a test", "ComponentPublisher": "tests",
              "ComponentDependencies": )" +
           dependencies + R"(, "Manifests": [{"Platform": {"os": "linux"}, "Artifacts": )" +
           artifacts + R"(, "Lifecycle": {"run": "true"}}]})";
  }

  Deployment deploy(const std::string& target, const std::string& component,
                    const std::string& version) {
    return control_->deployments.create(
        {{"targetArn", Arns().target(target)},
         {"components", {{component, {{"componentVersion", version}}}}}});
  }

  // A device's certificate by a token of its own; the thing is made where it is not there.
  std::string enrol(const std::string& thing, const std::string& key = trust::make_private_key()) {
    const auto token = control_->enrolment.issue_token(thing, std::chrono::hours(1));
    return control_->enrolment.enrol(token.secret, trust::make_csr(key, "x")).certificate_pem;
  }

  // What a device says of its job.
  JobUpdateResult report(const std::string& thing, const std::string& job_id, JobStatus status,
                         const fleet::JobDetails& details = {}) {
    return control_->jobs.update(thing, job_id, {status, details, {}});
  }

 private:
  base::TemporaryDirectory directory_;
  base::FakeClock clock_;
  mutable std::mutex statements_mutex_;
  std::set<std::string> statements_;
  std::unique_ptr<store::Database> database_;
  store::ObjectStore objects_;
  RecordingNotifier notifier_;
  trust::CertificateAuthority authority_;
  std::unique_ptr<ControlPlane> control_;
  bool is_serving_ = false;
};

}  // namespace andon::control
